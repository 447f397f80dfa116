import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { File } from '../../src/file-system/file-system.ts';
import {
  LOG_HEADER_BYTES,
  RECORD_BATCH,
  RECORD_HEADER_BYTES,
  RECORD_MARKER,
  RECORD_SEAL,
} from '../../src/wal/log-format.ts';
import { checkDurablePart, type LogContents, readLog } from '../../src/wal/log-reader.ts';
import { LogWriter } from '../../src/wal/log-writer.ts';
import { crc32 } from '../../src/checksum.ts';
import { documented } from '../documented.ts';
import { flipBit, newBench } from '../memory-disk.ts';

const HEADER = { logNumber: 7, previousLogNumber: 5, previousFinalLength: 900, previousDurableLength: 800 };

function fileOf(bytes: Buffer): File {
  const { disk } = newBench();
  const file = disk.open('/db/log', 'create');
  file.write(bytes, 0);
  return file;
}

function bytesOf(file: File): Buffer {
  const bytes = Buffer.alloc(file.size());
  file.read(bytes, 0);
  return bytes;
}

function read(bytes: Buffer): LogContents {
  return readLog(fileOf(bytes), '000007.log', 7);
}

/** Writes the payloads, syncing after each of which `syncAfter` is true. */
function writeLog(payloads: readonly Buffer[], syncAfter: (index: number) => boolean): Buffer {
  const { disk, timers } = newBench();
  const file = disk.open('/db/log', 'create');
  const writer = new LogWriter(file, HEADER, { bytes: Buffer.alloc(16) });
  payloads.forEach((payload, index) => {
    writer.appendBatch(payload, index + 1, 1);
    if (!syncAfter(index)) return;
    writer.writeGroup();
    writer.sync((error) => expect(error).toBeUndefined());
    timers.drain();
  });
  writer.writeGroup();
  return bytesOf(file);
}

const three = ['one', 'two', 'three'].map((text) => Buffer.from(text));
const endOf = (count: number) =>
  LOG_HEADER_BYTES + three.slice(0, count).reduce((sum, payload) => sum + RECORD_HEADER_BYTES + payload.length, 0);

describe('a log', () => {
  it('gives back its header and its records', () => {
    const payload = fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.array(payload, { maxLength: 20 }), fc.boolean(), (payloads, sync) => {
        const log = read(writeLog(payloads, () => sync));
        expect(log.header).toEqual(HEADER);
        expect(log.records.map((record) => record.payload)).toEqual(payloads);
        expect(log.records.map((record) => record.firstSequence)).toEqual(payloads.map((_, index) => index + 1));
        expect(log.validLength).toBe(log.sizeBytes);
        expect(log.ending).toBe('open');
      }),
      { numRuns: 40 },
    );
  });

  it('writes a large batch apart, in its place', () => {
    const large = Buffer.alloc(400_000, 'x');
    const log = read(writeLog([Buffer.from('a'), large, Buffer.from('b')], () => false));
    expect(log.records.map((record) => record.payload.length)).toEqual([1, 400_000, 1]);
    expect(log.validLength).toBe(log.sizeBytes);
  });

  it('decodes as docs/formats.md shows it', () => {
    const { disk } = newBench();
    const file = disk.open('/db/log', 'create');
    const writer = new LogWriter(
      file,
      { logNumber: 3, previousLogNumber: 0, previousFinalLength: 0, previousDurableLength: 0 },
      { bytes: Buffer.alloc(64) },
    );
    writer.appendBatch(Buffer.from('0101610131', 'hex'), 1, 1);
    writer.appendMark(RECORD_SEAL, 2);
    writer.writeGroup();
    expect(
      bytesOf(file)
        .toString('hex')
        .match(/.{1,32}/g),
    ).toEqual(documented('WAL'));
  });

  it('ends at a torn record, wherever it is torn, when nothing says that it was durable', () => {
    const bytes = writeLog(three, () => false);
    for (let length = endOf(2); length < bytes.length; length++) {
      const log = read(bytes.subarray(0, length));
      expect(log.records).toHaveLength(2);
      expect(log.validLength).toBe(endOf(2));
      checkDurablePart(log, endOf(2));
    }
  });

  it('of which nothing but zeros is left is empty', () => {
    const log = read(Buffer.alloc(5000));
    expect(log).toMatchObject({ header: undefined, records: [], validLength: 0, recordsBehind: 0 });
  });

  it('drops records behind a hole: they reached the disk before those that are missing', () => {
    const bytes = writeLog(three, () => false);
    bytes.fill(0, endOf(1), endOf(2));
    const log = read(bytes);
    expect(log.records).toHaveLength(1);
    expect(log.recordsBehind).toBe(1);
    checkDurablePart(log, 0);
  });

  it('is damaged when a bit of a record is wrong that a later record knows to be durable', () => {
    const bytes = writeLog(three, (index) => index === 1);
    for (let bit = 0; bit < endOf(2) * 8; bit++) {
      const changed = flipBit(bytes, bit);
      const refused = () => checkDurablePart(read(changed), 0);
      expect(refused, `bit ${bit}`).toThrow(expect.objectContaining({ code: 'LSM_CORRUPTION', kind: 'wal-middle' }));
    }
    for (let bit = endOf(2) * 8; bit < bytes.length * 8; bit++) {
      const log = read(flipBit(bytes, bit));
      expect(log.records).toHaveLength(2);
      checkDurablePart(log, 0);
    }
  });

  it('is damaged when it is shorter than what another witness says was durable', () => {
    const log = read(writeLog(three, () => false).subarray(0, endOf(2)));
    expect(() => checkDurablePart(log, endOf(3))).toThrow(expect.objectContaining({ kind: 'wal-middle' }));
  });

  it('does not take records of another log, or of another place, for its own', () => {
    const bytes = writeLog(three, () => false);
    const record = bytes.subarray(LOG_HEADER_BYTES, endOf(1));
    expect(read(Buffer.concat([bytes, record])).records).toHaveLength(3);
    expect(readLog(fileOf(bytes), '000008.log', 8).records).toHaveLength(0);
  });

  it('tells of a sync in the next record, or in a marker', () => {
    const { disk, timers } = newBench();
    const writer = new LogWriter(disk.open('/db/log', 'create'), HEADER, { bytes: Buffer.alloc(64) });
    writer.appendBatch(Buffer.from('x'), 1, 1);
    writer.writeGroup();
    writer.sync(() => {});
    expect(writer.durableUntold).toBe(false);
    timers.drain();
    expect(writer.durableUntold).toBe(true);
    writer.appendMark(RECORD_MARKER, 2);
    writer.writeGroup();
    expect(writer.durableUntold).toBe(false);
    const log = readLog(disk.open('/db/log', 'read'), 'log', 7);
    expect(log.durableWitness).toBe(writer.durable);
    expect(log.records.map((record) => record.kind)).toEqual([RECORD_BATCH, RECORD_MARKER]);
  });

  it('does not call durable what was written while the sync ran', () => {
    const { disk, timers } = newBench();
    const writer = new LogWriter(disk.open('/db/log', 'create'), HEADER, { bytes: Buffer.alloc(64) });
    writer.appendBatch(Buffer.from('x'), 1, 1);
    writer.writeGroup();
    const written = writer.written;
    writer.sync(() => {});
    writer.appendBatch(Buffer.from('y'), 2, 1);
    writer.writeGroup();
    writer.appendBatch(Buffer.from('z'), 3, 1);
    timers.drain();
    expect(writer.durable).toBe(written);
  });

  it('of a newer format is refused as such', () => {
    const bytes = writeLog(three, () => false);
    const newer = Buffer.from(bytes);
    newer.writeUInt32LE(2, 8);
    newer.writeUInt32LE(crc32(newer.subarray(0, 56)), 56);
    expect(() => read(newer)).toThrow(expect.objectContaining({ code: 'LSM_INCOMPATIBLE_FORMAT' }));
    const feature = Buffer.from(bytes);
    feature.writeUInt32LE(1, 16);
    feature.writeUInt32LE(crc32(feature.subarray(0, 56)), 56);
    expect(() => read(feature)).toThrow(expect.objectContaining({ code: 'LSM_INCOMPATIBLE_FORMAT' }));
  });
});
