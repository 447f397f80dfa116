import { beforeEach, expect, test } from 'vitest';
import { type NodeProcessEvents, Supervisor } from '../../src/kvd/supervisor.ts';

interface Spawned {
  readonly id: string;
  readonly events: NodeProcessEvents;
  readonly signals: string[];
}

let spawned: Spawned[];
let timers: { readonly delayMs: number; readonly callback: () => void }[];
let reports: string[];
let supervisor: Supervisor;

beforeEach(() => {
  spawned = [];
  timers = [];
  reports = [];
  const options = { ids: ['node-1', 'node-2'], restartDelayMs: 10_000, stopTimeoutMs: 5000 };
  supervisor = new Supervisor(options, {
    spawn: (id, events) => {
      const signals: string[] = [];
      spawned.push({ id, events, signals });
      return { kill: (signal) => void signals.push(signal) };
    },
    after: (delayMs, callback) => {
      const timer = { delayMs, callback };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    report: (line) => void reports.push(line),
    allReady: () => void reports.push('ALL READY'),
    failed: () => void reports.push('FAILED'),
  });
  supervisor.start();
});

const node = (index: number): Spawned => spawned[index] as Spawned;
const kill = (index: number) => node(index).events.exited({ exitCode: null, signal: 'SIGKILL', lastError: undefined });
const fireTimer = () => timers.shift()?.callback();

function makeReady(): void {
  node(0).events.ready('one is ready');
  node(1).events.ready('two is ready');
  reports.length = 0;
}

test('each node is reported as it gets ready, and the cluster once when all are', () => {
  node(0).events.ready('one is ready');
  node(1).events.ready('two is ready');
  expect(reports).toEqual(['one is ready', 'two is ready', 'ALL READY']);
});

test('a node that dies is reported, started again after the delay, and reported again', () => {
  makeReady();
  kill(1);
  expect(timers.map((timer) => timer.delayMs)).toEqual([10_000]);
  fireTimer();
  node(2).events.ready('two is ready');
  expect(spawned.map(({ id }) => id)).toEqual(['node-1', 'node-2', 'node-2']);
  expect(reports).toEqual([
    'node-2 died (killed by SIGKILL); starting it again in 10 s',
    'node-2 is started again',
    'two is ready',
  ]);
});

test('a node that cannot start tells its last error and does not loop in silence', () => {
  makeReady();
  kill(0);
  for (let attempt = 2; attempt < 7; attempt++) {
    fireTimer();
    node(attempt).events.exited({ exitCode: 1, signal: null, lastError: 'disk is on fire' });
  }
  expect(timers).toEqual([]);
  expect(reports.filter((line) => line.includes('disk is on fire'))).toHaveLength(5);
  expect(reports.at(-1)).toBe(
    'node-1 failed to start (exit code 1: disk is on fire); not started again: 5 tries in a row failed',
  );
});

test('a node that can never start before the cluster was ready fails the cluster', () => {
  node(0).events.exited({ exitCode: 6, signal: null, lastError: 'the directory is of node-9' });
  expect(reports.at(-1)).toBe('FAILED');
  expect(timers).toEqual([]);
});

test('stopping asks every node, waits for the last, and starts none again', () => {
  makeReady();
  kill(1);
  let stopped = 0;
  supervisor.stop(() => stopped++);
  expect(node(0).signals).toEqual(['SIGTERM']);
  expect(stopped).toBe(0);
  node(0).events.exited({ exitCode: 0, signal: null, lastError: undefined });
  expect(stopped).toBe(1);
  expect(timers).toEqual([]);
  expect(spawned).toHaveLength(2);
});

test('what has not stopped in time is named and killed', () => {
  makeReady();
  let stopped = 0;
  supervisor.stop(() => stopped++);
  node(0).events.exited({ exitCode: 0, signal: null, lastError: undefined });
  fireTimer();
  expect(node(1).signals).toEqual(['SIGTERM', 'SIGKILL']);
  expect(reports.at(-1)).toBe('not stopped after 5 s: node-2; killing');
  kill(1);
  expect(stopped).toBe(1);
});

test('stopping with no node alive is done at once', () => {
  kill(0);
  kill(1);
  let stopped = 0;
  supervisor.stop(() => stopped++);
  expect(stopped).toBe(1);
});
