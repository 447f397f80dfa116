import { describe, expect, test } from 'vitest';
import { Access } from '../src/access.ts';
import { isLoopback, isLoopbackPeer } from '../src/loopback.ts';
import { nodeMac } from '../src/runtime/node-mac.ts';

const runtime = { mac: nodeMac, secrets: { fill: (bytes: Uint8Array) => void bytes.fill(5) } };
const access = (requirepass: string, unsafeNoAuth = false): Access =>
  new Access({ requirepass, unsafeNoAuth }, runtime);

test('the password is right and all else is not', () => {
  const secret = access('pässword');
  expect(secret.isRight(Buffer.from('pässword'))).toBe(true);
  for (const wrong of ['', 'pässwor', 'pässword ', 'PÄSSWORD', 'x'.repeat(600)]) {
    expect(secret.isRight(Buffer.from(wrong))).toBe(false);
  }
});

test('without a password every one is right, and it can be set and taken away', () => {
  const open = access('');
  expect(open.needsPassword).toBe(false);
  expect(open.isRight(Buffer.from('x'))).toBe(true);
  open.setPassword('new');
  expect([open.needsPassword, open.isRight(Buffer.from('x')), open.password]).toEqual([true, false, 'new']);
  open.setPassword('');
  expect(open.needsPassword).toBe(false);
});

test('protected mode denies other machines while there is no password, unless told otherwise', () => {
  expect(access('').isDenied('10.0.0.7:555')).toBe(true);
  expect(access('').isDenied('::ffff:10.0.0.7:555')).toBe(true);
  expect(access('').isDenied('127.0.0.1:555')).toBe(false);
  expect(access('p').isDenied('10.0.0.7:555')).toBe(false);
  expect(access('', true).isDenied('10.0.0.7:555')).toBe(false);
});

describe('loopback', () => {
  test.each(['127.0.0.1', '127.8.9.1', '::1', '[::1]', 'localhost', 'LocalHost', '::ffff:127.0.0.1'])(
    '%s is',
    (host) => {
      expect(isLoopback(host)).toBe(true);
      expect(isLoopbackPeer(`${host}:80`)).toBe(true);
    },
  );
  test.each(['0.0.0.0', '::', '', '10.0.0.1', '127.evil.example', '127.0.0.1.evil.example', '::ffff:10.0.0.1', '?'])(
    '%s is not',
    (host) => {
      expect(isLoopback(host)).toBe(false);
      expect(isLoopbackPeer(`${host}:80`)).toBe(false);
    },
  );
});
