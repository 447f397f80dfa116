/**
 * Codecs of blocks. The codec byte is in every block's trailer (docs/formats.md "Block trailer"), so that a reader needs
 * no option, and a block that hardly shrinks is stored as it is.
 *
 * The addon is told to copy its result: memory that it hands over itself is freed late in a loop that never yields, and
 * then each call pays for fresh pages.
 */
import { compressSync, uncompressSync } from 'snappy';
import { LsmError } from './errors.ts';
import type { CodecName } from './options.ts';

/** On disk. */
export const CODEC_NONE = 0;
export const CODEC_SNAPPY = 1;
/** Reserved in format 1: refused with LSM_INCOMPATIBLE_FORMAT until it exists. */
export const CODEC_ZSTD = 2;

/** A block must shrink by an eighth, or decoding it at each read costs more than the bytes are worth. */
const SAVING_SHIFT = 3;
/**
 * The densest element of snappy makes 64 bytes of 3, so no honest block claims more than this many bytes per stored
 * byte: the bound on what a damaged length can make us allocate.
 */
const SNAPPY_EXPANSION_MAX = 22;
const SNAPPY_LENGTH_MAX = 0xffffffff;

/** The compressed bytes, or `undefined` when they would not save an eighth. */
export function compress(codec: CodecName, bytes: Buffer): Buffer | undefined {
  if (codec === 'none' || bytes.length === 0) return undefined;
  const compressed = compressSync(bytes, { copyOutputData: true });
  return compressed.length <= bytes.length - (bytes.length >>> SAVING_SHIFT) ? compressed : undefined;
}

/**
 * The bytes that were given to `compress`, in memory of their own. `codec` is the byte on disk, not CODEC_NONE.
 * Throws LSM_CORRUPTION when they cannot be decoded, LSM_INCOMPATIBLE_FORMAT when the codec is not known.
 */
export function uncompress(codec: number, stored: Buffer): Buffer {
  if (codec !== CODEC_SNAPPY) throw new LsmError('LSM_INCOMPATIBLE_FORMAT', `block codec ${codec} is not known`);
  const length = snappyLength(stored);
  let bytes: Buffer;
  try {
    bytes = uncompressSync(stored, { asBuffer: true, copyOutputData: true }) as Buffer;
  } catch (cause) {
    throw new LsmError('LSM_CORRUPTION', 'snappy block cannot be decoded', { cause, kind: 'block' });
  }
  if (bytes.length !== length) throw undecodable(`holds ${bytes.length} bytes, its length says ${length}`);
  return bytes;
}

/** Checks the claim of a snappy block before memory is taken for it. */
function snappyLength(stored: Buffer): number {
  let length = 0;
  for (let at = 0, scale = 1; ; at++, scale *= 0x80) {
    const byte = at < 5 ? stored[at] : undefined;
    if (byte === undefined) throw undecodable('has no length');
    length += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
  }
  if (length > SNAPPY_LENGTH_MAX || length > stored.length * SNAPPY_EXPANSION_MAX) {
    throw undecodable(`of ${stored.length} bytes claims ${length} bytes`);
  }
  return length;
}

function undecodable(what: string): LsmError {
  return new LsmError('LSM_CORRUPTION', `snappy block ${what}`, { kind: 'block' });
}
