import { NodeNetwork } from '../../src/runtime/node-network.ts';
import { networkSuite } from './network-suite.ts';

networkSuite('the network of the machine', () => {
  const network = new NodeNetwork();
  return { server: network, client: network, host: '127.0.0.1', until };
});

/** Goes through the event loop, for 10 s at most. */
async function until(condition: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + 10_000;
  do {
    await new Promise((resolve) => setImmediate(resolve));
    if (performance.now() > giveUpAt) throw new Error('it did not happen in 10 s');
  } while (!condition());
}
