/**
 * The bound for a RESP server on Node: kvd's own decoder and encoder over a Map, nothing behind them. All replies of a chunk
 * leave in one write, as in kvd. Its port is its argument.
 */
import { createServer, type Socket } from 'node:net';
import { type Command, RespDecoder } from '../packages/node/src/resp/decoder.ts';
import { RespWriter } from '../packages/node/src/resp/encoder.ts';
import { failure, type RespValue, simple } from '../packages/node/src/resp/value.ts';

const OK = simple('OK');
const PONG = simple('PONG');
const values = new Map<string, Buffer>();
const writer = new RespWriter();

function answer(command: Command): RespValue {
  const [name, key, value] = command;
  switch (name?.toString('latin1').toUpperCase()) {
    case 'SET':
      if (key === undefined || value === undefined) return failure('ERR wrong number of arguments');
      // A copy: the argument is a view of a larger chunk.
      values.set(key.toString('latin1'), Buffer.from(value));
      return OK;
    case 'GET':
      return values.get(key?.toString('latin1') ?? '') ?? null;
    case 'PING':
      return PONG;
    case 'CONFIG':
      return [];
    default:
      return failure('ERR unknown command');
  }
}

function serveClient(socket: Socket): void {
  const decoder = new RespDecoder();
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    decoder.push(chunk);
    for (let command = decoder.next(); command !== undefined; command = decoder.next())
      writer.write(answer(command), 2);
    socket.write(writer.take());
  });
}

const server = createServer(serveClient);
server.listen(Number(process.argv[2]), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
