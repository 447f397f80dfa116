/** Secrets that are kept in files of their own: `--requirepass-file` fills in `requirepass`. */
import { CliError } from './errors.ts';
import { fitsSetting, listSettings, type SettingsOf, type SettingsSchema } from './settings.ts';

const SECRETS = ['requirepass', 'peer-secret'] as const;

/** The settings with what the files hold in place of their names. Throws CliError CLI_BAD_CONFIG; never shows a secret. */
export function withSecrets<Schema extends SettingsSchema>(
  schema: Schema,
  settings: SettingsOf<Schema>,
  read: (path: string) => string,
): SettingsOf<Schema> {
  const made: Record<string, unknown> = { ...settings };
  for (const name of SECRETS) {
    const path = made[`${name}-file`];
    if (typeof path !== 'string') continue;
    if (made[name] !== undefined) {
      throw new CliError('CLI_BAD_CONFIG', `${name} and ${name}-file are both given: one of them must go`);
    }
    made[name] = checked(schema, name, { value: read(path), path });
  }
  return made as SettingsOf<Schema>;
}

function checked(schema: SettingsSchema, name: string, { value, path }: { value: string; path: string }): string {
  if (fitsSetting(schema, name, value)) return value;
  const allowed = listSettings(schema).find((setting) => setting.name === name)?.allowed;
  throw new CliError('CLI_BAD_CONFIG', `${name} (from the file ${path}) must have ${allowed}`);
}

/** The secrets among the settings as variables for a process that is started: arguments are seen by everybody. */
export function secretVariables(settings: SettingsOf<SettingsSchema>): Readonly<Record<string, string>> {
  const given = SECRETS.flatMap((name) => {
    const value = settings[name];
    return value === undefined ? [] : [[`KVD_${name.toUpperCase().replaceAll('-', '_')}`, value] as const];
  });
  return Object.fromEntries(given);
}
