import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checksum } from '../../src/transport/checksum.ts';
import { CHUNK_BYTES, controlFrame, TYPE_PING, writeWhole } from '../../src/transport/frame.ts';
import { areSame, pattern, Receiver, writesOf } from './frames.ts';

const shortMessages = fc.array(
  fc.record({
    type: fc.integer({ min: 1, max: 0xef }),
    payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  }),
  { minLength: 1, maxLength: 8 },
);

test('messages arrive whole however the bytes are cut', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(shortMessages, sizes, (messages, pieces) => {
      const receiver = new Receiver();
      receiver.pushInPieces(Buffer.concat(writesOf(messages)), pieces);
      expect(receiver.messages).toEqual(messages);
    }),
  );
});

test('long messages arrive whole however the bytes are cut', () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 3 * CHUNK_BYTES }), { minLength: 1, maxLength: 4 });
  const sizes = fc.array(fc.integer({ min: 1000, max: 200_000 }), { minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(lengths, sizes, (bytes, pieces) => {
      const messages = bytes.map((length, index) => ({ type: index + 1, payload: pattern(length, index) }));
      const receiver = new Receiver();
      receiver.pushInPieces(Buffer.concat(writesOf(messages)), pieces);
      expect(areSame(receiver.messages, messages)).toBe(true);
    }),
    { numRuns: 20 },
  );
});

test('no byte can be wrong and a wrong message come of it', () => {
  const change = fc.record({ at: fc.nat(), mask: fc.integer({ min: 1, max: 255 }) });
  fc.assert(
    fc.property(shortMessages, change, fc.integer({ min: 1, max: 500 }), (messages, { at, mask }, size) => {
      const bytes = Buffer.concat(writesOf(messages));
      bytes[at % bytes.length] = (bytes[at % bytes.length] as number) ^ mask;
      const receiver = new Receiver();
      try {
        receiver.pushInPieces(bytes, [size]);
      } catch (error) {
        expect(error).toMatchObject({ code: 'NODE_BAD_FRAME' });
      }
      // What arrived before the damage is right, the damaged one and what follows did not arrive.
      expect(receiver.messages.length).toBeLessThan(messages.length);
      expect(receiver.messages).toEqual(messages.slice(0, receiver.messages.length));
    }),
    { numRuns: 1000 },
  );
});

describe('a frame is refused that', () => {
  const frame = (): Buffer => {
    const bytes = Buffer.alloc(30);
    writeWhole(bytes, 0, 5, 1, Buffer.alloc(10));
    return bytes;
  };
  const sealed = (bytes: Buffer): Buffer => {
    bytes.writeUInt32BE(checksum(bytes, 4, bytes.length), 0);
    return bytes;
  };
  const changed = (at: number, value: number): Buffer => {
    const bytes = frame();
    bytes[at] = value;
    return sealed(bytes);
  };
  const refusal = (bytes: Buffer): string => {
    try {
      new Receiver().push(bytes);
    } catch (error) {
      expect(error).toMatchObject({ code: 'NODE_BAD_FRAME' });
      return (error as Error).message;
    }
    return 'taken';
  };

  test('is of another protocol', () => {
    expect(refusal(Buffer.from('*3\r\n$3\r\nSET\r\n$1\r\nk\r\n'))).toMatch(/magic/);
  });
  test('is compressed', () => expect(refusal(changed(7, 2))).toMatch(/compressed, which was not negotiated/));
  test('has an unknown flag', () => expect(refusal(changed(7, 128))).toMatch(/unknown flags 128/));
  test('has type 0', () => expect(refusal(changed(6, 0))).toMatch(/type 0/));
  test('carries credit', () => expect(refusal(changed(19, 1))).toMatch(/credit/));
  test('is a message on stream 0', () => expect(refusal(changed(15, 0))).toMatch(/stream 0/));
  test('says "more" and is no part', () => expect(refusal(changed(7, 1))).toMatch(/is no part/));
  test('is a control frame on a stream', () => expect(refusal(changed(6, 0xf2))).toMatch(/stream 1/));
  test('has a wrong checksum', () => {
    const bytes = frame();
    bytes[25] = 1;
    expect(refusal(bytes)).toMatch(/checksum/);
  });
});

test('a length that is too large is refused by its header, before its bytes come', () => {
  const header = Buffer.alloc(20);
  writeWhole(header, 0, 5, 1, Buffer.alloc(0));
  header.writeUInt32BE(0xffffffff, 8);
  expect(() => new Receiver().push(header)).toThrow(/4294967295 bytes/);
});

test('what a header claims takes no memory until it comes', () => {
  const receiver = new Receiver();
  const header = Buffer.alloc(20);
  writeWhole(header, 0, 5, 1, Buffer.alloc(0));
  header.writeUInt32BE(CHUNK_BYTES, 8);
  const before = process.memoryUsage().arrayBuffers;
  const decoders = Array.from({ length: 200 }, () => new Receiver());
  for (const decoder of decoders) decoder.push(header);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200 * 4096);
  expect([receiver.messages, decoders.length]).toEqual([[], 200]);
});

test('after stop nothing is delivered, not even of the same piece', () => {
  const receiver = new Receiver();
  const frame = controlFrame(TYPE_PING, Buffer.alloc(8));
  receiver.controls.push = (...items) => {
    receiver.decoder.stop();
    return Array.prototype.push.apply(receiver.controls, items);
  };
  receiver.push(Buffer.concat([frame, frame]));
  receiver.push(frame);
  expect(receiver.controls).toHaveLength(1);
});
