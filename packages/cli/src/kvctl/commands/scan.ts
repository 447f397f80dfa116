/** `kvctl scan [PATTERN]`: keys of the whole cluster, printed as they come. */
import { Option } from '../../command-line.ts';
import { CliError } from '../../errors.ts';
import { EXIT_CODES } from '../../exit-codes.ts';
import { jsonBytes, printable } from '../../output.ts';
import type { Reply } from '../connection.ts';
import { type CommandContext, numberFlag, print } from '../context.ts';
import type { KvctlBuilder } from '../program.ts';
import { textOf } from '../replies.ts';

interface ScanOptions {
  readonly pattern: string | undefined;
  readonly type: string | undefined;
  /** Keys that a node looks at for one answer. */
  readonly count: number;
  readonly limit: number;
}

const COUNT_MAX = 10_000;

export function addScan({ add, run }: KvctlBuilder): void {
  const scan = add('scan [pattern]', 'print the keys, of the whole cluster, as they come', [
    'kvctl scan',
    "kvctl scan 'user:*' --limit 10",
    "kvctl scan 'user:*' | wc -l",
  ])
    .addOption(new Option('--count <number>', 'keys that a node looks at for one answer (default: 500)'))
    .addOption(new Option('--type <type>', 'only keys of this type, such as string'))
    .addOption(new Option('--limit <number>', 'stop after so many keys'));
  scan.action((pattern: string | undefined) =>
    run(scan, (context, flags) => {
      const type = flags['type'] === undefined ? undefined : String(flags['type']);
      const limit = flags['limit'] === undefined ? Infinity : numberFlag(flags, 'limit', 1, Number.MAX_SAFE_INTEGER);
      return runScan(context, { pattern, type, limit, count: numberFlag(flags, 'count', 500, COUNT_MAX) });
    }),
  );
}

/** A key may come twice when the cluster changes meanwhile; none that is there throughout is left out. */
async function runScan(context: CommandContext, options: ScanOptions): Promise<number> {
  const { pattern, type, count, limit } = options;
  const match = pattern === undefined ? [] : ['MATCH', pattern];
  const ofType = type === undefined ? [] : ['TYPE', type];
  let left = limit;
  let cursor = '0';
  do {
    const reply = await context.connection.command('SCAN', cursor, ...match, 'COUNT', String(count), ...ofType);
    const page = pageOf(reply);
    for (const key of page.keys.slice(0, left)) printKey(context, key);
    left -= page.keys.length;
    cursor = page.cursor;
  } while (cursor !== '0' && left > 0 && context.terminal.isGone !== true);
  return EXIT_CODES.ok;
}

function pageOf(reply: Reply): { readonly cursor: string; readonly keys: readonly Buffer[] } {
  if (!Array.isArray(reply) || !Array.isArray(reply[1]) || !reply[1].every((key) => Buffer.isBuffer(key))) {
    throw new CliError('CLI_BAD_REPLY', 'the answer to SCAN is not a cursor and keys');
  }
  return { cursor: textOf(reply[0]), keys: reply[1] };
}

function printKey(context: CommandContext, key: Buffer): void {
  const { value, valueBase64 } = { value: undefined, valueBase64: undefined, ...jsonBytes(key) };
  print(context, value === undefined ? { keyBase64: valueBase64 } : { key: value }, [printable(key.toString('utf8'))]);
}
