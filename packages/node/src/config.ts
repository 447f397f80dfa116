/**
 * Configuration of one node: plain data, as the command line, the environment or a file give it. `resolveConfig` fills in the
 * defaults and checks every value.
 */
import type { EngineOptions } from '@kvd/lsm';
import { type Consistency, checkConsistency } from '@kvd/replication';
import { NodeError } from './errors.ts';
import { isLoopback } from './loopback.ts';

export interface NodeConfig {
  /** Name of this node, one of the initial members: 1-32 characters of [A-Za-z0-9._-]. */
  readonly id: string;
  /**
   * Address to listen on.
   * @default '127.0.0.1'
   */
  readonly host?: string;
  /**
   * RESP port.
   * @default 7379
   */
  readonly port?: number;
  /** Port for peers. Default: port + 10000. */
  readonly peerPort?: number;
  /** Directory of this node's data; made when missing. */
  readonly dataDirectory: string;
  /** `id=host:port[@peerPort],…`: every member of the first ring, this one included. Read at the first start only. */
  readonly initialMembers: string;
  /**
   * @default 'info'
   */
  readonly logLevel?: 'debug' | 'info' | 'warn' | 'error';
  /**
   * Form of the log on stderr: lines for people, or one JSON object per line for machines.
   * @default 'text'
   */
  readonly logFormat?: 'text' | 'json';
  /**
   * Password that clients must give, 1 to 512 characters; '' asks for none. Costs: nothing after AUTH.
   * @default ''
   */
  readonly requirepass?: string;
  /**
   * Secret that nodes prove to each other when they connect, the same at all of them, 16 to 512 characters; '' asks for none.
   * @default ''
   */
  readonly peerSecret?: string;
  /**
   * Lets `host` be an address that other machines can reach although there is no password or no peer secret.
   * @default false
   */
  readonly unsafeNoAuth?: boolean;
  /** Port of metrics and health, on loopback; 0: none. Default: port + 20000, or none where that is no port. */
  readonly adminPort?: number;
  /**
   * Largest value a client may write, bytes; at most 64 MiB.
   * @default 8 MiB
   */
  readonly maxValueBytes?: number;
  /**
   * Milliseconds between two gossip exchanges. Shorter: members are known dead sooner. Costs: messages.
   * @default 1000
   */
  readonly gossipIntervalMs?: number;
  /**
   * Milliseconds between two comparisons with each other owner. Shorter: divergence heals sooner. Costs: reads of leaves.
   * @default 60000
   */
  readonly antiEntropyIntervalMs?: number;
  /** Defaults of the one keyspace: see DEFAULT_CONSISTENCY. */
  readonly consistency?: Partial<Consistency>;
  /** Options of the storage engine. */
  readonly engine?: EngineOptions;
}

/** N=3, R=2, W=2, sloppy, answered after fdatasync. */
export const DEFAULT_CONSISTENCY: Consistency = Object.freeze({
  n: 3,
  r: 2,
  w: 2,
  pr: 0,
  pw: 0,
  dw: 0,
  mode: 'sloppy',
  durability: 'sync',
  timeoutMs: 5000,
});

export const VALUE_BYTES_MAX = 64 * 1024 * 1024;
export const KEY_BYTES_MAX = 64 * 1024;

/** Of a ring, see its options. */
const REPLICAS_MAX = 16;
/** Shorter than repeated requests are remembered (driver.ts). */
export const TIMEOUT_MS_MAX = 30_000;
const LOG_LEVELS: readonly string[] = ['debug', 'info', 'warn', 'error'];
const LOG_FORMATS: readonly string[] = ['text', 'json'];
const ADMIN_PORT_OFFSET = 20_000;
/** As Redis. */
export const PASSWORD_CHARACTERS_MAX = 512;
/** Less could be tried out by whoever has seen one handshake. */
const PEER_SECRET_CHARACTERS_MIN = 16;

export const DEFAULTS = Object.freeze({
  host: '127.0.0.1',
  port: 7379,
  logLevel: 'info' as const,
  logFormat: 'text' as const,
  requirepass: '',
  peerSecret: '',
  unsafeNoAuth: false,
  maxValueBytes: 8 * 1024 * 1024,
  gossipIntervalMs: 1000,
  antiEntropyIntervalMs: 60_000,
});

/** Fills in defaults. Throws NodeError NODE_BAD_CONFIG that names the setting. */
export function resolveConfig(config: NodeConfig): Required<NodeConfig> {
  const port = config.port ?? DEFAULTS.port;
  const resolved: Required<NodeConfig> = {
    ...DEFAULTS,
    ...config,
    port,
    peerPort: config.peerPort ?? port + 10_000,
    adminPort: config.adminPort ?? defaultAdminPort(port),
    consistency: resolveConsistency(config.consistency),
    engine: config.engine ?? {},
  };
  check(resolved);
  return resolved;
}

function defaultAdminPort(port: number): number {
  return port + ADMIN_PORT_OFFSET > 65_535 ? 0 : port + ADMIN_PORT_OFFSET;
}

/** Where only N is given, R and W are no more than it. */
function resolveConsistency(given: Partial<Consistency> = {}): Consistency {
  const { n, r, w } = { ...DEFAULT_CONSISTENCY, ...given };
  return { ...DEFAULT_CONSISTENCY, r: Math.min(r, n), w: Math.min(w, n), ...given };
}

function check(config: Required<NodeConfig>): void {
  if (!/^[A-Za-z0-9._-]{1,32}$/.test(config.id)) bad('id', config.id, '1-32 characters of A-Z a-z 0-9 . _ -');
  if (config.dataDirectory === '') bad('data', config.dataDirectory, 'the path of a directory');
  if (config.initialMembers === '') bad('initial-members', '', 'id=host:port,…');
  checkRange('port', config.port, 1, 65_535);
  checkRange('peer-port', config.peerPort, 1, 65_535);
  if (config.peerPort === config.port) bad('peer-port', String(config.peerPort), 'another port than --port');
  if (!LOG_LEVELS.includes(config.logLevel)) bad('log-level', config.logLevel, `one of ${LOG_LEVELS.join(', ')}`);
  if (!LOG_FORMATS.includes(config.logFormat)) bad('log-format', config.logFormat, `one of ${LOG_FORMATS.join(', ')}`);
  if (config.host === '') bad('host', '', 'a host name or an address');
  checkRange('max-value-bytes', config.maxValueBytes, 1, VALUE_BYTES_MAX);
  checkRange('gossip-interval-ms', config.gossipIntervalMs, 10, 60_000);
  checkRange('anti-entropy-interval-ms', config.antiEntropyIntervalMs, 100, 86_400_000);
  checkAdminPort(config);
  checkSecrets(config);
  checkDefaults(config.consistency as Consistency);
}

function checkAdminPort({ adminPort, port, peerPort }: Required<NodeConfig>): void {
  checkRange('admin-port', adminPort, 0, 65_535);
  if (adminPort === port || adminPort === peerPort) {
    bad('admin-port', String(adminPort), 'another port than --port and --peer-port');
  }
}

/** Messages say how long a secret is, never what it is. */
function checkSecrets({ requirepass, peerSecret, host, unsafeNoAuth }: Required<NodeConfig>): void {
  if (requirepass.length > PASSWORD_CHARACTERS_MAX) {
    badSecret('requirepass', requirepass, `at most ${PASSWORD_CHARACTERS_MAX}`);
  }
  const length = peerSecret.length;
  if (length !== 0 && (length < PEER_SECRET_CHARACTERS_MIN || length > PASSWORD_CHARACTERS_MAX)) {
    badSecret('peer-secret', peerSecret, `${PEER_SECRET_CHARACTERS_MIN} to ${PASSWORD_CHARACTERS_MAX}`);
  }
  if (unsafeNoAuth || isLoopback(host)) return;
  const missing = [
    ...(requirepass === '' ? ['a password for clients (--requirepass-file)'] : []),
    ...(peerSecret === '' ? ['a secret for peers (--peer-secret-file)'] : []),
  ];
  if (missing.length === 0) return;
  const text = `--host is '${host}', which other machines may reach, and so kvd wants ${missing.join(' and ')}; --unsafe-no-auth does without`;
  throw new NodeError('NODE_BAD_CONFIG', text);
}

function badSecret(name: string, value: string, allowed: string): never {
  throw new NodeError('NODE_BAD_CONFIG', `--${name} has ${value.length} characters: it must have ${allowed}`);
}

/** Fewer members than N are fine: N is then their number. */
function checkDefaults(consistency: Consistency): void {
  const problem = checkConsistency(consistency, REPLICAS_MAX);
  if (problem !== undefined) throw new NodeError('NODE_BAD_CONFIG', `consistency: ${problem}`);
  if (consistency.timeoutMs <= TIMEOUT_MS_MAX) return;
  throw new NodeError('NODE_BAD_CONFIG', `consistency: TIMEOUT must be at most ${TIMEOUT_MS_MAX} ms`);
}

function checkRange(name: string, value: number, least: number, most: number): void {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    bad(name, String(value), `a whole number from ${least} to ${most}`);
  }
}

function bad(name: string, value: string, allowed: string): never {
  throw new NodeError('NODE_BAD_CONFIG', `--${name} is '${value}': it must be ${allowed}`);
}
