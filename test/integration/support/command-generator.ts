/**
 * Random commands on strings, counters and expiry, with the edges of each on purpose: the ends of 64 bits, floats, empty and
 * binary strings, far offsets, options that exclude each other, too few and too many words.
 *
 * What would depend on the moment is kept apart: times from now on and times since 1970 lie far from each other, and where a
 * time from now on is compared with the one that is set (GT, LT), no two are near each other.
 */

export type Word = string | Buffer;

/** How replies are compared: byte for byte, or as times that may be apart by what passes between two servers. */
export type Comparison = 'exact' | 'seconds' | 'milliseconds' | 'shape';

export interface Generated {
  readonly words: readonly Word[];
  readonly comparison: Comparison;
}

const SPREAD_SECONDS = 100;

export class CommandGenerator {
  readonly #nowSeconds: number;
  #state: number;
  #times = 0;

  constructor(seed: number, nowMs: number) {
    this.#state = seed >>> 0;
    this.#nowSeconds = Math.floor(nowMs / 1000);
  }

  next(): Generated {
    const make = this.#pick(COMMANDS);
    const made = make(this);
    const [comparison, words] = Array.isArray(made) ? (['exact', made] as const) : [made.comparison, made.words];
    const name = this.#chance(8) ? mixCase(words[0] as string) : words[0];
    return { words: this.#mangled([name as Word, ...words.slice(1)]), comparison };
  }

  /** Uniform below `n`: mulberry32. */
  below(n: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * n);
  }

  key(): Word {
    return this.#chance(40) ? this.#pick(['', 'nosuch', Buffer.from([0, 255, 13, 10])]) : this.#pick(KEYS);
  }

  keys(): Word[] {
    return Array.from({ length: 1 + this.below(4) }, () => this.key());
  }

  value(): Word {
    switch (this.below(6)) {
      case 0:
        return this.integer();
      case 1:
        return this.float();
      case 2:
        return this.#pick(['', ' ', ' 1', '1 ', '+1', '01', '-0', '0', '1.0', 'abc', 'nan', '1e2', '.5', '5.']);
      case 3:
        return Buffer.from(Array.from({ length: this.below(20) }, () => this.below(256)));
      default:
        return `${this.below(1000)}`;
    }
  }

  integer(): Word {
    return this.#chance(3) ? this.#pick(INTEGERS) : `${this.below(2001) - 1000}`;
  }

  /** For keys that INCRBYFLOAT adds to. */
  floatKey(): Word {
    return this.#pick(FLOAT_KEYS);
  }

  /** A number that binary floats hold exactly, and so do the sums of many: Redis prints what it rounds, kvd does not round. */
  float(): Word {
    return this.#chance(4) ? this.#pick(FLOATS) : `${(this.below(2_000_001) - 1_000_000) / 64}`;
  }

  offset(): Word {
    if (this.#chance(12)) return this.#pick(['-1', 'x', '', '536870912', '9223372036854775807', '9223372036854775808']);
    return `${this.below(this.#chance(50) ? 20_000 : 40)}`;
  }

  place(): Word {
    if (this.#chance(8)) return this.#pick(INTEGERS);
    return `${this.below(60) - 30}`;
  }

  /** Seconds from now, each far from every other that is given. */
  farSeconds(): number {
    return 1_000_000 + SPREAD_SECONDS * ++this.#times;
  }

  /** A number for EX, PX, EXAT or PXAT: mostly one that leaves the value alive. */
  time(unit: string): Word {
    if (this.#chance(6)) return this.#pick([...BAD_TIMES, ...(FAR_TIMES[unit] as readonly string[])]);
    const seconds = unit.endsWith('AT') ? this.#nowSeconds + 500_000 + this.below(5) * 1000 : this.farSeconds();
    return unit.startsWith('P') ? `${seconds * 1000 + this.below(1000)}` : `${seconds}`;
  }

  /** A number for the EXPIRE family, past ones too. */
  expiry(command: string): Word {
    if (this.#chance(10)) return this.#pick(command.endsWith('AT') ? ['1', ...PAST_TIMES] : PAST_TIMES);
    return this.time(`${command.startsWith('P') ? 'PX' : 'EX'}${command.endsWith('AT') ? 'AT' : ''}`);
  }

  options(all: readonly string[], most: number): Word[] {
    const words: Word[] = [];
    for (let i = this.below(most + 1); i > 0; i--) {
      const option = this.#pick(all);
      words.push(this.#chance(6) ? mixCase(option) : option);
      if (UNITS.has(option) && !this.#chance(15)) words.push(this.time(option));
    }
    return words;
  }

  pick<T>(items: readonly T[]): T {
    return this.#pick(items);
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  #chance(oneIn: number): boolean {
    return this.below(oneIn) === 0;
  }

  /** Now and then a word is missing or too many. */
  #mangled(words: readonly Word[]): readonly Word[] {
    if (!this.#chance(50)) return words;
    return this.#chance(2) && words.length > 1
      ? words.slice(0, -1)
      : [...words, this.#pick(['x', '', 'EX', 'NX', '7000000'])];
  }
}

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'k1', 'k2'];
const FLOAT_KEYS = ['x', 'y', 'z'];
const UNITS = new Set(['EX', 'PX', 'EXAT', 'PXAT']);
const SET_OPTIONS = [
  'EX',
  'PX',
  'EXAT',
  'PXAT',
  'NX',
  'XX',
  'GET',
  'KEEPTTL',
  'EX',
  'PX',
  'NX',
  'XX',
  'GET',
  'PERSIST',
  'zz',
];
const GETEX_OPTIONS = ['EX', 'PX', 'EXAT', 'PXAT', 'PERSIST', 'KEEPTTL', 'NX', 'persis'];
const EXPIRE_OPTIONS = ['NX', 'XX', 'GT', 'LT', 'NX', 'XX', 'GT', 'LT', 'EX', 'bad\r\noption', 'a\0b'];
const INTEGERS = [
  '9223372036854775807',
  '-9223372036854775808',
  '9223372036854775808',
  '-9223372036854775809',
  '9223372036854775806',
  '-9223372036854775807',
  '4611686018427387904',
  '9007199254740993',
  '-9007199254740993',
  '18446744073709551615',
  '123456789012345678901234567890',
  '0',
  '-0',
  '+5',
  '007',
  '1.5',
  '',
  'ten',
  ' 1',
  '1e3',
];
const FLOATS = ['0', '-0', '1e3', '1.5E2', '-2.5e-1', '3.0e2', '5.', '.5', '+1.25', '0012.50', '2.0', '-.0'];
const NO_FLOATS = [
  'inf',
  '-inf',
  '+INF',
  'infinity',
  'infinit',
  'nan',
  '',
  ' 1',
  '1 ',
  'x',
  '1..2',
  '.',
  '1e',
  '--1',
  '+-1',
  '1e5x',
];
const BAD_TIMES = ['0', '-1', '-100', 'x', '', '1.5', '9223372036854775808', '-9223372036854775808'];
/** Beyond what Redis takes, and the farthest that kvd takes; between them kvd refuses what Redis would take. */
const FAR_TIMES: Readonly<Record<string, readonly string[]>> = {
  EX: ['9223372036854775807', '9223372036854775'],
  PX: ['9223372036854775807'],
  EXAT: ['9223372036854775807', '9007199254740'],
  PXAT: ['9007199254740990'],
};
const PAST_TIMES = ['0', '-1', '-9223372036854775808', '-9223372036854775', 'x', ''];

function mixCase(word: string): string {
  return [...word].map((letter, i) => (i % 2 === 0 ? letter.toLowerCase() : letter)).join('');
}

type Made = Word[] | Generated;
type Make = (g: CommandGenerator) => Made;

const times =
  (name: string, comparison: Comparison): Make =>
  (g) => ({ words: [name, g.key()], comparison });

/** A command that is named twice comes twice as often. */
const COMMANDS: readonly Make[] = [
  (g) => ['SET', g.key(), g.value()],
  (g) => ['SET', g.key(), g.value()],
  (g) => ['SET', g.key(), g.value(), ...g.options(SET_OPTIONS, 4)],
  (g) => ['SET', g.key(), g.value(), ...g.options(SET_OPTIONS, 2)],
  (g) => ['SET', g.key(), g.integer()],
  (g) => ['SETEX', g.key(), g.time('EX'), g.value()],
  (g) => ['PSETEX', g.key(), g.time('PX'), g.value()],
  (g) => ['SETNX', g.key(), g.value()],
  (g) => ['GETSET', g.key(), g.value()],
  (g) => ['GETDEL', g.key()],
  (g) => ['GETEX', g.key(), ...g.options(GETEX_OPTIONS, 2)],
  (g) => ['GETEX', g.key(), ...g.options(GETEX_OPTIONS, 1)],
  (g) => ['APPEND', g.key(), g.value()],
  (g) => ['GETRANGE', g.key(), g.place(), g.place()],
  (g) => ['SUBSTR', g.key(), g.place(), g.place()],
  (g) => ['SETRANGE', g.key(), g.offset(), g.value()],
  (g) => ['INCR', g.key()],
  (g) => ['DECR', g.key()],
  (g) => ['INCRBY', g.key(), g.integer()],
  (g) => ['DECRBY', g.key(), g.integer()],
  (g) => ['INCRBYFLOAT', g.floatKey(), g.float()],
  (g) => ['INCRBYFLOAT', g.floatKey(), g.float()],
  (g) => ['INCRBYFLOAT', g.pick([g.key(), g.floatKey()]), g.pick(NO_FLOATS)],
  (g) => ['SET', g.floatKey(), g.float(), ...g.options(SET_OPTIONS, 1)],
  (g) => ['INCRBY', g.floatKey(), `${g.below(2001) - 1000}`],
  (g) => [g.pick(['GET', 'STRLEN', 'INCR', 'DECR', 'TYPE', 'GETDEL', 'PERSIST']), g.floatKey()],
  (g) => ['MSETNX', g.key(), g.value()],
  (g) => ['MSET', ...g.keys().flatMap((key) => [key, g.value()])],
  (g) => ['GET', g.key()],
  (g) => ['GET', g.key()],
  (g) => ['MGET', ...g.keys()],
  (g) => ['EXISTS', ...g.keys()],
  (g) => ['TOUCH', ...g.keys()],
  (g) => ['TYPE', g.key()],
  (g) => ['STRLEN', g.key()],
  (g) => ['DEL', ...g.keys()],
  (g) => ['UNLINK', g.key()],
  (g) => ['PERSIST', g.key()],
  ...['EXPIRE', 'PEXPIRE', 'EXPIREAT', 'PEXPIREAT'].map(
    (name): Make =>
      (g) => [name, g.key(), g.expiry(name), ...g.options(EXPIRE_OPTIONS, 2)],
  ),
  times('TTL', 'seconds'),
  times('PTTL', 'milliseconds'),
  times('EXPIRETIME', 'seconds'),
  times('PEXPIRETIME', 'milliseconds'),
  () => ({ words: ['TIME'], comparison: 'shape' }),
];
