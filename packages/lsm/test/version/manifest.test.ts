import { describe, expect, it } from 'vitest';
import type { File } from '../../src/file-system/file-system.ts';
import { ManifestWriter, MANIFEST_HEADER_BYTES, readManifest } from '../../src/version/manifest.ts';
import type { VersionEdit } from '../../src/version/version-edit.ts';
import { crc32 } from '../../src/checksum.ts';
import { documented } from '../documented.ts';
import { flipBit, newBench } from '../memory-disk.ts';

const EDITS: VersionEdit[] = [
  { mergeOperatorName: 'uint32-add', nextFileNumber: 5, lastSequence: 9, logs: [{ number: 4, durableLength: 60 }] },
  { nextFileNumber: 6, removed: [{ level: 0, number: 3 }] },
  { nextFileNumber: 9, lastSequence: 1000 },
];

function write(edits: readonly VersionEdit[]): { bytes: Buffer; ends: number[] } {
  const { disk, timers } = newBench();
  const writer = new ManifestWriter(disk.open('/db/m', 'create'), 2);
  const ends = edits.map((edit) => {
    writer.append(edit, (error) => expect(error).toBeUndefined());
    timers.drain();
    return writer.sizeBytes;
  });
  const file = disk.open('/db/m', 'read');
  const bytes = Buffer.alloc(file.size());
  file.read(bytes, 0);
  return { bytes, ends };
}

function read(bytes: Buffer) {
  const file: File = newBench().disk.open('/db/m', 'create');
  file.write(bytes, 0);
  return readManifest(file, 'MANIFEST-000002', 2);
}

describe('a MANIFEST', () => {
  const { bytes, ends } = write(EDITS);
  const [first, second, third] = ends as [number, number, number];

  it('gives back its edits', () => {
    expect(read(bytes)).toMatchObject({ edits: EDITS, bytesTruncated: 0 });
  });

  it('decodes as docs/formats.md shows it', () => {
    expect(
      write(EDITS.slice(0, 1))
        .bytes.toString('hex')
        .match(/.{1,32}/g),
    ).toEqual(documented('MANIFEST'));
  });

  it('ends at an append that was torn', () => {
    for (let length = second; length < third; length++) {
      const { edits, bytesTruncated } = read(bytes.subarray(0, length));
      expect(edits).toHaveLength(2);
      expect(bytesTruncated).toBe(length - second);
    }
  });

  it('is damaged when any bit before its last edit is wrong', () => {
    for (let bit = 0; bit < second * 8; bit++) {
      expect(() => read(flipBit(bytes, bit)), `bit ${bit}`).toThrow(
        expect.objectContaining({ code: 'LSM_CORRUPTION', kind: 'manifest' }),
      );
    }
  });

  it('is damaged when it has no snapshot', () => {
    for (let length = 0; length < first; length++) {
      expect(() => read(bytes.subarray(0, length))).toThrow(expect.objectContaining({ kind: 'manifest' }));
    }
  });

  it('refuses an edit that follows another edit than the one before it', () => {
    const other = write([EDITS[0] as VersionEdit, { nextFileNumber: 7, removed: [{ level: 0, number: 2 }] }]).bytes;
    const mixed = Buffer.concat([other.subarray(0, second), bytes.subarray(second)]);
    expect(() => read(mixed)).toThrow(expect.objectContaining({ kind: 'manifest' }));
  });

  it('of a newer format, or with a feature that this version must know, is refused as such', () => {
    for (const offset of [8, 16]) {
      const newer = Buffer.from(bytes);
      newer.writeUInt32LE(2, offset);
      newer.writeUInt32LE(crc32(newer.subarray(0, 32)), 32);
      expect(() => read(newer)).toThrow(expect.objectContaining({ code: 'LSM_INCOMPATIBLE_FORMAT' }));
    }
    const compatible = Buffer.from(bytes.subarray(0, MANIFEST_HEADER_BYTES));
    compatible.writeUInt32LE(4, 12);
    compatible.writeUInt32LE(crc32(compatible.subarray(0, 32)), 32);
    // The chain begins with the header's checksum, so a compatible feature must have been there from the start.
    expect(() => read(Buffer.concat([compatible, bytes.subarray(MANIFEST_HEADER_BYTES)]))).toThrow(/does not follow/);
  });
});
