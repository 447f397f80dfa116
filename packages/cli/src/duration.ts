/** Durations as people type them: `500ms`, `10s`, `2m`; a plain number is seconds. */
const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, '': 1000 };
const PATTERN = /^(\d+(?:\.\d+)?)(ms|s|m|)$/;

/** Longest that a timer can wait. */
const DURATION_MS_MAX = 2 ** 31 - 1;

/** Milliseconds, whole; undefined when the text is no duration or too long for a timer. */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit] = PATTERN.exec(text.trim()) ?? [];
  if (amount === undefined || unit === undefined) return undefined;
  const milliseconds = Math.round(Number(amount) * (UNITS_MS[unit] ?? 1));
  return milliseconds <= DURATION_MS_MAX ? milliseconds : undefined;
}

/** The shortest exact spelling: 10000 → `10 s`, 500 → `500 ms`, 1500 → `1.5 s`. */
export function formatDuration(milliseconds: number): string {
  return milliseconds < 1000 ? `${milliseconds} ms` : `${milliseconds / 1000} s`;
}
