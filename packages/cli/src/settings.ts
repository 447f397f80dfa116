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
  /** Its value is never shown, nor given to another process as an argument. */
  readonly isSecret?: boolean;
}

function wholeNumber(least: number, most: number, placeholder: string, description: string) {
  const meta: SettingMeta = { description, placeholder, allowed: `a whole number from ${least} to ${most}` };
  return { schema: z.number().int().min(least).max(most), meta };
}

function text(pattern: RegExp, allowed: string, placeholder: string, description: string) {
  const meta: SettingMeta = { description, placeholder, allowed };
  return { schema: z.string().regex(pattern), meta };
}

/** A flag without a value; `true` or `false` elsewhere. */
function yesOrNo(description: string) {
  const meta: SettingMeta = { description, placeholder: 'yes', allowed: 'true or false' };
  return { schema: z.boolean(), meta };
}

function secret(least: number, placeholder: string, description: string) {
  const meta: SettingMeta = { description, placeholder, allowed: `${least} to 512 characters`, isSecret: true };
  return { schema: z.string().min(least).max(512), meta };
}

function secretFile(of: string) {
  return text(
    /\S/,
    'the path of a file',
    'file',
    `file with the ${of} in it, so that it stands in no list of processes`,
  );
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

const logFormats = ['text', 'json'] as const;
const logFormatMeta: SettingMeta = {
  description: 'log lines for people, or for machines',
  allowed: `one of ${logFormats.join(', ')}`,
  placeholder: 'format',
};
const requirepass = secret(1, 'password', 'password that clients must give');
const peerSecret = secret(16, 'secret', 'secret that nodes prove to each other, the same at all of them');
const unsafe = yesOrNo('lets other machines in without a password or a peer secret');
const passwordFile = secretFile('password of clients');
const peerSecretFile = secretFile('secret of peers');

/** What `kvd dev` hands through to every node of its cluster. */
const sharedSettings = {
  'log-format': z
    .enum(logFormats)
    .default('text')
    .meta({ ...logFormatMeta }),
  requirepass: requirepass.schema.optional().meta({ ...requirepass.meta }),
  'requirepass-file': passwordFile.schema.optional().meta({ ...passwordFile.meta }),
  'peer-secret': peerSecret.schema.optional().meta({ ...peerSecret.meta }),
  'peer-secret-file': peerSecretFile.schema.optional().meta({ ...peerSecretFile.meta }),
  'unsafe-no-auth': unsafe.schema.default(false).meta({ ...unsafe.meta }),
  'max-value-bytes': maxValueBytes.schema.default(8 * MEBIBYTE).meta({ ...maxValueBytes.meta }),
  'gossip-interval-ms': gossip.schema.default(1000).meta({ ...gossip.meta }),
  'anti-entropy-interval-ms': antiEntropy.schema.default(60_000).meta({ ...antiEntropy.meta }),
};

const id = text(/^[A-Za-z0-9._-]{1,32}$/, '1 to 32 characters of A-Z a-z 0-9 . _ -', 'id', 'name of this node');
const peerPort = wholeNumber(1, 65_535, 'port', 'port for the other nodes (default: port + 10000)');
const adminPort = wholeNumber(
  0,
  65_535,
  'port',
  'port of metrics and health, on loopback; 0: none (default: port + 20000, if that is a port)',
);
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
  'admin-port': adminPort.schema.optional().meta({ ...adminPort.meta }),
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
  readonly isBoolean: boolean;
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
      isBoolean: inner instanceof z.ZodBoolean,
      isSecret: meta.isSecret === true,
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
