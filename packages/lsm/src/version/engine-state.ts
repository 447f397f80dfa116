/** What the MANIFEST keeps, as a value: the sum of its edits. */
import type { LogState, VersionEdit } from './version-edit.ts';
import { LEVELS, Version } from './version.ts';

export interface EngineState {
  readonly version: Version;
  /** No file has had this number or a larger one. */
  readonly nextFileNumber: number;
  /** The largest sequence number of any entry in a table. */
  readonly lastSequence: number;
  /** Logs whose entries are not all in tables, ascending. */
  readonly logs: readonly LogState[];
  readonly mergeOperatorName: string;
  /** Per level, the internal key behind which the next compaction begins. */
  readonly pointers: readonly (Buffer | undefined)[];
}

export const EMPTY_STATE: EngineState = {
  version: Version.empty,
  nextFileNumber: 1,
  lastSequence: 0,
  logs: [],
  mergeOperatorName: '',
  pointers: Array.from({ length: LEVELS }, () => undefined),
};

export function applyEdit(state: EngineState, edit: VersionEdit): EngineState {
  const pointers = state.pointers.slice();
  for (const { level, key } of edit.pointers ?? []) pointers[level] = key;
  const changesTables = (edit.added?.length ?? 0) + (edit.removed?.length ?? 0) > 0;
  return {
    version: changesTables ? state.version.apply(edit.added ?? [], edit.removed ?? []) : state.version,
    nextFileNumber: Math.max(state.nextFileNumber, edit.nextFileNumber ?? 0),
    lastSequence: Math.max(state.lastSequence, edit.lastSequence ?? 0),
    logs: edit.logs ?? state.logs,
    mergeOperatorName: edit.mergeOperatorName ?? state.mergeOperatorName,
    pointers,
  };
}

/** The edit that makes `state` out of nothing: the first one of a MANIFEST. */
export function snapshotEdit(state: EngineState): VersionEdit {
  return {
    mergeOperatorName: state.mergeOperatorName,
    nextFileNumber: state.nextFileNumber,
    lastSequence: state.lastSequence,
    logs: state.logs,
    added: state.version.levels.flatMap((tables, level) => tables.map((table) => ({ level, table }))),
    pointers: state.pointers.flatMap((key, level) => (key === undefined ? [] : [{ level, key }])),
  };
}
