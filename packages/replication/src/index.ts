/** The public surface of @kvd/replication, and nothing else. */
export {
  addressOfStorageKey,
  decodeAddress,
  encodeAddress,
  FAMILY,
  type Family,
  familyPrefix,
  hintKey,
  hintPrefix,
  LOCAL_SLOT,
  localKey,
  NO_KEYSPACE,
  type Place,
  parseHintKey,
  prefixEnd,
  type RecordAddress,
  SLOT_MAX,
  slotHashKey,
  slotOfAddress,
  slotPrefix,
  slotStateKey,
  storageKey,
} from './address.ts';
export type { Agreement, AntiEntropyCounters, AntiEntropyDependencies, RoundEnd } from './anti-entropy/context.ts';
export { AntiEntropy, type ExchangeMessage } from './anti-entropy/exchange.ts';
export type { SharedSlots, SlotRun } from './anti-entropy/leaves.ts';
export { ANTI_ENTROPY_DEFAULTS, type AntiEntropyOptions } from './anti-entropy/options.ts';
export {
  addHashes,
  hashesEqual,
  hashOfCluster,
  LEAF_BYTES,
  leafBytes,
  leafChange,
  leafOfBytes,
  murmur3,
  recordHash,
  subtractHashes,
  ZERO_HASH,
} from './anti-entropy/record-hash.ts';
export {
  CounterLease,
  type CounterLeaseOptions,
  decodeLease,
  encodeLease,
  type LeaseState,
} from './counter-lease.ts';
export type { BackgroundDependencies, RecordSenderDependencies } from './background.ts';
export {
  type Actor,
  ACTOR_BYTES,
  type ActorParts,
  compareDots,
  COUNTER_MAX,
  type Dot,
  formatActor,
  formatDot,
  makeActor,
  memberNumberOf,
  tenureHexOf,
} from './dot.ts';
export type {
  CoordinateRequest,
  Millis,
  ReadEffects,
  Reachability,
  Sender,
  Wakeups,
  WriteEffects,
} from './effects.ts';
export { ReplicationError, type ReplicationErrorCode } from './errors.ts';
export { type HandoffDependencies, type HandoffProgress, HintedHandoff } from './handoff/hinted-handoff.ts';
export { HANDOFF_DEFAULTS, type HandoffOptions } from './handoff/options.ts';
export {
  HYBRID_STEPS_PER_MS,
  HybridClock,
  type HybridClockOptions,
  type HybridTime,
  hybridTimeOf,
  wallMsOf,
} from './hybrid-clock.ts';
export { Membership, type MembershipDependencies } from './membership/gossip.ts';
export type { MemberAddress, MemberView } from './membership/member.ts';
export { MEMBERSHIP_DEFAULTS, type MembershipOptions } from './membership/options.ts';
export type {
  AddFloatOperation,
  AddOperation,
  AppendOperation,
  Consistency,
  DeleteOperation,
  Durability,
  ExchangeKeysMessage,
  ExchangeKeysReplyMessage,
  ExchangeLeavesMessage,
  ExchangeLeavesReplyMessage,
  ExpireOperation,
  FailureReason,
  FetchMessage,
  FetchReplyMessage,
  ForwardMessage,
  ForwardReplyMessage,
  GossipMessage,
  GossipReplyMessage,
  Hash128,
  MemberDigest,
  Message,
  NodeId,
  OperationResult,
  PutOperation,
  ReadOutcome,
  ReplicaItem,
  ReplicateMessage,
  ReplicatePurpose,
  ReplicateReplyMessage,
  ScanMessage,
  ScannedRecord,
  ScanReplyMessage,
  RequestHeader,
  RequestId,
  SetRangeOperation,
  Supersedes,
  TraceStep,
  TraceWord,
  WriteOperation,
  WriteOutcome,
} from './messages.ts';
export { decodeMessage, encodeMessage, messageType } from './message-codec.ts';
export {
  type Applied,
  applyOperation,
  buildsOnHeld,
  isRepeatable,
  type OperationContext,
  type Stamp,
} from './operation.ts';
export { below, type Random } from './random.ts';
export {
  applyDeadline,
  applyWrite,
  type Deadline,
  deadlineMsOf,
  type DottedRecord,
  type DottedValue,
  FOREVER_MS,
  isLive,
  type LiveValue,
  mergeRecords,
  RECORD_TYPE_STRING,
  type RecordWrite,
  recordsEqual,
  SIBLINGS_MAX,
  siblings,
  stripExpired,
  winner,
} from './record.ts';
export {
  decodeRecord,
  decodeRecordContext,
  decodeTrustedRecord,
  encodeRecord,
  recordHeaderBytes,
} from './record-codec.ts';
export type { Hint, ReplicaStore, SlotListing } from './replica-store.ts';
export { type TenureEvidence, type TenureReason, TenureTable, type TenureTableOptions } from './tenure.ts';
export { VersionVector } from './version-vector.ts';
export { newReadCounters, newWriteCounters, type ReadCounters, type WriteCounters } from './coordinator/counters.ts';
export {
  NO_STREAM,
  ReadCoordinator,
  type ReadCoordinatorDependencies,
  type ReadRequest,
} from './coordinator/read-coordinator.ts';
export { type Answer, staleOwners } from './coordinator/read-repair.ts';
export {
  WriteCoordinator,
  type WriteCoordinatorDependencies,
  type WriteRequest,
} from './coordinator/write-coordinator.ts';
export { DeadlineQueue } from './deadline-queue.ts';
export {
  applyPreset,
  checkConsistency,
  type CoordinatorOptions,
  DEFAULT_COORDINATOR_OPTIONS,
  isPresetName,
  type Preset,
  type PresetName,
  PRESETS,
  type ReplicaCount,
  resolveCoordinatorOptions,
} from './options.ts';
export { ReadTally, type ReplicaRole, type Verdict, WriteTally } from './quorum.ts';
