import { expect, test } from 'vitest';
import { CHUNK_BYTES, controlFrame, TYPE_PING } from '../../src/transport/frame.ts';
import { OutgoingQueue } from '../../src/transport/outgoing-queue.ts';
import { framesOf, pattern } from './frames.ts';

const FOREVER = Number.POSITIVE_INFINITY;
const typesOf = (bytes: Buffer | undefined): number[] =>
  framesOf(bytes ?? Buffer.alloc(0)).map((frame) => frame[6] as number);

test('all that waits leaves in one write, in order, the frames of the connection first', () => {
  const queue = new OutgoingQueue({ bytesMax: 1000 });
  for (const type of [1, 2, 3]) queue.push(type, Buffer.alloc(10), FOREVER);
  queue.pushControl(controlFrame(TYPE_PING, Buffer.alloc(8)));
  expect(queue.bytes).toBe(30);
  expect(typesOf(queue.next(0))).toEqual([TYPE_PING, 1, 2, 3]);
  expect([queue.bytes, queue.next(0)]).toEqual([0, undefined]);
});

test('nothing is taken while as much as the bound waits, and is again when there is room', () => {
  const queue = new OutgoingQueue({ bytesMax: 100 });
  const push = (bytes: number) => queue.push(1, Buffer.alloc(bytes), FOREVER);
  expect([push(60), push(41), push(1)]).toEqual([true, true, false]);
  queue.next(0);
  expect(push(41)).toBe(true);
});

test('a message above the bound is not kept out by short ones that wait', () => {
  const queue = new OutgoingQueue({ bytesMax: 100 });
  const push = (bytes: number) => queue.push(1, Buffer.alloc(bytes), FOREVER);
  expect([push(10), push(500), push(1)]).toEqual([true, true, false]);
});

test('a message that has waited past its deadline is dropped and counted', () => {
  const queue = new OutgoingQueue({ bytesMax: 10 * CHUNK_BYTES });
  queue.push(1, Buffer.alloc(5), 100);
  queue.push(2, Buffer.alloc(5), 200);
  queue.push(3, pattern(CHUNK_BYTES + 1, 1), 100);
  expect(typesOf(queue.next(101))).toEqual([2]);
  expect([queue.expired, queue.bytes, queue.next(101)]).toEqual([2, 0, undefined]);
});

test('a long message that is under way is finished, deadline or not', () => {
  const queue = new OutgoingQueue({ bytesMax: 10 * CHUNK_BYTES });
  queue.push(3, pattern(CHUNK_BYTES + 1, 1), 100);
  expect([typesOf(queue.next(99)), typesOf(queue.next(500)), queue.next(500)]).toEqual([[3], [3], undefined]);
  expect([queue.expired, queue.bytes]).toEqual([0, 0]);
});

test('a short message does not wait for a long one', () => {
  const queue = new OutgoingQueue({ bytesMax: 100 * CHUNK_BYTES });
  queue.push(1, pattern(10 * CHUNK_BYTES, 1), FOREVER);
  queue.push(2, Buffer.alloc(5), FOREVER);
  expect(typesOf(queue.next(0))).toEqual([2, 1]);
  queue.push(3, Buffer.alloc(5), FOREVER);
  expect(typesOf(queue.next(0))).toEqual([3, 1]);
});

test('four long messages are under way at a time', () => {
  const queue = new OutgoingQueue({ bytesMax: 100 * CHUNK_BYTES });
  for (let type = 1; type <= 6; type++) queue.push(type, pattern(2 * CHUNK_BYTES, type), FOREVER);
  const writes = [queue.next(0), queue.next(0), queue.next(0), queue.next(0)].map(typesOf);
  expect(writes).toEqual([
    [1, 2, 3, 4],
    [1, 2, 3, 4],
    [5, 6],
    [5, 6],
  ]);
});

test('a peer that does not read is not answered for ever', () => {
  const queue = new OutgoingQueue({ bytesMax: 1000 });
  for (let i = 0; i < 1000; i++) queue.pushControl(controlFrame(TYPE_PING, Buffer.alloc(8)));
  expect(typesOf(queue.next(0))).toHaveLength(64);
});

test('a queue that is always filled keeps its order and loses nothing', () => {
  const queue = new OutgoingQueue({ bytesMax: 1 << 30 });
  const sent: number[] = [];
  const got: number[] = [];
  for (let round = 0; round < 40; round++) {
    for (let i = 0; i < 100; i++) {
      const payload = Buffer.alloc(4096);
      payload.writeUInt32BE(sent.length);
      sent.push(sent.length);
      queue.push(1, payload, FOREVER);
    }
    for (const frame of framesOf(queue.next(0) as Buffer)) got.push(frame.readUInt32BE(20));
  }
  for (let bytes = queue.next(0); bytes; bytes = queue.next(0))
    for (const frame of framesOf(bytes)) got.push(frame.readUInt32BE(20));
  expect(got).toEqual(sent);
});
