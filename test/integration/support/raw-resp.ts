/**
 * RESP as bytes: a connection that sends commands in one piece and gives back every reply as the bytes that came, so that
 * two servers can be compared byte for byte.
 */
import { connect, type Socket } from 'node:net';

const CR = 0x0d;
const LINES = new Set([...'+-:_,#('].map((type) => type.charCodeAt(0)));
const BULKS = new Set([...'$=!'].map((type) => type.charCodeAt(0)));
const MAP = '%'.charCodeAt(0);

/** Where the reply that begins at `at` ends; undefined when it is not all there. */
export function replyEnd(bytes: Buffer, at: number): number | undefined {
  const lineEnd = bytes.indexOf(CR, at);
  if (lineEnd === -1 || lineEnd + 2 > bytes.length) return undefined;
  const type = bytes[at] as number;
  const behind = lineEnd + 2;
  if (LINES.has(type)) return behind;
  const count = Number(bytes.toString('latin1', at + 1, lineEnd));
  if (count < 0) return behind;
  if (BULKS.has(type)) return behind + count + 2 <= bytes.length ? behind + count + 2 : undefined;
  let end: number | undefined = behind;
  for (let left = type === MAP ? count * 2 : count; left > 0 && end !== undefined; left--) end = replyEnd(bytes, end);
  return end;
}

export function encodeCommand(words: readonly (string | Buffer)[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${words.length}\r\n`)];
  for (const word of words) {
    const bytes = typeof word === 'string' ? Buffer.from(word) : word;
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'));
  }
  return Buffer.concat(parts);
}

export class RawClient {
  readonly #socket: Socket;
  #chunks: Buffer[] = [];
  #waiting:
    | { count: number; replies: Buffer[]; done: (replies: Buffer[]) => void; fail: (e: Error) => void }
    | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#received(chunk));
    const lost = (error?: Error): void => this.#waiting?.fail(error ?? new Error('the connection was closed'));
    socket.on('error', lost).on('close', () => lost());
  }

  static async connect(port: number, protocol: 2 | 3): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    const client = new RawClient(socket);
    await client.pipeline([['HELLO', `${protocol}`]]);
    return client;
  }

  /** Sends them all at once; one reply each, in order. */
  pipeline(commands: readonly (readonly (string | Buffer)[])[]): Promise<readonly Buffer[]> {
    return new Promise((done, fail) => {
      this.#waiting = { count: commands.length, replies: [], done, fail };
      this.#socket.write(Buffer.concat(commands.map(encodeCommand)));
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #received(chunk: Buffer): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#chunks.push(chunk);
    const bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    let at = 0;
    for (let end = replyEnd(bytes, at); end !== undefined && at < bytes.length; end = replyEnd(bytes, at)) {
      waiting.replies.push(bytes.subarray(at, end));
      at = end;
    }
    this.#chunks = at < bytes.length ? [bytes.subarray(at)] : [];
    if (waiting.replies.length < waiting.count) return;
    this.#waiting = undefined;
    waiting.done(waiting.replies);
  }
}
