import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HybridClock, hybridTimeOf, wallMsOf } from '../src/hybrid-clock.ts';

describe('HybridClock', () => {
  it('follows the wall clock while that goes forward', () => {
    const clock = new HybridClock();
    expect(wallMsOf(clock.now(5000))).toBe(5000);
    expect(wallMsOf(clock.now(5001))).toBe(5001);
  });

  it('ascends strictly whatever the wall clock and peers do', () => {
    const step = fc.record({
      wall: fc.integer({ min: 0, max: 2 ** 41 }),
      remote: fc.option(fc.integer({ min: 0, max: 2 ** 52 })),
    });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const clock = new HybridClock();
        let last = -1;
        for (const { wall, remote } of steps) {
          if (remote !== null && clock.observe(remote, wall)) last = Math.max(last, remote);
          const now = clock.now(wall);
          expect(now).toBeGreaterThan(last);
          expect(clock.highWater).toBe(now);
          last = now;
        }
      }),
    );
  });

  it('carries a full logical part into the milliseconds', () => {
    const clock = new HybridClock();
    const first = clock.now(1000);
    for (let i = 0; i < 2048; i++) clock.now(1000);
    expect(clock.highWater).toBe(first + 2048);
    expect(wallMsOf(clock.highWater)).toBe(1001);
  });

  it('refuses a peer too far ahead, and does not move', () => {
    const clock = new HybridClock(0, { maxDriftMs: 100 });
    expect(clock.observe(hybridTimeOf(1101), 1000)).toBe(false);
    expect(clock.highWater).toBe(0);
    expect(clock.observe(hybridTimeOf(1100), 1000)).toBe(true);
    // Step by step it does not get farther from the wall clock either.
    expect(clock.observe(hybridTimeOf(1200), 1000)).toBe(false);
  });

  it('starts above its floor', () => {
    const clock = new HybridClock(hybridTimeOf(9000));
    expect(clock.now(10)).toBe(hybridTimeOf(9000) + 1);
  });

  it('says so when time has run out', () => {
    expect(() => new HybridClock(Number.MAX_SAFE_INTEGER).now(0)).toThrow(RangeError);
    expect(new Date(wallMsOf(Number.MAX_SAFE_INTEGER)).getUTCFullYear()).toBe(2109);
  });
});
