/**
 * Remembers the requests that this node has coordinated, so that a repeated or late copy of a forwarded write is answered, not
 * run again: run again, it would supersede what was written since. Bounded in time and in number.
 */
import type { RequestId, WriteOutcome } from '@kvd/replication';
import type { Secrets } from './runtime.ts';

const REMEMBERED_MAX = 200_000;

interface Remembered {
  readonly until: number;
  outcome: WriteOutcome | undefined;
}

export class RequestMemory {
  readonly #requests = new Map<string, Remembered>();
  readonly #keepMs: number;

  constructor(keepMs: number) {
    this.#keepMs = keepMs;
  }

  /** 'new' (and remembered from now on), 'running', or the outcome it had. */
  begin(id: RequestId, now: number): 'new' | 'running' | WriteOutcome {
    this.#expire(now);
    const key = keyOf(id);
    const known = this.#requests.get(key);
    if (known !== undefined) return known.outcome ?? 'running';
    this.#requests.set(key, { until: now + this.#keepMs, outcome: undefined });
    return 'new';
  }

  end(id: RequestId, outcome: WriteOutcome): void {
    const known = this.#requests.get(keyOf(id));
    if (known !== undefined) known.outcome = outcome;
  }

  /** Insertion order is order of expiry. */
  #expire(now: number): void {
    for (const [key, request] of this.#requests) {
      if (request.until > now && this.#requests.size <= REMEMBERED_MAX) return;
      this.#requests.delete(key);
    }
  }
}

/**
 * Where a process begins to number its requests: anywhere below 2^48. A node whose disk was replaced runs with incarnation 1
 * again until others tell it; numbered from 1, its requests would be taken for those of its earlier life, and be answered with
 * their outcomes, undone.
 */
export function firstRequestNumber(secrets: Secrets): number {
  const bytes = Buffer.alloc(6);
  secrets.fill(bytes);
  return 1 + bytes.readUIntBE(0, 6);
}

function keyOf(id: RequestId): string {
  return `${id.n}.${id.incarnation}.${id.entry}`;
}
