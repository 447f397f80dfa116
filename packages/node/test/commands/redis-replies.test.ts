/**
 * Replies as redis-server 7.0.15 gave them (redis-replies.json), byte for byte, in both protocols: over a store in memory whose
 * clock stands still, so that times to live are exact.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { execute } from '../../src/commands/dispatch.ts';
import { encodeReply, type RespProtocol } from '../../src/resp/encoder.ts';
import type { RespValue } from '../../src/resp/value.ts';
import { Session } from '../../src/session.ts';
import { MemoryServices } from '../fakes/memory-services.ts';
import { REDIS_ROWS, REDIS_SCENARIOS, wordsOf } from './redis-scenarios.ts';

type Recorded = readonly [line: string, resp2: string, resp3: string];

const recorded: {
  readonly version: string;
  readonly scenarios: Readonly<Record<string, readonly Recorded[]>>;
  readonly rows: readonly Recorded[];
} = JSON.parse(readFileSync(new URL('./redis-replies.json', import.meta.url), 'utf8'));

function replyTo(services: MemoryServices, protocol: RespProtocol, line: string): string {
  const session = new Session();
  session.protocol = protocol;
  let reply: RespValue | undefined;
  execute(services, session, wordsOf(line), (value) => {
    reply = value;
  });
  return encodeReply(reply as RespValue, protocol).toString('latin1');
}

test('everything is recorded as it stands', () => {
  expect(recorded.version).toBe('7.0.15');
  const lines = Object.entries(recorded.scenarios).map(([name, replies]) => [name, replies.map(([line]) => line)]);
  expect(Object.fromEntries(lines)).toEqual(REDIS_SCENARIOS);
});

describe.each([2, 3] as const)('RESP%i', (protocol) => {
  test.each(Object.keys(recorded.scenarios))('%s', (name) => {
    const services = new MemoryServices();
    const replies = recorded.scenarios[name] as readonly Recorded[];
    const got = replies.map(([line]) => [line, replyTo(services, protocol, line)]);
    expect(got).toEqual(replies.map((reply) => [reply[0], reply[protocol - 1]]));
  });

  /** What they say of themselves is not what Redis says: the value is stored anew, or a promise is not made. */
  const OWN_WORDS = new Set(['append', 'getrange', 'substr', 'setrange', 'msetnx', 'touch', 'mset']);

  test.each(REDIS_ROWS)('COMMAND INFO and DOCS of %s', (name) => {
    const services = new MemoryServices();
    for (const reply of recorded.rows) {
      const [line] = reply;
      if (!line.endsWith(` ${name}`) || (line.includes('DOCS') && OWN_WORDS.has(name))) continue;
      expect(replyTo(services, protocol, line)).toBe(reply[protocol - 1]);
    }
  });
});
