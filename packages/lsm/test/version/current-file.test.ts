import { expect, it } from 'vitest';
import { SeededRandom } from '../../src/seeded-random.ts';
import { decodeCurrent, switchCurrent } from '../../src/version/current-file.ts';
import { newBench, readFile, writeFile } from '../memory-disk.ts';
import { manifestFileName } from '../../src/file-names.ts';

it('CURRENT names a MANIFEST that is there, whenever the power goes', () => {
  for (let seed = 0; seed < 400; seed++) {
    const { disk } = newBench();
    const random = new SeededRandom(seed);
    writeFile(disk, '/db/MANIFEST-000001', Buffer.from('one'));
    switchCurrent(disk, '/db', 1);
    const file = disk.open('/db/MANIFEST-000002', 'create');
    file.write(Buffer.from('two'), 0);
    file.syncNow();
    let left = seed % 8;
    disk.onCall = () => {
      if (left-- !== 0) return undefined;
      disk.crash({ mode: 'random', random: () => random.uint32() / 2 ** 32 });
      return new Error('no power');
    };
    try {
      switchCurrent(disk, '/db', 2);
    } catch {
      // The power is gone: what matters is what is found after.
    }
    disk.onCall = undefined;
    const name = manifestFileName(decodeCurrent(readFile(disk, '/db/CURRENT'), 'CURRENT'));
    expect(disk.readdir('/db'), `seed ${seed}`).toContain(name);
  }
});
