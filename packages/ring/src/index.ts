export { RingError, type RingErrorCode } from './errors.ts';
export { parseInitialMembers } from './initial-members.ts';
export type { Member } from './member.ts';
export { type InitialRingOptions, RING_DEFAULTS } from './options.ts';
export { type PreferenceList, preferenceList } from './preference-list.ts';
export { Ring, type RingParts, type RingRun } from './ring.ts';
export { SLOT_COUNT, slotOf } from './slot.ts';
