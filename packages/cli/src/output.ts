/** Printers: tables for people, JSON for programs. Pure; a Terminal shows what they make. */

/** Columns padded to their widest cell; the first row is the heading. Control characters are shown, not sent. */
export function formatTable(rows: readonly (readonly string[])[]): readonly string[] {
  const cells = rows.map((row) => row.map(printable));
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** `name  value` lines. */
export function formatFields(fields: readonly (readonly [name: string, value: string])[]): readonly string[] {
  return formatTable(fields);
}

/** One line of JSON: easy to pipe, one record a line. */
export function formatJson(value: unknown): string {
  return JSON.stringify(value);
}

/** Bytes as text when they are valid UTF-8, else as base64: JSON has no bytes, and a value must survive the round trip. */
export function jsonBytes(bytes: Buffer): { readonly value: string } | { readonly valueBase64: string } {
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? { value: text } : { valueBase64: bytes.toString('base64') };
}

/** A name that another node reports must not steer the terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this removes.
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '\uFFFD');
}
