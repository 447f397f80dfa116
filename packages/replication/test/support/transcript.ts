/** Messages as lines that people read; golden transcripts are made of them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { MemberDigest, Message, NodeId, ReplicaItem } from '../../src/messages.ts';
import { latin1 } from './memory-replica-store.ts';

function showAddress(bytes: Uint8Array): string {
  return bytes.length === 0 ? '-' : `${bytes[0]! * 256 + bytes[1]!}/${latin1(bytes.subarray(2))}`;
}

function showItems(items: readonly ReplicaItem[]): string {
  return `[${items.map(({ address, record }) => `${showAddress(address)}=${latin1(record)}`).join(' ')}]`;
}

export function showMember(member: MemberDigest): string {
  const by = member.suspectedBy.length > 0 ? ` by ${member.suspectedBy.join('+')}` : '';
  return `${member.id}(${member.incarnation}.${member.heartbeat} ${member.state}${by})`;
}

export function showMessage(message: Message): string {
  switch (message.kind) {
    case 'gossip':
    case 'gossip-reply':
      return `${message.kind} ${message.members.map(showMember).join(' ')}`;
    case 'replicate':
      return `replicate (${message.purpose}, ${message.durability}) ${showItems(message.items)}`;
    case 'replicate-reply':
      return `replicate-reply ${message.status}${message.reason && ` (${message.reason})`}`;
    case 'exchange-leaves':
      return (
        `exchange-leaves slots ${message.fromSlot}-${message.toSlot}, not zero: ` +
        `[${message.leaves.map(({ slot }) => slot).join(' ')}]`
      );
    case 'exchange-leaves-reply':
      return `exchange-leaves-reply ${message.status}, differing: [${message.differing.join(' ')}]`;
    case 'exchange-keys':
      return (
        `exchange-keys slot ${message.slot}, after ${showAddress(message.after)} until ${showAddress(message.until)}: ` +
        `${message.keys.length} keys`
      );
    case 'exchange-keys-reply':
      return (
        `exchange-keys-reply ${message.status}, wanted [${message.wanted.map(showAddress).join(' ')}], ` +
        `holds ${showItems(message.items)}, covered ${showAddress(message.covered)}`
      );
    default:
      return message.kind;
  }
}

export class Transcript {
  readonly lines: string[] = [];

  note(text: string): void {
    this.lines.push('', `# ${text}`);
  }

  message(now: number, from: NodeId, to: NodeId, message: Message): void {
    this.lines.push(`${String(now).padStart(6)}  ${from} -> ${to}  ${showMessage(message)}`);
  }

  line(now: number, text: string): void {
    this.lines.push(`${String(now).padStart(6)}  ${text}`);
  }

  /** Compares with the golden file beside the test; `UPDATE_GOLDEN=1` writes it. */
  expectGolden(file: URL): void {
    const text = `${this.lines.join('\n').trim()}\n`;
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, text);
    expect(text).toBe(readFileSync(file, 'utf8'));
  }
}
