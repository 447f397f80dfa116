/** A client of one node of a DriverCluster: words in, replies out as plain data. */
import { execute } from '../src/commands/dispatch.ts';
import type { RespValue } from '../src/resp/value.ts';
import { Session } from '../src/session.ts';
import type { DriverCluster } from './driver-cluster.ts';

export type Plain = string | number | null | readonly Plain[] | { readonly [name: string]: Plain };

/** Maps become objects, bytes and statuses text, errors `Error: …`. */
export function plain(value: RespValue): Plain {
  if (value === null || typeof value === 'number' || typeof value === 'string') return value;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (!('kind' in value)) return value.map(plain);
  if (value.kind === 'simple') return value.text;
  if (value.kind === 'error') return `Error: ${value.text}`;
  if (value.kind === 'map') return Object.fromEntries(value.entries.map(([name, each]) => [plain(name), plain(each)]));
  throw new Error(`no plain form of ${value.kind}`);
}

export class Client {
  readonly session = new Session();
  readonly #cluster: DriverCluster;
  readonly #node: string;

  constructor(cluster: DriverCluster, node: string) {
    this.#cluster = cluster;
    this.#node = node;
  }

  /** Sends, and lets nothing else happen. The replies, of which there must be one in the end. */
  send(...words: (string | Buffer)[]): Plain[] {
    const replies: Plain[] = [];
    const { entry } = this.#cluster.node(this.#node);
    const args = words.map((word) => Buffer.from(word as string));
    execute(entry, this.session, args, (reply) => replies.push(plain(reply)));
    return replies;
  }

  /** Sends, and moves the cluster until there is an answer. */
  run(...words: (string | Buffer)[]): Plain {
    const replies = this.send(...words);
    this.#cluster.settle();
    for (let ms = 0; replies.length === 0 && ms < 10_000; ms += 10) this.#cluster.advance(10);
    if (replies.length !== 1) throw new Error(`${replies.length} replies to ${words.join(' ')}`);
    return replies[0] as Plain;
  }
}
