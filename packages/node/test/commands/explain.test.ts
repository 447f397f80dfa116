import { describe, expect, it } from 'vitest';
import { Client, type Plain } from '../client.ts';
import { DriverCluster } from '../driver-cluster.ts';

type Fields = Readonly<Record<string, Plain>>;

async function clusterOf(members: number): Promise<DriverCluster> {
  const cluster = await DriverCluster.start(members);
  cluster.agree();
  return cluster;
}

const requestsOf = (reply: Plain): Fields[] => (reply as Fields).requests as Fields[];
const replica = (request: Fields, node: string): Fields | undefined =>
  (request.replicas as Fields[]).find((each) => each.node === node);
/** `who said step about whom`. */
const steps = (request: Fields): string[] =>
  (request.steps as Fields[]).map(({ by, step, node }) => `${by}: ${step} ${node}`);

describe('KVD.EXPLAIN', () => {
  it('of a read tells whom was asked, what each held, and what was repaired', async () => {
    const cluster = await clusterOf(3);
    const row = cluster.rowOf('k') as [string, string, string];
    const client = new Client(cluster, row[0]);
    client.run('SET', 'k', 'old');
    cluster.cut(row[2]);
    client.run('SET', 'k', 'new');
    cluster.join(row[2]);
    const explained = client.run('KVD.EXPLAIN', 'KVD.WITH', 'R', '3', 'GET', 'k') as Fields;
    expect(explained).toMatchObject({ reply: 'new', error: null });
    const [request, ...more] = requestsOf(explained) as [Fields];
    expect(more).toEqual([]);
    expect(request).toMatchObject({
      kind: 'read',
      key: 'k',
      coordinator: row[0],
      row,
      mode: 'sloppy',
      n: 3,
      r: 3,
      outcome: 'ok',
      need: 3,
      met: 3,
      degraded: 0,
    });
    const [fresh, stale] = [replica(request, row[1]) as Fields, replica(request, row[2]) as Fields];
    expect(fresh).toMatchObject({ role: 'owner', state: 'answered', values: 1 });
    expect(stale).toMatchObject({ role: 'owner', state: 'answered, repaired', values: 1 });
    expect(fresh.context).toMatch(/^\{\d+:[0-9a-f]{16}@\d+\}$/);
    expect(stale.context).not.toBe(fresh.context);
    expect(steps(request)).toEqual([
      ...row.map((node) => `${row[0]}: asked ${node}`),
      ...row.map((node) => `${row[0]}: answered ${node}`),
      `${row[0]}: ended ${row[0]}`,
      `${row[0]}: repaired ${row[2]}`,
    ]);
  });

  it('of a write that is forwarded brings the steps of its coordinator along', async () => {
    const cluster = await clusterOf(5);
    const row = cluster.rowOf('k') as [string, string, string, string, string];
    const entry = row[4];
    const [request] = requestsOf(new Client(cluster, entry).run('KVD.EXPLAIN', 'SET', 'k', 'v')) as [Fields];
    expect(request).toMatchObject({ kind: 'write', entry, coordinator: row[0], outcome: 'ok', need: 2, hinted: 0 });
    expect(steps(request)).toEqual(
      expect.arrayContaining([
        `${entry}: forwarded ${row[0]}`,
        `${entry}: answered ${row[0]}`,
        `${row[0]}: coordinates ${row[0]}`,
        `${row[0]}: merged ${row[0]}`,
        `${row[0]}: sent ${row[1]}`,
        `${row[0]}: stored ${row[1]}`,
      ]),
    );
    expect(replica(request, row[0])).toMatchObject({ role: 'owner', state: 'stored', values: 1 });
    expect(replica(request, entry)).toBeUndefined();
  });

  it('tells of hints, in the batch of the write and at a fallback', async () => {
    const three = await clusterOf(3);
    const row = three.rowOf('k') as [string, string, string];
    three.cut(row[2]);
    const [hinted] = requestsOf(new Client(three, row[0]).run('KVD.EXPLAIN', 'SET', 'k', 'v')) as [Fields];
    expect(replica(hinted, row[2])).toMatchObject({ state: 'hint', note: 'in the batch of the write' });

    const four = await clusterOf(4);
    const list = four.rowOf('k') as [string, string, string, string];
    four.cut(list[2]);
    const [standing] = requestsOf(
      new Client(four, list[0]).run('KVD.EXPLAIN', 'KVD.WITH', 'W', '3', 'SET', 'k', 'v'),
    ) as [Fields];
    expect(standing).toMatchObject({ met: 3, hinted: 1 });
    expect(replica(standing, list[3])).toMatchObject({
      role: 'fallback',
      state: 'stored',
      note: `to be kept for ${list[2]}`,
    });
    expect(replica(standing, list[2])).toMatchObject({ state: 'not asked' });
  });

  it('of a command that fails tells the error, and how far it came', async () => {
    const cluster = await clusterOf(3);
    const row = cluster.rowOf('k') as [string, string, string];
    cluster.cut(row[1]);
    cluster.cut(row[2]);
    const explained = new Client(cluster, row[0]).run('KVD.EXPLAIN', 'GET', 'k') as Fields;
    expect(explained).toMatchObject({ reply: null, error: expect.stringMatching(/^CLUSTERDOWN kvd: /) });
    expect(requestsOf(explained)[0]).toMatchObject({ outcome: 'failed', need: 2 });
  });

  it('of several keys has a part for each; of siblings their number', async () => {
    const cluster = await clusterOf(3);
    const client = new Client(cluster, 'n1');
    client.run('KVD.PUT', 'k', 'a');
    client.run('KVD.PUT', 'k', 'b');
    const both = client.run('KVD.EXPLAIN', 'MGET', 'k', 'absent');
    expect((both as Fields).reply).toEqual(['b', null]);
    expect(requestsOf(both).map(({ key }) => key)).toEqual(['k', 'absent']);
    const [request] = requestsOf(client.run('KVD.EXPLAIN', 'KVD.GET', 'k')) as [Fields];
    const held = (request.replicas as Fields[]).filter(({ values }) => values === 2);
    expect(held.length).toBeGreaterThanOrEqual(2);
  });

  it('leaves nothing behind, and costs nothing when nobody asks', async () => {
    const cluster = await clusterOf(3);
    for (const node of cluster.nodes.keys()) {
      new Client(cluster, node).run('KVD.EXPLAIN', 'SET', 'k', 'v');
      new Client(cluster, node).run('KVD.EXPLAIN', 'DEL', 'k');
    }
    cluster.advance(6000);
    for (const { driver } of cluster.nodes.values()) expect(driver.traces.isIdle).toBe(true);
    cluster.said.length = 0;
    new Client(cluster, 'n1').run('SET', 'k', 'v');
    for (const { message } of cluster.said) if ('header' in message) expect(message.header.traceId).toBe(0);
  });

  it('refuses what has no keys, too many, or is no command', async () => {
    const client = new Client(await clusterOf(3), 'n1');
    for (const words of [['PING'], ['KVD.LOCAL', 'GET', 'k'], ['KVD.SESSION'], ['KVD.EXPLAIN', 'GET', 'k']]) {
      expect(client.run('KVD.EXPLAIN', ...words)).toMatch(/behind KVD.EXPLAIN is not available/);
    }
    const many = Array.from({ length: 17 }, (_, i) => `k${i}`);
    expect(client.run('KVD.EXPLAIN', 'MGET', ...many)).toMatch(/it runs commands on 1 to 16 keys/);
    expect(client.run('KVD.EXPLAIN', 'NOSUCH', 'k')).toMatch(/^Error: ERR unknown command/);
    expect(client.run('KVD.EXPLAIN', 'GET')).toMatch(/^Error: ERR wrong number of arguments for 'get' command/);
    expect(client.run('KVD.EXPLAIN', 'KVD.WITH', 'R', '1')).toMatch(/kvd.with|KVD.WITH/);
  });
});
