/** `kvctl explain COMMAND …`: runs it, and shows who was asked and what came back. */
import type { ExplainedRequest } from '@kvd/client';
import { CliError } from '../../errors.ts';
import { EXIT_CODES } from '../../exit-codes.ts';
import { formatFields, formatTable, jsonBytes } from '../../output.ts';
import { type CommandContext, print } from '../context.ts';

export async function runExplain(
  context: CommandContext,
  command: string,
  key: string | undefined,
  args: readonly string[],
): Promise<number> {
  const explanation = await context.connection.kvd((kvd) => kvd.explain(command, key, ...args));
  const { reply, error, us, requests } = explanation;
  const answer = error === null ? replyText(reply) : `error: ${error}`;
  const lines = formatFields([
    ['answer', answer],
    ['took', milliseconds(us)],
  ]);
  print(context, { reply: jsonReply(reply), error, us, requests }, [...lines, ...requests.flatMap(requestLines)]);
  if (requests.length === 0 && error !== null && !context.json) throw new CliError('CLI_COMMAND_FAILED', error);
  return error === null ? EXIT_CODES.ok : EXIT_CODES.failed;
}

function requestLines(request: ExplainedRequest): readonly string[] {
  const { kind, key, slot, entry, coordinator, mode, n, r, w, outcome, need, met, why, replicas, steps } = request;
  const counts = met === null ? '' : `, ${met} of ${need ?? '?'} needed`;
  const about = formatFields([
    [kind, key],
    ['outcome', `${outcome}${counts}${why === null ? '' : `: ${why}`}`],
    ['asked for', `N=${n} R=${r} W=${w} ${mode}`],
    ['slot', String(slot)],
    [
      'coordinator',
      coordinator === entry ? `${entry} (the node asked)` : `${coordinator ?? 'none'}, asked through ${entry}`,
    ],
    ['took', milliseconds(request.us)],
  ]);
  const held = replicas.map(({ node, role, state, values, context, us, note }) => [
    ...[node, role, state, String(values), us === null ? '-' : milliseconds(us), context ?? '-', note],
  ]);
  const path = steps.map(({ us, by, step, node, note }) => [milliseconds(us), by, step, node, note]);
  return [
    '',
    ...about,
    '',
    ...formatTable([['REPLICA', 'ROLE', 'STATE', 'VALUES', 'AT', 'HAS SEEN', 'NOTE'], ...held]),
    '',
    ...formatTable([['AT', 'TOLD BY', 'STEP', 'NODE', 'NOTE'], ...path]),
  ];
}

function milliseconds(us: number): string {
  return `${(us / 1000).toFixed(2)} ms`;
}

function replyText(reply: unknown): string {
  if (reply === null || reply === undefined) return '(nil)';
  return Array.isArray(reply) ? `[${reply.map(replyText).join(', ')}]` : String(reply);
}

function jsonReply(reply: unknown): unknown {
  if (Array.isArray(reply)) return reply.map(jsonReply);
  if (!Buffer.isBuffer(reply)) return reply;
  const json = jsonBytes(reply);
  return 'value' in json ? json.value : json;
}
