/** From the settings of `kvd dev` to the nodes that it runs: pure. */
import { join } from 'node:path';
import type { DevSettings } from '../settings.ts';
import type { PortUse } from './ports.ts';

export interface PlannedNode {
  readonly id: string;
  readonly port: number;
  readonly peerPort: number;
  /** 0: none. */
  readonly adminPort: number;
  readonly data: string;
  /** Flags of `kvd start`. */
  readonly flags: readonly string[];
}

const PEER_PORT_OFFSET = 10_000;
const ADMIN_PORT_OFFSET = 20_000;
const PORT_MAX = 65_535;

/** Node i: id node-i, RESP on port + i - 1, peers 10000 above, data in DATA/node-i. */
export function planNodes(settings: DevSettings): readonly PlannedNode[] {
  const numbers = Array.from({ length: settings.nodes }, (_, index) => index + 1);
  const members = numbers.map((number) => `node-${number}=${settings.host}:${settings.port + number - 1}`).join(',');
  return numbers.map((number) => planNode(settings, number, members));
}

function planNode(settings: DevSettings, number: number, members: string): PlannedNode {
  const id = `node-${number}`;
  const port = settings.port + number - 1;
  const peerPort = port + PEER_PORT_OFFSET;
  const adminPort = port + ADMIN_PORT_OFFSET > PORT_MAX ? 0 : port + ADMIN_PORT_OFFSET;
  // `join` would drop the `./` that people typed and expect to see again.
  const data = settings.data.startsWith('./') ? `./${join(settings.data, id)}` : join(settings.data, id);
  const flags = {
    id,
    host: settings.host,
    port,
    'peer-port': peerPort,
    'admin-port': adminPort,
    data,
    'initial-members': members,
    'log-level': settings['log-level'],
    'log-format': settings['log-format'],
    'max-value-bytes': settings['max-value-bytes'],
    'gossip-interval-ms': settings['gossip-interval-ms'],
    'anti-entropy-interval-ms': settings['anti-entropy-interval-ms'],
  };
  return {
    id,
    port,
    peerPort,
    adminPort,
    data,
    // Secrets go through the environment: flags are seen by everybody.
    flags: [
      ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, `${value}`]),
      ...(settings['unsafe-no-auth'] ? ['--unsafe-no-auth'] : []),
    ],
  };
}

export function portUses(nodes: readonly PlannedNode[]): readonly PortUse[] {
  return nodes.flatMap(({ id, port, peerPort, adminPort }) => [
    { port, purpose: `RESP of ${id}` },
    { port: peerPort, purpose: `peers of ${id}, its RESP port + ${PEER_PORT_OFFSET}` },
    ...(adminPort === 0
      ? []
      : [{ port: adminPort, purpose: `metrics of ${id}, its RESP port + ${ADMIN_PORT_OFFSET}` }]),
  ]);
}

export interface HintContext {
  readonly hasRedisCli: boolean;
  /** How this installation calls kvctl: `npx kvctl` in a clone. */
  readonly kvctl: string;
  readonly needsPassword: boolean;
}

/** What to type next, after `kvd ready`. */
export function nextSteps(
  nodes: readonly PlannedNode[],
  { hasRedisCli, kvctl, needsPassword }: HintContext,
): readonly string[] {
  const first = nodes[0]?.port;
  const last = nodes.at(-1)?.port;
  const redis = [`  redis-cli -p ${first} set k v`, `  redis-cli -p ${last} get k`];
  const own = [`  ${kvctl} -p ${first} put k v`, `  ${kvctl} -p ${last} get k`];
  const without = [
    'redis-cli is not installed here (Debian: apt-get install redis-tools); kvctl does the same:',
    ...own,
  ];
  const end = [`  ${kvctl} -p ${first} status`, 'Ctrl-C stops the cluster; its data stays.'];
  const password = ['The password goes into REDISCLI_AUTH for redis-cli, into KVCTL_PASSWORD for kvctl:'];
  return ['In another terminal:', ...(needsPassword ? password : []), ...(hasRedisCli ? redis : without), ...end];
}
