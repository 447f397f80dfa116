import { describe, expect, test } from 'vitest';
import { nodeMac } from '../../src/runtime/node-mac.ts';
import { TYPE_HELLO, TYPE_PING, TYPE_PROOF } from '../../src/transport/frame.ts';
import { Handshake, type HandshakeOptions, type HandshakeResult } from '../../src/transport/handshake.ts';
import { REFUSAL, splitProof, withProof } from '../../src/transport/hello.ts';
import { PeerSecret } from '../../src/transport/peer-proof.ts';
import { TestCluster } from './cluster.ts';

const secret = (text: string): PeerSecret => new PeerSecret(Buffer.from(text), nodeMac);
const handshake = (id: string, options: Partial<HandshakeOptions> = {}): Handshake =>
  new Handshake({
    self: { id, incarnation: 5, clusterId: Buffer.alloc(16, 0xc1), generation: 1 },
    nonce: Buffer.alloc(16, id.charCodeAt(0)),
    secret: secret('sixteen letters!'),
    ...options,
  });
const disproved = { status: 'refused', refusal: { code: REFUSAL.auth } };

describe('handshake with a secret', () => {
  const begin = (options: Partial<HandshakeOptions> = {}) => {
    const dialler = handshake('a', { expected: 'b' });
    const acceptor = handshake('b', options);
    const challenged = acceptor.receive(TYPE_HELLO, dialler.hello('b'));
    return { dialler, acceptor, challenged, answer: acceptor.hello('a') };
  };
  const proofOf = (result: HandshakeResult): Buffer =>
    (result.status === 'accepted' && result.proof) || Buffer.alloc(0);

  test('each proves itself to the other, the one that was dialled first', () => {
    const { dialler, acceptor, challenged, answer } = begin();
    expect(challenged).toMatchObject({ status: 'challenged', peer: { id: 'a' } });
    const accepted = dialler.receive(TYPE_HELLO, answer);
    expect(accepted).toMatchObject({ status: 'accepted', peer: { id: 'b' } });
    expect(acceptor.receive(TYPE_PROOF, proofOf(accepted))).toMatchObject({ status: 'accepted', peer: { id: 'a' } });
  });

  test('another secret is found out by the one that dialled', () => {
    const { dialler, answer } = begin({ secret: secret('sixteen letters?') });
    expect(dialler.receive(TYPE_HELLO, answer)).toMatchObject(disproved);
  });

  test('no proof, a cut one, that of the other end, and one of another connection are none', () => {
    const earlier = begin();
    const old = proofOf(earlier.dialler.receive(TYPE_HELLO, earlier.answer));
    const wrong = [Buffer.alloc(0), old.subarray(1), splitProof(earlier.answer).proof];
    for (const proof of wrong) expect(begin().acceptor.receive(TYPE_PROOF, proof)).toMatchObject(disproved);
    const other = handshake('b', { nonce: Buffer.alloc(16, 1) });
    other.receive(TYPE_HELLO, handshake('a', { expected: 'b' }).hello('b'));
    other.hello('a');
    expect(other.receive(TYPE_PROOF, old)).toMatchObject(disproved);
    expect(begin().acceptor.receive(TYPE_PING, old)).toMatchObject(disproved);
  });

  test('every byte of the answer counts', () => {
    const { answer } = begin();
    for (let i = 0; i < answer.length; i++) {
      const { dialler } = begin();
      const changed = Buffer.from(answer);
      changed[i] = (changed[i] as number) ^ 1;
      expect(dialler.receive(TYPE_HELLO, changed).status).toBe('refused');
    }
  });

  test('what speaks against the peer is asked again when it has proved itself', () => {
    let isNewerThere = false;
    const stale = { code: REFUSAL.stale, reason: 'older' };
    const { dialler, acceptor, answer } = begin({ objection: () => (isNewerThere ? stale : undefined) });
    const proof = proofOf(dialler.receive(TYPE_HELLO, answer));
    isNewerThere = true;
    expect(acceptor.receive(TYPE_PROOF, proof)).toMatchObject({ status: 'refused', refusal: stale, peer: 'a' });
  });

  test('a node without a secret is refused, and refuses', () => {
    const plain = (id: string, expected?: string): Handshake => handshake(id, { secret: undefined, expected });
    const text = /a has a peer secret and b has none|b has a peer secret and a has none/;
    const refused = { status: 'refused', refusal: { code: REFUSAL.auth, reason: expect.stringMatching(text) } };
    expect(handshake('b').receive(TYPE_HELLO, plain('a', 'b').hello('b'))).toMatchObject(refused);
    expect(plain('b').receive(TYPE_HELLO, handshake('a', { expected: 'b' }).hello('b'))).toMatchObject(refused);
  });

  test('a proof goes in and comes out; the proofs of docs/protocol.md are these', () => {
    const { dialler, answer } = begin();
    const { proof, unproven } = splitProof(answer);
    expect(withProof(unproven, proof)).toEqual(answer);
    expect(proof.toString('hex')).toMatchInlineSnapshot(
      `"43343a8172cf8f0d3ee79a74bad51d44a407ce9fafbf3a437734a2d41287aa8c"`,
    );
    expect(proofOf(dialler.receive(TYPE_HELLO, answer)).toString('hex')).toMatchInlineSnapshot(
      `"c125f73bff9af770d2a6b26b23e5fed94f14417c179e70f4302e14b073f760cb"`,
    );
  });
});

describe('transport', () => {
  const peerSecret = 'a secret of nodes';

  test('nodes with one secret talk', () => {
    const cluster = new TestCluster(['a', 'b'], { pieceBytes: () => 7 });
    const [a, b] = [cluster.start('a', { peerSecret }), cluster.start('b', { peerSecret })];
    cluster.time.advance(2000);
    expect([a.transport.reachable('b'), b.transport.reachable('a')]).toEqual([true, true]);
  });

  test.each([['another secret, no doubt'], ['']])(
    'a node with the secret "%s" reaches nobody; both logs say why',
    (other) => {
      const cluster = new TestCluster(['a', 'b']);
      const [a, b] = [cluster.start('a', { peerSecret }), cluster.start('b', { peerSecret: other })];
      cluster.time.advance(3000);
      expect([a.transport.reachable('b'), b.transport.reachable('a')]).toEqual([false, false]);
      for (const [node, peer] of [
        [a, 'b'],
        [b, 'a'],
      ] as const) {
        const refused = node.log.filter(({ event, level }) => event === 'peer-refused' && level === 'warn');
        expect(refused.map(({ fields }) => [fields?.['by'], fields?.['peer'], fields?.['code']])).toContainEqual([
          'here',
          peer,
          9,
        ]);
        expect(refused.map(({ fields }) => [fields?.['by'], fields?.['peer'], fields?.['code']])).toContainEqual([
          'peer',
          peer,
          9,
        ]);
        expect(JSON.stringify(node.log)).toMatch(/peer secret/);
        expect(JSON.stringify(node.log)).not.toContain(peerSecret);
      }
      expect(a.received).toEqual([]);
    },
  );
});
