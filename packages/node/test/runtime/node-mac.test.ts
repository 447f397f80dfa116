import { expect, test } from 'vitest';
import { MAC_BYTES, nodeMac } from '../../src/runtime/node-mac.ts';

test('the mac is HMAC-SHA-256: case 2 of RFC 4231', () => {
  const mac = nodeMac(Buffer.from('Jefe'), Buffer.from('what do ya want for nothing?'));
  expect(mac.toString('hex')).toBe('5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843');
  expect(mac).toHaveLength(MAC_BYTES);
});
