/**
 * Replies as bytes, in RESP2 and RESP3 (docs/protocol.md "RESP"). One writer serves all connections of a server: it appends to
 * a chunk, and `take` hands out what was written since the last `take`. Bytes once handed out are never written again (a
 * socket may still hold them), so a chunk is used up and then replaced.
 */
import type { RespValue } from './value.ts';

export type RespProtocol = 2 | 3;

const CHUNK_BYTES = 64 * 1024;
const NOTHING = Buffer.alloc(0);
const LINE_BREAKS = /[\r\n]/g;
/** Room for any header line: a type byte, a number of at most 24 characters, CR LF. */
const HEADER_BYTES_MAX = 32;
const CR = 0x0d;
const LF = 0x0a;

export class RespWriter {
  #chunk: Buffer = NOTHING;
  #start = 0;
  #end = 0;

  /** Bytes written and not yet taken. */
  get lengthBytes(): number {
    return this.#end - this.#start;
  }

  /** What was written since the last time, never to be touched by the writer again. */
  take(): Buffer {
    const taken = this.#chunk.subarray(this.#start, this.#end);
    this.#start = this.#end;
    // One long reply must not keep its memory once it has been sent.
    if (this.#chunk.length > CHUNK_BYTES) {
      this.#chunk = NOTHING;
      this.#start = this.#end = 0;
    }
    return taken;
  }

  write(value: RespValue, protocol: RespProtocol): void {
    if (typeof value === 'number' || typeof value === 'bigint') return this.#header(':', value);
    if (typeof value === 'string') return this.#text('$', value);
    if (value === null) return this.#ascii(protocol === 3 ? '_\r\n' : '$-1\r\n');
    if (value instanceof Uint8Array) return this.#bulk(value);
    if (!('kind' in value)) return this.#items('*', value, protocol);
    this.#tagged(value, protocol);
  }

  #tagged(value: Extract<RespValue, { readonly kind: string }>, protocol: RespProtocol): void {
    const is3 = protocol === 3;
    switch (value.kind) {
      case 'simple':
        return this.#line('+', value.text);
      case 'error':
        return this.#line('-', value.text);
      case 'null-array':
        return this.#ascii(is3 ? '_\r\n' : '*-1\r\n');
      case 'boolean':
        return this.#ascii(is3 ? (value.value ? '#t\r\n' : '#f\r\n') : value.value ? ':1\r\n' : ':0\r\n');
      case 'double':
        return is3 ? this.#ascii(`,${formatDouble(value.value)}\r\n`) : this.#text('$', formatDouble(value.value));
      case 'verbatim':
        return is3 ? this.#text('=', `${value.format}:${value.text}`) : this.#text('$', value.text);
      case 'map':
        return this.#map(value.entries, protocol);
      case 'set':
        return this.#items(is3 ? '~' : '*', value.items, protocol);
      case 'push':
        return this.#items(is3 ? '>' : '*', value.items, protocol);
    }
  }

  #map(entries: readonly (readonly [RespValue, RespValue])[], protocol: RespProtocol): void {
    if (protocol === 3) this.#header('%', entries.length);
    else this.#header('*', entries.length * 2);
    for (const [key, value] of entries) {
      this.write(key, protocol);
      this.write(value, protocol);
    }
  }

  #items(type: string, items: readonly RespValue[], protocol: RespProtocol): void {
    this.#header(type, items.length);
    for (const item of items) this.write(item, protocol);
  }

  #bulk(bytes: Uint8Array): void {
    this.#header('$', bytes.length);
    this.#reserve(bytes.length + 2);
    this.#chunk.set(bytes, this.#end);
    this.#end += bytes.length;
    this.#lineEnd();
  }

  #text(type: string, text: string): void {
    const length = Buffer.byteLength(text);
    this.#header(type, length);
    this.#reserve(length + 2);
    this.#end += this.#chunk.write(text, this.#end, length, 'utf8');
    this.#lineEnd();
  }

  /** A status or an error cannot hold a line break: it would be the start of another reply. */
  #line(type: string, text: string): void {
    const line = LINE_BREAKS.test(text) ? text.replace(LINE_BREAKS, ' ') : text;
    LINE_BREAKS.lastIndex = 0;
    const length = Buffer.byteLength(line);
    this.#reserve(length + 3);
    this.#chunk[this.#end++] = type.charCodeAt(0);
    this.#end += this.#chunk.write(line, this.#end, length, 'utf8');
    this.#lineEnd();
  }

  #header(type: string, count: number | bigint): void {
    this.#reserve(HEADER_BYTES_MAX);
    this.#chunk[this.#end++] = type.charCodeAt(0);
    if (typeof count === 'number' && count >= 0 && count < 10) this.#chunk[this.#end++] = 0x30 + count;
    else this.#end += this.#chunk.write(String(count), this.#end, 'latin1');
    this.#lineEnd();
  }

  #ascii(text: string): void {
    this.#reserve(text.length);
    this.#end += this.#chunk.write(text, this.#end, 'latin1');
  }

  #lineEnd(): void {
    this.#chunk[this.#end++] = CR;
    this.#chunk[this.#end++] = LF;
  }

  /** Makes room for `bytes` more in one piece with what was written and not yet taken. */
  #reserve(bytes: number): void {
    if (this.#chunk.length - this.#end >= bytes) return;
    const held = this.#end - this.#start;
    const size = held + bytes <= CHUNK_BYTES / 2 ? CHUNK_BYTES : Math.max(CHUNK_BYTES, 2 * held + bytes);
    const chunk = Buffer.allocUnsafeSlow(size);
    this.#chunk.copy(chunk, 0, this.#start, this.#end);
    this.#chunk = chunk;
    this.#start = 0;
    this.#end = held;
  }
}

/** As Redis prints them: the shortest text that reads back as the same number. */
function formatDouble(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (value === Infinity) return 'inf';
  return value === -Infinity ? '-inf' : String(value);
}

/** One reply by itself: for tests, and where there is no server. */
export function encodeReply(value: RespValue, protocol: RespProtocol): Buffer {
  const writer = new RespWriter();
  writer.write(value, protocol);
  return writer.take();
}
