/**
 * What was used least recently goes first, once the sum of the weights is over the capacity. The order is a ring of
 * nodes, linked both ways, with a head that is never given out:
 *
 *   head ⇄ newest ⇄ … ⇄ oldest ⇄ head
 *
 * A node is found by whoever keeps it (a map, an array slot), so that a hit costs a few pointer writes and no hashing.
 */
export class LruNode {
  readonly weight: number;
  newer: LruNode = this;
  older: LruNode = this;

  constructor(weight: number) {
    this.weight = weight;
  }
}

export class LruCache<Node extends LruNode> {
  readonly capacity: number;
  readonly #onEvict: (node: Node) => void;
  readonly #head = new LruNode(0);
  #weight = 0;
  #count = 0;

  /** `onEvict` is told of every node that the capacity drives out, not of those that `remove` takes. */
  constructor(capacity: number, onEvict: (node: Node) => void) {
    this.capacity = capacity;
    this.#onEvict = onEvict;
  }

  /** Sum of the weights of all nodes. */
  get weight(): number {
    return this.#weight;
  }

  get count(): number {
    return this.#count;
  }

  /** Adds a node that is not in the cache, as the newest, and drives out old ones; it stays itself, even if too heavy. */
  add(node: Node): void {
    this.#link(node);
    this.#weight += node.weight;
    this.#count++;
    while (this.#weight > this.capacity && this.#head.newer !== node) this.#evictOldest();
  }

  /** Makes a node of the cache the newest. */
  touch(node: Node): void {
    if (this.#head.older === node) return;
    unlink(node);
    this.#link(node);
  }

  remove(node: Node): void {
    unlink(node);
    this.#weight -= node.weight;
    this.#count--;
  }

  #evictOldest(): void {
    const oldest = this.#head.newer as Node;
    this.remove(oldest);
    this.#onEvict(oldest);
  }

  /** The head's `older` is the newest node and its `newer` the oldest: the ring goes round through the head. */
  #link(node: LruNode): void {
    const head = this.#head;
    const second = head.older;
    node.newer = head;
    node.older = second;
    second.newer = node;
    head.older = node;
  }
}

function unlink(node: LruNode): void {
  node.newer.older = node.older;
  node.older.newer = node.newer;
  node.newer = node;
  node.older = node;
}
