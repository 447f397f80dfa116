/** Chance for machines: seeded in tests, from the runtime in a node. */
export interface Random {
  /** A uniform integer in [0, 2^32). */
  uint32(): number;
}

/** A uniform integer in [0, bound). The bias for bounds far below 2^32 is negligible here: it only picks peers. */
export function below(random: Random, bound: number): number {
  return Math.floor((random.uint32() / 0x100000000) * bound);
}
