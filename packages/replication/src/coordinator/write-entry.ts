/**
 * What a write coordinator knows of one request in flight. Entries are reused: `begin` fills one, `clear` lets go of the
 * bytes it held.
 *
 * Each owner of the row has a place. A place is settled when nobody needs to care for it any more: its owner holds the
 * write, or a hint for that owner does (here, or at a fallback that has acknowledged it).
 */
import type { Millis } from '../effects.ts';
import type {
  Consistency,
  NodeId,
  OperationResult,
  ReplicateMessage,
  RequestHeader,
  WriteOperation,
} from '../messages.ts';
import type { CoordinatorOptions } from '../options.ts';
import { ReadTally, WriteTally } from '../quorum.ts';

export interface WriteRequest {
  /** Not 0, and not in use: the driver must not give one again while replies to its earlier use may still come. */
  readonly stream: number;
  readonly header: RequestHeader;
  readonly consistency: Consistency;
  readonly address: Uint8Array;
  readonly operation: WriteOperation;
  /** The owners: the first N of the slot's row. */
  readonly row: readonly NodeId[];
  /** Who may stand in for them, nearest first. Of no use in strict mode. */
  readonly fallbacks: readonly NodeId[];
  /** Read the contexts of R replicas before writing: the coordinator is not first in the row, or in a new tenure. */
  readonly preRead: boolean;
}

/**
 * Of a node that should hold the write: `none`: nobody, or out of reach; `planned`: will be sent it; `sent`: has been sent
 * it; `stored`: holds it; `lost`: refused, or out of reach since.
 */
export type PlaceState = 'none' | 'planned' | 'sent' | 'stored' | 'lost';

export interface Place {
  owner: NodeId;
  ownerState: PlaceState;
  /** The fallback that has been asked to keep a hint for the owner. */
  standIn: NodeId | undefined;
  standInState: PlaceState;
  /** A hint for the owner is kept by this node. */
  hinted: boolean;
}

/**
 * `reading`: contexts are awaited; `coordinating`: the local replica has the operation; `merged`: the state is known and is
 * being spread; `free`: not in use.
 */
export type WritePhase = 'free' | 'reading' | 'coordinating' | 'merged';

const NO_BYTES = new Uint8Array(0);
/** Of an operation that was made and answers with nothing. */
export const MADE: OperationResult = Object.freeze({ applied: true, value: undefined });

export class WriteEntry {
  phase: WritePhase = 'free';
  request!: WriteRequest;
  startedAt: Millis = 0;
  deadline: Millis = 0;
  preReadUntil: Millis = Infinity;
  /** When silent owners are given up for fallbacks; Infinity once that is done or never to be. */
  standInAt: Millis = Infinity;
  /** The one deadline that is in force; see DeadlineQueue. */
  wakeAt: Millis = Infinity;
  /** The outcome has been told. */
  finished: boolean = false;
  expired: boolean = false;
  selfState: PlaceState = 'none';
  engineError: string | undefined;
  /** The next fallback that has no role in this request yet. */
  nextFallback: number = 0;
  state: Uint8Array = NO_BYTES;
  context: Uint8Array = NO_BYTES;
  /** What the operation found and made. */
  result: OperationResult = MADE;
  /** The message that all owners get. */
  message: ReplicateMessage | undefined;
  seen: Uint8Array[] = [];
  readonly tally = new WriteTally();
  readonly readTally = new ReadTally();
  readonly #places: Place[] = [];
  #placeCount = 0;

  begin(request: WriteRequest, options: Required<CoordinatorOptions>, now: Millis): void {
    this.request = request;
    this.startedAt = now;
    this.finished = false;
    this.expired = false;
    this.selfState = 'none';
    this.engineError = undefined;
    this.wakeAt = Infinity;
    this.#setDeadlines(options);
    this.#placeCount = 0;
    for (const owner of request.row) this.#addPlace(owner);
  }

  /** Lets go of all that is large; `phase` free makes late events pass by. */
  clear(): void {
    this.phase = 'free';
    this.state = NO_BYTES;
    this.context = NO_BYTES;
    this.result = MADE;
    this.message = undefined;
    this.seen = [];
  }

  get stream(): number {
    return this.request.stream;
  }

  get sloppy(): boolean {
    return this.request.consistency.mode === 'sloppy';
  }

  get placeCount(): number {
    return this.#placeCount;
  }

  place(index: number): Place {
    return this.#places[index] as Place;
  }

  placeOfOwner(node: NodeId): Place | undefined {
    for (let i = 0; i < this.#placeCount; i++) if (this.place(i).owner === node) return this.place(i);
    return undefined;
  }

  placeOfStandIn(node: NodeId): Place | undefined {
    for (let i = 0; i < this.#placeCount; i++) if (this.place(i).standIn === node) return this.place(i);
    return undefined;
  }

  /** The local replica has run the operation. */
  take(state: Uint8Array, context: Uint8Array, result: OperationResult): void {
    this.phase = 'merged';
    this.state = state;
    this.context = context;
    this.result = result;
  }

  /** When time alone may change what is to be done. */
  get nextLookAt(): Millis {
    if (this.phase === 'reading') return Math.min(this.deadline, this.preReadUntil);
    return this.finished ? this.deadline : Math.min(this.deadline, this.standInAt);
  }

  placeOf(node: NodeId): Place | undefined {
    return this.placeOfOwner(node) ?? this.placeOfStandIn(node);
  }

  /** What has become of the coordinator's own copy. */
  setSelf(self: NodeId, state: PlaceState): void {
    this.selfState = state;
    const place = this.placeOf(self);
    if (place?.owner === self) place.ownerState = state;
    else if (place !== undefined) place.standInState = state;
  }

  /** The node says that it holds the write. False: it was not asked, or has said so before. */
  noteStored(node: NodeId): boolean {
    const place = this.placeOf(node);
    if (place === undefined) return true;
    const isOwner = place.owner === node;
    const state = isOwner ? place.ownerState : place.standInState;
    if (state !== 'sent' && state !== 'lost') return false;
    if (isOwner) place.ownerState = 'stored';
    else place.standInState = 'stored';
    return true;
  }

  /** The node refused, or is out of reach: its place, if it was still awaited. */
  noteLost(node: NodeId): Place | undefined {
    const place = this.placeOf(node);
    if (place === undefined) return undefined;
    const isOwner = place.owner === node;
    if (!isOnItsWay(isOwner ? place.ownerState : place.standInState)) return undefined;
    if (isOwner) place.ownerState = 'lost';
    else place.standInState = 'lost';
    return place;
  }

  /**
   * Nothing is awaited any more: the local copy is decided, and each other owner holds the write or has a hint. An owner
   * whose own disk failed keeps no hint for itself: anti-entropy brings it the write once it is well.
   */
  isSettled(self: NodeId): boolean {
    if (this.selfState === 'sent') return false;
    for (let i = 0; i < this.#placeCount; i++) {
      const place = this.place(i);
      if (place.owner !== self && !isSettled(place)) return false;
    }
    return true;
  }

  #setDeadlines(options: Required<CoordinatorOptions>): void {
    const { header, consistency, fallbacks } = this.request;
    const timeoutMs = Math.min(header.remainingMs, consistency.timeoutMs);
    const mayStandIn = this.sloppy && fallbacks.length > 0;
    this.deadline = this.startedAt + timeoutMs;
    this.preReadUntil = this.sloppy ? this.startedAt + Math.min(options.preReadTimeoutMs, timeoutMs / 4) : Infinity;
    this.standInAt = mayStandIn ? this.startedAt + Math.min(options.standInAfterMs, timeoutMs / 2) : Infinity;
  }

  #addPlace(owner: NodeId): void {
    if (this.placeOfOwner(owner) !== undefined) return;
    if (this.#placeCount === this.#places.length) this.#places.push(emptyPlace());
    const place = this.place(this.#placeCount++);
    place.owner = owner;
    place.ownerState = 'none';
    place.standIn = undefined;
    place.standInState = 'none';
    place.hinted = false;
  }
}

/** Somebody keeps, or has been asked to keep, a hint for the place's owner. */
export function isCovered(place: Place): boolean {
  return place.hinted || isOnItsWay(place.standInState) || place.standInState === 'stored';
}

function isSettled(place: Place): boolean {
  if (place.ownerState === 'stored') return true;
  if (isOnItsWay(place.ownerState) || isOnItsWay(place.standInState)) return false;
  return place.hinted || place.standInState === 'stored';
}

/** It may yet acknowledge. */
export function isOnItsWay(state: PlaceState): boolean {
  return state === 'planned' || state === 'sent';
}

function emptyPlace(): Place {
  return { owner: '', ownerState: 'none', standIn: undefined, standInState: 'none', hinted: false };
}
