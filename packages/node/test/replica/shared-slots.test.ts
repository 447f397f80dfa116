import { parseInitialMembers, Ring } from '@kvd/ring';
import { describe, expect, test } from 'vitest';
import { sharedSlots } from '../../src/replica/shared-slots.ts';

const names = ['a', 'b', 'c', 'd', 'e'];
const ring = Ring.initial(parseInitialMembers(names.map((id, i) => `${id}=10.0.0.${i}:7379`).join(',')), {
  replicas: 3,
});

describe('the slots that a node shares with others', () => {
  test.for([1, 2, 3])('are those of which both are among the first %i of the row', (group) => {
    const shared = sharedSlots(ring, 'b', group);
    expect(shared.map(({ peer }) => peer)).toEqual(group === 1 ? [] : ['a', 'c', 'd', 'e']);
    for (const { peer, runs } of shared) {
      const listed = new Set(
        [...runs].flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i)),
      );
      for (let slot = 0; slot < 16_384; slot++) {
        const owners = ring.row(slot).slice(0, group);
        if (listed.has(slot) !== (owners.includes('b') && owners.includes(peer))) throw new Error(`${peer} ${slot}`);
      }
    }
  });

  test('come as few runs: neighbours are joined', () => {
    for (const { runs } of sharedSlots(ring, 'b', 3)) {
      const list = [...runs];
      list.forEach(([from], i) => {
        if (i > 0) expect(from).toBeGreaterThan((list[i - 1]?.[1] ?? 0) + 1);
      });
    }
  });
});
