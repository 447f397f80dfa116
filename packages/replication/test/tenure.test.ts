import { describe, expect, it } from 'vitest';
import { type Actor, makeActor, memberNumberOf } from '../src/dot.ts';
import { TenureTable } from '../src/tenure.ts';
import { VersionVector } from '../src/version-vector.ts';

const SLOT = 5;

function counting(): { uint32(): number } {
  let last = 0;
  return { uint32: () => ++last };
}

function tableWithTenure(): { table: TenureTable; actor: Actor; random: { uint32(): number } } {
  const table = new TenureTable({ memberNumber: 3, era: 1 });
  const random = counting();
  return { table, random, actor: table.mint(SLOT, random) };
}

const knows = (actor: Actor, counter: number): VersionVector => VersionVector.of([[actor, counter]]);

describe('TenureTable', () => {
  it('wants a tenure at the first use of a slot, of that slot only', () => {
    const table = new TenureTable({ memberNumber: 3, era: 0 });
    expect(table.dueBecause(SLOT)).toBe('first-use');
    const actor = table.mint(SLOT, counting());
    expect(memberNumberOf(actor)).toBe(3);
    expect(table.current(SLOT)).toBe(actor);
    expect(table.dueBecause(SLOT)).toBeUndefined();
    expect(table.dueBecause(SLOT + 1)).toBe('first-use');
    expect(() => table.mint(SLOT, counting())).toThrow('has tenure');
  });

  it('never takes a retired tenure up again, not even when chance repeats itself', () => {
    const { table, actor } = tableWithTenure();
    table.retire(SLOT, 'drop');
    expect(table.current(SLOT)).toBeUndefined();
    expect(table.dueBecause(SLOT)).toBe('drop');
    expect(table.mint(SLOT, counting())).not.toBe(actor);
  });

  it('keeps a retired tenure retired over a restart', () => {
    const { table, actor } = tableWithTenure();
    table.retire(SLOT, 'drop');
    const restarted = new TenureTable({ memberNumber: 3, era: 1 });
    restarted.loadEncoded(SLOT, table.encode(SLOT));
    expect(restarted.current(SLOT)).toBeUndefined();
    expect(restarted.mint(SLOT, counting())).not.toBe(actor);
  });

  it('takes its tenure up again after a restart in the same era, but not in a later one', () => {
    const { table, actor } = tableWithTenure();
    const bytes = table.encode(SLOT);
    const same = new TenureTable({ memberNumber: 3, era: 1 });
    same.loadEncoded(SLOT, bytes);
    expect(same.current(SLOT)).toBe(actor);
    const later = new TenureTable({ memberNumber: 3, era: 2, eraReason: 'engine-failure' });
    later.loadEncoded(SLOT, bytes);
    expect(later.current(SLOT)).toBeUndefined();
    expect(later.dueBecause(SLOT)).toBe('engine-failure');
  });

  it('ends all tenures at once with a new era', () => {
    const { table } = tableWithTenure();
    expect(table.retireAll('tail-doubt')).toBe(2);
    expect(table.dueBecause(SLOT)).toBe('tail-doubt');
  });

  it('ends the tenure when a peer names a dot of it that is missing here', () => {
    const { table, actor } = tableWithTenure();
    const evidence = { incoming: knows(actor, 7), issuedUpTo: 9 };
    expect(table.observe(SLOT, { ...evidence, held: knows(actor, 7) })).toBeUndefined();
    expect(table.current(SLOT)).toBe(actor);
    expect(table.observe(SLOT, { ...evidence, held: knows(actor, 6) })).toBe('missing-locally');
    expect(table.current(SLOT)).toBeUndefined();
  });

  it('ends the tenure when the record that a peer speaks of is absent here', () => {
    const { table, actor } = tableWithTenure();
    expect(table.observe(SLOT, { incoming: knows(actor, 1), held: undefined, issuedUpTo: 9 })).toBe('missing-locally');
  });

  it('ends the tenure when a peer names a counter that was never issued', () => {
    const { table, actor } = tableWithTenure();
    const evidence = { incoming: knows(actor, 10), held: knows(actor, 10), issuedUpTo: 9 };
    expect(table.observe(SLOT, evidence)).toBe('peer-knows-more');
  });

  it('ends the tenure once when a peer names one of its own that it does not know', () => {
    const { table, random } = tableWithTenure();
    const unknown = makeActor({ memberNumber: 3, tenureHigh: 9, tenureLow: 9 });
    const evidence = { incoming: knows(unknown, 1), held: undefined, issuedUpTo: 9 };
    expect(table.observe(SLOT, evidence)).toBe('peer-knows-more');
    const next = table.mint(SLOT, random);
    const restarted = new TenureTable({ memberNumber: 3, era: 1 });
    restarted.loadEncoded(SLOT, table.encode(SLOT));
    expect(restarted.observe(SLOT, evidence)).toBeUndefined();
    expect(restarted.current(SLOT)).toBe(next);
  });

  it('does not mind what other members wrote', () => {
    const { table } = tableWithTenure();
    const other = makeActor({ memberNumber: 4, tenureHigh: 0, tenureLow: 0 });
    expect(table.observe(SLOT, { incoming: knows(other, 99), held: undefined, issuedUpTo: 0 })).toBeUndefined();
  });

  it('refuses stored bytes that it cannot have written', () => {
    const { table } = tableWithTenure();
    const bytes = table.encode(SLOT);
    expect(bytes.toString('hex')).toBe('0100000001' + '01' + '00030000000100000002' + '00');
    const bad = expect.objectContaining({ code: 'REPLICATION_BAD_STATE' });
    for (let length = 0; length < bytes.length; length++) {
      expect(() => table.loadEncoded(SLOT, bytes.subarray(0, length))).toThrow(bad);
    }
    expect(() => table.loadEncoded(SLOT, Buffer.concat([bytes, bytes]))).toThrow(bad);
    expect(() => new TenureTable({ memberNumber: 3, era: 0 }).loadEncoded(SLOT, bytes)).toThrow(bad);
  });
});
