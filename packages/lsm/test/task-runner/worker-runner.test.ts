import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Job, JobResult } from '../../src/compaction/job.ts';
import { NodeFileSystem } from '../../src/file-system/node-file-system.ts';
import { WorkerRunner } from '../../src/task-runner/worker-runner.ts';
import { compactJob, flushJob, inputTable, outputEntries } from '../compaction/job-fixtures.ts';
import { entry } from '../sstable/table-fixtures.ts';

const fileSystem = new NodeFileSystem();
let directory: string;
let runner: WorkerRunner;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kvd-worker-'));
  runner = new WorkerRunner();
});

afterEach(async () => {
  await runner.close();
  rmSync(directory, { recursive: true });
});

function runOn(target: WorkerRunner, job: Job): Promise<JobResult> {
  return new Promise((resolve, reject) => {
    target.run(job, (error, result) => (error === undefined ? resolve(result!) : reject(error)));
  });
}

const entries = Array.from({ length: 500 }, (_, i) => entry(`key-${String(i).padStart(4, '0')}`, i + 1, `value ${i}`));

describe('the worker runner', () => {
  test('flushes and compacts on another thread, always the same one', async () => {
    const flushed = await runOn(runner, flushJob(entries, { directory }));
    expect(flushed.threadId).not.toBe(threadId);
    expect(flushed.threadId).toBeGreaterThan(0);
    const { fileNumber, sizeBytes, salt } = flushed.tables[0]!;
    expect(outputEntries(fileSystem, flushed.tables[0]!, directory)).toEqual(entries);
    const outputs = [{ fileNumber: 500, salt: [3, 4] as const }];
    const output = { codec: 'none', blockSizeBytes: 4096, bloomBitsPerKey: 10, tableSizeBytes: 1 << 20 } as const;
    const compacted = await runOn(
      runner,
      compactJob([[{ fileNumber, sizeBytes, salt }]], { directory, outputs, output }),
    );
    expect(compacted.threadId).toBe(flushed.threadId);
    expect(compacted.tables.map(({ entries }) => entries)).toEqual([500]);
  });

  test('gives errors back as what they were', async () => {
    const input = inputTable(fileSystem, 1, entries.slice(0, 10), directory);
    const failed = runOn(runner, compactJob([[{ ...input, salt: [6, 6] }]], { directory }));
    await expect(failed).rejects.toMatchObject({
      name: 'LsmError',
      code: 'LSM_CORRUPTION',
      kind: 'salt',
      file: join(directory, '000001.sst'),
    });
  });

  test('fails the jobs of a worker that dies, and starts another for the next', async () => {
    const dying = new WorkerRunner({ workerUrl: new URL('./dying-worker.mjs', import.meta.url) });
    const jobs = [1, 2].map((id) => runOn(dying, flushJob([], { directory, id })));
    const outcomes = await Promise.allSettled(jobs);
    expect(outcomes).toMatchObject([
      { status: 'rejected', reason: { code: 'LSM_COMPACTION', message: expect.stringContaining('exit code 7') } },
      { status: 'rejected', reason: { code: 'LSM_COMPACTION' } },
    ]);
    await expect(runOn(dying, flushJob([], { directory, id: 3 }))).rejects.toMatchObject({
      code: 'LSM_COMPACTION',
      message: expect.stringContaining('a bug in the worker'),
    });
    await dying.close();
  });

  test('once closed answers every job with LSM_CLOSED', async () => {
    const running = runOn(runner, flushJob(entries, { directory }));
    const outcome = expect(running).rejects.toMatchObject({ code: 'LSM_CLOSED' });
    await runner.close();
    await outcome;
    await expect(runOn(runner, flushJob(entries, { directory }))).rejects.toMatchObject({ code: 'LSM_CLOSED' });
  });
});
