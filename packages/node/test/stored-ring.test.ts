import { parseInitialMembers, Ring } from '@kvd/ring';
import { describe, expect, it } from 'vitest';
import { refuseOtherConfigThanStored, refuseOtherPlaceThanGiven } from '../src/stored-ring.ts';

const MEMBERS = 'n1=10.0.0.1:7379,n2=10.0.0.2:7379@9000/2';
const ringOf = (text: string) => Ring.initial(parseInitialMembers(text));
const given = { id: 'n1', host: '0.0.0.0', port: 7379, peerPort: 17_379, dataDirectory: './d' };
const check = (more: Partial<typeof given>, members = MEMBERS, ring = ringOf(MEMBERS)) =>
  refuseOtherConfigThanStored(ring, { ...given, ...more }, parseInitialMembers(members));
const refused = (text: string) => expect.objectContaining({ code: 'NODE_BAD_CONFIG', message: text });

describe('refuseOtherConfigThanStored', () => {
  it('takes what was stored, in any order, and any address that may lead to the stored one', () => {
    check({});
    check({}, 'n2=10.0.0.2:7379@9000/2,n1=10.0.0.1:7379@17379');
    for (const host of ['10.0.0.1', '::', '192.168.0.1', 'n1.example', 'localhost']) check({ host });
  });

  it('says which port is stored, which was given, and what to do', () => {
    const what = "the data in ./d is that of 'n1' with";
    expect(() => check({ port: 7400 })).toThrow(
      refused(`${what} --port 7379, and --port 7400 was given: use --port 7379, or another --data`),
    );
    expect(() => check({ peerPort: 1 })).toThrow(
      refused(`${what} --peer-port 17379, and --peer-port 1 was given: use --peer-port 17379, or another --data`),
    );
  });

  it('refuses an address that only this machine reaches when the ring has another', () => {
    expect(() => check({ host: '127.0.0.1' })).toThrow(/--host 10\.0\.0\.1, and --host 127\.0\.0\.1 was given/);
  });

  it.each([
    ['fewer', 'n1=10.0.0.1:7379'],
    ['more', `${MEMBERS},n3=10.0.0.3:7379`],
    ['another address', MEMBERS.replace('10.0.0.2', '10.0.0.4')],
    ['another port', MEMBERS.replace('10.0.0.2:7379', '10.0.0.2:7380')],
    ['another peer port', MEMBERS.replace('9000', '9001')],
    ['another weight', MEMBERS.replace('/2', '/3')],
  ])('refuses other members: %s', (_, members) => {
    const text = `the data in ./d belongs to a cluster with the initial members ${MEMBERS}, and ${members} was given: give --initial-members as before, or another --data`;
    expect(() => check({}, members)).toThrow(refused(text));
  });

  it('compares no initial members with a later ring, and the ports all the same', () => {
    const first = ringOf(MEMBERS);
    const later = new Ring({ epoch: 2, replicas: first.replicas, members: first.members, runs: first.runs() });
    check({}, 'n1=10.0.0.1:7379', later);
    expect(() => check({ port: 7400 }, MEMBERS, later)).toThrow(/--port 7379/);
  });
});

it('a first start where initial members have the node elsewhere is refused', () => {
  refuseOtherPlaceThanGiven(ringOf(MEMBERS), given);
  expect(() => refuseOtherPlaceThanGiven(ringOf(MEMBERS), { ...given, port: 7400 })).toThrow(
    refused("--initial-members says that 'n1' has --port 7379, and --port 7400 was given: make them the same"),
  );
});
