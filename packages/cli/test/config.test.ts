import { expect, test } from 'vitest';
import { environmentName, resolveSettings } from '../src/config.ts';
import { CliError } from '../src/errors.ts';
import { devSettings, listSettings, nodeSettings } from '../src/settings.ts';

const required = { id: 'node-1', data: './d', initialMembers: 'node-1=127.0.0.1:7379' };

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof CliError && error.code === 'CLI_BAD_CONFIG' && error.exitCode === 2) return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}

test('a flag wins over a variable, a variable over the file, the file over the default', () => {
  const file = { path: 'kvd.json', content: { port: 3, host: 'file', 'log-level': 'error' } };
  const environment = { KVD_PORT: '2', KVD_HOST: 'variable' };
  const settings = resolveSettings(nodeSettings, { flags: { ...required, port: '1' }, environment, file });
  expect(settings).toMatchObject({ port: 1, host: 'variable', 'log-level': 'error', 'gossip-interval-ms': 1000 });
});

test('every setting has the same name as a flag, a variable and a key of the file', () => {
  expect(environmentName('anti-entropy-interval-ms')).toBe('KVD_ANTI_ENTROPY_INTERVAL_MS');
  const content = { id: 'node-1', data: 'd', 'initial-members': 'a=b:1', 'peer-port': 9 };
  const settings = resolveSettings(nodeSettings, { flags: {}, environment: {}, file: { path: 'f', content } });
  expect(settings).toMatchObject(content);
});

test('a bad value is refused with its name, its origin and what is allowed', () => {
  const bad = (sources: object) =>
    messageOf(() => resolveSettings(nodeSettings, { flags: required, environment: {}, ...sources }));
  expect(bad({ flags: { ...required, port: 'abc' } })).toBe(
    "port is 'abc' (from the flag --port): it must be a whole number from 1 to 65535",
  );
  expect(bad({ environment: { KVD_PORT: '70000' } })).toBe(
    'port is 70000 (from the variable KVD_PORT): it must be a whole number from 1 to 65535',
  );
  expect(bad({ file: { path: 'kvd.json', content: { 'log-level': 7 } } })).toBe(
    'log-level is 7 (from "log-level" in kvd.json): it must be one of debug, info, warn, error',
  );
});

test('numbers in text are plain decimal digits and nothing else', () => {
  for (const port of ['0x50', '1e3', ' 80', '', '80.0', '-80']) {
    expect(messageOf(() => resolveSettings(nodeSettings, { flags: { ...required, port }, environment: {} }))).toContain(
      'port is',
    );
  }
});

test('a number in quotes in the file is refused, since the file has types', () => {
  const file = { path: 'f', content: { port: '7379' } };
  expect(messageOf(() => resolveSettings(nodeSettings, { flags: required, environment: {}, file }))).toContain(
    '"port" in f',
  );
});

test('an unknown key of the file, or an unknown variable, is refused with a suggestion', () => {
  const file = { path: 'kvd.json', content: { 'peer-prot': 1 } };
  expect(messageOf(() => resolveSettings(nodeSettings, { flags: required, environment: {}, file }))).toBe(
    '"peer-prot" in kvd.json is not a setting; did you mean peer-port?',
  );
  const environment = { KVD_PEER_PROT: '1' };
  expect(messageOf(() => resolveSettings(nodeSettings, { flags: required, environment }))).toBe(
    'the variable KVD_PEER_PROT is not a setting; did you mean KVD_PEER_PORT?',
  );
});

test('variables that Kubernetes makes for a service called kvd are nobody’s mistake', () => {
  const environment = { KVD_SERVICE_HOST: '10.0.0.1', KVD_PORT_7379_TCP: 'tcp://10.0.0.1:7379' };
  expect(resolveSettings(nodeSettings, { flags: required, environment }).port).toBe(7379);
});

test('a setting without a default must be given, and the message says how', () => {
  const { id, ...rest } = required;
  expect(id).toBe('node-1');
  expect(messageOf(() => resolveSettings(nodeSettings, { flags: rest, environment: {} }))).toBe(
    'id is missing: give --id, KVD_ID or "id" in the config file; it must be 1 to 32 characters of A-Z a-z 0-9 . _ -',
  );
});

test('a config file that is no object is refused', () => {
  for (const content of [[], 'text', null, 3]) {
    const file = { path: 'f', content };
    expect(messageOf(() => resolveSettings(nodeSettings, { flags: required, environment: {}, file }))).toContain(
      'f must',
    );
  }
});

test('without any source a development cluster has three nodes on the documented ports', () => {
  expect(resolveSettings(devSettings, { flags: {}, environment: {} })).toMatchObject({
    nodes: 3,
    port: 7379,
    data: './data',
    'restart-delay': '10s',
  });
});

test('every setting can be explained', () => {
  for (const setting of [...listSettings(nodeSettings), ...listSettings(devSettings)]) {
    expect([setting.description, setting.allowed, setting.placeholder].every((text) => text.length > 0)).toBe(true);
  }
});
