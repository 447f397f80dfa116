/** Reads what nodes answer to the commands of kvctl. Every reader throws CliError CLI_BAD_REPLY on another shape. */
import { CliError } from '../errors.ts';
import type { Reply } from './connection.ts';

/** One member as the asked node sees it (`KVD.MEMBERS`). */
export interface MemberStatus {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly state: string;
  /** `OK`, or what the node says is wrong with it. */
  readonly health: string;
  readonly suspectedBy: readonly string[];
  /** By the asked node's own connections, now; undefined when it does not say. */
  readonly reachable: boolean | undefined;
}

/** Where a key lives (`KVD.LOCATE`). */
export interface Location {
  readonly slot: number;
  readonly primary: string;
  readonly row: readonly string[];
  readonly fallbacks: readonly string[];
}

/** Neighbouring slots with the same owners (`CLUSTER SLOTS`). */
export interface SlotRun {
  readonly from: number;
  readonly to: number;
  /** Names of the owners, the first one first. */
  readonly row: readonly string[];
}

type Fields = Readonly<Record<string, unknown>>;

export function textOf(reply: Reply): string {
  if (typeof reply === 'string') return reply;
  if (Buffer.isBuffer(reply)) return reply.toString('utf8');
  throw badReply('text');
}

/** `name:value` lines, as INFO and CLUSTER INFO answer; `# Section` lines are left out. */
export function parseInfo(text: string): Readonly<Record<string, string>> {
  const entries: (readonly [string, string])[] = [];
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0 && !line.startsWith('#')) entries.push([line.slice(0, colon), line.slice(colon + 1)]);
  }
  return Object.fromEntries(entries);
}

export function parseJson(reply: Reply): unknown {
  try {
    return JSON.parse(textOf(reply));
  } catch (error) {
    throw badReply('JSON', error);
  }
}

export function parseMembers(value: unknown): readonly MemberStatus[] {
  if (!Array.isArray(value)) throw badReply('a list of members');
  return value.map(fieldsOf).map((member) => ({
    id: stringField(member, 'id'),
    host: stringField(member, 'host'),
    port: numberField(member, 'port'),
    state: stringField(member, 'state'),
    health: stringField(member, 'health'),
    suspectedBy: Object.hasOwn(member, 'suspectedBy') ? stringsField(member, 'suspectedBy') : [],
    reachable: typeof member['reachable'] === 'boolean' ? member['reachable'] : undefined,
  }));
}

export function parseLocation(value: unknown): Location {
  const location = fieldsOf(value);
  return {
    slot: numberField(location, 'slot'),
    primary: stringField(location, 'primary'),
    row: stringsField(location, 'row'),
    fallbacks: stringsField(location, 'fallbacks'),
  };
}

/** Owners are told by their address; the members give it a name. */
export function parseSlots(reply: Reply, members: readonly Pick<MemberStatus, 'id' | 'host' | 'port'>[]): SlotRun[] {
  if (!Array.isArray(reply)) throw badReply('a list of slots');
  const names = new Map(members.map(({ id, host, port }) => [`${host}:${port}`, id]));
  return reply.map((range: Reply) => {
    if (!Array.isArray(range)) throw badReply('a range of slots');
    const [from, to, ...owners] = range as readonly Reply[];
    if (typeof from !== 'number' || typeof to !== 'number') throw badReply('a range of slots');
    const row = owners.map((owner) => {
      if (!Array.isArray(owner)) throw badReply('an owner of slots');
      const address = `${textOf(owner[0])}:${String(owner[1])}`;
      return names.get(address) ?? address;
    });
    return { from, to, row };
  });
}

/** Members that hints are kept for, with the number of slots, the most first (`KVD.STATS`). */
export function hintsOf(stats: unknown): readonly (readonly [target: string, slots: number])[] {
  const pending = fieldsOf(fieldsOf(stats)['hintsPending'] ?? {});
  const entries = Object.keys(pending).map((target) => [target, numberField(pending, target)] as const);
  return entries.filter(([, slots]) => slots > 0).sort(([, left], [, right]) => right - left);
}

function fieldsOf(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badReply('a JSON object');
  return value as Fields;
}

function stringField(fields: Fields, name: string): string {
  const value = fields[name];
  return typeof value === 'string' ? value : fail(`text in "${name}"`);
}

function numberField(fields: Fields, name: string): number {
  const value = fields[name];
  return typeof value === 'number' ? value : fail(`a number in "${name}"`);
}

function stringsField(fields: Fields, name: string): readonly string[] {
  const value = fields[name];
  const isList = Array.isArray(value) && value.every((item) => typeof item === 'string');
  return isList ? value : fail(`a list of names in "${name}"`);
}

function fail(expected: string): never {
  throw badReply(expected);
}

function badReply(expected: string, cause?: unknown): CliError {
  const message = `the answer is not from kvd, or from another version of it: expected ${expected}`;
  return new CliError('CLI_BAD_REPLY', message, { cause });
}
