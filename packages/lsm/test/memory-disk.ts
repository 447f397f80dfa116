/** A memory disk whose syncs complete when the test lets turns pass. */
import { MemoryFileSystem } from '../src/file-system/memory-file-system.ts';
import { ManualTimers } from '../src/manual-timers.ts';

export interface Bench {
  readonly timers: ManualTimers;
  readonly disk: MemoryFileSystem;
}

export function newBench(): Bench {
  const timers = new ManualTimers();
  const disk = new MemoryFileSystem({ deferAsync: (completion) => timers.defer(completion) });
  disk.mkdir('/db');
  return { timers, disk };
}

export function readFile(disk: MemoryFileSystem, path: string): Buffer {
  const file = disk.open(path, 'read');
  const bytes = Buffer.alloc(file.size());
  file.read(bytes, 0);
  file.close();
  return bytes;
}

/** Replaces the contents, as durable as if nothing had ever been otherwise. */
export function writeFile(disk: MemoryFileSystem, path: string, bytes: Uint8Array): void {
  if (disk.size(path) !== undefined) disk.unlink(path);
  const file = disk.open(path, 'create');
  file.write(bytes, 0);
  file.syncNow();
  file.close();
  disk.syncDirectory(path.slice(0, path.lastIndexOf('/')));
}

export function flipBit(bytes: Buffer, bit: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
  return changed;
}
