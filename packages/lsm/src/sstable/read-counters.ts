/** What reading tables costs: sums since they were made. Tests and `stats` read them. */
export interface ReadCounters {
  /** Blocks read from files, of any kind. */
  blocksRead: number;
  bytesRead: number;
  /** Data blocks and index partitions found in, or missing from, the block cache. */
  cacheHits: number;
  cacheMisses: number;
  /** Point reads that asked a filter, and those that it spared a data block. */
  filterProbes: number;
  filterNegatives: number;
  /** Tables whose filter could not be read: all their point reads go to the blocks. */
  filtersDamaged: number;
}

export function createReadCounters(): ReadCounters {
  return {
    blocksRead: 0,
    bytesRead: 0,
    cacheHits: 0,
    cacheMisses: 0,
    filterProbes: 0,
    filterNegatives: 0,
    filtersDamaged: 0,
  };
}
