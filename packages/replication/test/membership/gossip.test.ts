import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Membership, type MembershipDependencies } from '../../src/membership/gossip.ts';
import type { MemberDigest, Message, NodeId } from '../../src/messages.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { showMember, Transcript } from '../support/transcript.ts';
import { World } from '../support/world.ts';

const addressOf = (id: NodeId) => ({ id, host: `${id}.test`, port: 7379, peerPort: 17379 });

interface Cluster {
  readonly world: World;
  readonly members: Map<NodeId, Membership>;
  boot(id: NodeId, incarnation: number, over?: Partial<MembershipDependencies>): Membership;
  stateOf(id: NodeId, inTheEyesOf: NodeId): string | undefined;
}

function cluster(
  names: readonly NodeId[],
  options: { seed?: number; loss?: number; repetition?: number } = {},
): Cluster {
  const random = seededRandom(options.seed ?? 1);
  const world = new World({ random, loss: options.loss ?? 0, repetition: options.repetition ?? 0, delayMsMax: 20 });
  const members = new Map<NodeId, Membership>();
  let stream = 0;
  const boot = (id: NodeId, incarnation: number, over: Partial<MembershipDependencies> = {}): Membership => {
    const membership = new Membership({
      self: { ...addressOf(id), incarnation },
      members: names.map(addressOf),
      random,
      out: world.outOf(id),
      nextStream: () => ++stream,
      ...over,
    });
    members.set(id, membership);
    world.stopped.delete(id);
    world.machines.set(id, {
      tick: (now) => membership.tick(now),
      receive: (from, message, now) => {
        if (message.kind === 'gossip' || message.kind === 'gossip-reply') membership.receive(from, message, now);
      },
    });
    world.at(world.now, () => membership.tick(world.now));
    return membership;
  };
  return { world, members, boot, stateOf: (id, eyes) => members.get(eyes)?.member(id)?.state };
}

/** One machine and what it sends. */
function alone(names: readonly NodeId[], over: Partial<MembershipDependencies> = {}) {
  const sent: { to: NodeId; message: Message }[] = [];
  let stream = 0;
  const membership = new Membership({
    self: { ...addressOf('a'), incarnation: 3 },
    members: names.map(addressOf),
    random: seededRandom(5),
    out: { send: (to, message) => sent.push({ to, message }), wakeAt: () => {} },
    nextStream: () => ++stream,
    ...over,
  });
  membership.tick(0);
  return { membership, sent };
}

function digest(id: NodeId, over: Partial<MemberDigest> = {}): MemberDigest {
  return { ...addressOf(id), incarnation: 1, heartbeat: 1, state: 'alive', suspectedBy: [], health: 'OK', ...over };
}

function gossip(...members: MemberDigest[]): Message & { kind: 'gossip' } {
  return { kind: 'gossip', stream: 9, members };
}

describe('one member', () => {
  test('beats once a round, and tells one other member', () => {
    const { membership, sent } = alone(['a', 'b', 'c']);
    const before = membership.member('a')!.heartbeat;
    membership.tick(999);
    membership.tick(1000);
    expect(membership.member('a')!.heartbeat).toBe(before + 1);
    expect(sent.map(({ message }) => message.kind)).toEqual(['gossip', 'gossip']);
  });

  test('answers gossip with its own table, and a reply with nothing', () => {
    const { membership, sent } = alone(['a', 'b']);
    sent.length = 0;
    membership.receive('b', { ...gossip(digest('b')), kind: 'gossip-reply' }, 10);
    expect(sent).toEqual([]);
    membership.receive('b', gossip(digest('b')), 10);
    expect(sent).toMatchObject([{ to: 'b', message: { kind: 'gossip-reply', stream: 9 } }]);
  });

  test('refutes at once what others suspect of it', () => {
    const { membership, sent } = alone(['a', 'b', 'c']);
    membership.receive(
      'b',
      gossip(digest('a', { incarnation: 3, heartbeat: 40, state: 'dead', suspectedBy: ['b', 'c'] })),
      10,
    );
    const reply = sent.at(-1)!.message as Message & { kind: 'gossip-reply' };
    expect(reply.members[0]).toMatchObject({ id: 'a', incarnation: 3, heartbeat: 41, state: 'alive', suspectedBy: [] });
  });

  test('is told when others know a later incarnation of it than it runs with', () => {
    const later: number[] = [];
    const { membership } = alone(['a', 'b'], { onNewerSelf: (incarnation) => later.push(incarnation) });
    membership.receive('b', gossip(digest('a', { incarnation: 4 }), digest('a', { incarnation: 2 })), 10);
    expect(later).toEqual([4]);
    expect(membership.member('a')).toMatchObject({ incarnation: 3, state: 'alive' });
  });

  test('takes no names that are not allowed, from nobody who is not, and no more than the table holds', () => {
    const { membership, sent } = alone(['a', 'b'], { options: { membersMax: 3 }, allowed: (id) => id !== 'evil' });
    sent.length = 0;
    membership.receive('evil', gossip(digest('b', { heartbeat: 9 })), 10);
    membership.receive('b', gossip(digest('evil'), digest('c'), digest('d')), 10);
    expect(membership.members().map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    expect(membership.member('b')!.heartbeat).toBe(0);
    expect(membership.counters.ignored).toBe(3);
    expect(sent).toHaveLength(1);
  });

  test('does not hold a pause of its own against the others', () => {
    const { membership } = alone(['a', 'b', 'c']);
    for (let now = 1000; now <= 4000; now += 1000) membership.tick(now);
    membership.tick(60_000);
    expect(membership.members().map(({ state }) => state)).toEqual(['alive', 'alive', 'alive']);
    membership.tick(61_000);
    membership.tick(62_000);
    expect(membership.member('b')).toMatchObject({ state: 'suspect', suspectedBy: ['a'] });
  });

  test('reports changes of state and health, not heartbeats', () => {
    const changes: string[] = [];
    const { membership } = alone(['a', 'b'], {
      onChange: (member) => changes.push(`${member.id} ${member.state} ${member.health}`),
    });
    membership.receive('b', gossip(digest('b')), 10);
    membership.receive('b', gossip(digest('b', { heartbeat: 2 })), 20);
    membership.receive('b', gossip(digest('b', { heartbeat: 3, health: 'FAILED' })), 30);
    membership.setHealth('READ_ONLY');
    membership.setHealth('READ_ONLY');
    expect(changes).toEqual(['b alive OK', 'b alive FAILED', 'a alive READ_ONLY']);
  });

  test('asks a seed every few rounds, whatever the verdict on it', () => {
    const { membership, sent } = alone(['a', 'b', 'c'], { seeds: ['b'] });
    membership.receive('c', gossip(digest('b', { state: 'left' })), 0);
    sent.length = 0;
    for (let now = 1000; now <= 10_000; now += 1000) membership.tick(now);
    expect(sent.filter(({ to }) => to === 'b')).toHaveLength(2);
  });
});

describe('a cluster', () => {
  test('transcript: a node dies and returns', () => {
    const names = ['a', 'b', 'c'];
    const { world, boot, members } = cluster(names);
    const script = new Transcript();
    const onChange = (eyes: NodeId): Partial<MembershipDependencies> => ({
      onChange: (member) => script.line(world.now, `${eyes} sees ${showMember(member)}`),
    });
    script.note("Three nodes boot. Each tells its table to one other a second, and gets that one's back.");
    world.onDelivery = (from, to, message) => {
      if (world.now < 3000) script.message(world.now, from, to, message);
    };
    for (const name of names) boot(name, 1, onChange(name));
    world.run(10_000);
    script.note(
      'c stops. The others suspect it 5 s after its last heartbeat, and call it dead after 15 s: both have signed.',
    );
    world.stopped.add('c');
    world.run(40_000);
    script.note('c boots with its next incarnation: known again by the next gossip that reaches it.');
    boot('c', 2, onChange('c'));
    world.run(50_000);
    script.line(world.now, `a: ${members.get('a')!.members().map(showMember).join(' ')}`);
    script.expectGolden(new URL('node-dies-and-returns.golden.txt', import.meta.url));
  });

  test('transcript: two islands merge', () => {
    const names = ['a', 'b', 'c', 'd'];
    const { world, boot, members } = cluster(names);
    const script = new Transcript();
    const islandOf = (id: NodeId): number => (id < 'c' ? 0 : 1);
    const show = (): void => {
      for (const name of names)
        script.line(world.now, `${name}: ${members.get(name)!.members().map(showMember).join(' ')}`);
    };
    script.note('a and b never meet c and d: two witnesses on each side call the other side dead.');
    world.link = (from, to) => islandOf(from) === islandOf(to);
    for (const name of names) boot(name, 1);
    world.run(30_000);
    show();
    script.note(
      'The link is mended. Silent members are tried every third round, seeds every fifth: within seconds all are alive.',
    );
    world.link = () => true;
    world.run(36_000);
    show();
    script.expectGolden(new URL('islands-merge.golden.txt', import.meta.url));
  });

  test('a link that is cut in one direction, or between two nodes only, kills nobody', () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const { world, boot, members } = cluster(names, { seed: 3 });
    world.link = (from, to) =>
      !(from === 'a' && to === 'b') && !(from === 'c' && to === 'd') && !(from === 'd' && to === 'c');
    for (const name of names) boot(name, 1);
    world.run(120_000);
    for (const membership of members.values()) expect(membership.counters.deaths).toBe(0);
  });

  test('thirty healthy nodes suspect nobody, and all learn of a change of health within ten seconds', () => {
    const names = Array.from({ length: 30 }, (_, index) => `n${index}`);
    const { world, boot, members } = cluster(names, { seed: 11 });
    for (const name of names) boot(name, 1);
    world.run(50_000);
    members.get('n3')!.setHealth('READ_ONLY');
    world.run(60_000);
    for (const membership of members.values()) {
      expect(membership.counters.suspicions).toBe(0);
      expect(membership.member('n3')!.health).toBe('READ_ONLY');
    }
  });

  test('a restart within the detection time is seen as a new incarnation, and never as a death', () => {
    const names = ['a', 'b', 'c'];
    const { world, boot, stateOf, members } = cluster(names);
    for (const name of names) boot(name, 7);
    world.run(10_000);
    boot('b', 8);
    world.run(14_000);
    expect(members.get('a')!.member('b')!.incarnation).toBe(8);
    expect(stateOf('b', 'c')).toBe('alive');
    expect(members.get('a')!.counters.deaths).toBe(0);
  });

  test("under loss and repetition: the living are not dead in everybody's eyes, the dead are found, all tables agree", () => {
    fc.assert(
      fc.property(
        fc.record({ seed: fc.nat(), nodes: fc.integer({ min: 3, max: 7 }), loss: fc.integer({ min: 0, max: 30 }) }),
        ({ seed, nodes, loss }) => {
          const names = Array.from({ length: nodes }, (_, index) => `n${index}`);
          const { world, boot, stateOf, members } = cluster(names, { seed, loss: loss / 100, repetition: 0.1 });
          for (const name of names) boot(name, 1 + (seed % 5));
          for (let second = 1; second <= 60; second++) {
            world.run(second * 1000);
            for (const name of names) {
              const eyes = names.filter((other) => other !== name);
              expect(eyes.every((other) => stateOf(name, other) === 'dead')).toBe(false);
            }
          }
          const [victim, ...others] = names as [NodeId, ...NodeId[]];
          world.stopped.add(victim);
          world.run(world.now + 45_000);
          for (const other of others) expect(stateOf(victim, other)).toBe('dead');
          boot(victim, 100);
          world.loss = 0;
          world.run(world.now + 15_000);
          for (const name of names) {
            expect([...members.get(name)!.members()].map(({ state }) => state)).toEqual(names.map(() => 'alive'));
          }
        },
      ),
      { numRuns: 15 },
    );
  });
});
