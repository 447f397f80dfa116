import { expect, it } from 'vitest';
import { parseInitialMembers, preferenceList, Ring, slotOf } from '../src/index.ts';

it('the example of README.md runs', () => {
  const members = parseInitialMembers('a=10.0.0.1:7379,b=10.0.0.2:7379,c=10.0.0.3:7379,d=10.0.0.4:7379');
  const ring = Ring.initial(members, { replicas: 3 });
  const slot = slotOf(Buffer.from('{user1000}.following'));
  const { owners, fallbacks } = preferenceList(ring, slot, 3);
  expect([slot, owners.length, fallbacks.length]).toEqual([3443, 3, 1]);
  expect(Ring.decode(ring.encode()).hash).toBe(ring.hash);
});
