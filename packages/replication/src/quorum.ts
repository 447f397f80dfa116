/**
 * Tallies of one request: has a quorum been met, may it still be, or can it no more?
 *
 * Invariants: they count DISTINCT nodes. A node has one mark here however often it is named in a list and whatever it says
 * how often (FAULTS B23). A fallback counts in sloppy mode only, and never as a primary. A node that was never expected
 * counts for nothing. Tallies are reused: `reset` begins a new request. Lists are a handful of nodes long, so they are
 * searched and counted by loops: no map, nothing allocated.
 */
import type { Consistency, NodeId } from './messages.ts';

export type Verdict = 'pending' | 'met' | 'impossible';

/** In the row of the slot, or standing in for one that is. */
export type ReplicaRole = 'owner' | 'fallback';

const OWNER = 1;
const DURABLE = 2;
const YES = 4;
const LOST = 8;
const DOUBT = 16;

/** The distinct nodes of a request, each with a mark. */
class RollCall {
  readonly nodes: NodeId[] = [];
  readonly marks: number[] = [];

  clear(): void {
    this.nodes.length = 0;
    this.marks.length = 0;
  }

  add(node: NodeId, mark: number): boolean {
    if (this.nodes.includes(node)) return false;
    this.nodes.push(node);
    this.marks.push(mark);
    return true;
  }

  /** The node's mark, undefined if it was never expected. */
  markOf(node: NodeId): number | undefined {
    return this.marks[this.nodes.indexOf(node)];
  }

  mark(node: NodeId, mark: number): void {
    this.marks[this.nodes.indexOf(node)] = mark;
  }

  /** How many marks have exactly the bits of `want` among those of `mask`. */
  count(mask: number, want: number): number {
    let total = 0;
    for (const mark of this.marks) if ((mark & mask) === want) total++;
    return total;
  }
}

function judge(have: number, open: number, need: number): Verdict {
  if (have >= need) return 'met';
  return have + open >= need ? 'pending' : 'impossible';
}

function worst(a: Verdict, b: Verdict): Verdict {
  if (a === 'impossible' || b === 'impossible') return 'impossible';
  return a === 'met' ? b : a;
}

/** W, PW and DW of one write. */
export class WriteTally {
  readonly #roll = new RollCall();
  #demand: Pick<Consistency, 'w' | 'pw' | 'dw' | 'mode'> = { w: 1, pw: 0, dw: 0, mode: 'sloppy' };

  reset(demand: Pick<Consistency, 'w' | 'pw' | 'dw' | 'mode'>): void {
    this.#demand = demand;
    this.#roll.clear();
  }

  /**
   * The node will be asked, to `sync` if `durable`. False if it is known already, or is a fallback in strict mode: then
   * nothing it says will count.
   */
  expect(node: NodeId, role: ReplicaRole, durable: boolean): boolean {
    if (role === 'fallback' && this.#demand.mode === 'strict') return false;
    return this.#roll.add(node, (role === 'owner' ? OWNER : 0) | (durable ? DURABLE : 0));
  }

  /** The node holds the write as asked; also after it was given up. False if it has said so before or is a stranger. */
  acknowledge(node: NodeId): boolean {
    const mark = this.#roll.markOf(node);
    if (mark === undefined || (mark & YES) !== 0) return false;
    this.#roll.mark(node, (mark & ~LOST) | YES);
    return true;
  }

  /** No acknowledgement is to be hoped for. One that was given stays. */
  lose(node: NodeId): void {
    const mark = this.#roll.markOf(node);
    if (mark !== undefined && (mark & YES) === 0) this.#roll.mark(node, mark | LOST);
  }

  /** Distinct nodes that hold it as asked. */
  get acknowledged(): number {
    return this.#roll.count(YES, YES);
  }

  /** Of them fallbacks. */
  get hinted(): number {
    return this.#roll.count(YES | OWNER, YES);
  }

  /** Distinct nodes that hold it or may yet. */
  get possible(): number {
    return this.#roll.count(LOST, 0);
  }

  verdict(): Verdict {
    return worst(this.#verdictOf(0, this.#demand.w), worst(this.#primaries(), this.#durables()));
  }

  #primaries(): Verdict {
    return this.#demand.pw === 0 ? 'met' : this.#verdictOf(OWNER, this.#demand.pw);
  }

  #durables(): Verdict {
    return this.#demand.dw === 0 ? 'met' : this.#verdictOf(DURABLE, this.#demand.dw);
  }

  #verdictOf(kind: number, need: number): Verdict {
    const have = this.#roll.count(YES | kind, YES | kind);
    return judge(have, this.#roll.count(YES | LOST | kind, kind), need);
  }
}

/** R and PR of one read. */
export class ReadTally {
  readonly #roll = new RollCall();
  #demand: Pick<Consistency, 'r' | 'pr' | 'mode'> = { r: 1, pr: 0, mode: 'sloppy' };

  reset(demand: Pick<Consistency, 'r' | 'pr' | 'mode'>): void {
    this.#demand = demand;
    this.#roll.clear();
  }

  /** The node will be asked. False if it is known already, or is a fallback in strict mode. */
  expect(node: NodeId, role: ReplicaRole): boolean {
    if (role === 'fallback' && this.#demand.mode === 'strict') return false;
    return this.#roll.add(node, role === 'owner' ? OWNER : 0);
  }

  /**
   * The node has answered, as an owner only if it says so itself. `doubt`: it may have lost the end of its log; that is
   * good enough for a sloppy R, for nothing else. False if it has answered before or is a stranger.
   */
  answer(node: NodeId, says: ReplicaRole, doubt: boolean): boolean {
    const mark = this.#roll.markOf(node);
    if (mark === undefined || (mark & YES) !== 0) return false;
    const role = says === 'owner' ? mark & OWNER : 0;
    this.#roll.mark(node, role | YES | (doubt ? DOUBT : 0));
    return true;
  }

  /** The node will not answer. An answer that it has given stays. */
  lose(node: NodeId): void {
    const mark = this.#roll.markOf(node);
    if (mark !== undefined && (mark & YES) === 0) this.#roll.mark(node, mark | LOST);
  }

  /** What the node answered turned out to be damaged: it counts as a refusal after all. */
  withdraw(node: NodeId): void {
    if (this.#roll.markOf(node) !== undefined) this.#roll.mark(node, LOST);
  }

  /** Distinct nodes that count for R. */
  get answered(): number {
    return this.#demand.mode === 'strict' ? this.#soundOwners() : this.#roll.count(YES, YES);
  }

  /** Owners that have answered and may have lost the end of their log. */
  get doubtful(): number {
    return this.#roll.count(YES | OWNER | DOUBT, YES | OWNER | DOUBT);
  }

  /** Of all answers, those of owners. */
  get owners(): number {
    return this.#roll.count(YES | OWNER, YES | OWNER);
  }

  /** Nodes that may yet answer. */
  get open(): number {
    return this.#roll.count(YES | LOST, 0);
  }

  verdict(): Verdict {
    const openOwners = this.#roll.count(YES | LOST | OWNER, OWNER);
    const quorum = judge(this.answered, this.#demand.mode === 'strict' ? openOwners : this.open, this.#demand.r);
    return this.#demand.pr === 0 ? quorum : worst(quorum, judge(this.#soundOwners(), openOwners, this.#demand.pr));
  }

  #soundOwners(): number {
    return this.#roll.count(YES | OWNER | DOUBT, YES | OWNER);
  }
}
