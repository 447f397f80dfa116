import { expect, test } from 'vitest';
import { Alarm } from '../src/alarm.ts';

test('asks only when the earliest deadline moves forward, and anew after it rang', () => {
  const asked: number[] = [];
  const alarm = new Alarm({ wakeAt: (at) => asked.push(at) });
  alarm.set(100);
  alarm.set(200);
  alarm.set(50);
  alarm.rang(49);
  alarm.set(60);
  expect(asked).toEqual([100, 50]);
  alarm.rang(50);
  alarm.set(200);
  alarm.set(Infinity);
  expect(asked).toEqual([100, 50, 200]);
});
