import { expect, test } from 'vitest';
import { resolveSettings } from '../../src/config.ts';
import { describeStartError } from '../../src/kvd/start-error.ts';
import { nodeSettings } from '../../src/settings.ts';

const flags = { id: 'node-1', data: './d', initialMembers: 'node-1=127.0.0.1:7379' };
const settings = resolveSettings(nodeSettings, { flags, environment: {} });
const failure = (code: string, message: string) => Object.assign(new Error(message), { code });

test('a taken port names the flags that change it', () => {
  const error = describeStartError(failure('NODE_PORT_IN_USE', '127.0.0.1:7379 is taken'), settings);
  expect(error.exitCode).toBe(5);
  expect(error.message).toBe('127.0.0.1:7379 is taken; --port and --peer-port choose others than 7379 and 17379');
});

test('a directory that is locked, another node’s or too new names itself and its flag', () => {
  for (const code of ['LSM_LOCKED', 'NODE_WRONG_DIRECTORY', 'LSM_INCOMPATIBLE_FORMAT']) {
    const error = describeStartError(failure(code, 'because\nof much'), settings);
    expect(error.exitCode).toBe(6);
    expect(error.message).toBe('node-1 cannot start on data directory ./d: because (--data chooses another)');
  }
});

test('anything else keeps its code for a search in docs/errors.md', () => {
  const error = describeStartError(failure('LSM_CORRUPTION', 'bad block'), settings);
  expect([error.exitCode, error.message]).toEqual([
    1,
    'node-1 cannot start on data directory ./d: bad block (LSM_CORRUPTION)',
  ]);
});

test('members that cannot be parsed are a matter of configuration', () => {
  const error = describeStartError(failure('RING_MEMBERS', "'x' is not id=host:port"), settings);
  expect([error.exitCode, error.message]).toEqual([2, "--initial-members: 'x' is not id=host:port"]);
});
