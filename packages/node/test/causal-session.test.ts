import { describe, expect, it } from 'vitest';
import { CausalSession } from '../src/causal-session.ts';
import { Client } from './client.ts';
import { DriverCluster } from './driver-cluster.ts';

/** Three nodes that agree; the last of the key's row then misses a write. */
async function staleReplica(): Promise<{ cluster: DriverCluster; row: [string, string, string] }> {
  const cluster = await DriverCluster.start(3);
  cluster.agree();
  const row = cluster.rowOf('k') as [string, string, string];
  new Client(cluster, row[0]).run('SET', 'k', 'old');
  cluster.settle();
  return { cluster, row };
}

/** Messages from one to the other are lost, and nobody notices. */
function mute(cluster: DriverCluster, from: string, to: string, kind: string): void {
  cluster.wire = cluster.wire.filter((sent) => sent.from !== from || sent.to !== to || sent.message.kind !== kind);
}

/** A client of the last owner, with R=1, writes; its own node does not get the write. */
async function writtenElsewhere(causal: boolean): Promise<{ cluster: DriverCluster; client: Client; row: string[] }> {
  const { cluster, row } = await staleReplica();
  const client = new Client(cluster, row[2]);
  client.run('KVD.SESSION', 'R', '1', 'W', '1');
  if (causal) client.run('KVD.SESSION', 'CAUSAL', 'ON');
  const replies = client.send('SET', 'k', 'new');
  for (let i = 0; i < 20 && replies.length === 0; i++) {
    for (const { local } of cluster.nodes.values()) local.settle();
    mute(cluster, row[0], row[2], 'replicate');
    cluster.deliver();
  }
  mute(cluster, row[0], row[2], 'replicate');
  expect(replies).toEqual(['OK']);
  expect(cluster.node(row[2]).local.read('k')).toBe('old');
  return { cluster, client, row };
}

describe('CAUSAL ON', () => {
  it('without it a read with R=1 at a stale replica is stale: this is what it is for', async () => {
    const { client } = await writtenElsewhere(false);
    expect(client.run('GET', 'k')).toBe('old');
  });

  it('reads your writes, though the nearest replica has not heard of them', async () => {
    const { client, cluster, row } = await writtenElsewhere(true);
    expect(client.run('GET', 'k')).toBe('new');
    cluster.settle();
    // What was found elsewhere has repaired it.
    expect(cluster.node(row[2] as string).local.read('k')).toBe('new');
  });

  it('never reads backwards: what one replica has shown, no other may take back', async () => {
    const { client, cluster, row } = await writtenElsewhere(false);
    client.run('KVD.SESSION', 'CAUSAL', 'ON');
    expect(client.run('KVD.WITH', 'R', '3', 'GET', 'k')).toBe('new');
    expect(client.session.causal?.size).toBe(1);
    expect(cluster.node(row[2] as string).local.read('k')).toBe('new');
  });

  it('fails after the timeout, in words, when nobody who holds it can be reached; and answers once they can be', async () => {
    const { client, cluster, row } = await writtenElsewhere(true);
    client.run('KVD.SESSION', 'TIMEOUT', '300');
    cluster.cut(row[2] as string);
    const reply = client.run('GET', 'k');
    expect(reply).toMatch(
      /^Error: NOREPLICAS kvd: read from 1 of R=1, and none of them holds all that this connection has seen/,
    );
    cluster.join(row[2] as string);
    expect(client.run('GET', 'k')).toBe('new');
  });

  it('waits within the timeout for those who are away', async () => {
    const { client, cluster, row } = await writtenElsewhere(true);
    cluster.cut(row[2] as string);
    const replies = client.send('GET', 'k');
    cluster.advance(200);
    expect(replies).toEqual([]);
    cluster.join(row[2] as string);
    cluster.advance(200);
    expect(replies).toEqual(['new']);
  });

  it('OFF, and RESET, forget it', async () => {
    const { client } = await writtenElsewhere(true);
    client.run('KVD.SESSION', 'CAUSAL', 'OFF');
    expect(client.run('GET', 'k')).toBe('old');
  });

  it('of keys that it had to forget asks all owners', async () => {
    const { client, cluster, row } = await writtenElsewhere(false);
    client.session.causal = new CausalSession(1);
    client.run('GET', 'another');
    client.run('SET', 'another', '1');
    client.run('SET', 'a third', '1');
    expect(client.session.causal).toMatchObject({ size: 1, isForgetful: true });
    expect(client.run('GET', 'k')).toBe('new');
    cluster.cut(row[0] as string);
    expect(client.run('GET', 'another')).toMatch(/^Error: (NOREPLICAS|CLUSTERDOWN)/);
  });
});
