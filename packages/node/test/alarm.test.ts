import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Alarm } from '../src/alarm.ts';
import { ManualTime } from './fakes/manual-time.ts';

describe('the alarm', () => {
  it('rings for each time asked for, also for one asked while an earlier one was due', () => {
    const time = new ManualTime();
    const rings: number[] = [];
    const alarm = new Alarm(time, time, () => rings.push(time.monotonicMs()));
    const start = time.monotonicMs();
    alarm.at(start + 10);
    alarm.at(start + 30);
    alarm.at(start + 20);
    alarm.at(start + 20);
    alarm.at(Number.POSITIVE_INFINITY);
    time.advance(100);
    expect(rings).toEqual([start + 10, start + 20, start + 30]);
    expect(time.pending).toBe(0);
  });

  it('rings at or soon after any times asked for, with one timer, whoever asks again within a ring', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(50), fc.nat(50)), { maxLength: 20 }), (asked) => {
        const time = new ManualTime();
        const due = new Set<number>();
        const ask = (at: number) => {
          due.add(at);
          alarm.at(at);
          expect(time.pending).toBeLessThanOrEqual(1);
        };
        const again = asked.map(([, later]) => later);
        const alarm = new Alarm(time, time, () => {
          for (const at of due) if (at <= time.monotonicMs()) due.delete(at);
          const later = again.pop();
          if (later !== undefined) ask(time.monotonicMs() + later);
        });
        const start = time.monotonicMs();
        for (const [at] of asked) ask(start + at);
        for (let i = 0; i < 200; i++) {
          time.advance(1);
          for (const at of due) expect(at).toBeGreaterThan(time.monotonicMs());
        }
      }),
    );
  });

  it('asks again when its timer was early', () => {
    let callback = (): void => {};
    let now = 0;
    let rings = 0;
    const timers = {
      set: (_delay: number, call: () => void) => {
        callback = call;
        return 1;
      },
      clear: () => {},
      defer: () => {},
    };
    const alarm = new Alarm({ monotonicMs: () => now, wallMs: () => 0 }, timers, () => rings++);
    alarm.at(10);
    now = 9.6;
    callback();
    expect(rings).toBe(0);
    now = 10;
    callback();
    expect(rings).toBe(1);
  });

  it('leaves no timer behind once it is stopped, whoever still asks', () => {
    const time = new ManualTime();
    const alarm = new Alarm(time, time, () => {});
    alarm.at(time.monotonicMs() + 5);
    alarm.stop();
    alarm.at(time.monotonicMs() + 5);
    expect(time.pending).toBe(0);
  });
});
