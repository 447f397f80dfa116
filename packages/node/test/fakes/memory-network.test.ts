import { networkSuite } from '../runtime/network-suite.ts';
import { ManualTime } from './manual-time.ts';
import { MemoryNetwork } from './memory-network.ts';

networkSuite('a network in memory', () => {
  const time = new ManualTime();
  const network = new MemoryNetwork(time);
  const until = async (condition: () => boolean): Promise<void> => {
    let patience = 10_000;
    do {
      time.advance(1);
      if (patience-- === 0) throw new Error('it did not happen in 10 s');
    } while (!condition());
  };
  return { server: network.host('b'), client: network.host('a'), host: 'b', until };
});
