/** What every Network does, real or not. A harness gives two hosts, and lets time pass until something is so. */
import { afterEach, describe, expect, test } from 'vitest';
import type { Listener, Network, Socket, SocketHandlers } from '../../src/runtime.ts';

export interface NetworkHarness {
  readonly server: Network;
  readonly client: Network;
  readonly host: string;
  /** Lets time pass until `condition` holds; rejects when it takes too long. */
  until(condition: () => boolean): Promise<void>;
}

/** Records what a socket tells. */
class Recorder implements SocketHandlers {
  isConnected = false;
  received = Buffer.alloc(0);
  drains = 0;
  closes: (Error | undefined)[] = [];

  connected(): void {
    this.isConnected = true;
  }
  data(chunk: Buffer): void {
    this.received = Buffer.concat([this.received, chunk]);
  }
  drained(): void {
    this.drains++;
  }
  closed(error?: Error): void {
    this.closes.push(error);
  }
}

/** The same, for one that keeps its half open. */
class HalfRecorder extends Recorder {
  ends = 0;
  ended(): void {
    this.ends++;
  }
}

export function networkSuite(name: string, createHarness: () => NetworkHarness): void {
  describe(name, () => {
    const opened: { listeners: Listener[]; sockets: Socket[] } = { listeners: [], sockets: [] };

    afterEach(() => {
      for (const socket of opened.sockets.splice(0)) socket.destroy();
      for (const listener of opened.listeners.splice(0)) listener.close(() => {});
    });

    async function listen(harness: NetworkHarness, accept: (socket: Socket) => void, port = 0): Promise<Listener> {
      let result: { error: Error | undefined; listener: Listener | undefined } | undefined;
      harness.server.listen({ host: harness.host, port }, accept, (error, listener) => {
        result = { error, listener };
      });
      expect(result, 'called back within the call').toBeUndefined();
      await harness.until(() => result !== undefined);
      if (result?.error) throw result.error;
      opened.listeners.push(result?.listener as Listener);
      return result?.listener as Listener;
    }

    async function pair(
      harness: NetworkHarness,
      far: Recorder,
      near: Recorder,
    ): Promise<{ far: Socket; near: Socket }> {
      let accepted: Socket | undefined;
      const listener = await listen(harness, (socket) => {
        socket.handle(far);
        accepted = socket;
      });
      const socket = harness.client.connect({ host: harness.host, port: listener.port }, near);
      expect(near.isConnected, 'connected within the call').toBe(false);
      await harness.until(() => accepted !== undefined && near.isConnected);
      opened.sockets.push(socket, accepted as Socket);
      return { far: accepted as Socket, near: socket };
    }

    test('bytes arrive in order, both ways', async () => {
      const harness = createHarness();
      const [far, near] = [new Recorder(), new Recorder()];
      const sockets = await pair(harness, far, near);
      expect(sockets.far.remoteAddress).toMatch(/:\d+$/);
      for (const part of ['one ', 'two ', 'three']) sockets.near.write(Buffer.from(part));
      await harness.until(() => far.received.length === 13);
      sockets.far.write(Buffer.from('four'));
      await harness.until(() => near.received.length === 4);
      expect([far.received.toString(), near.received.toString()]).toEqual(['one two three', 'four']);
    });

    test('a connection that nobody listens for is closed with ECONNREFUSED', async () => {
      const harness = createHarness();
      const listener = await listen(harness, () => {});
      let closed = false;
      listener.close(() => {
        closed = true;
      });
      await harness.until(() => closed);
      const near = new Recorder();
      harness.client.connect({ host: harness.host, port: listener.port }, near);
      await harness.until(() => near.closes.length > 0);
      expect(near.closes[0]).toMatchObject({ code: 'ECONNREFUSED' });
      expect(near.isConnected).toBe(false);
    });

    test('a port that is taken is refused with EADDRINUSE', async () => {
      const harness = createHarness();
      const { port } = await listen(harness, () => {});
      await expect(listen(harness, () => {}, port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    });

    test('a receiver that is paused holds the sender back until it goes on', async () => {
      const harness = createHarness();
      const [far, near] = [new Recorder(), new Recorder()];
      const sockets = await pair(harness, far, near);
      sockets.far.pause();
      const block = Buffer.alloc(256 * 1024, 7);
      let blocks = 0;
      let more = true;
      while (more || near.drains > 0) {
        near.drains = 0;
        more = sockets.near.write(block);
        blocks++;
        // What the system itself buffers may be taken yet; give it the time.
        for (let turn = 0; !more && near.drains === 0 && turn < 20; turn++) await harness.until(() => true);
      }
      expect(sockets.near.bufferedBytes).toBeGreaterThan(0);
      sockets.far.resume();
      await harness.until(() => far.received.length === blocks * block.length && near.drains === 1);
      expect(sockets.near.bufferedBytes).toBe(0);
      expect(far.received.every((byte) => byte === 7)).toBe(true);
    });

    test('after one end has ended, the other may still send', async () => {
      const harness = createHarness();
      const [far, near] = [new HalfRecorder(), new Recorder()];
      const sockets = await pair(harness, far, near);
      sockets.near.write(Buffer.from('question'));
      sockets.near.end();
      await harness.until(() => far.ends === 1);
      expect(far.received.toString()).toBe('question');
      sockets.far.write(Buffer.from('answer'));
      sockets.far.end();
      await harness.until(() => near.closes.length + far.closes.length === 2);
      expect(near.received.toString()).toBe('answer');
      expect([...near.closes, ...far.closes]).toEqual([undefined, undefined]);
    });

    test('who does not care about an end ends in return', async () => {
      const harness = createHarness();
      const [far, near] = [new Recorder(), new Recorder()];
      const sockets = await pair(harness, far, near);
      sockets.near.end();
      await harness.until(() => near.closes.length + far.closes.length === 2);
    });

    test('destroy closes both ends, each once', async () => {
      const harness = createHarness();
      const [far, near] = [new Recorder(), new Recorder()];
      const sockets = await pair(harness, far, near);
      sockets.near.destroy();
      expect(near.closes, 'closed within the call').toEqual([]);
      await harness.until(() => near.closes.length > 0 && far.closes.length > 0);
      sockets.near.destroy();
      sockets.near.write(Buffer.from('too late'));
      await harness.until(() => true);
      expect([near.closes.length, far.closes.length]).toEqual([1, 1]);
      expect(near.closes[0]).toBeUndefined();
    });

    test('a listener that is closed leaves its connections alone', async () => {
      const harness = createHarness();
      const [far, near] = [new Recorder(), new Recorder()];
      const sockets = await pair(harness, far, near);
      let closed = false;
      opened.listeners.pop()?.close(() => {
        closed = true;
      });
      await harness.until(() => closed);
      sockets.near.write(Buffer.from('still here'));
      await harness.until(() => far.received.length === 10);
    });
  });
}
