/**
 * The settings of `kvd`, declared once: this schema gives the flags (`--peer-port`), the environment (`KVD_PEER_PORT`) and the
 * keys of the config file (`"peer-port"`) their names, checks and help. The only file that imports zod.
 */
import { z } from 'zod';
import { parseDuration } from './duration.ts';

/** What people are told of a setting: in help, and when a value is refused. */
interface SettingMeta {
  readonly description: string;
  readonly allowed: string;
  readonly placeholder: string;
}

function wholeNumber(least: number, most: number, placeholder: string, description: string) {
  const meta: SettingMeta = { description, placeholder, allowed: `a whole number from ${least} to ${most}` };
  return { schema: z.number().int().min(least).max(most), meta };
}

function text(pattern: RegExp, allowed: string, placeholder: string, description: string) {
  const meta: SettingMeta = { description, placeholder, allowed };
  return { schema: z.string().regex(pattern), meta };
}

const MEBIBYTE = 1024 * 1024;
const port = wholeNumber(1, 65_535, 'port', 'port for Redis clients');
const host = text(/^\S+$/, 'a host name or an address', 'host', 'address to listen on');
const logLevels = ['debug', 'info', 'warn', 'error'] as const;
const logLevelMeta: SettingMeta = {
  description: 'how much is logged to stderr',
  allowed: `one of ${logLevels.join(', ')}`,
  placeholder: 'level',
};
const maxValueBytes = wholeNumber(1, 64 * MEBIBYTE, 'bytes', 'largest value that a client may write');
const gossip = wholeNumber(10, 60_000, 'ms', 'time between two rounds of gossip');
const antiEntropy = wholeNumber(100, 86_400_000, 'ms', 'time between two comparisons with another owner');
const logLevel = z.enum(logLevels);

/** What `kvd dev` hands through to every node of its cluster. */
const sharedSettings = {
  'max-value-bytes': maxValueBytes.schema.default(8 * MEBIBYTE).meta({ ...maxValueBytes.meta }),
  'gossip-interval-ms': gossip.schema.default(1000).meta({ ...gossip.meta }),
  'anti-entropy-interval-ms': antiEntropy.schema.default(60_000).meta({ ...antiEntropy.meta }),
};

const id = text(/^[A-Za-z0-9._-]{1,32}$/, '1 to 32 characters of A-Z a-z 0-9 . _ -', 'id', 'name of this node');
const peerPort = wholeNumber(1, 65_535, 'port', 'port for the other nodes (default: port + 10000)');
const data = text(/\S/, 'the path of a directory', 'directory', "directory of this node's data, made when missing");
const initialMembers = text(
  /^[^=\s]+=\S+$/,
  'id=host:port,… with every member of the cluster, this node included',
  'members',
  'id=host:port,…: the members of a new cluster, this node included; read at the first start only',
);

/** `kvd start`: one node. */
export const nodeSettings = z.strictObject({
  id: id.schema.meta({ ...id.meta }),
  host: host.schema.default('127.0.0.1').meta({ ...host.meta }),
  port: port.schema.default(7379).meta({ ...port.meta }),
  'peer-port': peerPort.schema.optional().meta({ ...peerPort.meta }),
  data: data.schema.meta({ ...data.meta }),
  'initial-members': initialMembers.schema.meta({ ...initialMembers.meta }),
  'log-level': logLevel.default('info').meta({ ...logLevelMeta }),
  ...sharedSettings,
});
export type NodeSettings = z.infer<typeof nodeSettings>;

const nodes = wholeNumber(1, 64, 'count', 'how many nodes');
const basePort = wholeNumber(1, 55_000, 'port', 'RESP port of node 1; node i has the i-th from there, peers + 10000');
const parent = text(
  /\S/,
  'the path of a directory',
  'directory',
  'directory with one folder for each node, kept between runs',
);
const delayMeta: SettingMeta = {
  description: 'how long a node that died stays down',
  allowed: 'a duration such as 500ms, 10s or 2m (a plain number is seconds)',
  placeholder: 'duration',
};
const duration = z.string().refine((value) => parseDuration(value) !== undefined);

/** `kvd dev`: a cluster on this machine. */
export const devSettings = z.strictObject({
  nodes: nodes.schema.default(3).meta({ ...nodes.meta }),
  host: host.schema.default('127.0.0.1').meta({ ...host.meta }),
  port: basePort.schema.default(7379).meta({ ...basePort.meta }),
  data: parent.schema.default('./data').meta({ ...parent.meta }),
  'restart-delay': duration.default('10s').meta({ ...delayMeta }),
  'log-level': logLevel.default('warn').meta({ ...logLevelMeta }),
  ...sharedSettings,
});
export type DevSettings = z.infer<typeof devSettings>;

export type SettingsSchema = typeof nodeSettings | typeof devSettings;
/** What a schema's settings are once all sources are joined. */
export type SettingsOf<Schema extends SettingsSchema> = z.infer<Schema>;

/** One setting as flags and messages need it. */
export interface Setting extends SettingMeta {
  readonly name: string;
  readonly isNumber: boolean;
  readonly isRequired: boolean;
  readonly defaultValue: unknown;
}

/** Every setting of a schema, in its order. */
export function listSettings(schema: SettingsSchema): readonly Setting[] {
  return Object.entries(schema.shape).map(([name, field]) => {
    const inner = field instanceof z.ZodDefault || field instanceof z.ZodOptional ? field.unwrap() : field;
    const meta = field.meta() as unknown as SettingMeta;
    return {
      name,
      description: meta.description,
      allowed: meta.allowed,
      placeholder: meta.placeholder,
      isNumber: inner instanceof z.ZodNumber,
      isRequired: !field.safeParse(undefined).success,
      defaultValue: field.safeParse(undefined).data,
    };
  });
}

/** Whether the value fits; zod's own wording is not shown, since `allowed` says it better. */
export function fitsSetting(schema: SettingsSchema, name: string, value: unknown): boolean {
  const field = (schema.shape as Readonly<Record<string, z.ZodType>>)[name];
  return field?.safeParse(value).success === true;
}
