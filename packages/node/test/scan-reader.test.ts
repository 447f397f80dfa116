/**
 * Pages of keys over real nodes and engines, driven by hand: what is there throughout a scan is found, whatever is written and
 * deleted meanwhile, with a node down; and what too few owners can tell of is an error.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { execute } from '../src/commands/dispatch.ts';
import type { RespValue } from '../src/resp/value.ts';
import { Session } from '../src/session.ts';
import { DriverCluster } from './driver-cluster.ts';

function say(cluster: DriverCluster, id: string, session: Session, ...words: string[]): RespValue {
  let reply: RespValue | undefined;
  const args = words.map((word) => Buffer.from(word));
  execute(cluster.node(id).entry, session, args, (value) => {
    reply = value;
  });
  for (let i = 0; i < 3000 && reply === undefined; i++) {
    cluster.settle();
    if (reply === undefined) cluster.time.advance(10);
  }
  return reply as RespValue;
}

/** All keys that a scan from the start to the end returns; `between` runs after every call. */
function scanAll(
  cluster: DriverCluster,
  ids: readonly string[],
  options: string[],
  between: (call: number) => void = () => {},
) {
  const sessions = new Map(ids.map((id) => [id, new Session()]));
  const found: string[] = [];
  let cursor = '0';
  for (let call = 0; call < 3000; call++) {
    const id = ids[call % ids.length] as string;
    const reply = say(cluster, id, sessions.get(id) as Session, 'SCAN', cursor, ...options);
    if (!Array.isArray(reply)) throw new Error(JSON.stringify(reply));
    const [next, keys] = reply as [string, Buffer[]];
    found.push(...keys.map(String));
    if (next === '0') return found;
    cursor = next;
    between(call);
  }
  throw new Error('the scan does not end');
}

function put(cluster: DriverCluster, id: string, ...keys: string[]): void {
  const session = new Session();
  for (const key of keys) expect(say(cluster, id, session, 'SET', key, 'v')).toMatchObject({ text: 'OK' });
}

const names = (count: number, tag = ''): string[] => Array.from({ length: count }, (_, i) => `user:${tag}:${i}`);

describe('SCAN', () => {
  it('returns each key once when nothing changes, and ends', async () => {
    const cluster = await DriverCluster.start(3);
    const keys = names(60);
    put(cluster, 'n1', ...keys);
    expect(scanAll(cluster, ['n2'], []).sort()).toEqual([...keys].sort());
    expect(scanAll(cluster, ['n2'], ['COUNT', '1000'])).toHaveLength(60);
    expect(scanAll(cluster, ['n2'], ['MATCH', 'user::1?']).length).toBe(10);
    expect(scanAll(cluster, ['n2'], ['TYPE', 'hash'])).toEqual([]);
  });

  it('goes on at any node, also one that never saw the cursor, through a slot of many keys', async () => {
    const cluster = await DriverCluster.start(3);
    const keys = names(45, '{one slot}');
    put(cluster, 'n1', ...keys);
    expect(scanAll(cluster, ['n1', 'n2', 'n3'], ['COUNT', '4']).sort()).toEqual([...keys].sort());
  });

  it('begins a slot again when the place of the cursor is gone', async () => {
    const cluster = await DriverCluster.start(3);
    put(cluster, 'n1', ...names(9, '{one slot}'));
    const session = new Session();
    const [cursor] = say(cluster, 'n1', session, 'SCAN', '0', 'COUNT', '4') as [string];
    const elsewhere = String(BigInt(cursor) ^ 1n);
    const [, keys] = say(cluster, 'n1', session, 'SCAN', elsewhere, 'COUNT', '100') as [string, Buffer[]];
    expect(keys).toHaveLength(9);
  });

  it('with more nodes than owners, and one of them down, finds all that is there throughout', async () => {
    const setting = fc.record({
      count: fc.integer({ min: 1, max: 20 }),
      seed: fc.nat(),
      members: fc.constantFrom(3, 5),
    });
    await fc.assert(
      fc.asyncProperty(setting, async ({ count, seed, members }) => {
        const cluster = await DriverCluster.start(members);
        const [steady, fleeting] = [[...names(25), ...names(8, '{tag}')], names(12, 'fleeting')];
        put(cluster, 'n1', ...steady, ...fleeting);
        cluster.cut('n3');
        const session = new Session();
        const found = new Set(
          scanAll(cluster, ['n1', 'n2'], ['COUNT', String(count)], (call) => {
            const key = fleeting[(call * 7 + seed) % fleeting.length] as string;
            say(cluster, 'n2', session, ...((call + seed) % 2 === 0 ? ['DEL', key] : ['SET', `${key}+`, 'x']));
          }),
        );
        for (const key of steady) expect(found, key).toContain(key);
      }),
      { numRuns: 8 },
    );
  }, 30_000);

  it('does not return what was deleted or has expired', async () => {
    const cluster = await DriverCluster.start(3);
    put(cluster, 'n1', 'a', 'b', 'c');
    const session = new Session();
    say(cluster, 'n1', session, 'DEL', 'b');
    expect(scanAll(cluster, ['n3'], []).sort()).toEqual(['a', 'c']);
  });

  it('reads what owners hold differently: a key that one of them missed is found, one that one still has is not', async () => {
    const cluster = await DriverCluster.start(3);
    put(cluster, 'n1', 'stays');
    cluster.cut('n3');
    put(cluster, 'n1', 'missed');
    say(cluster, 'n1', new Session(), 'DEL', 'stays');
    cluster.cut('n2');
    cluster.join('n3');
    // n1 and n3 alone: before any hint is brought, n3 lacks both.
    expect(scanAll(cluster, ['n3'], [])).toEqual(['missed']);
  });

  it('says that too few owners can be reached', async () => {
    const cluster = await DriverCluster.start(3);
    put(cluster, 'n1', 'a');
    cluster.cut('n2');
    cluster.cut('n3');
    const reply = say(cluster, 'n1', new Session(), 'SCAN', '0');
    expect(reply).toMatchObject({ text: 'CLUSTERDOWN kvd: can reach 1 of R=2 owners of slots 0 to 16383' });
  });

  it('lost on the way ends in time, as an error', async () => {
    const cluster = await DriverCluster.start(3);
    put(cluster, 'n1', 'a');
    let reply: RespValue | undefined;
    execute(cluster.node('n1').entry, new Session(), [Buffer.from('DBSIZE')], (value) => {
      reply = value;
    });
    for (let ms = 0; ms < 6000 && reply === undefined; ms += 50) {
      cluster.wire = [];
      for (const { local } of cluster.nodes.values()) local.settle();
      cluster.time.advance(50);
    }
    expect(reply).toMatchObject({
      text: expect.stringMatching(/^NOREPLICAS kvd: read 1 of R=2 owners .* in 5000 ms$/),
    });
  });
});

describe('the other commands on all keys', () => {
  it('KEYS, DBSIZE and RANDOMKEY see the whole cluster', async () => {
    const cluster = await DriverCluster.start(5);
    const session = new Session();
    expect(say(cluster, 'n2', session, 'DBSIZE')).toBe(0);
    expect(say(cluster, 'n2', session, 'RANDOMKEY')).toBeNull();
    put(cluster, 'n1', ...names(30));
    expect(say(cluster, 'n2', session, 'DBSIZE')).toBe(30);
    expect((say(cluster, 'n2', session, 'KEYS', '*') as Buffer[]).map(String).sort()).toEqual([...names(30)].sort());
    expect((say(cluster, 'n2', session, 'KEYS', '*:7') as Buffer[]).map(String)).toEqual(['user::7']);
    expect(names(30)).toContain(String(say(cluster, 'n4', session, 'RANDOMKEY')));
  });
});

describe('WAIT', () => {
  it('makes the copies that are missing, and tells how many there are beside the first', async () => {
    const cluster = await DriverCluster.start(3);
    const session = new Session();
    cluster.cut('n3');
    say(cluster, 'n1', session, 'SET', 'k', 'v');
    expect(say(cluster, 'n1', session, 'WAIT', '2', '1000')).toBe(1);
    expect(say(cluster, 'n1', session, 'WAITAOF', '1', '1', '1000')).toEqual([1, 1]);
    cluster.join('n3');
    expect(say(cluster, 'n1', session, 'WAIT', '2', '1000')).toBe(2);
    expect(cluster.node('n3').local.read('k')).toBe('v');
    expect(say(cluster, 'n1', session, 'WAITAOF', '1', '2', '1000')).toEqual([1, 2]);
  });
});
