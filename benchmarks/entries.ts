/**
 * Keys and values, the same for every engine, made before the clock starts: key i is the number 2i in 16 digits, so that odd
 * numbers are missing keys that lie between present ones; a value is 100 bytes of which a good codec removes half.
 */
export const KEY_BYTES = 16;
export const VALUE_BYTES = 100;
const VALUES = 10_007;
const DIGIT_ZERO = 0x30;

/** A row of keys in one piece of memory, in the order of their use. */
export class KeySequence {
  readonly length: number;
  readonly #bytes: Buffer;

  private constructor(numbers: Uint32Array) {
    this.length = numbers.length;
    this.#bytes = Buffer.alloc(numbers.length * KEY_BYTES, DIGIT_ZERO);
    for (let i = 0; i < numbers.length; i++) writeDigits(this.#bytes, (i + 1) * KEY_BYTES, numbers[i] as number);
  }

  /** Every present key, in order. */
  static inOrder(entries: number): KeySequence {
    return new KeySequence(Uint32Array.from({ length: entries }, (_, i) => 2 * i));
  }

  /** Every present key once, shuffled. */
  static shuffled(entries: number): KeySequence {
    const numbers = Uint32Array.from({ length: entries }, (_, i) => 2 * i);
    const random = seededRandom(1);
    for (let i = entries - 1; i > 0; i--) {
      const other = Math.floor(random() * (i + 1));
      const moved = numbers[i] as number;
      numbers[i] = numbers[other] as number;
      numbers[other] = moved;
    }
    return new KeySequence(numbers);
  }

  /** Present keys, each drawn anew. */
  static drawn(entries: number, from: number): KeySequence {
    const random = seededRandom(2);
    return new KeySequence(Uint32Array.from({ length: entries }, () => 2 * Math.floor(random() * from)));
  }

  /** Missing keys between the present ones. */
  static missing(entries: number, from: number): KeySequence {
    const random = seededRandom(3);
    return new KeySequence(Uint32Array.from({ length: entries }, () => 2 * Math.floor(random() * from) + 1));
  }

  at(index: number): Buffer {
    return this.#bytes.subarray(index * KEY_BYTES, (index + 1) * KEY_BYTES);
  }
}

/** Values in turn; a prime number of them, so that they do not march in step with anything. */
export class ValueSequence {
  readonly #bytes = Buffer.alloc(VALUES * VALUE_BYTES);

  constructor() {
    const random = seededRandom(4);
    for (let start = 0; start < this.#bytes.length; start += VALUE_BYTES) {
      for (let i = 0; i < VALUE_BYTES / 2; i++) this.#bytes[start + i] = random() * 256;
      this.#bytes.copy(this.#bytes, start + VALUE_BYTES / 2, start, start + VALUE_BYTES / 2);
    }
  }

  at(index: number): Buffer {
    const start = (index % VALUES) * VALUE_BYTES;
    return this.#bytes.subarray(start, start + VALUE_BYTES);
  }
}

function writeDigits(bytes: Buffer, end: number, number: number): void {
  let left = number;
  for (let at = end - 1; left > 0; at--) {
    bytes[at] = DIGIT_ZERO + (left % 10);
    left = Math.floor(left / 10);
  }
}

/** mulberry32: numbers in [0, 1), the same in every run. */
function seededRandom(seed: number): () => number {
  let state = seed * 0x9e3779b9;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
