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

  it('the admin port follows the port, or is none where that would be no port', () => {
    expect(resolveConfig({ ...LEAST, port: 7001 }).adminPort).toBe(27_001);
    expect(resolveConfig({ ...LEAST, port: 50_000 }).adminPort).toBe(0);
  });

  it('an address that others may reach wants a password and a peer secret, or the word that it is unsafe', () => {
    const open = { ...LEAST, host: '0.0.0.0' };
    const secrets = { requirepass: 'p', peerSecret: 's'.repeat(16) };
    const missing = (text: RegExp) =>
      expect.objectContaining({ code: 'NODE_BAD_CONFIG', message: expect.stringMatching(text) });
    expect(() => resolveConfig(open)).toThrow(missing(/password .* and a secret for peers/));
    expect(() => resolveConfig({ ...open, requirepass: 'p' })).toThrow(missing(/wants a secret for peers/));
    expect(() => resolveConfig({ ...open, peerSecret: secrets.peerSecret })).toThrow(missing(/wants a password/));
    expect(resolveConfig({ ...open, ...secrets }).unsafeNoAuth).toBe(false);
    expect(resolveConfig({ ...open, unsafeNoAuth: true }).host).toBe('0.0.0.0');
  });

  it('a secret that is refused is not repeated', () => {
    const refused = (config: Partial<NodeConfig>) => {
      try {
        resolveConfig({ ...LEAST, ...config });
      } catch (error) {
        return (error as Error).message;
      }
      return '';
    };
    expect(refused({ peerSecret: 'hush' })).toBe('--peer-secret has 4 characters: it must have 16 to 512');
    expect(refused({ requirepass: 'h'.repeat(513) })).toBe(
      '--requirepass has 513 characters: it must have at most 512',
    );
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
    ['--log-format', { logFormat: 'xml' as never }],
    ['--admin-port', { adminPort: 70_000 }],
    ['--admin-port', { adminPort: 17_379 }],
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
