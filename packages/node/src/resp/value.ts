/**
 * What a client is told, before it is bytes. The commonest replies are plain JavaScript values, so that most cost no object:
 *
 *   number, bigint → integer    string, bytes → bulk string    null → null    array → array
 *
 * and all else says its kind. RESP3 has every kind; RESP2 gets the older spelling (resp/encoder.ts).
 */

export type RespValue =
  | number
  | bigint
  | string
  | Uint8Array
  | null
  | readonly RespValue[]
  | { readonly kind: 'simple'; readonly text: string }
  | { readonly kind: 'error'; readonly text: string }
  | { readonly kind: 'null-array' }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'double'; readonly value: number }
  | { readonly kind: 'verbatim'; readonly format: 'txt' | 'mkd'; readonly text: string }
  | { readonly kind: 'map'; readonly entries: readonly (readonly [RespValue, RespValue])[] }
  | { readonly kind: 'set'; readonly items: readonly RespValue[] }
  | { readonly kind: 'push'; readonly items: readonly RespValue[] };

/** A status such as `OK`: one line without a length. */
export function simple(text: string): RespValue {
  return { kind: 'simple', text };
}

/** An error reply; `text` begins with its prefix (`ERR`, `NOREPLICAS`, …). Line breaks in it become spaces on the wire. */
export function failure(text: string): RespValue {
  return { kind: 'error', text };
}

/** A map in RESP3, a flat array in RESP2. */
export function mapOf(entries: readonly (readonly [RespValue, RespValue])[]): RespValue {
  return { kind: 'map', entries };
}

export function setOf(items: readonly RespValue[]): RespValue {
  return { kind: 'set', items };
}

/** Long text for people: verbatim in RESP3, a bulk string in RESP2. */
export function verbatim(text: string): RespValue {
  return { kind: 'verbatim', format: 'txt', text };
}

export const OK = simple('OK');

export function isFailure(value: RespValue): value is { readonly kind: 'error'; readonly text: string } {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'error';
}

/** About how many bytes the reply takes: exact for long values, which are what counts for limits. */
export function weightOf(value: RespValue): number {
  if (typeof value === 'number' || typeof value === 'bigint' || value === null) return 16;
  if (typeof value === 'string' || value instanceof Uint8Array) return value.length + 16;
  if (!('kind' in value)) return value.reduce<number>((sum, item) => sum + weightOf(item), 16);
  switch (value.kind) {
    case 'simple':
    case 'error':
    case 'verbatim':
      return value.text.length + 16;
    case 'map':
      return value.entries.reduce((sum, [key, item]) => sum + weightOf(key) + weightOf(item), 16);
    case 'set':
    case 'push':
      return value.items.reduce<number>((sum, item) => sum + weightOf(item), 16);
    default:
      return 32;
  }
}
