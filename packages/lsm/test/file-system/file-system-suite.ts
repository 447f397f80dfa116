import { describe, expect, it } from 'vitest';
import type { File, FileSystem } from '../../src/file-system/file-system.ts';

export interface Subject {
  readonly files: FileSystem;
  /** An existing empty directory. */
  readonly root: string;
}

const bytes = (text: string) => Buffer.from(text);

export function readAll(file: File): string {
  const target = Buffer.alloc(file.size());
  file.read(target, 0);
  return target.toString();
}

export function synced(file: File): Promise<void> {
  return new Promise((resolve, reject) => file.sync((error) => (error ? reject(error) : resolve())));
}

/** What every file system promises, whatever it is made of. */
export function describeFileSystem(name: string, subject: () => Subject): void {
  const at = (path: string) => `${subject().root}/${path}`;
  const create = (path: string, text: string) => {
    const file = subject().files.open(at(path), 'create');
    file.write(bytes(text), 0);
    return file;
  };

  describe(`${name} as a file system`, () => {
    it('reads back what was written, at any position', () => {
      const file = create('a', 'hello world');
      file.write(bytes('W'), 6);
      const target = Buffer.alloc(5);
      expect(file.read(target, 6)).toBe(5);
      expect(target.toString()).toBe('World');
      expect(file.size()).toBe(11);
      file.close();
    });

    it('reads short at the end of the file, and nothing past it', () => {
      const file = create('a', 'abc');
      expect(file.read(Buffer.alloc(10), 1)).toBe(2);
      expect(file.read(Buffer.alloc(10), 3)).toBe(0);
      expect(file.read(Buffer.alloc(10), 99)).toBe(0);
      file.close();
    });

    it('fills a gap before a write with zeros', () => {
      const file = create('a', 'ab');
      file.write(bytes('z'), 4);
      expect(readAll(file)).toBe('ab\0\0z');
      file.close();
    });

    it('truncates to a shorter and to a longer size', () => {
      const file = create('a', 'abcdef');
      file.truncate(2);
      file.truncate(4);
      expect(readAll(file)).toBe('ab\0\0');
      file.close();
    });

    it('lets the buffer of a write be reused at once', () => {
      const file = subject().files.open(at('a'), 'create');
      const buffer = bytes('first');
      file.write(buffer, 0);
      buffer.fill(0);
      expect(readAll(file)).toBe('first');
      file.close();
    });

    it('reads asynchronously', async () => {
      const file = create('a', 'hello');
      const target = Buffer.alloc(9);
      const count = await new Promise((resolve, reject) => {
        file.readAsync(target, 1, (error, bytesRead) => (error ? reject(error) : resolve(bytesRead)));
      });
      expect(count).toBe(4);
      expect(target.toString('latin1', 0, 4)).toBe('ello');
      file.close();
    });

    it('answers many asynchronous reads, each with its own bytes', async () => {
      const file = create('a', '0123456789');
      const read = (position: number) =>
        new Promise<string>((resolve, reject) => {
          const target = Buffer.alloc(1);
          file.readAsync(target, position, (error) => (error ? reject(error) : resolve(target.toString())));
        });
      const all = await Promise.all([...'0123456789'].map((_, i) => read(i)));
      expect(all.join('')).toBe('0123456789');
      file.close();
    });

    it('completes a sync later, never within the call', async () => {
      const file = create('a', 'x');
      let isDone = false;
      const completion = new Promise<void>((resolve) => {
        file.sync((error) => {
          expect(error).toBeUndefined();
          isDone = true;
          resolve();
        });
      });
      expect(isDone).toBe(false);
      await completion;
      file.syncNow();
      file.close();
    });

    it('completes a sync that was under way when the file was closed', async () => {
      const file = create('a', 'x');
      const completion = synced(file);
      file.close();
      file.close();
      await completion;
    });

    it('refuses calls on a closed file with EBADF', async () => {
      const file = create('a', 'x');
      file.close();
      for (const call of [
        () => file.read(Buffer.alloc(1), 0),
        () => file.write(bytes('y'), 0),
        () => file.truncate(0),
        () => file.size(),
        () => file.syncNow(),
      ]) {
        expect(call).toThrow(expect.objectContaining({ code: 'EBADF' }));
      }
      await expect(synced(file)).rejects.toMatchObject({ code: 'EBADF' });
    });

    it('opens by mode: read and read-write must exist, create must not', () => {
      const { files } = subject();
      for (const mode of ['read', 'read-write'] as const) {
        expect(() => files.open(at('none'), mode)).toThrow(expect.objectContaining({ code: 'ENOENT' }));
      }
      create('a', 'x').close();
      expect(() => files.open(at('a'), 'create')).toThrow(expect.objectContaining({ code: 'EEXIST' }));
      const reader = files.open(at('a'), 'read');
      expect(() => reader.write(bytes('y'), 0)).toThrow(expect.objectContaining({ code: 'EBADF' }));
      reader.close();
      const writer = files.open(at('a'), 'read-write');
      writer.write(bytes('y'), 0);
      expect(readAll(writer)).toBe('y');
      writer.close();
    });

    it('fails with ENOENT in a directory that is not there', () => {
      const { files } = subject();
      const missing = expect.objectContaining({ code: 'ENOENT' });
      expect(() => files.open(at('no/a'), 'create')).toThrow(missing);
      expect(() => files.readdir(at('no'))).toThrow(missing);
      expect(() => files.syncDirectory(at('no'))).toThrow(missing);
      expect(() => files.unlink(at('a'))).toThrow(missing);
      expect(() => files.rename(at('a'), at('b'))).toThrow(missing);
      expect(() => files.link(at('a'), at('b'))).toThrow(missing);
      expect(files.size(at('no/a'))).toBeUndefined();
    });

    it('renames over another file, also between directories', () => {
      const { files } = subject();
      files.mkdir(at('trash'));
      create('a', 'new').close();
      create('b', 'old one').close();
      files.rename(at('a'), at('b'));
      expect(files.readdir(subject().root)).toEqual(['b', 'trash']);
      expect(files.size(at('b'))).toBe(3);
      files.rename(at('b'), at('trash/c'));
      expect(files.readdir(subject().root)).toEqual(['trash']);
      expect(files.readdir(at('trash'))).toEqual(['c']);
    });

    it('keeps an unlinked file for whoever has it open', () => {
      const { files } = subject();
      const file = create('a', 'kept');
      files.unlink(at('a'));
      expect(files.size(at('a'))).toBeUndefined();
      expect(readAll(file)).toBe('kept');
      file.close();
    });

    it('links a second name to the same bytes', () => {
      const { files } = subject();
      const file = create('a', 'one');
      files.link(at('a'), at('b'));
      expect(() => files.link(at('a'), at('b'))).toThrow(expect.objectContaining({ code: 'EEXIST' }));
      file.write(bytes('two'), 0);
      file.close();
      files.unlink(at('a'));
      const other = files.open(at('b'), 'read');
      expect(readAll(other)).toBe('two');
      other.close();
    });

    it('makes directories with their parents, and lists names sorted', () => {
      const { files } = subject();
      files.mkdir(at('x/y/z'));
      files.mkdir(at('x/y/z'));
      for (const path of ['x/10', 'x/9', 'x/Z', 'x/a']) create(path, '').close();
      expect(files.readdir(at('x'))).toEqual(['10', '9', 'Z', 'a', 'y']);
      files.syncDirectory(at('x'));
    });

    it('refuses a second lock of one directory, naming the holder, until the first is released', async () => {
      const { files, root } = subject();
      const lock = await files.lock(root, 'first');
      await expect(files.lock(root, 'second')).rejects.toMatchObject({
        code: 'EBUSY',
        message: expect.stringMatching(/process \d+ on /),
      });
      lock.check();
      expect(files.readdir(root)).toEqual(['LOCK']);
      await lock.release();
      expect(files.readdir(root)).toEqual([]);
      const again = await files.lock(root, 'second');
      await lock.release();
      again.check();
      await again.release();
    });

    it('tells a holder whose lock file was taken by another that it has lost', async () => {
      const { files, root } = subject();
      const lock = await files.lock(root, 'first');
      create('other', '{"format":1,"ownerToken":"second","pid":77,"hostname":"elsewhere"}\n').close();
      files.rename(at('other'), at('LOCK'));
      expect(() => lock.check()).toThrow(/process 77 on elsewhere/);
      await lock.release();
      expect(files.readdir(root)).toEqual(['LOCK']);
      files.unlink(at('LOCK'));
      expect(() => lock.check()).toThrow(expect.objectContaining({ code: 'EBUSY' }));
    });
  });
}
