import { type Command, Option, typedFlags } from './command-line.ts';
import { CONFIG_VARIABLE, resolveSettings } from './config.ts';
import { readConfigFile, readSecretFile } from './config-file.ts';
import { withSecrets } from './secrets.ts';
import { listSettings, type Setting, type SettingsOf, type SettingsSchema } from './settings.ts';

/** Gives a command one flag for each setting of the schema, and `--config` for the file. */
export function addSettingFlags(command: Command, schema: SettingsSchema): Command {
  for (const setting of listSettings(schema)) command.addOption(toOption(setting));
  return command.addOption(
    new Option('--config <file>', 'JSON file with settings; flags and KVD_* variables win over it'),
  );
}

/** A default is shown and not set: commander must not say that it was typed. */
function toOption({ name, placeholder, description, defaultValue, isBoolean }: Setting): Option {
  if (isBoolean) return new Option(`--${name}`, description);
  const shown = defaultValue === undefined ? description : `${description} (default: ${String(defaultValue)})`;
  return new Option(`--${name} <${placeholder}>`, shown);
}

/** The settings of a command that was parsed, from all sources. Throws CliError CLI_BAD_CONFIG. */
export function settingsOf<Schema extends SettingsSchema>(
  command: Command,
  schema: Schema,
  environment: NodeJS.ProcessEnv,
): SettingsOf<Schema> {
  const flags = typedFlags(command);
  const path = flags['config'] ?? environment[CONFIG_VARIABLE];
  const file = typeof path === 'string' ? readConfigFile(path) : undefined;
  return withSecrets(schema, resolveSettings(schema, { flags, environment, file }), readSecretFile);
}
