/** What a request asks of its replicas, and the words that say it: KVD.WITH and KVD.SESSION take the same ones. */

/** Everything left out is as the session and the keyspace have it. */
export interface ConsistencyOptions {
  /** Replicas of the key. */
  readonly n?: number;
  /** Nodes that must answer a read. */
  readonly r?: number;
  /** Nodes that must hold a write. */
  readonly w?: number;
  /** Of R, how many must be owners of the key. */
  readonly pr?: number;
  /** Of W, how many must be owners of the key. */
  readonly pw?: number;
  /** Of W, how many must have the write on disk. */
  readonly dw?: number;
  /** Longest that the nodes try, in milliseconds. */
  readonly timeoutMs?: number;
  /** `strict`: owners only. `sloppy`: other nodes stand in for owners that cannot be reached. */
  readonly mode?: 'strict' | 'sloppy';
}

/** Options of one request: how many replicas, and a name under which a counter counts it once. */
export interface RequestOptions extends ConsistencyOptions {
  /** 1 to 64 bytes. INCR and its kin take effect once under one id, however often they are sent. */
  readonly requestId?: string;
}

const WORDS = { n: 'N', r: 'R', w: 'W', pr: 'PR', pw: 'PW', dw: 'DW', timeoutMs: 'TIMEOUT' } as const;

/** `R 1 W 3 STRICT`, as words. Numbers are not judged here: the node knows what makes sense. */
export function consistencyWords(options: RequestOptions): string[] {
  const words: string[] = [];
  for (const [name, word] of Object.entries(WORDS)) {
    const value = options[name as keyof typeof WORDS];
    if (value !== undefined) words.push(word, String(value));
  }
  if (options.mode !== undefined) words.push(options.mode.toUpperCase());
  if (options.requestId !== undefined) words.push('REQUEST', options.requestId);
  return words;
}
