import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CounterLease, decodeLease, encodeLease, type LeaseState } from '../src/counter-lease.ts';

describe('CounterLease', () => {
  it('gives nothing out before an extension is durable', () => {
    const lease = new CounterLease(undefined, { blockCounters: 2 });
    expect(lease.next(1)).toBeUndefined();
    const extension = lease.extension(1);
    expect(lease.next(1)).toBeUndefined();
    lease.extended(extension);
    expect([lease.next(1), lease.next(1), lease.next(1)]).toEqual([1, 2, undefined]);
  });

  it('gives nothing out for a time above the leased one', () => {
    const lease = new CounterLease(undefined, { aheadMs: 1 });
    lease.extended(lease.extension(10_000));
    expect(lease.next(10_000 + 2048)).toBe(1);
    expect(lease.next(10_000 + 2049)).toBeUndefined();
  });

  it('covers a time exactly when a counter would be given out for it', () => {
    const lease = new CounterLease(undefined, { blockCounters: 1, aheadMs: 1 });
    expect(lease.covers(0)).toBe(false);
    lease.extended(lease.extension(0));
    expect([lease.covers(2048), lease.covers(2049)]).toEqual([true, false]);
    lease.next(2048);
    expect(lease.covers(2048)).toBe(false);
  });

  it('is due when half is used, of counters or of time', () => {
    const lease = new CounterLease(undefined, { blockCounters: 4, aheadMs: 10 });
    lease.extended(lease.extension(0));
    expect(lease.isDue(0)).toBe(false);
    expect(lease.isDue(5 * 2048)).toBe(true);
    lease.next(0);
    lease.next(0);
    expect(lease.isDue(0)).toBe(true);
  });

  it('never gives a counter out twice, nor a time above the next floor, whatever is lost in crashes', () => {
    const step = fc.constantFrom('next', 'extend', 'store', 'crash');
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let stored: LeaseState | undefined;
        let pending: LeaseState | undefined;
        let time = 0;
        let lease = new CounterLease(undefined, { blockCounters: 2, aheadMs: 1 });
        const given: number[] = [];
        for (const what of steps) {
          time += 700;
          if (what === 'next') given.push(...[lease.next(time)].filter((counter) => counter !== undefined));
          if (what === 'extend') pending = lease.extension(time);
          if (what === 'store' && pending !== undefined) {
            stored = pending;
            lease.extended(pending);
            pending = undefined;
          }
          if (what === 'crash') {
            // What was written but not yet known to be durable may or may not have survived.
            if (pending !== undefined && time % 1400 === 0) stored = pending;
            pending = undefined;
            lease = new CounterLease(stored, { blockCounters: 2, aheadMs: 1 });
          }
          expect(given).toEqual([...new Set(given)].sort((a, b) => a - b));
        }
      }),
    );
  });

  it('says so when the counters have run out', () => {
    const lease = new CounterLease({ counterEnd: Number.MAX_SAFE_INTEGER - 1, hybridEnd: 0 });
    expect(() => lease.extension(0)).toThrow(RangeError);
  });

  it('decodes what it encoded, and the bytes of docs/formats.md', () => {
    const amount = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
    fc.assert(
      fc.property(fc.record({ counterEnd: amount, hybridEnd: amount }), (state) => {
        expect(decodeLease(encodeLease(state))).toEqual(state);
      }),
    );
    const bytes = encodeLease({ counterEnd: 65536, hybridEnd: 2048 });
    expect(bytes.toString('hex')).toBe('0100000000000100000000000000000800');
    const bad = expect.objectContaining({ code: 'REPLICATION_BAD_STATE' });
    for (const length of [0, 1, 16]) expect(() => decodeLease(bytes.subarray(0, length))).toThrow(bad);
    expect(() => decodeLease(Buffer.concat([bytes, bytes]))).toThrow(bad);
    expect(() => decodeLease(Buffer.from(bytes).fill(2, 0, 1))).toThrow(bad);
  });
});
