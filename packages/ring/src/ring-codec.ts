/** A ring as bytes: README.md "Format 1". Canonical, and checked on the way in as on the way out. */
import { checksum } from './checksum.ts';
import { RingError } from './errors.ts';
import type { Member } from './member.ts';
import type { RingParts, RingRun } from './ring.ts';
import { CHECKSUM_BYTES, HEADER_BYTES, RING_FORMAT, RING_MAGIC } from './ring-format.ts';

export function encodeRing(ring: Omit<RingParts, 'runs'>, runs: readonly RingRun[]): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32BE(RING_MAGIC, 0);
  header.writeUInt16LE(RING_FORMAT, 4);
  header.writeUInt16LE(ring.replicas, 6);
  header.writeBigUInt64LE(BigInt(ring.epoch), 8);
  header.writeUInt16LE(ring.members.length, 16);
  header.writeUInt16LE(runs.length, 18);
  const places = new Map(ring.members.map((member, index) => [member.id, index]));
  const body = [header, ...ring.members.map(encodeMember), ...runs.map((run) => encodeRun(run, places))];
  const bytes = Buffer.concat([...body, Buffer.alloc(CHECKSUM_BYTES)]);
  const end = bytes.length - CHECKSUM_BYTES;
  bytes.writeUInt32LE(checksum(bytes.subarray(0, end)), end);
  return bytes;
}

function encodeMember({ number, port, peerPort, weight, id, host, zone }: Member): Buffer {
  const fixed = Buffer.alloc(14);
  fixed.writeUInt16LE(number, 0);
  fixed.writeUInt16LE(port, 2);
  fixed.writeUInt16LE(peerPort, 4);
  fixed.writeDoubleLE(weight, 6);
  return Buffer.concat([fixed, ...[id, host, zone ?? ''].map(encodeText)]);
}

function encodeText(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}

function encodeRun({ from, to, row }: RingRun, places: ReadonlyMap<string, number>): Buffer {
  const bytes = Buffer.alloc(3 + 2 * row.length);
  bytes.writeUInt16LE(to - from + 1, 0);
  bytes.writeUInt8(row.length, 2);
  row.forEach((id, i) => void bytes.writeUInt16LE(places.get(id) as number, 3 + 2 * i));
  return bytes;
}

/** Throws `RING_CORRUPTION` or `RING_INCOMPATIBLE_FORMAT`. That the parts make a ring is for `Ring` to check. */
export function decodeRing(bytes: Uint8Array): RingParts {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = buffer.length - CHECKSUM_BYTES;
  if (end < HEADER_BYTES || buffer.readUInt32BE(0) !== RING_MAGIC) throw corrupt('it does not begin as one');
  const format = buffer.readUInt16LE(4);
  const expected = buffer.readUInt32LE(end);
  const found = checksum(buffer.subarray(0, end));
  if (found !== expected) throw corrupt(`checksum ${found.toString(16)}, expected ${expected.toString(16)}`);
  if (format !== RING_FORMAT) {
    throw new RingError('RING_INCOMPATIBLE_FORMAT', `ring of format ${format}: this version reads ${RING_FORMAT}`);
  }
  const reader = new RingReader(buffer.subarray(0, end));
  const parts = reader.ring();
  reader.expectEnd();
  return parts;
}

class RingReader {
  readonly #bytes: Buffer;
  #at = HEADER_BYTES;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  ring(): RingParts {
    const header = this.#bytes;
    const epoch = Number(header.readBigUInt64LE(8));
    const members = Array.from({ length: header.readUInt16LE(16) }, () => this.#member());
    let next = 0;
    const runs = Array.from({ length: header.readUInt16LE(18) }, () => {
      const run = this.#run(next, members);
      next = run.to + 1;
      return run;
    });
    return { epoch, replicas: header.readUInt16LE(6), members, runs };
  }

  expectEnd(): void {
    if (this.#at !== this.#bytes.length) throw corrupt(`${this.#bytes.length - this.#at} bytes too many`);
  }

  #member(): Member {
    const at = this.#take(14);
    const number = this.#bytes.readUInt16LE(at);
    const port = this.#bytes.readUInt16LE(at + 2);
    const peerPort = this.#bytes.readUInt16LE(at + 4);
    const weight = this.#bytes.readDoubleLE(at + 6);
    const [id, host, zone] = [this.#text(), this.#text(), this.#text()];
    return { id, number, host, port, peerPort, weight, ...(zone === '' ? {} : { zone }) };
  }

  #run(from: number, members: readonly Member[]): RingRun {
    const at = this.#take(3);
    const to = from + this.#bytes.readUInt16LE(at) - 1;
    const row = Array.from({ length: this.#bytes.readUInt8(at + 2) }, () => {
      const member = members[this.#bytes.readUInt16LE(this.#take(2))];
      if (member === undefined) throw corrupt('a row names a member that is not there');
      return member.id;
    });
    return { from, to, row };
  }

  #text(): string {
    const length = this.#bytes.readUInt8(this.#take(1));
    const at = this.#take(length);
    return this.#bytes.toString('utf8', at, at + length);
  }

  #take(count: number): number {
    const at = this.#at;
    this.#at += count;
    if (this.#at > this.#bytes.length) throw corrupt('it ends too early');
    return at;
  }
}

function corrupt(what: string): RingError {
  return new RingError('RING_CORRUPTION', `not a ring: ${what}`);
}
