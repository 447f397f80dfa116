/** TIME. */
import type { CommandRow } from './command-row.ts';

export const TIME_ROWS: readonly CommandRow[] = [
  {
    name: 'time',
    arity: 1,
    flags: ['loading', 'stale', 'fast'],
    tips: ['nondeterministic_output'],
    group: 'server',
    since: '2.6.0',
    summary: 'Return the current server time',
    complexity: 'O(1)',
    // By the clock that decides what has expired: of milliseconds, never behind what this node has heard of.
    handler: (call) => {
      const nowMs = call.services.hybridNowMs();
      call.reply([`${Math.floor(nowMs / 1000)}`, `${(nowMs % 1000) * 1000}`]);
    },
  },
];
