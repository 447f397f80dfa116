import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CHUNK_BYTES, FLAG_MORE, FLAG_PART, MESSAGE_BYTES_MAX, writePart } from '../../src/transport/frame.ts';
import { MessageAssembly } from '../../src/transport/message-assembly.ts';
import { areSame, framesOf, isSame, pattern, Receiver, writesOf } from './frames.ts';

const LONG = [
  { type: 1, payload: pattern(2 * CHUNK_BYTES + 10, 1) },
  { type: 2, payload: pattern(2 * CHUNK_BYTES + 10, 2) },
  { type: 3, payload: pattern(3 * CHUNK_BYTES, 3) },
];

const ALL = framesOf(Buffer.concat(writesOf(LONG)));

/** The frames of each message apart. */
const apart = (): Buffer[][] => LONG.map(({ type }) => ALL.filter((frame) => frame[6] === type));

test('long messages may interleave in any way', () => {
  fc.assert(
    fc.property(fc.infiniteStream(fc.nat({ max: 2 })), (turns) => {
      const waiting = apart();
      const receiver = new Receiver();
      for (const turn of turns) {
        const frame = (waiting[turn] as Buffer[]).shift();
        if (frame) receiver.push(frame);
        if (waiting.every((frames) => frames.length === 0)) break;
      }
      expect(areSame(receiver.messages, LONG)).toBe(true);
    }),
    { numRuns: 20 },
  );
});

test('a part that is lost, repeated or exchanged never makes a wrong message', () => {
  const fault = fc.record({
    kind: fc.constantFrom('lose', 'repeat', 'swap' as const),
    at: fc.nat(),
    other: fc.nat(),
  });
  fc.assert(
    fc.property(fault, ({ kind, at, other }) => {
      const frames = [...ALL];
      const [i, j] = [at % frames.length, other % frames.length];
      const [a, b] = [frames[i] as Buffer, frames[j] as Buffer];
      if (kind === 'lose') frames.splice(i, 1);
      else if (kind === 'repeat') frames.splice(j, 0, a);
      else [frames[i], frames[j]] = [b, a];
      const receiver = new Receiver();
      try {
        for (const frame of frames) receiver.push(frame);
      } catch (error) {
        expect(error).toMatchObject({ code: 'NODE_BAD_FRAME' });
      }
      for (const message of receiver.messages) expect(LONG.some((sent) => isSame(sent, message))).toBe(true);
    }),
    { numRuns: 60 },
  );
});

test('a message that is complete makes room for the next, on the same stream or another', () => {
  let messages = 0;
  const assembly = new MessageAssembly({ message: () => messages++, control() {} });
  const part = Buffer.alloc(8 + CHUNK_BYTES);
  part.writeUInt32BE(2 * CHUNK_BYTES, 4);
  for (let round = 0; round < 300; round++) {
    part.writeUInt32BE(0, 0);
    assembly.frame(1, FLAG_PART | FLAG_MORE, 1 + (round >> 1), part);
    part.writeUInt32BE(1, 0);
    assembly.frame(1, FLAG_PART, 1 + (round >> 1), part);
  }
  expect(messages).toBe(300);
});

describe('a part is refused', () => {
  const payload = pattern(2 * CHUNK_BYTES + 1, 9);
  const part = (index: number, change: Partial<{ type: number; stream: number; payload: Buffer }> = {}): Buffer => {
    const target = Buffer.alloc(28 + CHUNK_BYTES);
    return target.subarray(0, writePart(target, 0, { type: 4, stream: 6, payload, ...change, index }));
  };
  const push = (...frames: Buffer[]): (() => void) => {
    const receiver = new Receiver();
    return () => {
      for (const frame of frames) receiver.push(frame);
      expect(receiver.messages).toEqual([]);
    };
  };

  test('when none was begun on its stream', () => expect(push(part(1))).toThrow(/no message was begun/));
  test('when it comes twice', () => expect(push(part(0), part(1), part(1))).toThrow(/part 2 of/));
  test('when one is missing', () => expect(push(part(0), part(2))).toThrow(/part 1 of/));
  test('when a message begins anew on its stream', () =>
    expect(push(part(0), part(0))).toThrow(/in the middle of one/));
  test('when its type is another', () => expect(push(part(0), part(1, { type: 5 }))).toThrow(/another length or type/));
  test('when its message has another length', () => {
    const longer = pattern(2 * CHUNK_BYTES + 2, 9);
    expect(push(part(0), part(1, { payload: longer }))).toThrow(/another length or type/);
  });
});

describe('a sender that claims what cannot be is refused:', () => {
  const assembly = (): MessageAssembly => new MessageAssembly({ message() {}, control() {} });
  const part = (index: number, total: number, bytes: number): Buffer => {
    const payload = Buffer.alloc(8 + bytes);
    payload.writeUInt32BE(index, 0);
    payload.writeUInt32BE(total, 4);
    return payload;
  };
  const cases: readonly [string, Buffer, number, RegExp][] = [
    ['a message too long', part(0, MESSAGE_BYTES_MAX + 1, CHUNK_BYTES), FLAG_PART | FLAG_MORE, /message of \d+ bytes/],
    ['a message that needs no parts', part(0, 5, 5), FLAG_PART, /message of 5 bytes/],
    ['a part too short', part(0, CHUNK_BYTES + 1, 10), FLAG_PART | FLAG_MORE, /carries 10/],
    ['a part past the end', part(2, CHUNK_BYTES + 1, 1), FLAG_PART, /part 2 of 2/],
    ['a last part that says "more"', part(1, CHUNK_BYTES + 1, 1), FLAG_PART | FLAG_MORE, /says otherwise/],
    ['a first part that says it is all', part(0, CHUNK_BYTES + 1, CHUNK_BYTES), FLAG_PART, /says otherwise/],
    ['a part without its head', Buffer.alloc(3), FLAG_PART, /without index/],
  ];
  test.each(cases)('%s', (_, payload, flags, reason) => {
    expect(() => assembly().frame(1, flags, 1, payload)).toThrow(reason);
  });

  test('too many messages at a time', () => {
    const target = assembly();
    const begin = (stream: number): void =>
      target.frame(1, FLAG_PART | FLAG_MORE, stream, part(0, CHUNK_BYTES + 1, CHUNK_BYTES));
    for (let stream = 1; stream <= 64; stream++) begin(stream);
    expect(() => begin(65)).toThrow(/more than 64/);
  });

  test('more unfinished bytes than two largest messages', () => {
    const target = assembly();
    const first = part(0, MESSAGE_BYTES_MAX, CHUNK_BYTES);
    const send = (): void => {
      for (let index = 0; index < 260; index++) {
        first.writeUInt32BE(index, 0);
        for (let stream = 1; stream <= 4; stream++) {
          if (index < 259) target.frame(1, FLAG_PART | FLAG_MORE, stream, first);
        }
      }
    };
    expect(send).toThrow(/exceed/);
  });
});
