/**
 * The slot of a key: CRC16 of the key, or of its hash tag, modulo 16384, exactly as in Redis Cluster, so that its
 * clients compute the same. On the wire and in files: never to be changed.
 */

/** How many slots there are. */
export const SLOT_COUNT = 16384;

const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

/** CRC16/XMODEM: polynomial 0x1021, initial value 0, nothing reflected. */
const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc & 0xffff;
});

/** CRC16/XMODEM of `bytes` from `start` up to `end`, excluded. */
export function crc16(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = 0;
  for (let i = start; i < end; i++) {
    crc = ((crc << 8) & 0xffff) ^ (TABLE[(crc >>> 8) ^ (bytes[i] as number)] as number);
  }
  return crc;
}

/**
 * The slot of a key, 0 to 16383. What stands between the first `{` and the first `}` after it is hashed alone, unless it
 * is empty: keys with one tag share a slot.
 */
export function slotOf(key: Uint8Array): number {
  const opening = key.indexOf(OPENING_BRACE);
  if (opening >= 0) {
    const closing = key.indexOf(CLOSING_BRACE, opening + 1);
    if (closing > opening + 1) return crc16(key, opening + 1, closing) % SLOT_COUNT;
  }
  return crc16(key) % SLOT_COUNT;
}
