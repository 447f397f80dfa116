import { describe, expect, it } from 'vitest';
import { DEFAULTS, type EngineOptions, resolveOptions } from '../src/options.ts';

describe('options', () => {
  it('are filled from the defaults', () => {
    expect(resolveOptions()).toEqual(DEFAULTS);
    expect(resolveOptions({ codec: 'none' })).toEqual({ ...DEFAULTS, codec: 'none' });
  });

  it.each([
    [{ memtableSizeBytes: 100 }, 'memtableSizeBytes'],
    [{ blockSizeBytes: 1.5 }, 'blockSizeBytes'],
    [{ codec: 'lz4' }, 'codec'],
    [{ durability: 'never' }, 'durability'],
    [{ mergeOperatorName: 'unknown' }, 'mergeOperatorName'],
    [{ level0TablesMax: 5 }, 'level0TablesMax'],
    [{ blocksize: 1 }, 'blocksize'],
  ])('%j is refused by name', (options, name) => {
    const refused = expect.objectContaining({ code: 'LSM_OPTIONS', message: expect.stringContaining(name) });
    expect(() => resolveOptions(options as EngineOptions)).toThrow(refused);
  });
});
