/** Writes redis-replies.json: starts a redis-server of its own, which must be 7.0. */
import { writeFileSync } from 'node:fs';
import { RawClient } from '../../../../test/integration/support/raw-resp.ts';
import { RedisServer, redisServerVersion } from '../../../../test/integration/support/redis-server.ts';
import { REDIS_ROWS, REDIS_SCENARIOS, wordsOf } from './redis-scenarios.ts';

const version = redisServerVersion()?.match(/v=(7\.0\.\d+)/)?.[1];
if (version === undefined) throw new Error('redis-server 7.0 is not installed');

const server = await RedisServer.start();
const clients = [await RawClient.connect(server.port, 2), await RawClient.connect(server.port, 3)];

async function record(lines: readonly string[]): Promise<[string, string, string][]> {
  const replies: string[][] = [];
  for (const client of clients) {
    await client.pipeline([['FLUSHALL']]);
    replies.push((await client.pipeline(lines.map(wordsOf))).map((reply) => reply.toString('latin1')));
  }
  return lines.map((line, i) => [line, replies[0]?.[i] as string, replies[1]?.[i] as string]);
}

const scenarios: Record<string, unknown> = {};
for (const [name, lines] of Object.entries(REDIS_SCENARIOS)) scenarios[name] = await record(lines);
const rows = await record(REDIS_ROWS.flatMap((name) => [`COMMAND INFO ${name}`, `COMMAND DOCS ${name}`]));
for (const client of clients) client.close();
await server.stop();

// A line for each command, so that a change can be read.
const text = JSON.stringify({ version, scenarios, rows }, null, 1).replace(
  /\[\n\s+("(?:[^"\\]|\\.)*"),\n\s+("(?:[^"\\]|\\.)*"),\n\s+("(?:[^"\\]|\\.)*")\n\s+\]/g,
  '[$1, $2, $3]',
);
writeFileSync(new URL('./redis-replies.json', import.meta.url), `${text}\n`);
