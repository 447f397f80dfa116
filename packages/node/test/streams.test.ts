import { expect, it } from 'vitest';
import { STREAM_BACKGROUND, STREAM_FORWARD, STREAM_READ, STREAM_WRITE, streamKind, Streams } from '../src/streams.ts';

it('a stream says which machine asked, is never 0, and comes once', () => {
  const streams = new Streams();
  const seen = new Set<number>();
  for (let i = 0; i < 1000; i++) {
    for (const kind of [STREAM_WRITE, STREAM_READ, STREAM_FORWARD, STREAM_BACKGROUND] as const) {
      const stream = streams.next(kind);
      expect(streamKind(stream)).toBe(kind);
      expect(stream).toBeGreaterThan(3);
      seen.add(stream);
    }
  }
  expect(seen.size).toBe(4000);
});

it('the kind of a stream near the end of 32 bits is found too', () => {
  expect(streamKind(0xffff_fffe)).toBe(STREAM_FORWARD);
});
