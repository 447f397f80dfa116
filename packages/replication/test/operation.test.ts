import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Actor } from '../src/dot.ts';
import { hybridTimeOf } from '../src/hybrid-clock.ts';
import type { OperationResult, WriteOperation } from '../src/messages.ts';
import { applyOperation, buildsOnHeld, isRepeatable } from '../src/operation.ts';
import { applyWrite, type DottedRecord, deadlineMsOf, FOREVER_MS, mergeRecords, winner } from '../src/record.ts';
import { VersionVector } from '../src/version-vector.ts';
import { ACTORS } from './arbitraries.ts';

const VALUE_BYTES_MAX = 40;
const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const text = (value: Uint8Array | undefined): string | undefined => value && Buffer.from(value).toString('latin1');

/** One key at one coordinator. */
class Key {
  record: DottedRecord | undefined;
  nowMs = 1000;
  dots = 0;
  requests = 0;

  readonly actor: Actor;

  constructor(actor = ACTORS[0] as Actor) {
    this.actor = actor;
  }

  run(operation: WriteOperation, n = ++this.requests): OperationResult | string {
    const applied = applyOperation(this.record, operation, {
      stamp: () => {
        const dot = { actor: this.actor, counter: ++this.dots };
        return { dot, hybridTime: hybridTimeOf(this.nowMs) + this.dots };
      },
      nowMs: this.nowMs,
      requestId: { entry: 'n1', incarnation: 1, n },
      valueBytesMax: VALUE_BYTES_MAX,
    });
    if ('rejected' in applied) return applied.rejected;
    this.record = applied.record ?? this.record;
    return applied.result;
  }

  set(
    value: string,
    more: { deadline?: number | 'keep'; condition?: 'absent' | 'present' } = {},
  ): OperationResult | string {
    return this.run({ type: 'put', value: bytes(value), supersedes: 'held', ...more });
  }

  get(): string | undefined {
    return this.record && text(winner(this.record, this.nowMs)?.bytes);
  }

  deadline(): number | undefined {
    const value = this.record && winner(this.record, this.nowMs);
    return value && deadlineMsOf(value);
  }
}

/** Redis with one key. */
class Model {
  value: string | undefined;
  deadline: number | undefined;

  expire(nowMs: number): void {
    if (this.deadline !== undefined && this.deadline <= nowMs) this.value = undefined;
    if (this.value === undefined) this.deadline = undefined;
  }

  run(operation: WriteOperation, nowMs: number): { applied: boolean; value: string | undefined } | string {
    this.expire(nowMs);
    const before = this.value;
    const made = this.#run(operation, nowMs);
    this.expire(nowMs);
    if (typeof made === 'string') return made;
    return {
      applied: made.applied,
      value: 'answer' in operation && before !== undefined ? '' : (made.value ?? before),
    };
  }

  #run(operation: WriteOperation, nowMs: number): { applied: boolean; value?: string } | string {
    const { value } = this;
    switch (operation.type) {
      case 'put': {
        const { condition, deadline } = operation;
        if (condition !== undefined && (condition === 'present') !== (value !== undefined)) return { applied: false };
        this.value = text(operation.value);
        if (deadline !== 'keep') this.deadline = deadline;
        return { applied: true };
      }
      case 'delete':
        this.value = undefined;
        return { applied: value !== undefined };
      case 'expire': {
        const { atMs, condition } = operation;
        const now = this.deadline ?? Number.POSITIVE_INFINITY;
        const may = {
          NX: this.deadline === undefined,
          XX: this.deadline !== undefined,
          GT: atMs > now,
          LT: atMs < now,
          'XX-LT': this.deadline !== undefined && atMs < now,
        };
        if (value === undefined || (condition !== undefined && !may[condition])) return { applied: false };
        if (atMs === FOREVER_MS && this.deadline === undefined) return { applied: false };
        this.deadline = atMs === FOREVER_MS ? undefined : atMs;
        if (atMs <= nowMs) this.value = undefined;
        return { applied: true };
      }
      case 'append':
        return this.#grow((value ?? '') + text(operation.value));
      case 'set-range': {
        if (operation.value.length === 0) return { applied: false, value: String(value?.length ?? 0) };
        const padded = (value ?? '').padEnd(operation.offset, '\0');
        const end = operation.offset + operation.value.length;
        return this.#grow(padded.slice(0, operation.offset) + text(operation.value) + padded.slice(end));
      }
      case 'add':
        if (value !== undefined && !/^(0|-?[1-9]\d{0,17})$/.test(value))
          return 'ERR value is not an integer or out of range';
        return this.#become(String(BigInt(value ?? 0) + operation.delta));
      case 'add-float':
        if (value !== undefined && !/^-?\d+(\.\d+)?$/.test(value)) return 'ERR value is not a valid float';
        return this.#become(String(Number((Number(value ?? 0) + Number(operation.delta)).toFixed(9))));
    }
  }

  #grow(value: string): { applied: boolean; value: string } | string {
    if (value.length > VALUE_BYTES_MAX) return 'ERR string exceeds maximum allowed size (proto-max-bulk-len)';
    this.value = value;
    return { applied: true, value: String(value.length) };
  }

  #become(value: string): { applied: boolean; value: string } {
    this.value = value;
    return { applied: true, value };
  }
}

const short = fc.constantFrom('a', 'bc', '7', '-12', '0.5', '');
const time = fc.integer({ min: 990, max: 1100 });
const answer = fc.constant('presence');
const held = fc.constant('held');
const operation = fc.oneof(
  fc.record(
    {
      type: fc.constant('put'),
      value: short.map(bytes),
      supersedes: held,
      deadline: fc.oneof(time, fc.constant('keep')),
      condition: fc.constantFrom('absent', 'present'),
      answer,
    },
    { requiredKeys: ['type', 'value', 'supersedes'] },
  ),
  fc.record({ type: fc.constant('delete'), supersedes: held, answer }, { requiredKeys: ['type', 'supersedes'] }),
  fc.record(
    {
      type: fc.constant('expire'),
      atMs: fc.oneof(time, fc.constant(FOREVER_MS)),
      condition: fc.constantFrom('NX', 'XX', 'GT', 'LT', 'XX-LT'),
    },
    { requiredKeys: ['type', 'atMs'] },
  ),
  fc.record({ type: fc.constant('append'), value: short.map(bytes) }),
  fc.record({ type: fc.constant('set-range'), offset: fc.nat({ max: 38 }), value: short.map(bytes) }),
  fc.record({ type: fc.constant('add'), delta: fc.bigInt({ min: -20n, max: 20n }) }),
  fc.record({ type: fc.constant('add-float'), delta: fc.constantFrom('0.5', '-2', '1.25') }),
) as fc.Arbitrary<WriteOperation>;
const step = fc.record({ operation, laterMs: fc.constantFrom(0, 0, 1, 20) });

describe('operations on one key at one node', () => {
  it('do and answer what Redis does', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const key = new Key();
        const model = new Model();
        for (const { operation, laterMs } of steps) {
          key.nowMs += laterMs;
          // Longer numbers than the model can add.
          if (operation.type.startsWith('add') && (model.value?.length ?? 0) > 8) continue;
          const [made, expected] = [key.run(operation), model.run(operation, key.nowMs)];
          if (typeof made === 'string') expect(made).toEqual(expected);
          else expect({ applied: made.applied, value: text(made.value) }).toEqual(expected);
          expect(key.get()).toBe(model.value);
          expect(key.deadline()).toBe(model.deadline);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('issue no dot where nothing is written', () => {
    const key = new Key();
    key.run({ type: 'delete', supersedes: 'held' });
    key.set('x', { condition: 'present' });
    key.run({ type: 'expire', atMs: 5000 });
    key.run({ type: 'set-range', offset: 9, value: bytes('') });
    expect([key.dots, key.record]).toEqual([0, undefined]);
    key.set('x');
    expect(key.set('y', { condition: 'absent' })).toMatchObject({ applied: false });
    expect(key.run({ type: 'add', delta: 1n })).toBe('ERR value is not an integer or out of range');
    expect(key.dots).toBe(1);
  });

  it('delete by a context what may be held elsewhere only', () => {
    const key = new Key();
    const context = VersionVector.of([[ACTORS[1] as Actor, 3]]);
    expect(key.run({ type: 'delete', supersedes: context.encode() })).toMatchObject({ applied: true });
    expect(key.record?.context.includes(context)).toBe(true);
  });

  it('delete siblings that a tombstone hides', () => {
    const key = new Key();
    const sibling = { hybridTime: 1, supersedes: 'nothing' as const };
    const base = applyWrite(undefined, { dot: { actor: key.actor, counter: 1 }, value: bytes('old'), ...sibling });
    const write = { dot: { actor: key.actor, counter: 2 }, value: 'tombstone' as const, ...sibling, hybridTime: 2 };
    key.record = applyWrite(base, write);
    key.dots = 2;
    expect(key.get()).toBeUndefined();
    expect(key.run({ type: 'delete', supersedes: 'held' })).toEqual({ applied: true, value: undefined });
    expect(key.record?.values).toHaveLength(1);
  });

  it('say what a second coordinator may repeat, and what builds on what is held', () => {
    const put = { type: 'put', value: bytes('v'), supersedes: 'nothing' } as const;
    const all: [WriteOperation, boolean, boolean][] = [
      [put, true, false],
      [{ ...put, supersedes: 'held' }, true, true],
      [{ ...put, condition: 'absent' }, false, true],
      [{ ...put, deadline: 'keep' }, true, true],
      [{ type: 'delete', supersedes: 'held' }, true, true],
      [{ type: 'delete', supersedes: bytes('c') }, true, false],
      [{ type: 'expire', atMs: 1 }, true, true],
      [{ type: 'expire', atMs: 1, condition: 'NX' }, false, true],
      [{ type: 'append', value: bytes('v') }, false, true],
      [{ type: 'set-range', offset: 0, value: bytes('v') }, false, true],
      [{ type: 'add', delta: 1n }, true, true],
      [{ type: 'add-float', delta: '1' }, true, true],
    ];
    for (const [each, repeatable, builds] of all) {
      expect([isRepeatable(each), buildsOnHeld(each)], each.type).toEqual([repeatable, builds]);
    }
  });
});

describe('counters', () => {
  it('refuse to leave 64 bits, either way', () => {
    const key = new Key();
    key.set('9223372036854775806');
    expect(key.run({ type: 'add', delta: 1n })).toMatchObject({ value: bytes('9223372036854775807') });
    const overflow = 'ERR increment or decrement would overflow';
    expect(key.run({ type: 'add', delta: 1n })).toBe(overflow);
    key.set('-9223372036854775808');
    expect(key.run({ type: 'add', delta: -1n })).toBe(overflow);
  });

  it('refuse what is no number, and what would be none', () => {
    const key = new Key();
    expect(key.run({ type: 'add-float', delta: 'x' })).toBe('ERR value is not a valid float');
    expect(key.run({ type: 'add-float', delta: 'inf' })).toBe('ERR increment would produce NaN or Infinity');
    key.set('9e307');
    expect(key.run({ type: 'add-float', delta: '5e306' })).toMatchObject({ applied: true });
    expect(key.run({ type: 'add-float', delta: '9e307' })).toBe('ERR increment would produce NaN or Infinity');
    key.set('1.5');
    expect(key.run({ type: 'add', delta: 1n })).toBe('ERR value is not an integer or out of range');
  });

  it('answer a request that was run before with the value as it is, and spread the record again', () => {
    const key = new Key();
    key.run({ type: 'add', delta: 5n }, 1);
    key.run({ type: 'add', delta: 1n }, 2);
    const before = key.record;
    expect(key.run({ type: 'add', delta: 5n, repeated: true }, 1)).toEqual({ applied: true, value: bytes('6') });
    expect([key.record === before, key.dots]).toEqual([true, 2]);
  });

  it('know a client by its token, however its requests are numbered', () => {
    const key = new Key();
    const requestToken = Buffer.alloc(16, 3);
    for (let i = 0; i < 3; i++) key.run({ type: 'add', delta: 2n, requestToken });
    expect(key.get()).toBe('2');
  });

  it('keep the time to live, also of what is added first', () => {
    const key = new Key();
    key.set('10', { deadline: 1050 });
    key.run({ type: 'add', delta: 1n });
    expect([key.get(), key.deadline()]).toEqual(['11', 1050]);
    key.run({ type: 'expire', atMs: 1080 });
    key.run({ type: 'add', delta: 1n });
    key.nowMs = 1079;
    expect([key.get(), key.deadline()]).toEqual(['12', 1080]);
    key.nowMs = 1080;
    expect(key.get()).toBeUndefined();
    key.run({ type: 'add', delta: 1n });
    expect([key.get(), key.deadline()]).toEqual(['1', undefined]);
    // What had expired stays beside it, without its bytes.
    expect(key.record?.values.map((value) => value.bytes === undefined)).toEqual([true, false]);
  });

  it('keep what another coordinator added unseen when they are deleted or expire', () => {
    const [one, other] = [new Key(), new Key(ACTORS[3])];
    one.set('10');
    other.record = one.record;
    one.run({ type: 'delete', supersedes: 'held' });
    other.run({ type: 'add', delta: 3n }, 900);
    one.record = mergeRecords(one.record as DottedRecord, other.record as DottedRecord);
    expect(one.get()).toBe('3');
  });

  it('remember for long what a second coordinator has run, and the first as long as both know', () => {
    const [first, second] = [new Key(), new Key(ACTORS[3])];
    first.run({ type: 'add', delta: 1n }, 1);
    second.run({ type: 'add', delta: 1n, repeated: true }, 1);
    for (let n = 1000; n < 1200; n++) second.run({ type: 'add', delta: 1n }, n);
    first.record = mergeRecords(first.record as DottedRecord, second.record as DottedRecord);
    expect(first.get()).toBe('201');
    for (let n = 2000; n < 2200; n++) first.run({ type: 'add', delta: 1n }, n);
    expect(first.get()).toBe('401');
  });
});
