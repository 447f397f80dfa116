import { describe, expect, it } from 'vitest';
import { parseInitialMembers } from '../src/initial-members.ts';

describe('Initial members on a command line', () => {
  it('are id, host and port; the peer port is 10000 above, the weight 1', () => {
    expect(parseInitialMembers('a=127.0.0.1:7379')).toEqual([
      { id: 'a', number: 1, host: '127.0.0.1', port: 7379, peerPort: 17379, weight: 1 },
    ]);
  });

  it('may have a peer port and a weight', () => {
    expect(parseInitialMembers('b=db.example.org:6379@9000/2.5, a=[::1]:60000@1')).toEqual([
      { id: 'a', number: 1, host: '::1', port: 60000, peerPort: 1, weight: 1 },
      { id: 'b', number: 2, host: 'db.example.org', port: 6379, peerPort: 9000, weight: 2.5 },
    ]);
  });

  it('are numbered by id, however they are ordered', () => {
    expect(parseInitialMembers('c=h:1,a=h:2,b=h:3')).toEqual(parseInitialMembers('b=h:3,c=h:1,a=h:2'));
  });

  it.each([
    ['', /empty/],
    ['  ', /empty/],
    ['a=h:1,', /'': expected id=host:port/],
    ['a', /'a': expected/],
    ['=h:1', /expected/],
    ['a=h', /expected/],
    ['a=:1', /expected/],
    ['a=::1:7379', /expected/],
    ['a=h:0', /port '0' is not in 1 to 65535/],
    ['a=h:65536', /port '65536'/],
    ['a=h:7x', /port '7x'/],
    ['a=h:60000', /peer port would be 70000; give one with @peerPort/],
    ['a=h:1@0', /peer port '0'/],
    ['a=h:1@2/heavy', /weight 'heavy'/],
    ['a=h:1/0', /weight 0 is not above 0/],
    ['a=h:1/1001', /weight 1001/],
    ['a=h:1,a=h:2', /two members have the id a/],
    ['a=h:1,b=h:1', /two members have the peer address h:10001/],
  ])('are refused, saying why: %s', (text, message) => {
    expect(() => parseInitialMembers(text)).toThrow(message);
    expect(() => parseInitialMembers(text)).toThrow(expect.objectContaining({ code: 'RING_MEMBERS' }));
  });
});
