import { beforeEach, expect, test } from 'vitest';
import { execute } from '../../src/commands/dispatch.ts';
import { clusterIdOf, clusterView } from '../../src/commands/cluster-view.ts';
import type { RespValue } from '../../src/resp/value.ts';
import { Session } from '../../src/session.ts';
import { MemoryServices } from '../fakes/memory-services.ts';

let services: MemoryServices;
const session = new Session();

beforeEach(() => {
  services = new MemoryServices();
});

function run(words: string): RespValue {
  let reply: RespValue | undefined;
  execute(
    services,
    session,
    words.split(' ').map((word) => Buffer.from(word)),
    (value) => {
      reply = value;
    },
  );
  return reply as RespValue;
}

function text(words: string): string {
  const reply = run(words);
  return typeof reply === 'object' && reply !== null && 'text' in reply ? reply.text : String(reply);
}

type SlotsReply = [number, number, ...[string, number, string, RespValue][]][];

test('CLUSTER SLOTS covers all slots, in order, the owners of each in the order of its row', () => {
  let next = 0;
  for (const [from, to, ...nodes] of run('CLUSTER SLOTS') as unknown as SlotsReply) {
    expect(from).toBe(next);
    next = to + 1;
    const ports = services
      .ring()
      .row(from)
      .map((id) => services.ring().member(id)?.port);
    expect(nodes.map(([, port]) => port)).toEqual(ports);
    expect(nodes[0]).toEqual([
      '127.0.0.1',
      ports[0],
      expect.stringMatching(/^[0-9a-f]{40}$/),
      { kind: 'map', entries: [] },
    ]);
  }
  expect(next).toBe(16_384);
});

test('a node that cannot be reached is never given as a master while another owner can be', () => {
  services.unreachable.add('n2');
  for (const [, , ...nodes] of run('CLUSTER SLOTS') as unknown as SlotsReply) expect(nodes[0]?.[1]).not.toBe(7380);
  const lines = text('CLUSTER NODES').trimEnd().split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatch(/^[0-9a-f]{40} 127\.0\.0\.1:7379@17379 myself,master - 0 0 1 connected \d+-\d+ /);
  expect(lines[1]).toMatch(/^[0-9a-f]{40} 127\.0\.0\.1:7380@17380 master,fail\? - 0 0 1 disconnected$/);
});

test('CLUSTER SHARDS has each slot once, and one master in each shard', () => {
  const shards = run('CLUSTER SHARDS') as unknown as { entries: [string, RespValue][] }[];
  let slots = 0;
  for (const { entries } of shards) {
    const [[, ranges], [, nodes]] = entries as [[string, number[]], [string, { entries: [string, RespValue][] }[]]];
    for (let i = 0; i < ranges.length; i += 2) slots += (ranges[i + 1] as number) - (ranges[i] as number) + 1;
    const roles = nodes.map((node) => new Map(node.entries).get('role'));
    expect(roles).toEqual(['master', 'replica']);
  }
  expect(slots).toBe(16_384);
});

test('CLUSTER INFO tells of failed slots, and is ok while enough nodes answer', () => {
  expect(text('CLUSTER INFO')).toContain(
    'cluster_state:ok\r\ncluster_slots_assigned:16384\r\ncluster_slots_ok:16384\r\n',
  );
  services.unreachable.add('n2');
  expect(text('CLUSTER INFO')).toContain('cluster_state:ok\r\n');
  expect(text('CLUSTER INFO')).not.toContain('cluster_slots_pfail:0\r\n');
  services.unreachable.add('n3');
  expect(text('CLUSTER INFO')).toContain('cluster_state:fail\r\n');
  expect(text('CLUSTER INFO')).not.toContain('cluster_slots_fail:0\r\n');
});

test('ids are those of the names, 40 digits, distinct', () => {
  expect(text('CLUSTER MYID')).toBe(clusterIdOf('n1'));
  expect(new Set(Array.from({ length: 1000 }, (_, i) => clusterIdOf(`n${i}`))).size).toBe(1000);
  expect(clusterView(services).nodes.map(({ clusterId }) => clusterId)).toEqual(['n1', 'n2', 'n3'].map(clusterIdOf));
});

test('slots are those of Redis, and changing the cluster is refused with what to use', () => {
  expect(run('CLUSTER KEYSLOT abc')).toBe(7638);
  expect(run('CLUSTER KEYSLOT x{abc}y')).toBe(7638);
  expect(text('CLUSTER MEET 127.0.0.1 7000')).toMatch(/^ERR kvd: CLUSTER MEET is not available: .* kvctl members/);
  expect(text('cluster nosuch')).toBe("ERR unknown subcommand 'nosuch'. Try CLUSTER HELP.");
  expect(text('cluster keyslot')).toBe("ERR wrong number of arguments for 'cluster|keyslot' command");
});
