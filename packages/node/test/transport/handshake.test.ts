import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TYPE_HELLO, TYPE_PING, TYPE_REFUSAL } from '../../src/transport/frame.ts';
import {
  Handshake,
  type HandshakeOptions,
  type HandshakeResult,
  type Identity,
} from '../../src/transport/handshake.ts';
import {
  decodeHello,
  decodeRefusal,
  encodeHello,
  encodeRefusal,
  type Hello,
  REFUSAL,
} from '../../src/transport/hello.ts';

const identity = (change: Partial<Identity> = {}): Identity => ({
  id: 'a',
  incarnation: 5,
  clusterId: Buffer.alloc(16, 0xc1),
  generation: 2,
  ...change,
});

const handshake = (self: Identity, options: Partial<HandshakeOptions> = {}): Handshake =>
  new Handshake({ self, nonce: Buffer.alloc(16, 9), ...options });

/** What `b` says to the hello of a node with this identity, that looks for `to`. */
function judged(dialler: Partial<Identity>, to = 'b', options: Partial<HandshakeOptions> = {}): HandshakeResult {
  return handshake(identity({ id: 'b' }), options).receive(TYPE_HELLO, handshake(identity(dialler)).hello(to));
}

test('nodes of one cluster accept each other', () => {
  const dialler = handshake(identity(), { expected: 'b' });
  const acceptor = handshake(identity({ id: 'b', incarnation: 9 }));
  expect(acceptor.receive(TYPE_HELLO, dialler.hello('b'))).toEqual({
    status: 'accepted',
    peer: { id: 'a', incarnation: 5, version: 1, capabilities: 0 },
  });
  expect(dialler.receive(TYPE_HELLO, acceptor.hello('a'))).toMatchObject({ peer: { id: 'b', incarnation: 9 } });
});

describe('refused is', () => {
  const refused = (code: keyof typeof REFUSAL, reason: RegExp): object => ({
    status: 'refused',
    refusal: { code: REFUSAL[code], reason: expect.stringMatching(reason) },
  });

  test('another cluster, without a word about this one', () => {
    const result = judged({ clusterId: Buffer.alloc(16, 0xc2) });
    expect(result).toMatchObject(refused('cluster', /a is of cluster (c2){16}, b is of another one/));
  });
  test('another generation of the cluster', () => {
    expect(judged({ generation: 3 })).toMatchObject(refused('generation', /a is of generation 3 .* b of 2/));
  });
  test('who looks for another node', () => {
    expect(judged({}, 'c')).toMatchObject(refused('wrongNode', /a looks for c, this is b/));
  });
  test('a node that is not the one that was dialled', () => {
    const hello = handshake(identity({ id: 'c' })).hello('a');
    const result = handshake(identity(), { expected: 'b' }).receive(TYPE_HELLO, hello);
    expect(result).toMatchObject(refused('wrongNode', /a looks for b, this is c/));
  });
  test('the node itself', () => {
    expect(judged({ id: 'b' })).toMatchObject(refused('self', /b has dialled itself/));
  });
  test('another node under the same name', () => {
    expect(judged({ id: 'b', incarnation: 6 })).toMatchObject(
      refused('self', /another running node says that it is b/),
    );
  });
  test('who the owner of the connections objects to', () => {
    const objection = (): { code: number; reason: string } => ({ code: REFUSAL.stale, reason: 'too old' });
    expect(judged({}, 'b', { objection })).toMatchObject(refused('stale', /too old/));
  });
  test('a first frame that is no hello', () => {
    expect(handshake(identity()).receive(TYPE_PING, Buffer.alloc(8))).toMatchObject(refused('hello', /type 242/));
    expect(handshake(identity()).receive(TYPE_HELLO, Buffer.alloc(80))).toMatchObject(refused('hello', /not one/));
  });

  const altered = (change: Partial<Hello>): HandshakeResult => {
    const hello = decodeHello(handshake(identity()).hello('b'));
    return handshake(identity({ id: 'b' })).receive(TYPE_HELLO, encodeHello({ ...hello, ...change }));
  };
  test('a protocol that is too new or too old', () => {
    expect(altered({ versionMin: 2, versionMax: 3 })).toMatchObject(refused('version', /2 to 3, this node 1 to 1/));
    expect(altered({ versionMin: 0, versionMax: 0 })).toMatchObject(refused('version', /0 to 0/));
  });
  test('a capability that is unknown here', () => {
    expect(altered({ required: 0x80000001 })).toMatchObject(refused('capability', /2147483649/));
  });
  test('a proof that is unknown here', () => expect(altered({ auth: 2 })).toMatchObject(refused('auth', /method 2/)));
  test('who has a secret where this node has none', () => {
    expect(altered({ auth: 1 })).toMatchObject(refused('auth', /a has a peer secret and b has none/));
  });
  test('nobody who can also speak this version', () => {
    expect(altered({ versionMin: 1, versionMax: 9, offered: 0xff })).toMatchObject({
      peer: { version: 1, capabilities: 0 },
    });
  });
});

test('a refusal by the other end is told', () => {
  const refusal = { code: REFUSAL.cluster, reason: 'of another cluster' };
  expect(handshake(identity()).receive(TYPE_REFUSAL, encodeRefusal(refusal))).toEqual({ status: 'rejected', refusal });
});

test('what is in a refusal cannot write lines into the log, or more than fits', () => {
  expect(decodeRefusal(Buffer.from('\x03bad\nline\x1b[0m')).reason).toBe('bad line [0m');
  expect(decodeRefusal(Buffer.alloc(0))).toEqual({ code: 0, reason: '' });
  expect(decodeRefusal(encodeRefusal({ code: 1, reason: 'x'.repeat(9999) })).reason).toHaveLength(1024);
});

const names = fc.stringMatching(/^[A-Za-z0-9._-]{1,32}$/);
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const block = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes));
const hellos: fc.Arbitrary<Hello> = fc.record({
  versionMin: u16,
  versionMax: u16,
  clusterId: block,
  generation: u32,
  incarnation: fc.maxSafeNat(),
  offered: u32,
  required: u32,
  nonce: block,
  auth: fc.integer({ min: 0, max: 255 }),
  from: names,
  to: fc.oneof(names, fc.constant('')),
});

test('a hello is read as it was written', () => {
  fc.assert(
    fc.property(hellos, (hello) => {
      expect(decodeHello(encodeHello(hello))).toEqual(hello);
    }),
  );
});

test('any bytes are a hello or NODE_BAD_HELLO', () => {
  const damage = fc.record({ at: fc.nat(), value: fc.integer({ min: 0, max: 255 }), length: fc.nat() });
  fc.assert(
    fc.property(hellos, damage, (hello, { at, value, length }) => {
      const bytes = encodeHello(hello);
      bytes[at % bytes.length] = value;
      try {
        decodeHello(bytes.subarray(0, length % 2 === 0 ? bytes.length : length % bytes.length));
      } catch (error) {
        expect(error).toMatchObject({ code: 'NODE_BAD_HELLO' });
      }
    }),
    { numRuns: 500 },
  );
});

test('a name of more than 32 characters is none', () => {
  const hello = decodeHello(handshake(identity()).hello('b'));
  expect(() => decodeHello(encodeHello({ ...hello, from: 'x'.repeat(33) }))).toThrow(/a name is cut off or too long/);
});

test('a hello of a later version may carry a proof and extensions, which are skipped', () => {
  const hello = decodeHello(handshake(identity()).hello('b'));
  const plain = encodeHello(hello);
  const extended = Buffer.concat([plain.subarray(0, -4), Buffer.from('0003616263000401000178', 'hex')]);
  expect(decodeHello(extended)).toEqual(hello);
});

test('a hello has the bytes that docs/protocol.md shows', () => {
  const hello = handshake(identity({ id: 'node-1', incarnation: 7, generation: 1 })).hello('node-2');
  expect(hello.toString('hex')).toBe(
    [
      '6b766470',
      '0001',
      '0001',
      'c1'.repeat(16),
      '00000001',
      '0000000000000007',
      '00000000',
      '00000000',
      '09'.repeat(16),
      '00',
      '066e6f64652d31',
      '066e6f64652d32',
      '0000',
      '0000',
    ].join(''),
  );
});
