import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { requireFreePorts } from '../../src/kvd/ports.ts';

test('a taken port is named with its purpose and the flag that changes it', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const check = requireFreePorts('127.0.0.1', [{ port, purpose: 'RESP of node-1' }], 'npm start -- --port 7479');
  await expect(check).rejects.toMatchObject({ code: 'CLI_PORT_IN_USE', exitCode: 5 });
  await expect(check).rejects.toThrow(`port ${port} on 127.0.0.1 (RESP of node-1) is taken; stop what runs there`);
  await expect(check).rejects.toThrow('with --port, for example npm start -- --port 7479');
  await new Promise((resolve) => server.close(resolve));
  await requireFreePorts('127.0.0.1', [{ port, purpose: 'RESP of node-1' }], '');
});
