import { expect, test } from 'vitest';
import { resolveSettings } from '../../src/config.ts';
import { nextSteps, planNodes, portUses } from '../../src/kvd/dev-plan.ts';
import { createProgram } from '../../src/command-line.ts';
import { addSettingFlags, settingsOf } from '../../src/setting-flags.ts';
import { devSettings, nodeSettings } from '../../src/settings.ts';
import { FakeTerminal } from '../fake-terminal.ts';

const plan = planNodes(resolveSettings(devSettings, { flags: {}, environment: {} }));

test('node i has the i-th port, its peers 10000 above, and a folder of its own', () => {
  expect(plan.map(({ id, port, peerPort, data }) => [id, port, peerPort, data])).toEqual([
    ['node-1', 7379, 17_379, './data/node-1'],
    ['node-2', 7380, 17_380, './data/node-2'],
    ['node-3', 7381, 17_381, './data/node-3'],
  ]);
});

test('the flags that a node is given are understood by kvd start, and give every setting', () => {
  const terminal = new FakeTerminal();
  const command = addSettingFlags(createProgram({ name: 'x', description: '', version: '' }, terminal), nodeSettings);
  command.action(() => {}).parse([...(plan[1]?.flags ?? [])], { from: 'user' });
  const settings = settingsOf(command, nodeSettings, {});
  expect(settings).toEqual({
    id: 'node-2',
    host: '127.0.0.1',
    port: 7380,
    'peer-port': 17_380,
    'admin-port': 27_380,
    data: './data/node-2',
    'initial-members': 'node-1=127.0.0.1:7379,node-2=127.0.0.1:7380,node-3=127.0.0.1:7381',
    'log-level': 'warn',
    'log-format': 'text',
    'unsafe-no-auth': false,
    'max-value-bytes': 8 * 1024 * 1024,
    'gossip-interval-ms': 1000,
    'anti-entropy-interval-ms': 60_000,
  });
});

test('every port of every node is checked before the start', () => {
  expect(portUses(plan).map(({ port }) => port)).toEqual([
    7379, 17_379, 27_379, 7380, 17_380, 27_380, 7381, 17_381, 27_381,
  ]);
});

test('what to type next uses redis-cli, or kvctl where there is none', () => {
  expect(nextSteps(plan, { needsPassword: false, hasRedisCli: true, kvctl: 'npx kvctl' }).join('\n')).toContain(
    'redis-cli -p 7381 get k',
  );
  const without = nextSteps(plan, { needsPassword: false, hasRedisCli: false, kvctl: 'npx kvctl' }).join('\n');
  expect(without).toContain('npx kvctl -p 7379 put k v');
  expect(without).toContain('apt-get install redis-tools');
});

test('with a password the hints say where it goes', () => {
  const hints = nextSteps(plan, { hasRedisCli: true, kvctl: 'kvctl', needsPassword: true });
  expect(hints[1]).toMatch(/REDISCLI_AUTH.*KVCTL_PASSWORD/);
});
