/** `kvctl ring`: how the slots are shared out. */
import { EXIT_CODES } from '../../exit-codes.ts';
import { formatTable } from '../../output.ts';
import { type CommandContext, print } from '../context.ts';
import { parseSlots, type SlotRun } from '../replies.ts';

const SLOTS = 16_384;
const BAR_WIDTH = 30;

interface Share {
  readonly id: string;
  /** Slots whose requests go to it first. */
  readonly primary: number;
  /** Slots that it keeps a copy of. */
  readonly kept: number;
}

export async function runRing(context: CommandContext, showRuns: boolean): Promise<number> {
  const { connection } = context;
  const members = await connection.kvd((kvd) => kvd.members());
  const runs = parseSlots(await connection.command('CLUSTER', 'SLOTS'), members);
  const shares = sharesOf(
    runs,
    members.map(({ id }) => id),
  );
  const lines = [`${SLOTS} slots in ${runs.length} runs, ${shares.length} members`, ...shareTable(shares)];
  if (showRuns) lines.push(...runTable(runs));
  print(context, { slots: SLOTS, members: shares, runs }, lines);
  return EXIT_CODES.ok;
}

export function sharesOf(runs: readonly SlotRun[], ids: readonly string[]): readonly Share[] {
  const count = (wanted: (run: SlotRun) => boolean) =>
    runs.filter(wanted).reduce((sum, { from, to }) => sum + to - from + 1, 0);
  return ids.map((id) => ({
    id,
    primary: count(({ row }) => row[0] === id),
    kept: count(({ row }) => row.includes(id)),
  }));
}

function shareTable(shares: readonly Share[]): readonly string[] {
  const most = Math.max(1, ...shares.map(({ primary }) => primary));
  const rows = shares.map(({ id, primary, kept }) => [
    id,
    `${primary} (${percent(primary)})`,
    `${kept} (${percent(kept)})`,
    '█'.repeat(Math.round((primary / most) * BAR_WIDTH)),
  ]);
  return formatTable([['MEMBER', 'FIRST OWNER OF', 'KEEPS', ''], ...rows]);
}

function percent(slots: number): string {
  return `${((100 * slots) / SLOTS).toFixed(1)} %`;
}

function runTable(runs: readonly SlotRun[]): readonly string[] {
  return formatTable([['SLOTS', 'OWNERS'], ...runs.map(({ from, to, row }) => [`${from}-${to}`, row.join(', ')])]);
}
