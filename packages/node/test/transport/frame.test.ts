import { expect, test } from 'vitest';
import { CHUNK_BYTES, controlFrame, partBytes, partCount, TYPE_PING, writeWhole } from '../../src/transport/frame.ts';
import { framesOf, pattern, writesOf } from './frames.ts';

test('a frame has the bytes that docs/protocol.md shows', () => {
  const target = Buffer.alloc(22);
  expect(writeWhole(target, 0, 7, 258, Buffer.from('hi'))).toBe(22);
  expect(target.toString('hex')).toBe(
    ['d96d6558', '6b76', '07', '00', '00000002', '00000102', '00000000', '6869'].join(''),
  );
});

test('a frame of the connection is on stream 0', () => {
  const frame = controlFrame(TYPE_PING, Buffer.alloc(8));
  expect([frame.length, frame[6], frame.readUInt32BE(12)]).toEqual([28, 0xf2, 0]);
});

test('a long message travels in parts of 256 KiB, each with its index and the length of all', () => {
  const payload = pattern(2 * CHUNK_BYTES + 5, 1);
  const frames = framesOf(Buffer.concat(writesOf([{ type: 3, payload }])));
  expect(frames.map((frame) => [frame[7], frame.readUInt32BE(20), frame.readUInt32BE(24), frame.length - 28])).toEqual([
    [5, 0, payload.length, CHUNK_BYTES],
    [5, 1, payload.length, CHUNK_BYTES],
    [4, 2, payload.length, 5],
  ]);
  expect(partCount(payload.length)).toBe(3);
  expect([0, 1, 2].map((index) => partBytes(payload.length, index))).toEqual([CHUNK_BYTES, CHUNK_BYTES, 5]);
});

test('a message of exactly 256 KiB is one frame', () => {
  expect(framesOf(Buffer.concat(writesOf([{ type: 3, payload: pattern(CHUNK_BYTES, 1) }])))).toHaveLength(1);
});
