/**
 * The same random commands to redis-server 7.0 and to one node: pipelined, in RESP2 and RESP3, each reply the same bytes. What
 * is left out on purpose stands in docs/commands.md "Differences from Redis". A failure prints the seed and what had been done
 * to the key; KVD_DIFFERENTIAL_SEED and KVD_DIFFERENTIAL_COMMANDS repeat it, or look further.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Comparison, CommandGenerator, type Generated, type Word } from './support/command-generator.ts';
import { RawClient } from './support/raw-resp.ts';
import { RedisServer, redisServerVersion } from './support/redis-server.ts';
import { startSingleNode } from './support/single-node.ts';

const COMMANDS = Number(process.env['KVD_DIFFERENTIAL_COMMANDS'] ?? 60_000);
const SEED = Number(process.env['KVD_DIFFERENTIAL_SEED'] ?? 20_261_121);
const PIPELINE = 250;
/** What may pass between two servers' looks at their clocks. */
const APART_MS = 2000;

const version = redisServerVersion();
const isRedis7 = version?.includes('v=7.0.') ?? false;

let redis: RedisServer;
let node: Awaited<ReturnType<typeof startSingleNode>>;

beforeAll(async () => {
  if (isRedis7) [redis, node] = await Promise.all([RedisServer.start(), startSingleNode()]);
}, 30_000);
afterAll(() => Promise.all([redis?.stop(), node?.stop()]), 30_000);

test('redis-server 7.0 is there to compare with', ({ skip }) => {
  if (!process.env['CI']) skip(!isRedis7, 'apt-get install redis-server (7.0) to compare with it');
  expect(version, 'apt-get install redis-server').toContain('v=7.0.');
});

test.runIf(isRedis7)(
  `${COMMANDS} random commands are answered as by redis-server 7.0`,
  async () => {
    const generator = new CommandGenerator(SEED, Date.now());
    const sides = await Promise.all(([2, 3] as const).map(connectBoth));
    const done: Generated[] = [];
    try {
      for (let batch = 0; done.length < COMMANDS; batch++) {
        const [theirs, ours] = sides[batch % 2] as readonly [RawClient, RawClient];
        const commands = Array.from({ length: PIPELINE }, () => generator.next());
        const words = commands.map((command) => command.words);
        const [expected, got] = await Promise.all([theirs.pipeline(words), ours.pipeline(words)]);
        for (const [i, command] of commands.entries()) {
          done.push(command);
          const [want, have] = [expected[i] as Buffer, got[i] as Buffer];
          if (!agree(command.comparison, want, have)) expect.fail(report(done, want, have));
        }
      }
    } finally {
      for (const client of sides.flat()) client.close();
    }
  },
  60_000,
);

async function connectBoth(protocol: 2 | 3): Promise<readonly [RawClient, RawClient]> {
  return Promise.all([RawClient.connect(redis.port, protocol), RawClient.connect(node.port, protocol)]);
}

function agree(comparison: Comparison, want: Buffer, have: Buffer): boolean {
  if (want.equals(have)) return true;
  if (comparison === 'exact') return false;
  const [left, right] = [want.toString('latin1'), have.toString('latin1')];
  if (comparison === 'shape') return left.replace(/\d+/g, '#') === right.replace(/\d+/g, '#');
  const numbers = [left, right].map((reply) => (/^:\d+\r\n$/.test(reply) ? Number(reply.slice(1, -2)) : NaN));
  const apart = Math.abs((numbers[0] as number) - (numbers[1] as number));
  return apart <= (comparison === 'seconds' ? Math.ceil(APART_MS / 1000) : APART_MS);
}

/** The last commands that share a word with the one that was answered differently. */
function report(done: readonly Generated[], want: Buffer, have: Buffer): string {
  const failed = done.at(-1) as Generated;
  const key = String(failed.words[1]);
  const about = done.filter(({ words }) => words.slice(1).some((word) => String(word) === key)).slice(-12);
  const lines = about.map(({ words }) => `  ${words.map(shown).join(' ')}`);
  return [
    `command ${done.length} of seed ${SEED}: ${failed.words.map(shown).join(' ')}`,
    `  redis-server: ${shown(want)}`,
    `  kvd:          ${shown(have)}`,
    'before it, on that key:',
    ...lines,
  ].join('\n');
}

function shown(word: Word): string {
  const text = JSON.stringify(typeof word === 'string' ? word : word.toString('latin1'));
  return text.length > 200 ? `${text.slice(0, 200)}… (${word.length})` : text;
}
