import { describe, expect, test } from 'vitest';
import type { JobResult } from '../../src/compaction/job.ts';
import { InlineRunner } from '../../src/task-runner/inline-runner.ts';
import { compactJob, flushJob } from '../compaction/job-fixtures.ts';
import { entry, memoryDisk } from '../sstable/table-fixtures.ts';

function inline() {
  const disk = memoryDisk();
  const turns: (() => void)[] = [];
  return {
    turns,
    runner: new InlineRunner({ fileSystem: disk, timers: { defer: (callback) => turns.push(callback) } }),
  };
}

describe('the inline runner', () => {
  test('runs a job in a later turn, on this thread', () => {
    const { turns, runner } = inline();
    const results: JobResult[] = [];
    runner.run(flushJob([entry('k', 1)]), (error, result) => {
      expect(error).toBeUndefined();
      results.push(result!);
    });
    expect(results).toEqual([]);
    for (const turn of turns) turn();
    expect(results).toMatchObject([{ entriesIn: 1, threadId: 0 }]);
  });

  test('gives the error of a job that fails', () => {
    const { turns, runner } = inline();
    const errors: unknown[] = [];
    runner.run(compactJob([[{ fileNumber: 9, sizeBytes: 1, salt: [0, 0] }]]), (error) => errors.push(error));
    for (const turn of turns) turn();
    expect(errors).toMatchObject([{ code: 'LSM_CORRUPTION' }]);
  });

  test('once closed runs nothing', async () => {
    const { turns, runner } = inline();
    const errors: unknown[] = [];
    runner.run(flushJob([entry('k', 1)]), (error) => errors.push(error));
    await runner.close();
    for (const turn of turns) turn();
    expect(errors).toMatchObject([{ code: 'LSM_CLOSED' }]);
  });
});
