/**
 * What a read coordinator knows of one request in flight: whom it has asked and what they said. Entries are reused: `begin`
 * fills one, `clear` lets go of the bytes it held.
 */
import type { Millis, Reachability } from '../effects.ts';
import type { Consistency, NodeId, RequestHeader } from '../messages.ts';
import type { CoordinatorOptions } from '../options.ts';
import { ReadTally, type ReplicaRole } from '../quorum.ts';
import type { VersionVector } from '../version-vector.ts';
import type { Answer } from './read-repair.ts';

export interface ReadRequest {
  /** Not 0, and not in use: the driver must not give one again while replies to its earlier use may still come. */
  readonly stream: number;
  readonly header: RequestHeader;
  readonly consistency: Consistency;
  readonly address: Uint8Array;
  /** The owners: the first N of the slot's row. */
  readonly row: readonly NodeId[];
  /** Who may answer in their stead, nearest first; this node may be one of them. Of no use in strict mode. */
  readonly fallbacks: readonly NodeId[];
  /** This node is in the row: it asks itself first. */
  readonly isOwner: boolean;
  /** Ask all owners, to find those that are behind; the caller decides how often. */
  readonly repair: boolean;
  /**
   * What the answer must not be behind of: replicas are asked until the merge of their records has seen all of it, or the
   * read fails.
   */
  readonly includes?: VersionVector;
}

/** One node that was chosen. `answered` and `lost` are final, save that an answer may come from one believed lost. */
export interface Asked extends Answer {
  state: 'chosen' | 'sent' | 'answered' | 'lost';
  role: ReplicaRole;
  record: Uint8Array | undefined;
}

export class ReadEntry {
  request!: ReadRequest;
  startedAt: Millis = 0;
  deadline: Millis = 0;
  /** When the next owner is asked beside those that are late. */
  hedgeAt: Millis = Infinity;
  /** When fallbacks are asked in place of silent owners; Infinity once that is done or never to be. */
  standInAt: Millis = Infinity;
  /** The one deadline that is in force; see DeadlineQueue. */
  wakeAt: Millis = Infinity;
  finished: boolean = false;
  /** Some node refused; tells a refused read from an unreachable one. */
  refused: boolean = false;
  /** The answer given, brought up to date by late answers. */
  merged: Uint8Array | undefined;
  readonly tally = new ReadTally();
  asked: Asked[] = [];
  #nextOwner = 0;
  #nextFallback = 0;

  begin(request: ReadRequest, options: Required<CoordinatorOptions>, now: Millis): void {
    const { header, consistency, fallbacks } = request;
    const timeoutMs = Math.min(header.remainingMs, consistency.timeoutMs);
    this.request = request;
    this.startedAt = now;
    this.deadline = now + timeoutMs;
    this.hedgeAt = now + options.hedgeAfterMs;
    const mayStandIn = this.sloppy && fallbacks.length > 0;
    this.standInAt = mayStandIn ? now + Math.min(options.standInAfterMs, timeoutMs / 2) : Infinity;
    this.wakeAt = Infinity;
    this.finished = false;
    this.refused = false;
    this.#nextOwner = request.isOwner ? -1 : 0;
    this.#nextFallback = 0;
    this.tally.reset(consistency);
  }

  clear(): void {
    this.asked = [];
    this.merged = undefined;
  }

  get stream(): number {
    return this.request.stream;
  }

  get sloppy(): boolean {
    return this.request.consistency.mode === 'sloppy';
  }

  /** All that were asked have answered or never will. */
  get settled(): boolean {
    return this.asked.every((asked) => asked.state === 'answered' || asked.state === 'lost');
  }

  get mayAskOwner(): boolean {
    return this.#nextOwner < this.request.row.length;
  }

  answers(): readonly Asked[] {
    return this.asked.filter((asked) => asked.state === 'answered');
  }

  find(node: NodeId): Asked | undefined {
    return this.asked.find((asked) => asked.node === node);
  }

  /** The next owner that can be reached: the node itself if it is one, then in row order. False if there is none. */
  chooseOwner(self: NodeId, reach: Reachability): boolean {
    const { row } = this.request;
    while (this.#nextOwner < row.length) {
      const index = this.#nextOwner++;
      const node = index < 0 ? self : (row[index] as NodeId);
      if ((node === self || reach.reachable(node)) && this.#choose(node, 'owner')) return true;
    }
    return false;
  }

  /** The next fallback that can be reached, in sloppy mode. False if there is none. */
  chooseFallback(self: NodeId, reach: Reachability): boolean {
    const { fallbacks, row } = this.request;
    while (this.sloppy && this.#nextFallback < fallbacks.length) {
      const node = fallbacks[this.#nextFallback++] as NodeId;
      if (row.includes(node) || (node !== self && !reach.reachable(node))) continue;
      if (this.#choose(node, 'fallback')) return true;
    }
    return false;
  }

  #choose(node: NodeId, role: ReplicaRole): boolean {
    if (!this.tally.expect(node, role)) return false;
    this.asked.push({ node, role, state: 'chosen', record: undefined });
    return true;
  }
}
