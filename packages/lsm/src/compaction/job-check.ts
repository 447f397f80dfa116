/**
 * Judges what a background job brings back, before it is installed: the worker is not trusted with metadata. A result
 * that fails any check is thrown away and the inputs stay.
 */
import { LsmError } from '../errors.ts';
import type { FileSystem } from '../file-system/file-system.ts';
import { tableFileName } from '../file-names.ts';
import { compareInternalKeys, userKeyOf } from '../internal-key.ts';
import type { OpenTableOf } from '../read-path.ts';
import type { TableMeta } from '../version/version.ts';
import type { Job, JobResult, TableOutput } from './job.ts';

export interface JobCheck {
  readonly fileSystem: FileSystem;
  readonly open: OpenTableOf;
  /** Entries that went in. */
  readonly entriesExpected: number;
}

/** The tables of the result, fit for an edit. Throws LSM_COMPACTION naming what is wrong. */
export function checkJobResult(job: Job, result: JobResult, check: JobCheck): TableMeta[] {
  const entriesOut = result.tables.reduce((sum, table) => sum + table.entries, 0);
  if (result.entriesIn !== check.entriesExpected)
    refuse(`${result.entriesIn} entries in, expected ${check.entriesExpected}`);
  if (result.entriesIn !== entriesOut + result.entriesDropped + result.entriesFolded) {
    refuse(
      `${result.entriesIn} entries in, but ${entriesOut} out, ${result.entriesDropped} dropped, ${result.entriesFolded} folded`,
    );
  }
  if (job.type === 'flush' && result.tables.length !== 1) refuse(`a flush made ${result.tables.length} tables`);
  const tables = result.tables.map((output, index) => checkTable(job, output, index, check));
  for (const [index, table] of tables.entries()) {
    const next = tables[index + 1];
    if (next !== undefined && userKeyOf(table.largest).compare(userKeyOf(next.smallest)) >= 0) {
      refuse(`tables ${table.number} and ${next.number} overlap`);
    }
  }
  return tables;
}

function checkTable(job: Job, output: TableOutput, index: number, check: JobCheck): TableMeta {
  const given = job.outputs[index];
  if (given?.fileNumber !== output.fileNumber) refuse(`table ${output.fileNumber} is not one of the job's outputs`);
  const size = check.fileSystem.size(`${job.directory}/${tableFileName(output.fileNumber)}`);
  if (size !== output.sizeBytes) refuse(`table ${output.fileNumber} has ${size} bytes, not ${output.sizeBytes}`);
  const table = tableMeta(output);
  checkContents(table, check.open);
  return table;
}

/** Opening checks footer, format and salt; the first and last entry are read through their checksums. */
function checkContents(table: TableMeta, open: OpenTableOf): void {
  if (table.entries < 1) refuse(`table ${table.number} is empty`);
  if (compareInternalKeys(table.smallest, table.largest) > 0) refuse(`table ${table.number} ends before it begins`);
  const iterator = open(table).iterator();
  iterator.seekToFirst();
  if (!iterator.valid() || !iterator.key().equals(table.smallest))
    refuse(`table ${table.number} begins with another key`);
  iterator.seekToLast();
  if (!iterator.valid() || !iterator.key().equals(table.largest)) refuse(`table ${table.number} ends with another key`);
}

function tableMeta(output: TableOutput): TableMeta {
  return {
    number: output.fileNumber,
    sizeBytes: output.sizeBytes,
    salt: output.salt,
    smallest: Buffer.from(output.smallest),
    largest: Buffer.from(output.largest),
    smallestSequence: output.smallestSequence,
    largestSequence: output.largestSequence,
    globalSequence: 0,
    entries: output.entries,
    checksum: output.checksum,
    properties: new Map(),
  };
}

function refuse(problem: string): never {
  throw new LsmError('LSM_COMPACTION', `background job refused: ${problem}`);
}
