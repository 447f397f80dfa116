import { describe, expect, test } from 'vitest';
import { firstRequestNumber, RequestMemory } from '../src/request-memory.ts';

const OK = { status: 'ok', context: Buffer.from([0]), acknowledged: 2, hinted: 0 } as const;
const id = (n: number) => ({ entry: 'n1', incarnation: 1, n });

describe('the memory of requests', () => {
  test('a request that runs is not run again, and one that has ended is answered with its outcome', () => {
    const memory = new RequestMemory(1000);
    expect(memory.begin(id(7), 0)).toBe('new');
    expect(memory.begin(id(7), 1)).toBe('running');
    memory.end(id(7), OK);
    expect(memory.begin(id(7), 2)).toBe(OK);
  });

  test('requests are forgotten after their time', () => {
    const memory = new RequestMemory(1000);
    memory.begin(id(7), 0);
    expect(memory.begin(id(7), 1000)).toBe('new');
  });

  // Simulation, seeds 3 and 20: a node whose disk was replaced is incarnation 1 again; its writes were "acknowledged", undone.
  test('two lives of one incarnation number their requests apart', () => {
    const memory = new RequestMemory(60_000);
    const first = firstRequestNumber({ fill: (bytes) => void bytes.fill(0x11) });
    const second = firstRequestNumber({ fill: (bytes) => void bytes.fill(0x22) });
    expect(memory.begin(id(first), 0)).toBe('new');
    memory.end(id(first), OK);
    expect(memory.begin(id(second), 1)).toBe('new');
    expect(Number.isSafeInteger(firstRequestNumber({ fill: (bytes) => void bytes.fill(0xff) }) + 2 ** 32)).toBe(true);
  });
});
