import { beforeEach, describe, expect, test } from 'vitest';
import { execute } from '../../src/commands/dispatch.ts';
import type { RespValue } from '../../src/resp/value.ts';
import { Session } from '../../src/session.ts';
import { plain } from '../client.ts';
import { MemoryServices } from '../fakes/memory-services.ts';

let services: MemoryServices;
let session: Session;

beforeEach(() => {
  services = new MemoryServices();
  session = new Session();
});

function run(words: string): ReturnType<typeof plain> {
  const replies: RespValue[] = [];
  const args = words.split(' ').map((word) => Buffer.from(word));
  execute(services, session, args, (reply) => replies.push(reply));
  expect(replies).toHaveLength(1);
  return plain(replies[0] as RespValue);
}

describe('KVD.SESSION', () => {
  test('shows what the connection asks for, and what of it the session has set', () => {
    expect(run('KVD.SESSION')).toEqual({
      n: 3,
      r: 2,
      w: 2,
      pr: 0,
      pw: 0,
      dw: 0,
      mode: 'sloppy',
      durability: 'sync',
      timeout: 5000,
      causal: 'off',
      set: [],
    });
    expect(run('KVD.SESSION R 1 timeout 250 STRICT')).toBe('OK');
    expect(run('KVD.SESSION')).toMatchObject({
      r: 1,
      w: 2,
      mode: 'strict',
      timeout: 250,
      set: ['r', 'timeout', 'mode'],
    });
  });

  test('holds for the commands after it, each of which may still say otherwise', () => {
    run('KVD.SESSION R 3 W 1');
    services.hold = true;
    const asked = (words: string): string => {
      execute(
        services,
        session,
        words.split(' ').map((word) => Buffer.from(word)),
        () => {},
      );
      const { r, w } = services.requests.at(-1)?.consistency ?? { r: 0, w: 0 };
      return `R=${r} W=${w}`;
    };
    expect(asked('GET k')).toBe('R=3 W=1');
    expect(asked('KVD.WITH R 1 GET k')).toBe('R=1 W=1');
    expect(asked('KVD.GET k')).toBe('R=3 W=1');
  });

  test('adds to what was set before; RESET takes all back', () => {
    run('KVD.SESSION R 3');
    run('KVD.SESSION W 3');
    run('KVD.SESSION CAUSAL ON');
    expect(run('KVD.SESSION')).toMatchObject({ r: 3, w: 3, causal: 'on' });
    expect(run('KVD.SESSION RESET')).toBe('OK');
    expect(run('KVD.SESSION')).toMatchObject({ r: 2, w: 2, causal: 'off', set: [] });
  });

  test('RESET of the connection resets it too', () => {
    run('KVD.SESSION R 3');
    run('KVD.SESSION CAUSAL ON');
    session.reset();
    expect(run('KVD.SESSION')).toMatchObject({ r: 2, causal: 'off', set: [] });
  });

  test('settings that make no sense leave the session as it was', () => {
    run('KVD.SESSION R 3');
    expect(run('KVD.SESSION R 4')).toBe('Error: ERR kvd: R=4 is more than N=3');
    expect(run('KVD.SESSION W 1 PW 2')).toBe('Error: ERR kvd: PW=2 is more than W=1');
    expect(run('KVD.SESSION R x')).toBe('Error: ERR value is not an integer or out of range');
    for (const words of ['R', 'W 1 GET', 'PRESET', 'CAUSAL', 'CAUSAL MAYBE', 'RESET NOW', 'HELLO']) {
      expect(run(`KVD.SESSION ${words}`)).toBe('Error: ERR syntax error');
    }
    expect(run('KVD.SESSION REQUEST x')).toMatch(/^Error: ERR kvd: REQUEST of a whole session is not available/);
    expect(run('KVD.SESSION')).toMatchObject({ r: 3, w: 2, set: ['r'] });
  });

  test('PRESET replaces R, W and durability, and keeps N, mode and timeout', () => {
    run('KVD.SESSION PW 2 W 3 STRICT TIMEOUT 90');
    expect(run('KVD.SESSION PRESET fast-write')).toBe('OK');
    expect(run('KVD.SESSION')).toMatchObject({ r: 3, w: 1, pw: 0, mode: 'strict', timeout: 90, durability: 'sync' });
    run('KVD.SESSION PRESET one-of-n');
    expect(run('KVD.SESSION')).toMatchObject({ r: 2, w: 2, dw: 1, durability: 'os' });
    run('KVD.SESSION PRESET Quorum');
    expect(run('KVD.SESSION')).toMatchObject({ r: 2, w: 2, dw: 0, durability: 'sync' });
    expect(run('KVD.SESSION PRESET best')).toMatch(
      /^Error: ERR kvd: there is no such preset; there are quorum, fast-read/,
    );
    expect(run('KVD.SESSION PRESET local-quorum')).toMatch(/^Error: ERR kvd: preset local-quorum is not available yet/);
  });

  test('cannot stand behind another command', () => {
    expect(run('KVD.WITH R 1 KVD.SESSION R 2')).toMatch(
      /^Error: ERR kvd: KVD.SESSION behind KVD.WITH is not available/,
    );
  });
});
