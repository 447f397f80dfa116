/**
 * Where a setting's value comes from: flags, then the environment, then the config file, then the default. Whatever is not
 * understood is refused, with the setting's name, where it came from, and what is allowed: a mistyped name must not become
 * a default in silence.
 */
import { CliError } from './errors.ts';
import {
  fitsSetting,
  listSettings,
  nodeSettings,
  devSettings,
  type Setting,
  type SettingsOf,
  type SettingsSchema,
} from './settings.ts';
import { suggest } from './suggest.ts';

/** A config file that has been read and parsed. */
export interface ConfigFile {
  readonly path: string;
  readonly content: unknown;
}

export interface ConfigSources {
  /** Typed flags by camelCase name. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly file?: ConfigFile | undefined;
}

interface Found {
  readonly value: unknown;
  readonly origin: string;
}

/** Names the config file itself; a flag and a variable, but no key of the file. */
export const CONFIG_VARIABLE = 'KVD_CONFIG';

export function environmentName(name: string): string {
  return `KVD_${name.toUpperCase().replaceAll('-', '_')}`;
}

export function flagKey(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

/** All settings of the schema, filled in and checked. Throws CliError CLI_BAD_CONFIG. */
export function resolveSettings<Schema extends SettingsSchema>(
  schema: Schema,
  sources: ConfigSources,
): SettingsOf<Schema> {
  refuseUnknownVariables(sources.environment);
  const file = fileEntries(schema, sources.file);
  const values: Record<string, unknown> = {};
  for (const setting of listSettings(schema)) {
    const found = find(setting, sources, file);
    if (found === undefined) {
      if (setting.isRequired) refuseMissing(setting);
      if (setting.defaultValue !== undefined) values[setting.name] = setting.defaultValue;
      continue;
    }
    if (!fitsSetting(schema, setting.name, found.value)) refuseValue(setting, found);
    values[setting.name] = found.value;
  }
  return values as SettingsOf<Schema>;
}

function find(setting: Setting, sources: ConfigSources, file: Readonly<Record<string, unknown>>): Found | undefined {
  const flag = sources.flags[flagKey(setting.name)];
  if (flag !== undefined) return { value: fromText(setting, flag), origin: `from the flag --${setting.name}` };
  const variable = environmentName(setting.name);
  const inherited = sources.environment[variable];
  if (inherited !== undefined) return { value: fromText(setting, inherited), origin: `from the variable ${variable}` };
  if (!Object.hasOwn(file, setting.name)) return undefined;
  return { value: file[setting.name], origin: `from "${setting.name}" in ${sources.file?.path}` };
}

/** Flags and variables are text; only plain decimal digits become a number, and `true` or `false` what they say. */
function fromText(setting: Setting, value: unknown): unknown {
  if (setting.isBoolean && (value === 'true' || value === 'false')) return value === 'true';
  return setting.isNumber && typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
}

function fileEntries(schema: SettingsSchema, file: ConfigFile | undefined): Readonly<Record<string, unknown>> {
  if (file === undefined) return {};
  const { content, path } = file;
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new CliError('CLI_BAD_CONFIG', `${path} must hold one JSON object with settings as keys`);
  }
  const names = listSettings(schema).map((setting) => setting.name);
  for (const key of Object.keys(content)) {
    if (!names.includes(key)) refuseUnknown(`"${key}" in ${path}`, key, names);
  }
  return content as Readonly<Record<string, unknown>>;
}

/** Kubernetes puts such variables into every pod beside a service called `kvd`; they are nobody's mistake. */
const SERVICE_LINK = /^KVD_(SERVICE_|PORT_\d)/;

function refuseUnknownVariables(environment: ConfigSources['environment']): void {
  const settings = [...listSettings(nodeSettings), ...listSettings(devSettings)];
  const known = [...new Set(settings.map(({ name }) => environmentName(name))), CONFIG_VARIABLE];
  for (const variable of Object.keys(environment)) {
    if (!variable.startsWith('KVD_') || known.includes(variable) || SERVICE_LINK.test(variable)) continue;
    refuseUnknown(`the variable ${variable}`, variable, known);
  }
}

function refuseUnknown(what: string, name: string, known: readonly string[]): never {
  const near = suggest(name, known);
  const hint = near === undefined ? `known are ${known.join(', ')}` : `did you mean ${near}?`;
  throw new CliError('CLI_BAD_CONFIG', `${what} is not a setting; ${hint}`);
}

function refuseMissing({ name, allowed }: Setting): never {
  const sources = `--${name}, ${environmentName(name)} or "${name}" in the config file`;
  throw new CliError('CLI_BAD_CONFIG', `${name} is missing: give ${sources}; it must be ${allowed}`);
}

function refuseValue({ name, allowed, isSecret }: Setting, { value, origin }: Found): never {
  if (isSecret) throw new CliError('CLI_BAD_CONFIG', `${name} (${origin}) must have ${allowed}`);
  const shown = typeof value === 'string' ? `'${value}'` : JSON.stringify(value);
  throw new CliError('CLI_BAD_CONFIG', `${name} is ${shown} (${origin}): it must be ${allowed}`);
}
