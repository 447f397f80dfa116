/**
 * Patterns as in Redis: `*`, `?`, `[abc]`, `[^a-z]`, `\` before a character that is meant as it is. Only the last star is ever
 * gone back to, so that no pattern takes more than pattern × text steps.
 */

export function globMatches(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let starText = 0;
  while (t < text.length) {
    const step = pattern[p] === '*' ? 0 : matchOne(pattern, p, text.charCodeAt(t));
    if (pattern[p] === '*') {
      star = p++;
      starText = t;
    } else if (step > 0) {
      p += step;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++starText;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p++;
  return p >= pattern.length;
}

/** How much of the pattern stands for this character; 0: it does not match. */
function matchOne(pattern: string, at: number, code: number): number {
  const char = pattern[at];
  if (char === undefined) return 0;
  if (char === '?') return 1;
  if (char === '[') return matchClass(pattern, at, code);
  if (char === '\\' && at + 1 < pattern.length) return pattern.charCodeAt(at + 1) === code ? 2 : 0;
  return pattern.charCodeAt(at) === code ? 1 : 0;
}

/** A class that is not closed reaches to the end of the pattern. */
function matchClass(pattern: string, at: number, code: number): number {
  let i = at + 1;
  const isNegated = pattern[i] === '^';
  if (isNegated) i++;
  let isFound = false;
  for (; i < pattern.length && pattern[i] !== ']'; i++) {
    if (pattern[i] === '\\' && i + 1 < pattern.length) i++;
    let low = pattern.charCodeAt(i);
    let high = low;
    if (pattern[i + 1] === '-' && i + 2 < pattern.length) {
      high = pattern.charCodeAt(i + 2);
      if (low > high) [low, high] = [high, low];
      i += 2;
    }
    if (code >= low && code <= high) isFound = true;
  }
  return isFound === isNegated ? 0 : i + 1 - at;
}
