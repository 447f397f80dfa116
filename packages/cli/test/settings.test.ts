import { resolveConfig } from '@kvd/node';
import { expect, test } from 'vitest';
import { resolveSettings } from '../src/config.ts';
import { nodeSettings } from '../src/settings.ts';

test('a default that help shows is the default of the node', () => {
  const flags = { id: 'node-1', data: './d', initialMembers: 'node-1=127.0.0.1:7379' };
  const shown = resolveSettings(nodeSettings, { flags, environment: {} });
  const node = resolveConfig({ id: 'node-1', dataDirectory: './d', initialMembers: flags.initialMembers });
  expect(shown).toEqual({
    id: node.id,
    host: node.host,
    port: node.port,
    data: node.dataDirectory,
    'initial-members': node.initialMembers,
    'log-level': node.logLevel,
    'log-format': node.logFormat,
    'unsafe-no-auth': node.unsafeNoAuth,
    'max-value-bytes': node.maxValueBytes,
    'gossip-interval-ms': node.gossipIntervalMs,
    'anti-entropy-interval-ms': node.antiEntropyIntervalMs,
  });
});
