/**
 * What a node knows of itself, kept in the engine's node-local area (docs/formats.md "Node-local area"): its identity, the
 * ring, its incarnation, and the era of its tenures.
 *
 * - The identity is written once, with the first ring, in one synced batch; a directory of another node, or of another
 *   cluster, is refused at every later start. The ring is never computed again from `--initial-members`; a configuration that
 *   does not fit it is refused before anything is written.
 * - The incarnation goes up, durably, at every start before anything is said to anybody.
 * - Tenures are stored with an era. It ends when the node may no longer hold all that it has issued: what was stored under an
 *   older era is not taken up again. Era 0: a new one must begin at the next start.
 * - Doubt is durable until `settleDoubt`: neither a start that is refused nor a clean restart makes anybody forget it.
 */
import { type Engine, WriteBatch } from '@kvd/lsm';
import { FAMILY, localKey } from '@kvd/replication';
import { Ring } from '@kvd/ring';
import { NodeError } from '../errors.ts';

const FORMAT = 1;
const CLUSTER_ID_BYTES = 16;
const BOOT_BYTES = 18;

const key = (name: string): Buffer => localKey(FAMILY.nodeState, Buffer.from(name, 'latin1'));
const IDENTITY_KEY = key('identity');
const RING_KEY = key('ring');
const BOOT_KEY = key('boot');

export interface Identity {
  readonly nodeId: string;
  /** 16 bytes. */
  readonly clusterId: Buffer;
  /** Raised by `kvctl cluster force` only. */
  readonly generation: number;
}

export interface LocalState {
  readonly identity: Identity;
  readonly ring: Ring;
  readonly incarnation: number;
  readonly tenureEra: number;
  /**
   * This node may not hold all that it has issued or acknowledged: the log's tail was in doubt, the directory is new, or
   * others knew a later incarnation. Until it has compared with the other owners it counts for no strict quorum.
   */
  readonly doubt: boolean;
}

/** What a start leaves for the next one. */
interface Boot {
  readonly incarnation: number;
  /** 0: the next start begins a new one. */
  readonly tenureEra: number;
  readonly doubt: boolean;
}

const NEVER_STARTED: Boot = { incarnation: 0, tenureEra: 0, doubt: true };

export interface FirstStart {
  readonly identity: Identity;
  readonly ring: Ring;
}

export interface StartOfNode {
  /** What a new directory begins with. Throws when there is nothing to begin with. */
  first(): FirstStart;
  /** Throws when the stored ring is not one to start with. */
  check(stored: Ring): void;
}

/**
 * Loads the state, or makes it from `first()`, and starts a new incarnation; resolves once that is durable.
 * `tailDoubt`: the log's tail was in doubt, so a new era of tenures begins.
 * Throws NodeError (NODE_WRONG_DIRECTORY, NODE_BAD_STATE), RingError, and what `first` and `check` throw.
 */
export async function openLocalState(
  engine: Engine,
  nodeId: string,
  start: StartOfNode,
  tailDoubt: boolean,
): Promise<LocalState> {
  const stored = engine.getSync(IDENTITY_KEY);
  const firstStart = stored === undefined;
  // The engine says so only once: the clean close after a start that is refused below would hide it.
  if (tailDoubt && !firstStart) await endEra(engine);
  const { identity, ring } = firstStart ? start.first() : { identity: decodeIdentity(stored), ring: loadRing(engine) };
  if (identity.nodeId !== nodeId) throw wrongDirectory(identity.nodeId, nodeId);
  if (!firstStart) start.check(ring);
  const last = firstStart ? NEVER_STARTED : loadBoot(engine);
  const incarnation = last.incarnation + 1;
  const isNewEra = last.tenureEra === 0;
  const tenureEra = isNewEra ? incarnation : last.tenureEra;
  const doubt = isNewEra || last.doubt;
  const batch = new WriteBatch();
  if (firstStart) batch.put(IDENTITY_KEY, encodeIdentity(identity)).put(RING_KEY, ring.encode());
  batch.put(BOOT_KEY, encodeBoot({ incarnation, tenureEra, doubt }));
  await engine.write(batch, { durability: 'sync' });
  return { identity, ring, incarnation, tenureEra, doubt };
}

/** All slots have been compared with their other owners. Lost in a crash, it is as if it had not been: no harm. */
export function settleDoubt(engine: Engine, { incarnation, tenureEra }: LocalState): void {
  engine.commit(new WriteBatch().put(BOOT_KEY, encodeBoot({ incarnation, tenureEra, doubt: false })), 'os', () => {});
}

/**
 * Others know `known` as this node's incarnation, a later one than its own: its directory is an old copy, a new one, or has a
 * twin. The next start takes a later incarnation and a new era. Done once durable.
 */
export function outgrow(engine: Engine, known: number, done: (error?: Error) => void): void {
  const boot = { incarnation: known, tenureEra: 0, doubt: true };
  engine.commit(new WriteBatch().put(BOOT_KEY, encodeBoot(boot)), 'sync', done);
}

function endEra(engine: Engine): Promise<void> {
  const boot = { ...loadBoot(engine), tenureEra: 0, doubt: true };
  return engine.write(new WriteBatch().put(BOOT_KEY, encodeBoot(boot)), { durability: 'sync' });
}

function wrongDirectory(found: string, expected: string): NodeError {
  return new NodeError(
    'NODE_WRONG_DIRECTORY',
    `the data directory belongs to node '${found}', not to '${expected}': use --id ${found}, or another --data directory`,
  );
}

function loadRing(engine: Engine): Ring {
  const bytes = engine.getSync(RING_KEY);
  if (bytes === undefined) throw badState('the ring is missing');
  return Ring.decode(bytes);
}

function encodeIdentity(identity: Identity): Buffer {
  const head = Buffer.alloc(1 + CLUSTER_ID_BYTES + 4);
  head[0] = FORMAT;
  identity.clusterId.copy(head, 1);
  head.writeUInt32BE(identity.generation, 1 + CLUSTER_ID_BYTES);
  return Buffer.concat([head, Buffer.from(identity.nodeId, 'latin1')]);
}

function decodeIdentity(bytes: Buffer): Identity {
  if (bytes.length < 1 + CLUSTER_ID_BYTES + 4 + 1 || bytes[0] !== FORMAT)
    throw badState('the identity cannot be read by this version');
  return {
    clusterId: Buffer.from(bytes.subarray(1, 1 + CLUSTER_ID_BYTES)),
    generation: bytes.readUInt32BE(1 + CLUSTER_ID_BYTES),
    nodeId: bytes.toString('latin1', 21),
  };
}

function encodeBoot({ incarnation, tenureEra, doubt }: Boot): Buffer {
  const bytes = Buffer.alloc(BOOT_BYTES);
  bytes[0] = FORMAT;
  bytes.writeBigUInt64BE(BigInt(incarnation), 1);
  bytes.writeBigUInt64BE(BigInt(tenureEra), 9);
  bytes[17] = doubt ? 1 : 0;
  return bytes;
}

/** Without it an incarnation, and with it hint ids and tenures, could be had twice. */
function loadBoot(engine: Engine): Boot {
  const bytes = engine.getSync(BOOT_KEY);
  if (bytes?.length !== BOOT_BYTES || bytes[0] !== FORMAT) throw badState('the incarnation cannot be read');
  return {
    incarnation: Number(bytes.readBigUInt64BE(1)),
    tenureEra: Number(bytes.readBigUInt64BE(9)),
    doubt: bytes[17] !== 0,
  };
}

function badState(what: string): NodeError {
  return new NodeError(
    'NODE_BAD_STATE',
    `the node's own state is damaged: ${what}; restore the directory from a backup`,
  );
}
