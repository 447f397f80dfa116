/**
 * What messages have gained since the first version, in their lists of extensions. docs/protocol.md "Messages", "Extensions".
 *
 * A receiver of an older version skips them, so nothing here may change what the message means without them. Tags are per
 * message kind, on the wire, and never used again for something else.
 */
import { ByteReader, ByteWriter } from './encoding.ts';
import {
  readChoice,
  readFlag,
  readList,
  readNodeId,
  writeChoice,
  writeFlag,
  writeList,
  writeNodeId,
} from './message-fields.ts';
import type { ForwardReplyMessage, TraceStep, TraceWord } from './messages.ts';

/** One extension, as it stands in the list. */
export interface Extension {
  readonly tag: number;
  readonly bytes: Uint8Array;
}

const TRACE_TAG = 1;
const SIBLINGS_TAG = 2;

const ROLES = ['none', 'owner', 'fallback'] as const;
const WORDS: readonly TraceWord[] = [
  'forwarded',
  'coordinates',
  'asked',
  'answered',
  'merged',
  'sent',
  'stored',
  'refused',
  'lost',
  'hint',
  'repaired',
  'ended',
];
const EXTENSION_BYTES_MIN = 2;
const STEP_BYTES_MIN = 8;
const EXTENSION_BYTES = 256;

export function writeExtensions(writer: ByteWriter, extensions: readonly Extension[]): void {
  writeList(writer, extensions, (_, { tag, bytes }) => {
    writer.varint(tag);
    writer.sized(bytes);
  });
}

/** The message with all that its extensions say; those that `extend` does not know are passed over. */
export function readExtensions<M>(
  reader: ByteReader,
  message: M,
  extend: ((message: M, tag: number, reader: ByteReader) => M) | undefined,
): M {
  let extended = message;
  for (let left = reader.count(EXTENSION_BYTES_MIN); left > 0; left--) {
    const tag = reader.varint();
    const bytes = reader.sized();
    if (extend !== undefined) extended = extend(extended, tag, new ByteReader(bytes, 'REPLICATION_BAD_MESSAGE'));
  }
  return extended;
}

export function forwardReplyExtensions({ trace, outcome }: ForwardReplyMessage): readonly Extension[] {
  const extensions: Extension[] = [];
  if (trace !== undefined) extensions.push({ tag: TRACE_TAG, bytes: written((w) => writeList(w, trace, writeStep)) });
  const siblings = outcome.status === 'ok' ? outcome.siblings : undefined;
  if (siblings !== undefined) extensions.push({ tag: SIBLINGS_TAG, bytes: written((w) => w.varint(siblings)) });
  return extensions;
}

/** The message with what one of its extensions says. `reader` has the extension's bytes alone. */
export function extendForwardReply(message: ForwardReplyMessage, tag: number, reader: ByteReader): ForwardReplyMessage {
  switch (tag) {
    case TRACE_TAG:
      return { ...message, trace: readList(reader, STEP_BYTES_MIN, readStep) };
    case SIBLINGS_TAG:
      if (message.outcome.status !== 'ok') return reader.fail('siblings of a write that failed');
      return { ...message, outcome: { ...message.outcome, siblings: reader.varint() } };
    default:
      return message;
  }
}

function written(write: (writer: ByteWriter) => void): Buffer {
  const writer = new ByteWriter(EXTENSION_BYTES);
  write(writer);
  return writer.finish();
}

function writeStep(writer: ByteWriter, step: TraceStep): void {
  writer.varint(step.atUs);
  writeChoice(writer, WORDS, step.word);
  writeNodeId(writer, step.node);
  writeChoice(writer, ROLES, step.role);
  writeFlag(writer, step.context !== undefined);
  if (step.context !== undefined) writer.sized(step.context);
  writer.varint(step.siblings);
  writer.text(step.note);
}

function readStep(reader: ByteReader): TraceStep {
  return {
    atUs: reader.varint(),
    word: readChoice(reader, WORDS),
    node: readNodeId(reader),
    role: readChoice(reader, ROLES),
    context: readFlag(reader) ? reader.sized() : undefined,
    siblings: reader.varint(),
    note: reader.text(),
  };
}
