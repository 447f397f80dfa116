import { describe, expect, it } from 'vitest';
import { FileRemover } from '../../src/file-remover.ts';
import { Health } from '../../src/health.ts';
import { resolveOptions } from '../../src/options.ts';
import { RECORD_CLEAN_SHUTDOWN, RECORD_MARKER } from '../../src/wal/log-format.ts';
import { type LogHistory, readLogs } from '../../src/wal/log-history.ts';
import { LogQueue, MARKER_DELAY_MS } from '../../src/wal/log-queue.ts';
import { readLog } from '../../src/wal/log-reader.ts';
import { writeDelayMs, WriteStall } from '../../src/write-stall.ts';
import { newBench, readFile, writeFile } from '../memory-disk.ts';

function newQueue() {
  const { disk, timers } = newBench();
  const health = new Health();
  const stall = new WriteStall(timers);
  const remover = new FileRemover(disk, '/db', undefined);
  const queue = new LogQueue({ fileSystem: disk, directory: '/db', timers, health, stall, remover }, 1);
  health.onFailure((error) => queue.abandon(error));
  let sequence = 1;
  const answers: string[] = [];
  const write = (name: string, durability: 'memory' | 'os' | 'sync') => {
    queue.append(Buffer.from(name), sequence++, 1);
    queue.wait(durability, (error) =>
      answers.push(error === undefined ? name : `${name}: ${(error as { code?: string }).code}`),
    );
  };
  const payloads = (history: LogHistory) =>
    history.logs.flatMap((log) => log.records.map((record) => record.payload.toString())).filter(Boolean);
  const history = () => readLogs(disk, '/db', disk.readdir('/db'), [{ number: 1, durableLength: 0 }]);
  return { disk, timers, health, stall, queue, write, answers, history, payloads };
}

describe('group commit', () => {
  it('answers memory at once, os after one write for the turn, sync after the sync', () => {
    const { disk, timers, queue, write, answers } = newQueue();
    const writesBefore = disk.counters.writes;
    write('m', 'memory');
    write('o1', 'os');
    write('s', 'sync');
    write('o2', 'os');
    expect(answers).toEqual(['m']);
    timers.turn();
    expect(answers).toEqual(['m', 'o1', 'o2']);
    expect(disk.counters.writes - writesBefore).toBe(1);
    timers.turn();
    expect(answers).toEqual(['m', 'o1', 'o2', 's']);
    expect(queue.statistics).toMatchObject({ writes: 1, syncs: 1 });
  });

  it('lets all that arrives while a sync runs share the next one', () => {
    const { timers, queue, write, answers } = newQueue();
    write('first', 'sync');
    timers.turn();
    for (let i = 0; i < 100; i++) write(`w${i}`, 'sync');
    timers.drain();
    expect(answers).toHaveLength(101);
    expect(queue.statistics.syncs).toBe(2);
  });

  it('does not answer a write that came during a sync with that sync', () => {
    const { disk, timers, write, answers } = newQueue();
    write('early', 'sync');
    timers.turn();
    write('late', 'sync');
    timers.turn();
    expect(answers).toEqual(['early']);
    disk.crash({ mode: 'drop-all', random: () => 0 });
    const log = readLog(disk.open('/db/000001.log', 'read'), 'log', 1);
    expect(log.records.map((record) => record.payload.toString())).toEqual(['early']);
  });

  it('fails all waiting and later writers when a sync fails, and syncs no more', () => {
    const { disk, timers, health, write, answers } = newQueue();
    let told = 0;
    health.onFailure(() => told++);
    disk.failNextSync('.log', { dropPages: false });
    write('a', 'sync');
    timers.turn();
    write('b', 'sync');
    write('c', 'os');
    timers.drain();
    const syncs = disk.counters.syncs;
    expect(answers.toSorted()).toEqual(['a: LSM_DURABILITY_LOST', 'b: LSM_DURABILITY_LOST', 'c: LSM_DURABILITY_LOST']);
    expect(health.refusal?.code).toBe('LSM_DURABILITY_LOST');
    timers.advance(1000);
    expect(disk.counters.syncs).toBe(syncs);
    expect(told).toBe(1);
  });

  it('fails when the write fails', () => {
    const { disk, timers, health, write, answers } = newQueue();
    disk.onCall = ({ operation }) =>
      operation === 'write' ? Object.assign(new Error('full'), { code: 'ENOSPC' }) : undefined;
    write('a', 'os');
    timers.drain();
    expect(answers).toEqual(['a: LSM_DURABILITY_LOST']);
    expect(health.status).toBe('failed');
  });

  it('tells of the last sync by a marker when nothing follows', () => {
    const { disk, timers, write } = newQueue();
    write('a', 'sync');
    timers.drain();
    timers.advance(MARKER_DELAY_MS);
    const log = readLog(disk.open('/db/000001.log', 'read'), 'log', 1);
    expect(log.records.at(-1)?.kind).toBe(RECORD_MARKER);
    expect(log.durableWitness).toBe(log.records.at(-1)?.offset);
    timers.advance(1000);
    expect(timers.pendingTimers).toBe(0);
  });
});

describe('a log that follows another', () => {
  it('is acknowledged only after the one before is synced with its seal', () => {
    const { disk, timers, queue, write, answers } = newQueue();
    write('old', 'os');
    queue.rotate(2);
    write('new', 'sync');
    timers.turn();
    expect(answers).toEqual(['old']);
    timers.turn();
    expect(answers).toEqual(['old']);
    timers.drain();
    expect(answers).toEqual(['old', 'new']);
    disk.crash({ mode: 'drop-all', random: () => 0 });
  });

  it('survives with it: what was acknowledged is there after power loss', () => {
    const { disk, timers, queue, write, history, payloads } = newQueue();
    write('old', 'os');
    queue.rotate(2);
    write('new', 'sync');
    timers.drain();
    disk.crash({ mode: 'drop-all', random: () => 0 });
    expect(payloads(history())).toEqual(['old', 'new']);
  });

  it('does not count when the one before lost its end', () => {
    const { disk, timers, queue, write, history, payloads } = newQueue();
    write('old', 'os');
    timers.turn();
    write('lost', 'os');
    queue.rotate(2);
    write('new', 'os');
    timers.turn();
    const first = readFile(disk, '/db/000001.log');
    writeFile(disk, '/db/000001.log', first.subarray(0, 110));
    const found = history();
    expect(payloads(found)).toEqual(['old']);
    expect(found.recordsDiscarded).toBe(1);
    expect(found.cleanShutdown).toBe(false);
  });

  it('bears witness for the one before once it was synced itself', () => {
    const { disk, timers, queue, write, history } = newQueue();
    write('old', 'os');
    queue.rotate(2);
    write('new', 'sync');
    timers.drain();
    timers.advance(MARKER_DELAY_MS);
    writeFile(disk, '/db/000001.log', readFile(disk, '/db/000001.log').subarray(0, 70));
    expect(history).toThrow(expect.objectContaining({ kind: 'wal-middle', file: '000001.log' }));
  });

  it('names the one before, which must be there', () => {
    const { disk, timers, queue, write } = newQueue();
    write('old', 'os');
    queue.rotate(2);
    timers.drain();
    disk.unlink('/db/000001.log');
    const read = (listed: number) => readLogs(disk, '/db', disk.readdir('/db'), [{ number: listed, durableLength: 0 }]);
    expect(() => read(1)).toThrow(expect.objectContaining({ kind: 'missing', file: '000001.log' }));
    expect(read(2).logs).toHaveLength(1);
  });

  it('lets the one before go when its entries are in tables and it is synced', () => {
    const { disk, timers, queue, write } = newQueue();
    write('old', 'os');
    queue.rotate(2);
    queue.removeBelow(2);
    expect(disk.readdir('/db')).toContain('000001.log');
    timers.drain();
    expect(disk.readdir('/db')).not.toContain('000001.log');
    expect(queue.liveLogs(0).map(({ number }) => number)).toEqual([2]);
  });

  it('ends with a clean shutdown record that is on disk', () => {
    const { disk, timers, queue, write, history } = newQueue();
    write('a', 'os');
    queue.finish((error) => expect(error).toBeUndefined());
    timers.drain();
    disk.crash({ mode: 'drop-all', random: () => 0 });
    const found = history();
    expect(found.cleanShutdown).toBe(true);
    expect(found.logs[0]?.records.at(-1)?.kind).toBe(RECORD_CLEAN_SHUTDOWN);
  });
});

describe('the write delay', () => {
  const options = resolveOptions();
  const none = { level0Tables: 0, sealedMemtables: 0, debtBytes: 0 };

  it('grows smoothly with each kind of pressure', () => {
    expect(writeDelayMs(options, none)).toBe(0);
    const delays = Array.from({ length: 40 }, (_, level0Tables) => writeDelayMs(options, { ...none, level0Tables }));
    expect(delays.slice(0, 9)).toEqual(Array(9).fill(0));
    expect(delays).toEqual(delays.toSorted((a, b) => a - b));
    expect(delays.at(-1)).toBe(options.writeDelayMaxMs);
    expect(writeDelayMs(options, { ...none, sealedMemtables: 8 })).toBe(options.writeDelayMaxMs);
    expect(writeDelayMs(options, { ...none, debtBytes: 1e12 })).toBe(options.writeDelayMaxMs);
  });

  it('holds back answers, not writes, and ends at once when the engine closes', () => {
    const { timers, stall, write, answers } = newQueue();
    stall.setDelay(10);
    write('a', 'os');
    timers.drain();
    expect(answers).toEqual([]);
    timers.advance(10);
    expect(answers).toEqual(['a']);
    write('b', 'memory');
    expect(answers).toEqual(['a']);
    stall.release();
    expect(answers).toEqual(['a', 'b']);
  });
});
