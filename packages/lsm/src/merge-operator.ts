/**
 * Merge operators combine operands with a base value without a read before the write. They run in worker threads too, so
 * they are known by name; the name is recorded in the MANIFEST and must be the same at every open.
 */
export interface MergeOperator {
  readonly name: string;
  /** `base` is undefined when the key is absent. Operands are given oldest first. Must be associative over operands. */
  merge(base: Uint8Array | undefined, operands: readonly Uint8Array[]): Buffer;
}

/** Lane-wise sum modulo 2^32 of equal-length arrays of little-endian u32; an absent base is zero. */
const uint32Add: MergeOperator = {
  name: 'uint32-add',
  merge(base, operands) {
    const first = base ?? operands[0];
    if (first === undefined) throw new RangeError('uint32-add needs at least one operand');
    const sum = Buffer.alloc(first.length);
    const parts = base === undefined ? operands : [base, ...operands];
    for (const part of parts) addLanes(sum, part);
    return sum;
  },
};

function addLanes(sum: Buffer, part: Uint8Array): void {
  if (part.length !== sum.length)
    throw new RangeError(`uint32-add: operand of ${part.length} bytes, expected ${sum.length}`);
  const view = Buffer.from(part.buffer, part.byteOffset, part.byteLength);
  for (let at = 0; at + 4 <= sum.length; at += 4)
    sum.writeUInt32LE((sum.readUInt32LE(at) + view.readUInt32LE(at)) >>> 0, at);
}

const operators = new Map<string, MergeOperator>([[uint32Add.name, uint32Add]]);

/** The operator of that name, or undefined. */
export function mergeOperator(name: string): MergeOperator | undefined {
  return operators.get(name);
}
