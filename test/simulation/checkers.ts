/**
 * What must be so when the faults are over and time has passed. Each row of FINAL_CHECKS looks at all stores and the history, and
 * throws an InvariantViolation.
 *
 * To plug in another invariant, add a row here; one that holds at every moment belongs where the moment is: store-tap.ts (commits),
 * acknowledgements.ts (replies), workload.ts (reads).
 */
import {
  leafOfBytes,
  addHashes,
  decodeRecord,
  type DottedRecord,
  type DottedValue,
  formatDot,
  type Hash128,
  hashesEqual,
  hashOfCluster,
  recordHash,
  slotHashKey,
  slotOfAddress,
  ZERO_HASH,
} from '@kvd/replication';
import type { Ring } from '@kvd/ring';
import type { Cluster, Machine } from './cluster.ts';
import { type History, isSame, type WriteRecord } from './history.ts';
import { InvariantViolation } from './invariant.ts';
import { type FoundRecord, hints, records } from './store-tap.ts';

export interface FinalState {
  readonly history: History;
  readonly replicas: number;
  readonly machines: readonly { readonly machine: Machine; readonly records: readonly FoundRecord[] }[];
  readonly ring: Ring;
  /** Every record by key, as its first owner has it. */
  readonly byKey: ReadonlyMap<string, DottedRecord>;
}

const FINAL_CHECKS: readonly ((state: FinalState) => void)[] = [
  noHintsLeft,
  replicasAreEqual,
  leavesAreSums,
  nothingInvented,
  noAcknowledgedWriteLost,
  noFalseSiblings,
];

/** Looks at everything. All machines must be up. */
export function checkFinal(cluster: Cluster, history: History): void {
  const state = finalState(cluster, history);
  for (const check of FINAL_CHECKS) check(state);
}

/** Why the cluster is not at rest yet, undefined when it is. */
export function unrest(cluster: Cluster, history: History): string | undefined {
  const notUp = cluster.machines.filter((machine) => !machine.isUp);
  if (notUp.length > 0) return `${notUp.map(({ id, state }) => `${id} is ${state}`).join(', ')}`;
  const state = finalState(cluster, history);
  try {
    noHintsLeft(state);
    replicasAreEqual(state);
  } catch (error) {
    if (error instanceof InvariantViolation) return error.message;
    throw error;
  }
  return undefined;
}

function finalState(cluster: Cluster, history: History): FinalState {
  const machines = cluster.machines.map((machine) => {
    if (machine.engine === undefined) throw new Error(`${machine.id} has no engine`);
    return { machine, records: records(machine.engine) };
  });
  const ring = machines[0]?.machine.node?.services.ring();
  if (ring === undefined) throw new Error('no node has been started');
  const byKey = new Map<string, DottedRecord>();
  for (const { records: all } of machines) {
    for (const { key, bytes } of all) if (!byKey.has(key)) byKey.set(key, decodeRecord(bytes));
  }
  return { history, replicas: cluster.settings.replicas, machines, ring, byKey };
}

/** I13: no hint is left. */
function noHintsLeft({ machines }: FinalState): void {
  for (const { machine } of machines) {
    const left = hints(machine.engine as NonNullable<Machine['engine']>);
    const first = left[0];
    if (first !== undefined)
      throw new InvariantViolation('I13 hints', `${machine.id} still has ${left.length}`, first.key);
  }
}

/** I11: every owner of a record has the same bytes, and nobody else has any. */
function replicasAreEqual({ machines, ring, replicas }: FinalState): void {
  const holders = new Map<string, { address: Buffer; bytes: Map<string, Buffer> }>();
  for (const { machine, records: all } of machines) {
    for (const { key, address, bytes } of all) {
      const known = holders.get(key) ?? { address, bytes: new Map<string, Buffer>() };
      known.bytes.set(machine.id, bytes);
      holders.set(key, known);
    }
  }
  for (const [key, { address, bytes }] of holders) {
    const owners = ring.row(slotOfAddress(address)).slice(0, replicas);
    const stranger = [...bytes.keys()].find((id) => !owners.includes(id));
    if (stranger !== undefined)
      throw new InvariantViolation('I15 ownership', `${stranger} has a record it does not own`, key);
    const first = bytes.get(owners[0] as string);
    if (owners.every((id) => first !== undefined && bytes.get(id)?.equals(first))) continue;
    const told = owners.map((id) => `${id}: ${describe(bytes.get(id))}`).join('; ');
    throw new InvariantViolation('I11 convergence', `owners differ: ${told}`, key);
  }
}

/** I11: the leaf of every slot is the sum of the hashes of its records. */
function leavesAreSums({ machines, replicas }: FinalState): void {
  for (const { machine, records: all } of machines) {
    const seed = hashOfCluster(Buffer.from(machine.node?.services.stats().clusterId ?? '', 'hex'));
    const sums = new Map<number, Hash128>();
    for (const { address, bytes } of all) {
      const slot = slotOfAddress(address);
      sums.set(slot, addHashes(sums.get(slot) ?? ZERO_HASH, recordHash(seed, address, bytes)));
    }
    for (const [slot, sum] of sums) {
      const stored = machine.engine?.getSync(slotHashKey({ slot, keyspace: 0, generation: 0 }, replicas));
      if (stored !== undefined && hashesEqual(leafOfBytes(stored), sum)) continue;
      throw new InvariantViolation(
        'I11 leaves',
        `${machine.id}: the leaf of slot ${slot} is not the sum of its records`,
      );
    }
  }
}

/** I3 and I9, of what is stored in the end. */
function nothingInvented({ history, byKey }: FinalState): void {
  for (const [key, record] of byKey) for (const value of record.values) history.writeOf(key, value, 'the final record');
}

/** I4: an acknowledged write is there, or a write that saw it has taken its place. */
function noAcknowledgedWriteLost({ history, byKey }: FinalState): void {
  for (const key of history.keys) {
    const record = byKey.get(key);
    for (const write of history.writesOf(key)) {
      if (write.result === 'ok' && !write.excused) checkKept(history, record, write);
    }
  }
}

function checkKept(history: History, record: DottedRecord | undefined, write: WriteRecord): void {
  const lost = (how: string): never => {
    const what = write.value === undefined ? 'delete' : `write of ${write.value.slice(0, 24)}`;
    throw new InvariantViolation(
      'I4 no acknowledged write lost',
      `the ${what} (number ${write.number}) ${how}`,
      write.key,
    );
  };
  if (record === undefined) return lost('is lost: nobody has a record');
  if (write.context !== undefined && !record.context.includes(write.context)) {
    lost(`was acknowledged with ${write.context}, the owners have ${record.context}`);
  }
  if (write.value === undefined) return;
  // A second coordinator may have run it too, and lost it before anybody was told: only what was acknowledged counts.
  const dots = write.births.map(({ dot }) => dot).filter((dot) => write.context?.covers(dot));
  if (dots.length === 0) lost(`was acknowledged with ${write.context}, which has no dot of it`);
  for (const dot of dots) {
    if (isHeld(record, dot)) continue;
    if (!history.wasSuperseded(write.key, dot))
      lost(`(${formatDot(dot)}) is gone, and no write that saw it took its place`);
  }
}

function isHeld(record: DottedRecord, dot: DottedValue['dot']): boolean {
  return record.values.some((value) => isSame(value.dot, dot));
}

/** I5, I6: no value is left that an acknowledged write has superseded. */
function noFalseSiblings({ history, byKey }: FinalState): void {
  for (const [key, record] of byKey) {
    for (const write of history.writesOf(key)) {
      const superseded = supersededBy(write);
      if (superseded === undefined) continue;
      for (const value of record.values) {
        const own = write.births.some(({ dot }) => isSame(dot, value.dot));
        if (own || (value.tombstone && write.value === undefined) || !superseded.covers(value.dot)) continue;
        const message = `${formatDot(value.dot)} is still there, though write ${write.number} superseded it`;
        throw new InvariantViolation('I5 no false siblings', message, key);
      }
    }
  }
}

function supersededBy(write: WriteRecord): DottedRecord['context'] | undefined {
  if (write.result !== 'ok' || write.excused || write.supersedes === 'nothing') return undefined;
  return write.supersedes === 'held' ? write.context : write.supersedes;
}

function describe(bytes: Buffer | undefined): string {
  if (bytes === undefined) return 'nothing';
  const { context, values } = decodeRecord(bytes);
  const told = values.map(({ dot, bytes: value, tombstone }) => {
    return `${formatDot(dot)} ${tombstone ? 'tombstone' : Buffer.from(value ?? []).toString('latin1', 0, 16)}`;
  });
  return `${context} [${told.join(', ')}]`;
}
