/**
 * A browser, or a page that makes one send commands to this port, speaks HTTP; its lines would pass for inline commands. As in
 * Redis such a connection is ended, before the body is read.
 */

const LETTER_H = 0x48;
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'CONNECT']);

/** Whether the words are a request line, or the header that every request has. */
export function isHttp(words: readonly Buffer[]): boolean {
  const first = words[0] as Buffer;
  if (first.length < 3 || first.length > 7) return false;
  const third = words[2];
  // The letter first: every SET has three words, and a string of each value is not free.
  if (words.length === 3 && third?.[0] === LETTER_H && third.toString('latin1', 0, 5) === 'HTTP/')
    return METHODS.has(first.toString('latin1'));
  const letter = (first[0] as number) | 0x20;
  if (letter !== 0x70 && letter !== 0x68) return false;
  const text = first.toString('latin1').toLowerCase();
  return text === 'host:' || text === 'post';
}
