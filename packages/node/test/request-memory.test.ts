import type { RequestId, WriteOutcome } from '@kvd/replication';
import { describe, expect, it } from 'vitest';
import { RequestMemory } from '../src/request-memory.ts';

const id = (n: number, more: Partial<RequestId> = {}): RequestId => ({ entry: 'n2', incarnation: 1, n, ...more });
const OK: WriteOutcome = {
  status: 'ok',
  context: Buffer.from('c'),
  acknowledged: 2,
  hinted: 0,
  result: { applied: true, value: undefined },
};

describe('the memory of requests', () => {
  it('a repeated request is running until it has ended, and then has its outcome', () => {
    const memory = new RequestMemory(1000);
    expect(memory.begin(id(1), 0)).toBe('new');
    expect(memory.begin(id(1), 1)).toBe('running');
    memory.end(id(1), OK);
    expect(memory.begin(id(1), 2)).toBe(OK);
  });

  it('tells requests of other nodes and other incarnations apart', () => {
    const memory = new RequestMemory(1000);
    for (const request of [
      id(1),
      id(2),
      id(1, { entry: 'n3' }),
      id(1, { incarnation: 2 }),
      id(11),
      id(1, { incarnation: 11 }),
    ]) {
      expect(memory.begin(request, 0)).toBe('new');
    }
  });

  it('forgets after its time', () => {
    const memory = new RequestMemory(1000);
    memory.begin(id(1), 0);
    expect(memory.begin(id(1), 999)).toBe('running');
    expect(memory.begin(id(1), 1000)).toBe('new');
  });

  it('is bounded: of too many it forgets the oldest', () => {
    const memory = new RequestMemory(1e9);
    for (let n = 0; n <= 200_000; n++) memory.begin(id(n), 0);
    memory.begin(id(-1), 0);
    expect(memory.begin(id(200_000), 0)).toBe('running');
    expect(memory.begin(id(0), 0)).toBe('new');
  });

  it('an outcome of what it has forgotten changes nothing', () => {
    const memory = new RequestMemory(10);
    memory.end(id(5), OK);
    expect(memory.begin(id(5), 0)).toBe('new');
  });
});
