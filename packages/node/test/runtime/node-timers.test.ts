import { expect, test } from 'vitest';
import { NodeClock } from '../../src/runtime/node-clock.ts';
import { NodeRandom, NodeSecrets } from '../../src/runtime/node-random.ts';
import { NodeTimers } from '../../src/runtime/node-timers.ts';

test('timers fire in their order, unless they are cleared, and never at once', async () => {
  const timers = new NodeTimers();
  const fired: string[] = [];
  await new Promise<void>((resolve) => {
    timers.set(15, resolve);
    timers.set(5, () => fired.push('later'));
    timers.clear(timers.set(1, () => fired.push('cleared')));
    timers.set(-1, () => fired.push('soon'));
    timers.defer(() => fired.push('deferred'));
    expect(fired).toEqual([]);
  });
  expect([...fired].sort()).toEqual(['deferred', 'later', 'soon']);
  expect(fired.at(-1)).toBe('later');
});

test('a delay longer than the platform can count does not fire at once', async () => {
  const timers = new NodeTimers();
  let fired = false;
  const handle = timers.set(1e12, () => {
    fired = true;
  });
  await new Promise<void>((resolve) => timers.set(10, resolve));
  timers.clear(handle);
  expect(fired).toBe(false);
});

test('the clock goes forward, chance is a uint32, and secrets fill all', () => {
  const clock = new NodeClock();
  const start = clock.monotonicMs();
  expect(clock.monotonicMs()).toBeGreaterThanOrEqual(start);
  expect(clock.wallMs()).toBeGreaterThan(1.6e12);
  const random = new NodeRandom();
  const drawn = Array.from({ length: 100 }, () => random.uint32());
  expect(drawn.every((value) => Number.isInteger(value) && value >= 0 && value < 2 ** 32)).toBe(true);
  expect(new Set(drawn).size).toBeGreaterThan(90);
  const bytes = new Uint8Array(256);
  new NodeSecrets().fill(bytes);
  expect(bytes.filter((byte) => byte === 0).length).toBeLessThan(20);
});
