/** Tables over a memory disk, for the tests of everything that reads or writes them. */
import fc from 'fast-check';
import type { BlockCache } from '../../src/cache/block-cache.ts';
import { MemoryFileSystem } from '../../src/file-system/memory-file-system.ts';
import { filterHash } from '../../src/filter.ts';
import { KIND_DELETE, KIND_PUT, makeInternalKey } from '../../src/internal-key.ts';
import type { InternalIterator } from '../../src/iterator/iterator.ts';
import { compareKeys } from '../../src/key-order.ts';
import { Lookup } from '../../src/lookup.ts';
import { createReadCounters, type ReadCounters } from '../../src/sstable/read-counters.ts';
import { TableReader } from '../../src/sstable/table-reader.ts';
import { type TableSummary, TableWriter, type TableWriterOptions } from '../../src/sstable/table-writer.ts';

export interface Entry {
  readonly key: Buffer;
  readonly value: Buffer;
}

export const SALT = [0x01234567, 0x89abcdef] as const;
export const PATH = '/db/000001.sst';
export const WRITER: TableWriterOptions = { salt: SALT, codec: 'snappy', blockSizeBytes: 256, bloomBitsPerKey: 10 };

export function memoryDisk(): MemoryFileSystem {
  const disk = new MemoryFileSystem({ deferAsync: (completion) => completion() });
  disk.mkdir('/db');
  return disk;
}

export function entry(
  userKey: string | Uint8Array,
  sequence: number,
  value: string | undefined = 'v',
  kind = KIND_PUT,
): Entry {
  const key = makeInternalKey(typeof userKey === 'string' ? Buffer.from(userKey) : userKey, sequence, kind);
  return { key, value: kind === KIND_DELETE ? Buffer.alloc(0) : Buffer.from(value) };
}

export function sortEntries(entries: readonly Entry[]): Entry[] {
  return [...entries].sort((a, b) => compareKeys(a.key, b.key));
}

export function writeTable(
  disk: MemoryFileSystem,
  entries: readonly Entry[],
  options: Partial<TableWriterOptions> = {},
  path = PATH,
): TableSummary {
  const file = disk.open(path, 'create');
  const writer = new TableWriter(file, { ...WRITER, ...options });
  for (const { key, value } of entries) writer.add(key, value);
  const summary = writer.finish();
  file.close();
  return summary;
}

export interface OpenOptions {
  readonly path?: string;
  readonly sizeBytes?: number;
  readonly salt?: readonly [number, number];
  readonly counters?: ReadCounters;
  readonly blockCache?: BlockCache;
}

export function openTable(disk: MemoryFileSystem, options: OpenOptions = {}): TableReader {
  const path = options.path ?? PATH;
  return TableReader.openSync({
    fileSystem: disk,
    sizeBytes: disk.size(path) ?? 0,
    salt: SALT,
    counters: createReadCounters(),
    ...options,
    path,
  });
}

export function lookupOf(userKey: Uint8Array, sequence: number): Lookup {
  return new Lookup(Buffer.from(userKey), sequence, filterHash(userKey));
}

export function readForward(iterator: InternalIterator): Entry[] {
  const entries: Entry[] = [];
  for (iterator.seekToFirst(); iterator.valid(); iterator.next()) entries.push(copyEntry(iterator));
  return entries;
}

export function readBackward(iterator: InternalIterator): Entry[] {
  const entries: Entry[] = [];
  for (iterator.seekToLast(); iterator.valid(); iterator.prev()) entries.push(copyEntry(iterator));
  return entries;
}

export function copyEntry(iterator: InternalIterator): Entry {
  return { key: Buffer.from(iterator.key()), value: Buffer.from(iterator.value()) };
}

/** The whole file, and back. */
export function fileBytes(disk: MemoryFileSystem, path = PATH): Buffer {
  const file = disk.open(path, 'read');
  const bytes = Buffer.alloc(file.size());
  file.read(bytes, 0);
  file.close();
  return bytes;
}

export function putFile(disk: MemoryFileSystem, bytes: Uint8Array, path = PATH): void {
  if (disk.size(path) !== undefined) disk.unlink(path);
  const file = disk.open(path, 'create');
  file.write(bytes, 0);
  file.close();
}

const userKey = fc.oneof(
  fc.uint8Array({ maxLength: 6 }),
  fc.array(fc.constantFrom(0, 97, 98, 255), { maxLength: 5 }).map((bytes) => Uint8Array.from(bytes)),
  fc.nat(400).map((n) => Buffer.from(`a-long-common-beginning-of-many-keys-which-goes-on-and-on/${n}`)),
);

const rawEntry = fc.record({
  key: userKey,
  sequence: fc.oneof(fc.nat(20), fc.integer({ min: 2 ** 40, max: Number.MAX_SAFE_INTEGER })),
  kind: fc.constantFrom(KIND_PUT, KIND_PUT, KIND_DELETE),
  value: fc.oneof(
    fc.string({ maxLength: 20 }),
    fc.string({ maxLength: 200 }).map((text) => text.repeat(3)),
  ),
});

/** Distinct internal keys in order; few user keys, so that versions of one key meet, also across blocks. */
export const sortedEntries = fc
  .uniqueArray(rawEntry, {
    minLength: 1,
    maxLength: 120,
    selector: ({ key, sequence }) => `${Buffer.from(key).toString('hex')}@${sequence}`,
  })
  .map((raw) => sortEntries(raw.map(({ key, sequence, kind, value }) => entry(key, sequence, value, kind))));

export const writerOptions = fc.record({
  codec: fc.constantFrom('none' as const, 'snappy' as const),
  blockSizeBytes: fc.constantFrom(64, 100, 700, 4096),
  bloomBitsPerKey: fc.constantFrom(0, 5, 10),
  indexBlockSizeBytes: fc.constantFrom(64, 150, 32768),
});
