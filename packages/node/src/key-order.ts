/**
 * Order among the commands of one connection. They run side by side, but two that share a key take effect as they were sent:
 * a command waits for the earlier unfinished ones that write a key it has, and a write also for those that read one.
 *
 *   SET a 1 ─► GET a, GET a (side by side) ─► SET a 2         SET b 1 (at once)
 *
 * Keys are told apart by a 32-bit hash: two that share it only wait needlessly.
 */

/** A command as far as order is concerned. */
export interface Ordered {
  /** Hashes of its keys, each once; empty: it waits for nothing and nothing for it. */
  keyHashes: readonly number[];
  writes: boolean;
  /** Earlier commands that must finish before it may start. */
  waitsFor: number;
  /** Later commands that wait for this one. */
  followers: Ordered[] | undefined;
}

interface KeyUse {
  /** The last command that writes the key, if unfinished. */
  writer: Ordered | undefined;
  /** Unfinished readers since then. */
  readonly readers: Set<Ordered>;
}

/** Uses kept for the next keys: a command costs no new set. */
const SPARE_MAX = 64;

export class KeyOrder {
  readonly #uses = new Map<number, KeyUse>();
  readonly #spare: KeyUse[] = [];

  get isEmpty(): boolean {
    return this.#uses.size === 0;
  }

  /** Takes the command in, after all earlier ones. It may start when `waitsFor` is 0. */
  enter(command: Ordered): void {
    for (const hash of command.keyHashes) {
      let use = this.#uses.get(hash);
      if (use === undefined) this.#uses.set(hash, (use = this.#newUse()));
      if (command.writes) this.#enterWriter(use, command);
      else this.#enterReader(use, command);
    }
  }

  /** Takes a finished command out; `start` is called for each command that has nothing more to wait for. */
  leave(command: Ordered, start: (command: Ordered) => void): void {
    for (const hash of command.keyHashes) {
      const use = this.#uses.get(hash);
      if (use === undefined) continue;
      if (use.writer === command) use.writer = undefined;
      if (use.readers.size > 0) use.readers.delete(command);
      if (use.writer === undefined && use.readers.size === 0) this.#drop(hash, use);
    }
    const followers = command.followers;
    command.followers = undefined;
    for (const follower of followers ?? []) if (--follower.waitsFor === 0) start(follower);
  }

  #newUse(): KeyUse {
    return this.#spare.pop() ?? { writer: undefined, readers: new Set() };
  }

  #drop(hash: number, use: KeyUse): void {
    this.#uses.delete(hash);
    if (this.#spare.length < SPARE_MAX) this.#spare.push(use);
  }

  #enterWriter(use: KeyUse, command: Ordered): void {
    // Readers that wait for the writer before them finish after it, so waiting for them is enough.
    if (use.readers.size > 0) for (const reader of use.readers) follow(command, reader);
    else if (use.writer !== undefined) follow(command, use.writer);
    if (use.readers.size > 0) use.readers.clear();
    use.writer = command;
  }

  #enterReader(use: KeyUse, command: Ordered): void {
    if (use.writer !== undefined) follow(command, use.writer);
    use.readers.add(command);
  }
}

function follow(command: Ordered, earlier: Ordered): void {
  command.waitsFor++;
  if (earlier.followers === undefined) earlier.followers = [command];
  else earlier.followers.push(command);
}

/** FNV-1a, 32 bits. */
export function keyHash(key: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ (key[i] as number), 0x01000193);
  return hash >>> 0;
}

/** The hashes of these keys, each once. */
export function keyHashes(keys: readonly Uint8Array[]): readonly number[] {
  if (keys.length === 1) return [keyHash(keys[0] as Uint8Array)];
  return [...new Set(keys.map(keyHash))];
}
