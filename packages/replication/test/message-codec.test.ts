import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReplicationError } from '../src/errors.ts';
import { decodeMessage, encodeMessage, messageType } from '../src/message-codec.ts';
import type { FailureReason, Message } from '../src/messages.ts';

const count = fc.oneof(fc.nat({ max: 300 }), fc.constant(2 ** 31), fc.constant(Number.MAX_SAFE_INTEGER));
const u16 = fc.integer({ min: 0, max: 0xffff });
const lane = fc.integer({ min: 0, max: 0xffffffff });
const hash = fc.tuple(lane, lane, lane, lane);
const bytes = fc.uint8Array({ maxLength: 20 }).map((each) => Buffer.from(each));
const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const nodeId = fc.stringMatching(/^[A-Za-z0-9._-]{1,32}$/);
const durability = fc.constantFrom('memory', 'os', 'sync');
const status = fc.constantFrom('ok', 'refused');
const list = <T>(each: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(each, { maxLength: 5 });

const header = fc.record({
  id: fc.record({ entry: nodeId, incarnation: count, n: count }),
  remainingMs: count,
  ringEpoch: count,
  slotPhase: count,
  keyspace: u16,
  keyspaceVersion: count,
  traceId: count,
});
const consistency = fc.record({
  n: count,
  r: count,
  w: count,
  pr: count,
  pw: count,
  dw: count,
  mode: fc.constantFrom('sloppy', 'strict'),
  durability,
  timeoutMs: count,
});
const supersedes = fc.oneof(fc.constantFrom('held', 'nothing'), bytes);
const answer = fc.constant('presence');
const token = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((each) => Buffer.from(each));
const request = { requestToken: token, repeated: fc.constant(true) };
const operation = fc.oneof(
  fc.record({ type: fc.constant('put'), value: bytes, supersedes }),
  fc.record(
    {
      type: fc.constant('put'),
      value: bytes,
      supersedes,
      deadline: fc.oneof(count, fc.constant('keep')),
      condition: fc.constantFrom('absent', 'present'),
      answer,
    },
    { requiredKeys: ['type', 'value', 'supersedes'] },
  ),
  fc.record({ type: fc.constant('delete'), supersedes, answer }, { requiredKeys: ['type', 'supersedes'] }),
  fc.record(
    { type: fc.constant('expire'), atMs: count, condition: fc.constantFrom('NX', 'XX', 'GT', 'LT', 'XX-LT'), answer },
    { requiredKeys: ['type', 'atMs'] },
  ),
  fc.record({ type: fc.constant('append'), value: bytes }),
  fc.record({ type: fc.constant('set-range'), offset: count, value: bytes }),
  fc.record(
    { type: fc.constant('add'), delta: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), ...request },
    { requiredKeys: ['type', 'delta'] },
  ),
  fc.record({ type: fc.constant('add-float'), delta: text, ...request }, { requiredKeys: ['type', 'delta'] }),
);
const reason = fc.constantFrom<FailureReason>(
  'quorum',
  'unreachable',
  'refused',
  'overload',
  'engine',
  'limit',
  'stopping',
  'rejected',
);
const result = fc.record({ applied: fc.boolean(), value: fc.option(bytes, { nil: undefined }) });
const outcome = fc.oneof(
  fc.record({ status: fc.constant('ok'), context: bytes, acknowledged: count, hinted: count, result }),
  fc.record({ status: fc.constantFrom('failed', 'indeterminate'), reason, detail: text }),
);
const item = fc.record({ address: bytes, record: bytes });
const member = fc.record({
  id: nodeId,
  host: text,
  port: u16,
  peerPort: u16,
  incarnation: count,
  heartbeat: count,
  state: fc.constantFrom('alive', 'suspect', 'dead', 'left'),
  suspectedBy: list(nodeId),
  health: text,
});

/** One of each kind; the compiler sees to it that none is missing. */
const FIELDS: { readonly [K in Message['kind']]: { readonly [field: string]: fc.Arbitrary<unknown> } } = {
  forward: { header, consistency, address: bytes, operation },
  'forward-reply': { outcome },
  replicate: {
    header,
    purpose: fc.constantFrom('write', 'repair', 'handoff', 'exchange'),
    hintFor: fc.option(nodeId, { nil: undefined }),
    durability,
    items: list(item),
  },
  'replicate-reply': { status: fc.constantFrom('stored', 'refused'), reason: text },
  fetch: { header, addresses: list(bytes) },
  'fetch-reply': {
    status,
    reason: text,
    role: fc.constantFrom('owner', 'fallback'),
    doubt: fc.boolean(),
    records: list(fc.option(bytes, { nil: undefined })),
  },
  gossip: { members: list(member) },
  'gossip-reply': { members: list(member) },
  'exchange-leaves': {
    ringEpoch: count,
    group: count,
    fromSlot: u16,
    toSlot: u16,
    leaves: list(fc.record({ slot: u16, leaf: hash })),
  },
  'exchange-leaves-reply': { status, differing: list(u16) },
  'exchange-keys': {
    ringEpoch: count,
    group: count,
    slot: u16,
    after: bytes,
    until: bytes,
    keys: list(fc.record({ address: bytes, hash })),
  },
  'exchange-keys-reply': { status, wanted: list(bytes), items: list(item), covered: bytes },
  scan: { header, fromSlot: u16, toSlot: u16, after: bytes, limit: count },
  'scan-reply': {
    status,
    doubt: fc.boolean(),
    records: list(fc.record({ address: bytes, hash, live: fc.boolean(), expires: fc.boolean(), type: fc.nat(255) })),
    covered: bytes,
  },
};
const KINDS = Object.keys(FIELDS) as Message['kind'][];

const messageOf = (kind: Message['kind']): fc.Arbitrary<Message> =>
  fc.record({ kind: fc.constant(kind), stream: count, ...FIELDS[kind] }) as unknown as fc.Arbitrary<Message>;
const message = fc.constantFrom(...KINDS).chain(messageOf);
const FAILED = { status: 'failed', reason: 'quorum', detail: 'x' } as const;
const TRACED = { atUs: 9, word: 'hint', node: 'n1', role: 'none', context: undefined, siblings: 0, note: 'n' } as const;

const bad = expect.objectContaining({ code: 'REPLICATION_BAD_MESSAGE' });

const SAMPLE: Message = { kind: 'exchange-leaves-reply', stream: 300, status: 'ok', differing: [5, 16383] };

describe('the extensions of a forward-reply', () => {
  const step = fc.record({
    atUs: count,
    word: fc.constantFrom(
      'forwarded',
      'coordinates',
      'asked',
      'answered',
      'merged',
      'sent',
      'stored',
      'refused',
      'lost',
    ),
    node: nodeId,
    role: fc.constantFrom('none', 'owner', 'fallback'),
    context: fc.option(bytes, { nil: undefined }),
    siblings: count,
    note: text,
  });
  const reply = fc.record({
    kind: fc.constant('forward-reply'),
    stream: count,
    outcome: fc.tuple(outcome, count).map(([each, siblings]) => (each.status === 'ok' ? { ...each, siblings } : each)),
    trace: list(step),
  }) as unknown as fc.Arbitrary<Message>;

  it('come back: the trace, and how many siblings are left', () => {
    fc.assert(
      fc.property(reply, (sent) => {
        expect(decodeMessage(messageType(sent), encodeMessage(sent, 5)).message).toEqual(sent);
      }),
    );
  });

  it('are refused when they are cut or damaged, and passed over when they are unknown', () => {
    const sent = { kind: 'forward-reply', stream: 1, outcome: FAILED, trace: [TRACED] } as const;
    const encoded = encodeMessage(sent, 5);
    for (let length = 0; length < encoded.length; length++) {
      expect(() => decodeMessage(17, encoded.subarray(0, length))).toThrow(bad);
    }
    const plain = encodeMessage({ kind: 'forward-reply', stream: 1, outcome: FAILED }, 5);
    const unknown = Buffer.concat([plain.subarray(0, -1), Buffer.from([1, 99, 2, 7, 7])]);
    expect(decodeMessage(17, unknown).message).toEqual({ kind: 'forward-reply', stream: 1, outcome: FAILED });
    const siblingsOfFailure = Buffer.concat([plain.subarray(0, -1), Buffer.from([1, 2, 1, 2])]);
    expect(() => decodeMessage(17, siblingsOfFailure)).toThrow(bad);
  });
});

describe('the message codec', () => {
  it.each(KINDS)('gives every field of %s back', (kind) => {
    fc.assert(
      fc.property(messageOf(kind), count, (one, hybridTime) => {
        const payload = encodeMessage(one, hybridTime);
        expect(decodeMessage(messageType(one), payload)).toEqual({ message: one, hybridTime });
      }),
    );
  });

  it('has a type of its own for each kind, which never changes', () => {
    const types = KINDS.map((kind) => messageType({ ...SAMPLE, kind } as Message));
    expect(types).toEqual([16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29]);
  });

  it('throws nothing but its own error on damaged payloads, and decodes no more than there was', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(message, damage, (one, flips) => {
        const payload = encodeMessage(one, 1);
        for (const [position, byte] of flips) payload[position % payload.length] = byte;
        expectOwnError(() => decodeMessage(messageType(one), payload));
      }),
      { numRuns: 3000 },
    );
  });

  it('throws nothing but its own error on noise of any type', () => {
    fc.assert(
      fc.property(fc.nat({ max: 255 }), fc.uint8Array({ maxLength: 60 }), (type, noise) => {
        expectOwnError(() => decodeMessage(type, noise));
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses every cut and every addition', () => {
    fc.assert(
      fc.property(message, (one) => {
        const payload = encodeMessage(one, 1);
        const type = messageType(one);
        for (let length = 0; length < payload.length; length++) {
          expect(() => decodeMessage(type, payload.subarray(0, length))).toThrow(bad);
        }
        expect(() => decodeMessage(type, Buffer.concat([payload, Buffer.from([0])]))).toThrow(bad);
      }),
      { numRuns: 50 },
    );
  });

  it('makes nothing of a count that the payload cannot hold', () => {
    const count = 'ffffffffffffff0f';
    for (const [type, before] of [
      [22, '00'],
      [23, '00'],
      [25, '0000'],
    ] as const) {
      const huge = Buffer.from(`0000000000000001${before}${count}`, 'hex');
      expect(() => decodeMessage(type, huge)).toThrow('elements declared');
    }
  });

  it('skips extensions of later versions', () => {
    const payload = encodeMessage(SAMPLE, 7);
    const extended = Buffer.concat([
      payload.subarray(0, -1),
      Buffer.from('02' + '01' + '02aabb' + '8001' + '00', 'hex'),
    ]);
    expect(decodeMessage(25, extended)).toEqual({ message: SAMPLE, hybridTime: 7 });
  });

  it('is the bytes of docs/protocol.md', () => {
    expect(encodeMessage(SAMPLE, 2048).toString('hex')).toBe(
      '0000000000000800' + 'ac02' + '00' + '02' + '05ff7f' + '00',
    );
  });

  it('refuses to write what no reader would take', () => {
    const gossip = { kind: 'replicate', stream: 1, hintFor: 'no such/id' } as unknown as Message;
    expect(() => encodeMessage(gossip, 1)).toThrow(TypeError);
    expect(() => encodeMessage({ ...SAMPLE, status: 'perhaps' } as unknown as Message, 1)).toThrow(TypeError);
    expect(() => encodeMessage({ ...SAMPLE, stream: -1 }, 1)).toThrow(RangeError);
    expect(() => encodeMessage({ ...SAMPLE, stream: 0.5 }, 1)).toThrow(RangeError);
  });

  it('grows for a message larger than was guessed', () => {
    const addresses = Array.from({ length: 2000 }, (_, i) => Buffer.alloc(i % 50, i));
    const wanted: Message = {
      kind: 'exchange-keys-reply',
      stream: 1,
      status: 'ok',
      wanted: addresses,
      items: [],
      covered: Buffer.alloc(0),
    };
    expect(decodeMessage(27, encodeMessage(wanted, 1)).message).toEqual(wanted);
  });
});

function expectOwnError(decode: () => unknown): void {
  try {
    decode();
  } catch (error) {
    expect(error).toBeInstanceOf(ReplicationError);
    expect((error as ReplicationError).code).toBe('REPLICATION_BAD_MESSAGE');
  }
}
