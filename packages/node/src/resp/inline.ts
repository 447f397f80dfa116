/**
 * Inline commands: a line of words, as a person types them. Quoting is that of Redis (sdssplitargs): in double quotes `\n \r \t
 * \b \a \xHH` and `\` before anything else, in single quotes only `\'`; a closing quote ends its word; a NUL ends the line.
 */

const BACKSLASH = 0x5c;
const DOUBLE = 0x22;
const SINGLE = 0x27;
const ESCAPES: Readonly<Record<number, number>> = { 110: 10, 114: 13, 116: 9, 98: 8, 97: 7 };

/** The words; `undefined` when quotes are not balanced. */
export function splitInline(line: Uint8Array): Buffer[] | undefined {
  const words: Buffer[] = [];
  const nul = line.indexOf(0);
  const end = nul === -1 ? line.length : nul;
  // Unquoting never makes a word longer, so all words fit into as many bytes as the line has.
  let room = Buffer.allocUnsafe(end);
  let at = 0;
  for (;;) {
    while (at < end && isSpace(line[at])) at++;
    if (at >= end) return words;
    const read = readWord(line, at, end, room);
    if (read === undefined) return undefined;
    words.push(room.subarray(0, read.length));
    room = room.subarray(read.length);
    at = read.at;
  }
}

interface Read {
  readonly at: number;
  readonly length: number;
}

function readWord(line: Uint8Array, at: number, end: number, word: Buffer): Read | undefined {
  let length = 0;
  while (at < end && !isSeparator(line[at])) {
    const byte = line[at] as number;
    if (byte === DOUBLE || byte === SINGLE) {
      const quoted =
        byte === DOUBLE ? readDouble(line, at + 1, end, word, length) : readSingle(line, at + 1, end, word, length);
      if (quoted === undefined || (quoted.at < end && !isSpace(line[quoted.at]))) return undefined;
      return quoted;
    }
    word[length++] = byte;
    at++;
  }
  return { at, length };
}

function readDouble(line: Uint8Array, at: number, end: number, word: Buffer, length: number): Read | undefined {
  while (at < end) {
    const byte = line[at] as number;
    if (byte === DOUBLE) return { at: at + 1, length };
    if (byte !== BACKSLASH || at + 1 >= end) {
      word[length++] = byte;
      at++;
      continue;
    }
    const hex = hexEscape(line, at, end);
    const escaped = line[at + 1] as number;
    word[length++] = hex ?? ESCAPES[escaped] ?? escaped;
    at += hex === undefined ? 2 : 4;
  }
  return undefined;
}

function readSingle(line: Uint8Array, at: number, end: number, word: Buffer, length: number): Read | undefined {
  while (at < end) {
    const byte = line[at] as number;
    if (byte === SINGLE) return { at: at + 1, length };
    if (byte === BACKSLASH && line[at + 1] === SINGLE && at + 1 < end) at++;
    word[length++] = line[at] as number;
    at++;
  }
  return undefined;
}

function hexEscape(line: Uint8Array, at: number, end: number): number | undefined {
  if (line[at + 1] !== 0x78 || at + 3 >= end) return undefined;
  const digits = String.fromCharCode(line[at + 2] as number, line[at + 3] as number);
  return /^[0-9a-fA-F]{2}$/.test(digits) ? Number.parseInt(digits, 16) : undefined;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || (byte !== undefined && byte >= 9 && byte <= 13);
}

/** Unlike isspace: a vertical tab and a form feed belong to a word that they stand in. */
function isSeparator(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 9 || byte === 10 || byte === 13;
}
