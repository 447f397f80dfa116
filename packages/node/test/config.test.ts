import { describe, expect, it } from 'vitest';
import { DEFAULT_CONSISTENCY, DEFAULTS, type NodeConfig, resolveConfig } from '../src/config.ts';

const LEAST: NodeConfig = { id: 'n1', dataDirectory: '/data', initialMembers: 'n1=127.0.0.1:7379' };

describe('resolveConfig', () => {
  it('fills in the defaults; the peer port follows the port', () => {
    expect(resolveConfig({ ...LEAST, port: 7001 })).toMatchObject({
      ...DEFAULTS,
      port: 7001,
      peerPort: 17_001,
      consistency: DEFAULT_CONSISTENCY,
    });
  });

  it('where N alone is given, R and W are no more than it', () => {
    expect(resolveConfig({ ...LEAST, consistency: { n: 1 } }).consistency).toMatchObject({ n: 1, r: 1, w: 1 });
    expect(resolveConfig({ ...LEAST, consistency: { n: 5, w: 4 } }).consistency).toMatchObject({ n: 5, r: 2, w: 4 });
  });

  it.each<[string, Partial<NodeConfig>]>([
    ['--id', { id: '' }],
    ['--id', { id: 'a b' }],
    ['--id', { id: 'x'.repeat(33) }],
    ['--data', { dataDirectory: '' }],
    ['--initial-members', { initialMembers: '' }],
    ['--host', { host: '' }],
    ['--port', { port: 0 }],
    ['--port', { port: 70_000 }],
    ['--port', { port: 1.5 }],
    ['--peer-port', { port: 60_000 }],
    ['--peer-port', { port: 7379, peerPort: 7379 }],
    ['--log-level', { logLevel: 'loud' as never }],
    ['--max-value-bytes', { maxValueBytes: 64 * 1024 * 1024 + 1 }],
    ['--gossip-interval-ms', { gossipIntervalMs: 1 }],
    ['--anti-entropy-interval-ms', { antiEntropyIntervalMs: Number.NaN }],
    ['N must be', { consistency: { n: 0 } }],
    ['W=4 is more than N=3', { consistency: { w: 4 } }],
    ['TIMEOUT', { consistency: { timeoutMs: 60_000 } }],
    ['TIMEOUT', { consistency: { timeoutMs: 0 } }],
  ])('an error names the setting: %s', (named, wrong) => {
    const resolve = () => resolveConfig({ ...LEAST, ...wrong });
    expect(resolve).toThrow(
      expect.objectContaining({ code: 'NODE_BAD_CONFIG', message: expect.stringContaining(named) }),
    );
  });
});
