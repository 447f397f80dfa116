/**
 * Maps and numbers out of replies. A map is an object in RESP3, a Map or a flat list under a type mapping, and a flat list of
 * names and values in RESP2; text may be a Buffer under a type mapping.
 */

export type Fields = Readonly<Record<string, unknown>>;

/** The fields of one map, whatever shape it came in. */
export function fieldsOf(reply: unknown): Fields {
  if (reply instanceof Map) return Object.fromEntries([...reply].map(([name, value]) => [String(name), value]));
  if (!Array.isArray(reply)) return { ...(reply as Fields) };
  const fields: Record<string, unknown> = {};
  for (let i = 0; i + 1 < reply.length; i += 2) fields[String(reply[i])] = reply[i + 1];
  return fields;
}

export function listOf(reply: unknown): readonly unknown[] {
  return Array.isArray(reply) ? reply : [];
}

export function textOf(reply: unknown): string {
  return String(reply);
}

export function textOrNull(reply: unknown): string | null {
  return reply === null || reply === undefined ? null : String(reply);
}

export function numberOf(reply: unknown): number {
  return Number(reply);
}

export function numberOrNull(reply: unknown): number | null {
  return reply === null || reply === undefined ? null : Number(reply);
}
