/**
 * Exact decimals for counters: a bigint count of units of 10^-17, the precision with which Redis prints INCRBYFLOAT. Their
 * addition is associative, so that replicas agree bit for bit whatever order they add in; binary floats would not.
 */
import type { ByteReader, ByteWriter } from '../encoding.ts';

const FRACTION_DIGITS = 17;
/** Units of one. */
export const ONE = 10n ** BigInt(FRACTION_DIGITS);
export const INT64_MIN = -(2n ** 63n);
export const INT64_MAX = 2n ** 63n - 1n;
/** Digits before the point, about as many as a double has; what needs more counts as infinite. */
const INTEGER_DIGITS_MAX = 308;
/** Texts that are longer are no numbers: parsing them costs more than they can mean. */
const TEXT_BYTES_MAX = 512;

const INTEGER = /^(?:0|-?[1-9]\d{0,18})$/;
const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,9}))?$/;
const INFINITE = /^[+-]?inf(?:inity)?$/i;

/** The integer, or undefined when the bytes are no canonical 64-bit integer: what Redis takes for one. */
export function parseInt64(bytes: Uint8Array): bigint | undefined {
  if (bytes.length === 0 || bytes.length > 20) return undefined;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  if (!INTEGER.test(text)) return undefined;
  const value = BigInt(text);
  return value < INT64_MIN || value > INT64_MAX ? undefined : value;
}

/** In units; undefined when the text is no decimal number. What lies below 10^-17 is rounded, half away from zero. */
export function parseDecimal(text: string): bigint | 'infinite' | undefined {
  if (text.length === 0 || text.length > TEXT_BYTES_MAX) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = DECIMAL.exec(text) ?? [];
  if (sign === undefined || whole.length + fraction.length === 0) return INFINITE.test(text) ? 'infinite' : undefined;
  const digits = (whole + fraction).replace(/^0+/, '');
  if (digits === '') return 0n;
  const shift = Number(exponent) - fraction.length + FRACTION_DIGITS;
  if (digits.length + shift > INTEGER_DIGITS_MAX + FRACTION_DIGITS) return 'infinite';
  const units = shift >= 0 ? BigInt(digits + '0'.repeat(shift)) : rounded(digits, -shift);
  return sign === '-' ? -units : units;
}

/** The digits without the last `count`. */
function rounded(digits: string, count: number): bigint {
  if (count > digits.length) return 0n;
  const kept = digits.slice(0, digits.length - count);
  const up = (digits[digits.length - count] as string) >= '5';
  return BigInt(kept === '' ? '0' : kept) + (up ? 1n : 0n);
}

/** As Redis prints it: no exponent, no trailing zeros, no point without digits behind it. */
export function formatDecimal(units: bigint): string {
  const magnitude = units < 0n ? -units : units;
  const whole = (magnitude / ONE).toString();
  const rest = magnitude % ONE;
  const fraction = rest === 0n ? '' : `.${rest.toString().padStart(FRACTION_DIGITS, '0').replace(/0+$/, '')}`;
  return `${units < 0n ? '-' : ''}${whole}${fraction}`;
}

// On disk and on the wire: docs/formats.md "Counters".
const FLAG_NEGATIVE = 1;
const FLAG_FRACTION = 2;

/** Flags, then a length and the magnitude, big-endian without leading zeros: of whole ones when there is no fraction. */
export function writeDecimal(writer: ByteWriter, units: bigint): void {
  const magnitude = units < 0n ? -units : units;
  const hasFraction = magnitude % ONE !== 0n;
  writer.uint8((units < 0n ? FLAG_NEGATIVE : 0) | (hasFraction ? FLAG_FRACTION : 0));
  const hex = (hasFraction ? magnitude : magnitude / ONE).toString(16);
  writer.sized(Buffer.from(hex === '0' ? '' : hex.length % 2 === 0 ? hex : `0${hex}`, 'hex'));
}

export function readDecimal(reader: ByteReader): bigint {
  const flags = reader.uint8();
  if (flags > (FLAG_NEGATIVE | FLAG_FRACTION)) reader.fail(`decimal with flags ${flags}`);
  const bytes = reader.sized();
  if (bytes[0] === 0) reader.fail('a decimal with a leading zero');
  const magnitude = bytes.length === 0 ? 0n : BigInt(`0x${bytes.toString('hex')}`);
  const hasFraction = (flags & FLAG_FRACTION) !== 0;
  if (hasFraction && magnitude % ONE === 0n) reader.fail('a whole decimal written with a fraction');
  if (magnitude === 0n && flags !== 0) reader.fail('a zero with flags');
  const units = hasFraction ? magnitude : magnitude * ONE;
  return (flags & FLAG_NEGATIVE) !== 0 ? -units : units;
}
