/**
 * Decompressed blocks of all tables, bounded by their bytes. Each table keeps its own map by offset, so that a hit is one
 * lookup of a small integer, and a table that goes takes its blocks along.
 *
 * Walks over whole tables do not put blocks in (they are told not to), so a scan does not flush the cache.
 */
import type { Block } from '../sstable/block.ts';
import { LruCache, LruNode } from './lru-cache.ts';

/** What a block costs beside its bytes: objects and map entry, roughly. */
const BLOCK_OVERHEAD_BYTES = 200;

export class BlockCache {
  readonly lru: LruCache<CachedBlock>;

  /** 0 keeps nothing. */
  constructor(capacityBytes: number) {
    this.lru = new LruCache<CachedBlock>(capacityBytes, (node) => node.table.forget(node));
  }

  /** Bytes held, with what they cost beside. */
  get sizeBytes(): number {
    return this.lru.weight;
  }

  /** The part of one table. `clear` must be called when the table is no longer used. */
  table(): TableBlocks {
    return new TableBlocks(this.lru);
  }
}

class CachedBlock extends LruNode {
  readonly table: TableBlocks;
  readonly offset: number;
  readonly block: Block;

  constructor(table: TableBlocks, offset: number, block: Block) {
    super(block.bytes.length + BLOCK_OVERHEAD_BYTES);
    this.table = table;
    this.offset = offset;
    this.block = block;
  }
}

/** The cached blocks of one table. */
export class TableBlocks {
  readonly #lru: LruCache<CachedBlock>;
  readonly #nodes = new Map<number, CachedBlock>();

  constructor(lru: LruCache<CachedBlock>) {
    this.#lru = lru;
  }

  get(offset: number): Block | undefined {
    const node = this.#nodes.get(offset);
    if (node === undefined) return undefined;
    this.#lru.touch(node);
    return node.block;
  }

  /** Keeps a block that is not in the cache; one that is larger than all of the cache is not kept. */
  put(offset: number, block: Block): void {
    const node = new CachedBlock(this, offset, block);
    if (node.weight > this.#lru.capacity) return;
    this.#nodes.set(offset, node);
    this.#lru.add(node);
  }

  clear(): void {
    for (const node of this.#nodes.values()) this.#lru.remove(node);
    this.#nodes.clear();
  }

  /** Called when the block has been driven out. */
  forget(node: CachedBlock): void {
    this.#nodes.delete(node.offset);
  }
}
