/** Clients of whole clusters: what each side of a partition writes, and what is there after it. */
import { describe, expect, it } from 'vitest';
import { Client, type Plain } from '../client.ts';
import { DriverCluster } from '../driver-cluster.ts';

async function clients(members = 3): Promise<{ cluster: DriverCluster; of: (node: string) => Client }> {
  const cluster = await DriverCluster.start(members);
  cluster.agree();
  return { cluster, of: (node) => new Client(cluster, node) };
}

const sorted = (reply: Plain): string[] => [...((reply as [string, string[]])[1] as string[])].sort();
const contextOf = (reply: Plain): string => (reply as [string, string[]])[0];

describe('KVD.GET and KVD.PUT', () => {
  it('give a context for a key that was never written, and no value', async () => {
    const { of } = await clients();
    const [context, values] = of('n1').run('KVD.GET', 'k') as [string, string[]];
    expect(values).toEqual([]);
    expect(of('n2').run('KVD.PUT', 'k', 'v', 'CONTEXT', context)).toMatch(/^[\w-]+$/);
    expect(sorted(of('n3').run('KVD.GET', 'k'))).toEqual(['v']);
  });

  it('without a context a value stands beside what is there, with one in its place', async () => {
    const { of } = await clients();
    const client = of('n1');
    client.run('SET', 'k', 'a');
    client.run('KVD.PUT', 'k', 'b');
    const read = client.run('KVD.GET', 'k');
    expect(sorted(read)).toEqual(['a', 'b']);
    client.run('KVD.PUT', 'k', 'c', 'CONTEXT', contextOf(read));
    expect(sorted(of('n2').run('KVD.GET', 'k'))).toEqual(['c']);
  });

  it('the context of a write is good for the next one, as long as nobody writes between', async () => {
    const { of } = await clients();
    const client = of('n2');
    let context = client.run('KVD.PUT', 'k', '1') as string;
    for (const value of ['2', '3']) context = client.run('KVD.PUT', 'k', value, 'CONTEXT', context) as string;
    expect(sorted(client.run('KVD.GET', 'k'))).toEqual(['3']);
  });

  it('no context that a write gives covers a sibling that its writer has not seen', async () => {
    const { of } = await clients();
    const [one, two] = [of('n1'), of('n2')];
    const before = contextOf(one.run('KVD.GET', 'k'));
    one.run('KVD.PUT', 'k', 'of one', 'CONTEXT', before);
    const after = two.run('KVD.PUT', 'k', 'of two', 'CONTEXT', before) as string;
    two.run('KVD.PUT', 'k', 'of two again', 'CONTEXT', after);
    expect(sorted(one.run('KVD.GET', 'k'))).toContain('of one');
  });

  it('both sides of a partition take a write; both come back, and a context resolves them everywhere', async () => {
    const { cluster, of } = await clients();
    of('n1').run('SET', 'k', 'before');
    const context = contextOf(of('n1').run('KVD.GET', 'k'));
    const row = cluster.rowOf('k') as [string, string, string];
    cluster.cut(row[0]);
    const [alone, other] = [of(row[0]), of(row[1])];
    for (const client of [alone, other]) expect(client.run('KVD.SESSION', 'W', '1', 'R', '1', 'SLOPPY')).toBe('OK');
    expect(alone.run('KVD.PUT', 'k', 'alone', 'CONTEXT', context)).toMatch(/^[\w-]+$/);
    expect(other.run('KVD.PUT', 'k', 'other', 'CONTEXT', context)).toMatch(/^[\w-]+$/);
    expect([sorted(alone.run('KVD.GET', 'k')), sorted(other.run('KVD.GET', 'k'))]).toEqual([['alone'], ['other']]);

    cluster.join(row[0]);
    cluster.advance(3000);
    const healed = of('n3').run('KVD.GET', 'k');
    expect(sorted(healed)).toEqual(['alone', 'other']);
    for (const node of row) {
      expect(sorted(of(node).run('KVD.LOCAL', 'KVD.GET', 'k'))).toEqual(['alone', 'other']);
    }
    of('n2').run('KVD.PUT', 'k', 'resolved', 'CONTEXT', contextOf(healed));
    for (const node of row) expect(sorted(of(node).run('KVD.LOCAL', 'KVD.GET', 'k'))).toEqual(['resolved']);

    expect(of('n1').run('SET', 'k', 'plain')).toBe('OK');
    expect(of('n2').run('GET', 'k')).toBe('plain');
    expect(sorted(of('n3').run('KVD.GET', 'k'))).toEqual(['plain']);
  });

  it('GET of siblings is the latest, SET replaces them all', async () => {
    const { of } = await clients();
    const client = of('n1');
    for (const value of ['a', 'b', 'c']) client.run('KVD.PUT', 'k', value);
    expect(client.run('GET', 'k')).toBe('c');
    client.run('SET', 'k', 'd');
    expect(sorted(client.run('KVD.GET', 'k'))).toEqual(['d']);
  });

  it('a value may expire', async () => {
    const { of } = await clients();
    const client = of('n1');
    client.run('KVD.PUT', 'k', 'v', 'PX', '60000');
    expect(client.run('PTTL', 'k')).toBeGreaterThan(50_000);
    expect(client.run('KVD.PUT', 'k', 'v', 'EX', '0')).toBe("Error: ERR invalid expire time in 'kvd.put' command");
  });

  it('refuses what makes no sense before anything is written', async () => {
    const { of } = await clients();
    const client = of('n1');
    const other = contextOf(client.run('KVD.GET', 'other'));
    expect(client.run('KVD.PUT', 'k', 'v', 'CONTEXT', other)).toMatch(/^Error: ERR kvd: the context is of another key/);
    expect(client.run('KVD.PUT', 'k', 'v', 'CONTEXT', 'x')).toMatch(/^Error: ERR kvd: the context is damaged/);
    for (const words of [['CONTEXT'], ['EX', '5', 'PX', '5'], ['NX'], ['CONTEXT', other, 'CONTEXT', other]]) {
      expect(client.run('KVD.PUT', 'k', 'v', ...words)).toMatch(/^Error: ERR/);
    }
    expect(client.run('KVD.DEL', 'k', 'EX', '5')).toBe('Error: ERR syntax error');
    expect(sorted(client.run('KVD.GET', 'k'))).toEqual([]);
  });
});

describe('KVD.DEL', () => {
  it('deletes exactly what its context has seen', async () => {
    const { of } = await clients();
    const client = of('n1');
    client.run('SET', 'k', 'seen');
    const context = contextOf(client.run('KVD.GET', 'k'));
    client.run('KVD.PUT', 'k', 'unseen');
    client.run('KVD.DEL', 'k', 'CONTEXT', context);
    expect(sorted(client.run('KVD.GET', 'k'))).toEqual(['unseen']);
  });

  it('without a context deletes all siblings, as DEL does', async () => {
    const { of } = await clients();
    const client = of('n1');
    client.run('KVD.PUT', 'k', 'a');
    client.run('KVD.PUT', 'k', 'b');
    const context = client.run('KVD.DEL', 'k') as string;
    expect(sorted(client.run('KVD.GET', 'k'))).toEqual([]);
    expect(client.run('GET', 'k')).toBeNull();
    client.run('KVD.PUT', 'k', 'new', 'CONTEXT', context);
    expect(sorted(client.run('KVD.GET', 'k'))).toEqual(['new']);
  });
});

describe('KVD.SIBLINGS', () => {
  it('tells of each value who wrote it, when, and how large it is', async () => {
    const { cluster, of } = await clients();
    const client = of('n1');
    client.run('SET', 'k', 'abc');
    client.run('KVD.PUT', 'k', 'de');
    const { siblings, context, vector } = client.run('KVD.SIBLINGS', 'k') as Record<string, Plain>;
    expect(context).toBe(contextOf(client.run('KVD.GET', 'k')));
    expect(vector).toMatch(/^\{\d+:[0-9a-f]{16}@\d+\}$/);
    const [first] = cluster.rowOf('k');
    expect(siblings).toMatchObject([
      { node: first, bytes: 3, kind: 'value', 'expires-ms': null },
      { node: first, bytes: 2, kind: 'value', 'expires-ms': null },
    ]);
  });
});
