import { describe, expect, test } from 'vitest';
import { controlFrame, TYPE_HELLO, TYPE_REFUSAL, writeWhole } from '../../src/transport/frame.ts';
import { Handshake } from '../../src/transport/handshake.ts';
import { decodeRefusal } from '../../src/transport/hello.ts';
import { fetch, fetchReply, TestCluster, TestNode } from './cluster.ts';
import { pattern } from './frames.ts';

/** Two nodes that are connected both ways. */
function pair(options: ConstructorParameters<typeof TestCluster>[1] = {}): {
  cluster: TestCluster;
  a: TestNode;
  b: TestNode;
} {
  const cluster = new TestCluster(['a', 'b'], options);
  const a = cluster.start('a');
  const b = cluster.start('b');
  cluster.time.advance(2000);
  return { cluster, a, b };
}

test('nodes find each other, and messages go both ways with the hybrid time', () => {
  const { cluster, a, b } = pair();
  b.onMessage = (from, message) => b.transport.send(from, fetchReply(message.stream));
  expect([a.transport.reachable('b'), b.transport.reachable('a'), a.transport.reachable('a')]).toEqual([
    true,
    true,
    true,
  ]);
  expect(a.transport.send('b', fetch(5))).toBe(true);
  cluster.time.advance(10);
  expect(b.received).toMatchObject([{ from: 'a', hybridTime: 77, message: { kind: 'fetch', stream: 5 } }]);
  expect(a.received).toMatchObject([{ from: 'b', hybridTime: 77, message: { kind: 'fetch-reply', stream: 5 } }]);
  expect([a.events, b.events]).toEqual([['b reachable'], ['a reachable']]);
});

test('what has been received is not overwritten by what comes next', () => {
  const { cluster, a, b } = pair();
  a.transport.send('b', fetch(1, { bytes: Buffer.from('first') }));
  cluster.time.advance(10);
  a.transport.send('b', fetch(2, { bytes: Buffer.from('other') }));
  cluster.time.advance(10);
  const [first] = b.received.map(({ message }) => (message.kind === 'fetch' ? message.addresses[0] : undefined));
  expect(Buffer.from(first as Uint8Array).toString()).toBe('first');
});

test('all messages of a turn leave in one write', () => {
  const { cluster, a, b } = pair();
  let pieces = 0;
  cluster.network.corrupt = (piece, from) => {
    if (from === 'a' && piece.includes('address')) pieces++;
    return piece;
  };
  for (let stream = 1; stream <= 20; stream++) a.transport.send('b', fetch(stream));
  expect(b.received).toEqual([]);
  cluster.time.advance(10);
  expect([b.received.length, pieces]).toEqual([20, 1]);
});

test('long and short messages arrive whole in pieces of any size', () => {
  let turn = 0;
  const { cluster, a, b } = pair({ pieceBytes: () => [1, 70_000, 300, 33_333][turn++ % 4] as number });
  const values = [0, 1, 2].map((index) => pattern(700_000 + index, index));
  values.forEach((bytes, index) => {
    a.transport.send('b', fetch(index + 1, { bytes }));
  });
  a.transport.send('b', fetch(4));
  cluster.time.advance(1000);
  expect(b.received.map(({ message }) => message.stream)).toEqual([4, 1, 2, 3]);
  for (const { message } of b.received.slice(1)) {
    if (message.kind !== 'fetch') throw new Error(message.kind);
    expect(values[message.stream - 1]?.equals(message.addresses[0] as Uint8Array)).toBe(true);
  }
});

test('a message to a node that cannot be reached is dropped and counted', () => {
  const cluster = new TestCluster(['a', 'b']);
  const a = cluster.start('a');
  expect([a.transport.reachable('b'), a.transport.send('b', fetch(1))]).toEqual([false, false]);
  expect(a.transport.send('nobody', fetch(1))).toBe(false);
  expect(a.transport.counters).toMatchObject({ droppedUnreachable: 2, sent: 0 });
});

describe('when a peer', () => {
  test('dies, it is unreachable at once, and reachable soon after it is back', () => {
    const { cluster, a } = pair();
    cluster.network.crash('b');
    cluster.time.advance(5);
    expect(a.transport.reachable('b')).toBe(false);
    cluster.time.advance(60_000);
    cluster.start('b', { incarnation: 2 });
    cluster.time.advance(10);
    expect(a.events).toEqual(['b reachable', 'b unreachable', 'b reachable']);
  });

  test('is away, it is dialled with growing waits, but each second', () => {
    const cluster = new TestCluster(['a', 'b']);
    const a = cluster.start('a');
    const dials = (): number => a.log.filter(({ event }) => event === 'peer-unreachable').length;
    cluster.time.advance(1000);
    const inFirst = dials();
    expect(inFirst).toBeGreaterThanOrEqual(4);
    expect(inFirst).toBeLessThan(10);
    const before = dials();
    cluster.time.advance(60_000);
    // Waits of 1000 ms spread by this test's chance to 750.
    expect(dials() - before).toBeGreaterThan(50);
    expect(dials() - before).toBeLessThan(100);
  });

  test.each(['a to b', 'b to a'])(
    'cannot be heard or does not hear (%s cut), both ends notice within four seconds',
    (way) => {
      const { cluster, a, b } = pair();
      const [from, to] = way.split(' to ') as [string, string];
      cluster.network.cut(from, to);
      cluster.time.advance(2000);
      expect([a.transport.reachable('b'), b.transport.reachable('a')]).toEqual([true, true]);
      cluster.time.advance(2500);
      expect([a.transport.reachable('b'), b.transport.reachable('a')]).toEqual([false, false]);
      cluster.network.heal(from, to);
      cluster.time.advance(5000);
      expect([a.transport.reachable('b'), b.transport.reachable('a')]).toEqual([true, true]);
    },
  );

  test('says nothing for long but answers pings, it stays reachable, and its distance is known', () => {
    const { cluster, a } = pair();
    cluster.time.advance(600_000);
    expect(a.events).toEqual(['b reachable']);
    expect(a.transport.roundTripMs('b')).toBeCloseTo(2, 5);
  });

  test('restarts, a reply to its former self does not reach it', () => {
    const { cluster, a, b } = pair();
    a.transport.send('b', fetch(5));
    cluster.time.advance(10);
    cluster.network.crash('a');
    const again = cluster.start('a', { incarnation: 2 });
    cluster.time.advance(2000);
    again.transport.send('b', fetch(6));
    cluster.time.advance(10);
    expect([b.transport.send('a', fetchReply(5)), b.transport.send('a', fetchReply(6))]).toEqual([false, true]);
    cluster.time.advance(10);
    expect(again.received.map(({ message }) => message.stream)).toEqual([6]);
    expect(b.transport.counters.droppedReplies).toBe(1);
  });

  test('restarts unnoticed, the connections of its former self are closed', () => {
    const { cluster, a, b } = pair();
    cluster.network.cut('a', 'b');
    cluster.network.crash('a');
    cluster.time.advance(10);
    cluster.network.heal('a', 'b');
    expect([b.transport.reachable('a'), cluster.network.sockets]).toEqual([true, 2]);
    const again = cluster.start('a', { incarnation: 2 });
    cluster.time.advance(100);
    expect(b.events).toEqual(['a reachable', 'a unreachable', 'a reachable']);
    expect(cluster.network.sockets).toBe(4);
    b.transport.send('a', fetch(1));
    cluster.time.advance(10);
    expect([a.received.length, again.received.length]).toEqual([0, 1]);
  });

  test('is connected, an older incarnation of it is refused', () => {
    const cluster = new TestCluster(['a', 'b']);
    const b = cluster.start('b');
    cluster.start('a', { incarnation: 7 });
    cluster.time.advance(1000);
    const hello = handshake('a', 6).hello('b');
    const stranger = cluster.dial('b');
    stranger.socket.write(controlFrame(TYPE_HELLO, hello));
    cluster.time.advance(10);
    expect(stranger.received()[6]).toBe(TYPE_REFUSAL);
    expect(decodeRefusal(stranger.received().subarray(20)).reason).toMatch(/incarnation 6 of a is older than 7/);
    expect(b.transport.reachable('a')).toBe(true);
  });
});

const handshake = (id: string, incarnation = 1): Handshake =>
  new Handshake({ self: { id, incarnation, clusterId: Buffer.alloc(16, 1), generation: 1 }, nonce: Buffer.alloc(16) });

/** A stranger that has shaken hands as node `id`. */
function guest(cluster: TestCluster, to: string, id: string): ReturnType<TestCluster['dial']> {
  const dialled = cluster.dial(to);
  dialled.socket.write(controlFrame(TYPE_HELLO, handshake(id).hello(to)));
  cluster.time.advance(10);
  expect(dialled.received()[6]).toBe(TYPE_HELLO);
  return dialled;
}

describe('refused is', () => {
  test('a node of another cluster, both sides say so once, and the reason can be asked for', () => {
    const cluster = new TestCluster(['a', 'b']);
    const a = cluster.start('a');
    const b = cluster.start('b', { clusterId: Buffer.alloc(16, 2) });
    cluster.time.advance(20_000);
    expect([a.transport.reachable('b'), b.transport.reachable('a')]).toEqual([false, false]);
    expect(a.transport.refusal('b')).toMatch(/a is of cluster (01){16}, b is of another one/);
    for (const { log } of [a, b]) {
      const warnings = log.filter(({ level, event }) => level === 'warn' && event === 'peer-refused');
      expect(warnings.map(({ fields }) => fields?.by).sort()).toEqual(['here', 'peer']);
    }
    expect([a.received, a.events, b.events]).toEqual([[], [], []]);
  });

  test('another node at the address of a peer', () => {
    const cluster = new TestCluster(['a', 'b', 'c']);
    cluster.start('b');
    const a = cluster.start('a', { hosts: { c: 'b' } });
    cluster.time.advance(2000);
    expect(a.transport.refusal('c')).toBe('a looks for c, this is b');
    expect([a.transport.reachable('b'), a.transport.reachable('c')]).toEqual([true, false]);
  });

  test('a node that dials itself', () => {
    const cluster = new TestCluster(['a', 'b']);
    const a = cluster.start('a', { hosts: { b: 'a' } });
    cluster.time.advance(2000);
    expect(a.transport.refusal('b')).toBe('a has dialled itself');
  });
});

describe('a stranger is closed', () => {
  test('that speaks another protocol, while others are served', () => {
    const { cluster, a, b } = pair();
    const stranger = cluster.dial('b');
    stranger.socket.write(Buffer.from('GET / HTTP/1.1\r\nHost: b\r\n\r\n'));
    cluster.time.advance(10);
    expect([stranger.isClosed(), stranger.received().length]).toEqual([true, 0]);
    a.transport.send('b', fetch(1));
    cluster.time.advance(10);
    expect(b.received).toHaveLength(1);
    expect([b.transport.counters.badFrames, a.events]).toEqual([1, ['b reachable']]);
  });

  test('that says nothing', () => {
    const { cluster } = pair();
    const stranger = cluster.dial('b');
    cluster.time.advance(2000);
    expect(stranger.isClosed()).toBe(false);
    cluster.time.advance(3000);
    expect(stranger.isClosed()).toBe(true);
  });

  test('that sends a message first', () => {
    const { cluster, b } = pair();
    const stranger = cluster.dial('b');
    const frame = Buffer.alloc(30);
    writeWhole(frame, 0, 1, 1, Buffer.alloc(10));
    stranger.socket.write(frame);
    cluster.time.advance(10);
    expect([stranger.isClosed(), b.received]).toEqual([true, []]);
  });

  test('that claims a large first frame', () => {
    const { cluster } = pair();
    const stranger = cluster.dial('b');
    stranger.socket.write(controlFrame(TYPE_HELLO, Buffer.alloc(4097)).subarray(0, 20));
    cluster.time.advance(10);
    expect(stranger.isClosed()).toBe(true);
  });

  test('when there are too many of them', () => {
    const { cluster } = pair();
    const strangers = Array.from({ length: 70 }, () => cluster.dial('b'));
    cluster.time.advance(10);
    expect(strangers.filter((stranger) => stranger.isClosed())).toHaveLength(6);
  });

  test('that is refused and does not leave', () => {
    const { cluster } = pair();
    const stranger = cluster.dial('b');
    stranger.socket.write(controlFrame(TYPE_HELLO, handshake('b').hello('b')));
    stranger.socket.pause();
    const before = cluster.network.sockets;
    cluster.time.advance(10_000);
    expect([before, cluster.network.sockets]).toEqual([5, 4]);
  });
});

describe('a peer whose connection is closed for it:', () => {
  test('bytes that are no frame close that connection only', () => {
    const { cluster, a, b } = pair();
    const other = guest(cluster, 'b', 'c');
    other.socket.write(Buffer.alloc(20, 1));
    cluster.time.advance(10);
    expect([other.isClosed(), a.events, b.events]).toEqual([true, ['b reachable'], ['a reachable']]);
  });

  test('strangers that send rubbish are logged once in 10 s for each address, with the number of those between', () => {
    const { cluster, b } = pair();
    const knock = (): void => {
      cluster.dial('b').socket.write(Buffer.alloc(20, 1));
      cluster.time.advance(10);
    };
    const lines = (): unknown[] =>
      b.log.filter(({ event }) => event === 'peer-bad-frame').map(({ fields }) => fields?.['notLogged']);
    for (let i = 0; i < 30; i++) knock();
    expect([lines(), b.transport.counters.badFrames]).toEqual([[undefined], 30]);
    cluster.time.advance(10_000);
    knock();
    expect(lines()).toEqual([undefined, 29]);
  });

  test('a frame that is no message', () => {
    const { cluster, b } = pair();
    const other = guest(cluster, 'b', 'c');
    const frame = Buffer.alloc(20);
    writeWhole(frame, 0, 200, 1, Buffer.alloc(0));
    other.socket.write(frame);
    cluster.time.advance(10);
    expect([other.isClosed(), b.transport.counters.badMessages, b.received]).toEqual([true, 1, []]);
    expect(b.log.at(-1)).toMatchObject({ level: 'warn', event: 'peer-bad-message', fields: { peer: 'c' } });
  });

  test('a second hello', () => {
    const { cluster } = pair();
    const other = guest(cluster, 'b', 'c');
    other.socket.write(controlFrame(TYPE_HELLO, handshake('c').hello('b')));
    cluster.time.advance(10);
    expect(other.isClosed()).toBe(true);
  });

  test('silence', () => {
    const { cluster } = pair();
    const other = guest(cluster, 'b', 'c');
    cluster.time.advance(4500);
    expect(other.isClosed()).toBe(true);
  });
});

describe('a slow peer', () => {
  test('that asks for more than may wait for it gets all answers, made as there is room for them', () => {
    const cluster = new TestCluster(['a', 'b']);
    const a = cluster.start('a');
    const b = cluster.start('b', { options: { queueBytesMax: 2 * 1024 * 1024, holdBytes: 1024 * 1024 } });
    cluster.time.advance(2000);
    const record = pattern(512 * 1024, 1);
    b.onMessage = (from, message) => b.transport.send(from, fetchReply(message.stream, record));
    for (let stream = 1; stream <= 20; stream++) a.transport.send('b', fetch(stream));
    cluster.time.advance(10);
    expect(b.received.length).toBeLessThan(8);
    cluster.time.advance(900);
    expect(a.received).toHaveLength(20);
    expect(b.transport.counters).toMatchObject({ droppedOverflow: 0, expired: 0 });
    expect(b.transport.counters.heldFetches).toBeGreaterThan(10);
  });

  test('is not answered what it has given up to ask', () => {
    const cluster = new TestCluster(['a', 'b']);
    const a = cluster.start('a');
    const b = cluster.start('b', { options: { queueBytesMax: 2 * 1024 * 1024, holdBytes: 1024 * 1024 } });
    cluster.time.advance(2000);
    b.onMessage = (from, message) => b.transport.send(from, fetchReply(message.stream, pattern(512 * 1024, 1)));
    cluster.network.cut('b', 'a');
    for (let stream = 1; stream <= 20; stream++) a.transport.send('b', fetch(stream, { remainingMs: 500 }));
    cluster.time.advance(1500);
    const asked = b.received.length;
    cluster.network.heal('b', 'a');
    cluster.time.advance(900);
    expect(b.received).toHaveLength(asked);
  });

  test('fills its queue, and no more is taken until it reads', () => {
    const { cluster, a, b } = pair();
    cluster.network.cut('a', 'b');
    const bytes = Buffer.alloc(1_000_000, 1);
    let sent = 0;
    for (let stream = 1; stream <= 100; stream++) {
      if (a.transport.send('b', fetch(stream, { bytes, remainingMs: 60_000 }))) sent++;
    }
    expect(sent).toBe(Math.ceil((64 * 1024 * 1024) / 1_000_100));
    expect(a.transport.counters).toMatchObject({ droppedOverflow: 100 - sent, sent });
    cluster.time.advance(500);
    cluster.network.heal('a', 'b');
    cluster.time.advance(1500);
    expect(b.received).toHaveLength(sent);
    expect(a.events).toEqual(['b reachable']);
  });

  test('does not get what it would get too late', () => {
    const { cluster, a, b } = pair();
    cluster.network.cut('a', 'b');
    a.transport.send('b', fetch(1, { bytes: Buffer.alloc(200_000), remainingMs: 60_000 }));
    cluster.time.advance(10);
    a.transport.send('b', fetch(2, { remainingMs: 100 }));
    a.transport.send('b', fetch(3, { remainingMs: 5000 }));
    cluster.time.advance(1000);
    cluster.network.heal('a', 'b');
    cluster.time.advance(2000);
    expect(b.received.map(({ message }) => message.stream)).toEqual([1, 3]);
    expect(a.transport.counters.expired).toBe(1);
  });
});

test('a request is answered once', () => {
  const { cluster, a, b } = pair();
  a.transport.send('b', fetch(5));
  cluster.time.advance(10);
  expect([1, 2].map(() => b.transport.send('a', fetchReply(5)))).toEqual([true, false]);
  expect(b.transport.send('a', fetchReply(6))).toBe(false);
});

test('a reply on a connection for requests is dropped', () => {
  const { cluster, a, b } = pair();
  const other = guest(cluster, 'b', 'c');
  // What node a would send as a request, and then the same as a reply, from c.
  let captured: Buffer | undefined;
  cluster.network.corrupt = (piece, from) => {
    if (from === 'b' && !captured) captured = Buffer.from(piece);
    return piece;
  };
  a.transport.send('b', fetch(5));
  b.onMessage = (from, message) => b.transport.send(from, fetchReply(message.stream));
  cluster.time.advance(5);
  other.socket.write(captured as Buffer);
  cluster.time.advance(5);
  expect(b.received).toHaveLength(1);
  expect(b.transport.counters.droppedMisdirected).toBe(1);
});

test('peers that are new are dialled, and those that are gone are left', () => {
  const { cluster, a } = pair();
  cluster.start('c');
  cluster.ids.push('c');
  cluster.time.advance(1100);
  expect(a.transport.reachable('c')).toBe(true);
  cluster.ids.splice(1, 1);
  a.transport.refresh();
  expect([a.transport.reachable('b'), a.events.at(-1)]).toEqual([false, 'b unreachable']);
});

test('a port that is taken is an error that names the flag', () => {
  const cluster = new TestCluster(['a']);
  cluster.start('a');
  expect(() => cluster.start('a')).toThrow(
    expect.objectContaining({
      code: 'NODE_PORT_IN_USE',
      message: expect.stringMatching(/a:17379 is in use; --peer-port/),
    }),
  );
});

describe('stop', () => {
  test('sends what waits, closes everything and leaves no timer', () => {
    const cluster = new TestCluster(['a', 'b']);
    const b = cluster.start('b');
    const a = cluster.start('a');
    cluster.time.advance(1000);
    a.transport.send('b', fetch(1));
    const stopped: string[] = [];
    a.transport.stop(() => stopped.push('a'));
    expect(stopped).toEqual([]);
    cluster.time.advance(20);
    expect([b.received.length, stopped, b.events.at(-1)]).toEqual([1, ['a'], 'a unreachable']);
    expect(a.events).toEqual(['b reachable']);
    b.transport.stop(() => stopped.push('b'));
    cluster.time.advance(1000);
    expect([stopped, cluster.network.sockets, cluster.time.pending]).toEqual([['a', 'b'], 0, 0]);
  });

  test('does not wait for a peer that does not close', () => {
    const { cluster, a } = pair();
    cluster.network.cut('b', 'a');
    let stopped = false;
    a.transport.stop(() => {
      stopped = true;
    });
    cluster.time.advance(600);
    expect(stopped).toBe(true);
  });

  test('before the listener is there closes it', () => {
    const cluster = new TestCluster(['a']);
    const a = new TestNode(cluster, 'a', {});
    let stopped = false;
    a.transport.start(() => expect.unreachable('it was stopped'));
    a.transport.stop(() => {
      stopped = true;
    });
    cluster.time.advance(10);
    expect([stopped, cluster.time.pending]).toEqual([true, 0]);
    cluster.start('a');
  });
});
