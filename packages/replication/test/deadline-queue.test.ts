import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DeadlineQueue, remainingMs } from '../src/deadline-queue.ts';

function fixture() {
  const wanted = new Map<number, number>();
  const wakes: number[] = [];
  const queue = new DeadlineQueue({ wakeAt: (at) => wakes.push(at) }, (stream, at) => wanted.get(stream) === at);
  const schedule = (at: number, stream: number): void => {
    wanted.set(stream, at);
    queue.schedule(at, stream);
  };
  const drain = (now: number): number[] => {
    const due: number[] = [];
    queue.drain(now, (stream) => {
      wanted.delete(stream);
      due.push(stream);
    });
    return due;
  };
  return { wanted, wakes, queue, schedule, drain };
}

describe('a deadline queue', () => {
  test('asks to be woken only when the earliest deadline becomes earlier, and again after a wake-up', () => {
    const { wakes, schedule, drain } = fixture();
    schedule(50, 1);
    schedule(60, 2);
    schedule(40, 3);
    expect(wakes).toEqual([50, 40]);
    expect(drain(40)).toEqual([3]);
    expect(wakes).toEqual([50, 40, 50]);
  });

  test('drops deadlines that are no longer meant without waking for them', () => {
    const { wanted, wakes, queue, schedule, drain } = fixture();
    for (let stream = 0; stream < 100; stream++) schedule(stream, stream);
    for (let stream = 0; stream < 99; stream++) wanted.delete(stream);
    schedule(200, 200);
    expect(queue.length).toBe(2);
    expect(drain(1)).toEqual([]);
    expect(wakes).toEqual([0, 99]);
  });

  test('serves what is scheduled for now while it is drained', () => {
    const { wanted, queue, schedule } = fixture();
    const due: number[] = [];
    schedule(5, 1);
    queue.drain(5, (stream) => {
      wanted.delete(stream);
      due.push(stream);
      if (stream < 3) schedule(5, stream + 1);
    });
    expect(due).toEqual([1, 2, 3]);
  });

  test('gives every live deadline once, in order, when its time has come', () => {
    const actions = fc.array(fc.tuple(fc.nat(20), fc.nat(100)), { maxLength: 80 });
    fc.assert(
      fc.property(actions, (list) => {
        const { wanted, queue, schedule } = fixture();
        for (const [stream, at] of list) schedule(at, stream);
        const expected = [...wanted.values()].filter((at) => at <= 50).sort((a, b) => a - b);
        const seen: number[] = [];
        queue.drain(50, (stream) => {
          seen.push(wanted.get(stream) as number);
          wanted.delete(stream);
        });
        expect(seen).toEqual(expected);
      }),
    );
  });
});

test('the time left is told in whole milliseconds, never below zero', () => {
  expect([remainingMs(10, 2), remainingMs(10, 2.5), remainingMs(10, 12)]).toEqual([8, 8, 0]);
});
