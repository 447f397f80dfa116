import { expect, test } from 'vitest';
import { resolveSettings } from '../src/config.ts';
import { secretVariables, withSecrets } from '../src/secrets.ts';
import { nodeSettings } from '../src/settings.ts';

const LEAST = { id: 'node-1', data: './d', initialMembers: 'node-1=127.0.0.1:7379' };
const settings = (flags: object, read: (path: string) => string = () => '') =>
  withSecrets(nodeSettings, resolveSettings(nodeSettings, { flags: { ...LEAST, ...flags }, environment: {} }), read);

test('a file stands in for the secret itself', () => {
  const read = (path: string) => ({ p: 'sesame', s: 'a secret of peers' })[path] ?? '';
  const made = settings({ requirepassFile: 'p', peerSecretFile: 's' }, read);
  expect(made).toMatchObject({ requirepass: 'sesame', 'peer-secret': 'a secret of peers' });
  expect(secretVariables(made)).toEqual({ KVD_REQUIREPASS: 'sesame', KVD_PEER_SECRET: 'a secret of peers' });
});

test('a secret and its file together are a mistake', () => {
  expect(() => settings({ requirepass: 'a', requirepassFile: 'p' })).toThrow(
    /requirepass and requirepass-file are both given/,
  );
});

test('an empty or short secret is refused, and no secret is ever repeated', () => {
  expect(() => settings({ requirepassFile: 'p' })).toThrow(
    'requirepass (from the file p) must have 1 to 512 characters',
  );
  const short = 'peer-secret (from the flag --peer-secret) must have 16 to 512 characters';
  expect(() => settings({ peerSecret: 'hush' })).toThrow(short);
  const empty = () => resolveSettings(nodeSettings, { flags: LEAST, environment: { KVD_REQUIREPASS: '' } });
  expect(empty).toThrow('requirepass (from the variable KVD_REQUIREPASS) must have 1 to 512 characters');
});

test('what is not given is not there', () => {
  expect(secretVariables(settings({}))).toEqual({});
});

test('yes and no are words in the environment and truths in a file', () => {
  const resolve = (value: string) =>
    resolveSettings(nodeSettings, { flags: LEAST, environment: { KVD_UNSAFE_NO_AUTH: value } })['unsafe-no-auth'];
  expect([resolve('true'), resolve('false')]).toEqual([true, false]);
  expect(() => resolve('1')).toThrow(/must be true or false/);
});
