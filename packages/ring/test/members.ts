import type { Member } from '../src/member.ts';

/** Members `n1` to `n<count>`, alike but for what `change` says. */
export function someMembers(count: number, change: (index: number) => Partial<Member> = () => ({})): Member[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `n${i + 1}`,
    number: i + 1,
    host: '127.0.0.1',
    port: 7379 + i,
    peerPort: 17379 + i,
    weight: 1,
    ...change(i),
  }));
}

export const inZones = (count: number) => (index: number) => ({ zone: `z${index % count}` });
