/**
 * One record out of several answers.
 *
 * The usual case costs no decoding: encodings are canonical, so answers with equal bytes are equal records. Where one node
 * alone vouches for some bytes, they are decoded before they count; the coordinator's own copy is vouched for by its
 * engine's checksums. Damaged bytes are reported, never merged (FAULTS C16).
 */
import type { NodeId } from '../messages.ts';
import { type DottedRecord, mergeRecords } from '../record.ts';
import { decodeRecord, encodeRecord } from '../record-codec.ts';
import type { Answer } from './read-repair.ts';

export interface MergedAnswers<A extends Answer> {
  /** Undefined: all that are sound say "absent". */
  readonly record: Uint8Array | undefined;
  readonly damaged: readonly A[];
}

const NONE: readonly never[] = Object.freeze([]);

/** Merges what distinct nodes answered. `trusted`: the node whose bytes need no second look. */
export function mergeAnswers<A extends Answer>(answers: readonly A[], trusted: NodeId): MergedAnswers<A> {
  const present = answers.filter((answer) => answer.record !== undefined);
  const first = present[0];
  if (first === undefined) return { record: undefined, damaged: NONE };
  const alike = present.every((answer) => equalBytes(answer.record, first.record));
  if (alike && (present.length > 1 || first.node === trusted)) return { record: first.record, damaged: NONE };
  return mergeDecoded(present);
}

function mergeDecoded<A extends Answer>(present: readonly A[]): MergedAnswers<A> {
  const damaged: A[] = [];
  let merged: DottedRecord | undefined;
  for (const answer of present) {
    try {
      const record = decodeRecord(answer.record as Uint8Array);
      merged = merged === undefined ? record : mergeRecords(merged, record);
    } catch {
      // Not canonical, a checksum is wrong, or one dot stands for two writes: that answer proves nothing.
      damaged.push(answer);
    }
  }
  return { record: merged === undefined ? undefined : encodeRecord(merged), damaged };
}

export function isSoundRecord(bytes: Uint8Array): boolean {
  try {
    decodeRecord(bytes);
    return true;
  } catch {
    return false;
  }
}

export function equalBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined || a.length !== b.length) return false;
  return Buffer.compare(a, b) === 0;
}
