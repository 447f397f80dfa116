/**
 * Requests out of bytes: arrays of bulk strings, and inline commands. Fed chunks of any size, it answers with whole commands;
 * the same bytes give the same commands however they are cut (docs/protocol.md "RESP").
 *
 *   push(chunk) ─► held bytes [start, end) ─► next() ─► arguments: views of held bytes, never written to again
 *
 * Invariants: memory follows the bytes received, never a declared length; each byte is looked at a bounded number of times;
 * after a protocol error nothing more is decoded; the only thing thrown is NodeError NODE_BAD_RESP, its text the one that
 * Redis gives where Redis has one.
 */
import { NodeError } from '../errors.ts';
import { REQUEST_LIMITS, type RequestLimits } from '../limits.ts';
import { readDecimal } from './decimal.ts';
import { splitInline } from './inline.ts';

/** What an argument costs beside its bytes, so that a request of empty arguments has a bound too. */
const ARGUMENT_OVERHEAD_BYTES = 8;
const NOTHING = Buffer.alloc(0);
const STAR = 0x2a;
const DOLLAR = 0x24;
const CR = 0x0d;
const LF = 0x0a;
/** First byte of a TLS handshake. */
const TLS_HANDSHAKE = 0x16;

export type Command = readonly Buffer[];

export class RespDecoder {
  /** May be replaced between two commands. */
  limits: RequestLimits = REQUEST_LIMITS;
  #held: Buffer = NOTHING;
  #start = 0;
  #end = 0;
  /** No line end stands before this place: a line that arrives byte by byte is not searched again and again. */
  #searched = 0;
  /** Of the command that is being read; undefined between commands. */
  #arguments: Buffer[] | undefined;
  #argumentsLeft = 0;
  #argumentBytes = 0;
  /** Length of the bulk string that is being read; -1: its header has not been read. */
  #bulkLength = -1;
  #failed: NodeError | undefined;

  /** Copies the chunk: its memory may be reused, and arguments live as long as their command. */
  push(chunk: Uint8Array): void {
    if (this.#failed !== undefined) return;
    const left = this.#end - this.#start;
    if (this.#held.length - this.#end < chunk.length) this.#move(left, chunk.length);
    this.#held.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** The next whole command, `undefined` when more bytes are needed. Throws NODE_BAD_RESP, from then on always. */
  next(): Command | undefined {
    if (this.#failed !== undefined) throw this.#failed;
    for (;;) {
      const command = this.#arguments === undefined ? this.#begin() : this.#continue(this.#arguments);
      if (command === undefined) return undefined;
      if (command.length > 0) return command;
    }
  }

  /** Replaces the memory: what has been handed out stays where it is. Doubling keeps the copying linear. */
  #move(left: number, more: number): void {
    const size = left === 0 ? more : Math.max(left + more, 2 * left);
    const held = Buffer.allocUnsafe(size);
    this.#held.copy(held, 0, this.#start, this.#end);
    this.#searched -= this.#start;
    this.#held = held;
    this.#start = 0;
    this.#end = left;
  }

  /** An empty command stands for "nothing to do here, go on". */
  #begin(): Command | undefined {
    if (this.#start === this.#end) return this.#release();
    const first = this.#held[this.#start];
    if (first === STAR) return this.#beginArray();
    if (first === TLS_HANDSHAKE) this.#fail('this looks like TLS, and this port speaks plain RESP');
    return this.#inline();
  }

  /** Between two requests a connection holds no memory. */
  #release(): undefined {
    this.#held = NOTHING;
    this.#start = this.#end = this.#searched = 0;
  }

  #beginArray(): Command | undefined {
    const count = this.#length('too big mbulk count string');
    if (count === undefined) return undefined;
    if (Number.isNaN(count) || count > REQUEST_LIMITS.argumentsMax) this.#fail('invalid multibulk length');
    if (count > this.limits.argumentsMax) this.#fail(`${this.limits.adjective} multibulk length`);
    if (count <= 0) return [];
    this.#arguments = [];
    this.#argumentsLeft = count;
    this.#argumentBytes = 0;
    return [];
  }

  #continue(args: Buffer[]): Command | undefined {
    while (this.#argumentsLeft > 0) {
      if (this.#bulkLength < 0 && !this.#readBulkHeader()) return undefined;
      const after = this.#start + this.#bulkLength;
      if (this.#end < after + 2) return undefined;
      args.push(this.#held.subarray(this.#start, after));
      // As Redis, which does not look at the two bytes behind a bulk string.
      this.#advance(after + 2);
      this.#bulkLength = -1;
      this.#argumentsLeft--;
    }
    this.#arguments = undefined;
    this.#argumentBytes = 0;
    return args;
  }

  #readBulkHeader(): boolean {
    const length = this.#length('too big bulk count string', DOLLAR);
    if (length === undefined) return false;
    const { bulkBytesMax, requestBytesMax, adjective } = this.limits;
    if (Number.isNaN(length) || length < 0 || length > REQUEST_LIMITS.bulkBytesMax) this.#fail('invalid bulk length');
    if (length > bulkBytesMax) this.#fail(`${adjective} bulk length`);
    this.#argumentBytes += length + ARGUMENT_OVERHEAD_BYTES;
    if (this.#argumentBytes > requestBytesMax) this.#fail(`the request exceeds ${requestBytesMax} bytes`);
    this.#bulkLength = length;
    return true;
  }

  /** Reads a line of a type byte and a number; NaN when it is no number, `undefined` when the line is not complete. */
  #length(tooLong: string, type?: number): number | undefined {
    const lineEnd = this.#find(CR, tooLong);
    if (lineEnd === -1) return undefined;
    const first = this.#held[this.#start] as number;
    if (type !== undefined && first !== type) {
      this.#fail(`expected '${String.fromCharCode(type)}', got '${printable(first)}'`);
    }
    if (this.#end < lineEnd + 2) return undefined;
    const value = readDecimal(this.#held, this.#start + 1, lineEnd);
    this.#advance(lineEnd + 2);
    return value;
  }

  #inline(): Command | undefined {
    const lineEnd = this.#find(LF, 'too big inline request');
    if (lineEnd === -1) return undefined;
    const hasReturn = lineEnd > this.#start && this.#held[lineEnd - 1] === CR;
    const words = splitInline(this.#held.subarray(this.#start, hasReturn ? lineEnd - 1 : lineEnd));
    if (words === undefined) this.#fail('unbalanced quotes in request');
    this.#advance(lineEnd + 1);
    return words;
  }

  /** Where the line ends, -1 when that has not arrived. */
  #find(ending: number, tooLong: string): number {
    const from = Math.max(this.#searched, this.#start);
    const found = this.#held.subarray(from, this.#end).indexOf(ending);
    const length = (found === -1 ? this.#end : from + found) - this.#start;
    if (length > this.limits.lineBytesMax) this.#fail(tooLong);
    this.#searched = found === -1 ? this.#end : from + found;
    return found === -1 ? -1 : from + found;
  }

  #advance(to: number): void {
    this.#start = to;
    this.#searched = to;
  }

  #fail(what: string): never {
    this.#failed = new NodeError('NODE_BAD_RESP', `Protocol error: ${what}`);
    this.#held = NOTHING;
    this.#start = this.#end = 0;
    this.#arguments = undefined;
    throw this.#failed;
  }
}

function printable(byte: number): string {
  return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : byte < 0x20 ? ' ' : '?';
}
