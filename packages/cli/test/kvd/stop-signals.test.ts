import { expect, test } from 'vitest';
import { StopWishes } from '../../src/kvd/stop-signals.ts';

function wishes() {
  const seen: string[] = [];
  const clock = { now: 0 };
  const listener = { stop: (reason: string) => void seen.push(reason), stopNow: () => void seen.push('now') };
  return { seen, clock, wishes: new StopWishes(listener, () => clock.now) };
}

test('a signal that npm forwards on top of the terminal’s own is the same wish', () => {
  const { seen, clock, wishes: stop } = wishes();
  stop.signal('SIGINT');
  clock.now = 40;
  stop.signal('SIGINT');
  expect(seen).toEqual(['SIGINT']);
});

test('a second Ctrl-C later on means now', () => {
  const { seen, clock, wishes: stop } = wishes();
  stop.signal('SIGINT');
  clock.now = 1500;
  stop.signal('SIGINT');
  expect(seen).toEqual(['SIGINT', 'now']);
});

test('a supervisor that goes stops the node once and never in haste', () => {
  const { seen, clock, wishes: stop } = wishes();
  stop.supervisorGone();
  clock.now = 5000;
  stop.supervisorGone();
  expect(seen).toEqual(['the supervisor is gone']);
});
