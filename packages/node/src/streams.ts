/**
 * Numbers for requests in flight. The low two bits say which machine asked, so that a reply finds it without a table. They
 * wrap within 32 bits: a number is used again only after a thousand million others.
 */
export const STREAM_WRITE = 0;
export const STREAM_READ = 1;
export const STREAM_FORWARD = 2;
export const STREAM_BACKGROUND = 3;

export type StreamKind = 0 | 1 | 2 | 3;

const STEP = 4;
const WRAP = 0x1_0000_0000;

export class Streams {
  #next = STEP;

  next(kind: StreamKind): number {
    const stream = this.#next + kind;
    this.#next += STEP;
    if (this.#next >= WRAP) this.#next = STEP;
    return stream;
  }
}

export function streamKind(stream: number): StreamKind {
  return (stream & 3) as StreamKind;
}
