/** Records as other nodes write them. */
import { applyWrite, type DottedRecord, decodeRecord, encodeRecord, hybridTimeOf, makeActor } from '@kvd/replication';

export interface Written {
  readonly member?: number;
  readonly tenure?: number;
  readonly counter?: number;
  readonly on?: Uint8Array | undefined;
}

/** `value` written by a member as its n-th write, over what it held. */
export function written(value: string, { member = 2, tenure = 1, counter = 1, on }: Written = {}): Buffer {
  const base: DottedRecord | undefined = on === undefined ? undefined : decodeRecord(on);
  const actor = makeActor({ memberNumber: member, tenureHigh: tenure, tenureLow: 0 });
  return encodeRecord(
    applyWrite(base, {
      dot: { actor, counter },
      hybridTime: hybridTimeOf(1_700_000_000_000 + counter),
      value: Buffer.from(value),
      supersedes: 'held',
    }),
  );
}
