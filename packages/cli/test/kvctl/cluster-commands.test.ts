import { expect, test } from 'vitest';
import { bulk, resp3 } from './resp-server.ts';
import { runAlone, runKvctl } from './run-kvctl.ts';

const member = { host: 'h', state: 'alive', health: 'OK', suspectedBy: [], reachable: true };
const members = bulk(
  JSON.stringify([
    { ...member, id: 'node-1', port: 1 },
    { ...member, id: 'node-2', port: 2, reachable: false },
  ]),
);
const slots = resp3([
  [0, 12_287, ['h', 1, 'x', {}], ['h', 2, 'y', {}]],
  [12_288, 16_383, ['h', 2, 'y', {}]],
]);

test('ring shows the share of each member, and its runs when asked', async () => {
  const answers = { 'KVD.MEMBERS': members, 'CLUSTER SLOTS': slots };
  const { output } = await runKvctl(answers, 'ring', '--runs');
  expect(output).toEqual([
    '16384 slots in 2 runs, 2 members',
    'MEMBER  FIRST OWNER OF  KEEPS',
    `node-1  12288 (75.0 %)  12288 (75.0 %)   ${'█'.repeat(30)}`,
    `node-2  4096 (25.0 %)   16384 (100.0 %)  ${'█'.repeat(10)}`,
    'SLOTS        OWNERS',
    '0-12287      node-1, node-2',
    '12288-16383  node-2',
  ]);
  const json = JSON.parse((await runKvctl(answers, 'ring', '--json')).output[0] ?? '');
  expect(json.members[1]).toEqual({ id: 'node-2', primary: 4096, kept: 16_384 });
});

test('hints are told by target, with whether it is back', async () => {
  const stats = bulk(JSON.stringify({ hintsPending: { 'node-2': 7, 'node-9': 9, 'node-3': 0 } }));
  const { exitCode, output } = await runKvctl({ 'KVD.STATS': stats, 'KVD.MEMBERS': members }, 'hints');
  expect([exitCode, output]).toEqual([
    0,
    [
      'TARGET  SLOTS WITH HINTS  MEMBER',
      'node-9  9                 no member',
      'node-2  7                 not reachable',
    ],
  ]);
  const none = await runKvctl({ 'KVD.STATS': bulk('{"hintsPending":{}}') }, 'hints');
  expect(none.output).toEqual(['this node keeps no hints']);
});

test('keyspace says that it is not there yet, without asking a node', async () => {
  const { exitCode, errors } = await runAlone({ KVCTL_PORT: '1' }, 'keyspace', 'set', 'carts:', 'n=5');
  expect([exitCode, errors[0]]).toEqual([1, expect.stringContaining('keyspaces are not there yet')]);
});

test('the environment names node and password, and a flag wins', async () => {
  const refused = await runAlone({ KVCTL_PORT: 'x' }, 'members');
  expect(refused).toMatchObject({ exitCode: 2, errors: [expect.stringContaining("port is 'x' (from KVCTL_PORT)")] });
  expect((await runAlone({ KVCTL_PORT: 'x' }, '-p', '1', 'members')).exitCode).toBe(4);
  const mistyped = await runAlone({ KVCTL_HSOT: 'x' }, 'members');
  expect(mistyped).toMatchObject({ exitCode: 2, errors: [expect.stringContaining('did you mean KVCTL_HOST?')] });
});

test('the password is given with the first words of a connection', async () => {
  const asked = 'HELLO 3 AUTH default secret';
  const wrong = '-WRONGPASS invalid username-password pair or user is disabled.\r\n';
  const { exitCode, errors } = await runKvctl({ [asked]: wrong }, '--password', 'secret', 'members');
  expect([exitCode, errors[0]]).toEqual([1, expect.stringContaining('KVCTL_PASSWORD gives the password')]);
});

test('every command has help with examples', async () => {
  const { output } = await runAlone({}, '--help');
  const names = [...(output[0] ?? '').matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name ?? '');
  expect(names).toEqual(
    expect.arrayContaining(['get', 'put', 'del', 'scan', 'locate', 'explain', 'status', 'members', 'ring', 'hints']),
  );
  expect(names).toHaveLength(13);
  for (const name of names) {
    const help = await runAlone({}, name, '--help');
    expect([help.exitCode, help.output.join('\n')]).toEqual([0, expect.stringContaining(`kvctl ${name}`)]);
    expect(help.output.join('\n')).toContain('Examples:');
  }
});
