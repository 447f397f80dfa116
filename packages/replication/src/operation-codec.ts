/**
 * Operations and their outcomes in bytes. docs/protocol.md "Messages", "Operations".
 *
 * Words are on the wire, and only ever appended.
 */
import type { ByteReader, ByteWriter } from './encoding.ts';
import { readChoice, readFlag, writeChoice, writeFlag } from './message-fields.ts';
import type {
  AddOperation,
  DeleteOperation,
  ExpireOperation,
  FailureReason,
  OperationResult,
  PutOperation,
  Supersedes,
  WriteOperation,
  WriteOutcome,
} from './messages.ts';

/** 'put' and 'delete' are what the first version knew of them; the words with 'more' carry the rest. */
const OPERATIONS = [
  'put',
  'delete',
  'expire',
  'append',
  'set-range',
  'add',
  'add-float',
  'put-more',
  'delete-more',
] as const;
const PUT_CONDITIONS = ['none', 'absent', 'present'] as const;
const EXPIRE_CONDITIONS = ['none', 'NX', 'XX', 'GT', 'LT', 'XX-LT'] as const;
const ANSWERS = ['value', 'presence'] as const;
const DEADLINE_NONE = 0;
const DEADLINE_KEEP = 1;
const DEADLINE_AT = 2;
/** 'ok' is a write that was made and answers with nothing. */
const OUTCOMES = ['ok', 'failed', 'indeterminate', 'ok-with-result'] as const;
const REASONS: readonly FailureReason[] = [
  'quorum',
  'unreachable',
  'refused',
  'overload',
  'engine',
  'limit',
  'stopping',
  'rejected',
];
const SUPERSEDES_HELD = 0;
const SUPERSEDES_NOTHING = 1;
const SUPERSEDES_CONTEXT = 2;
const NO_BYTES = Buffer.alloc(0);
const MADE: OperationResult = Object.freeze({ applied: true, value: undefined });

export function writeOperation(writer: ByteWriter, operation: WriteOperation): void {
  switch (operation.type) {
    case 'put':
      return writePut(writer, operation);
    case 'delete':
      return writeDelete(writer, operation);
    case 'expire':
      writeChoice(writer, OPERATIONS, 'expire');
      writer.varint(operation.atMs);
      writeChoice(writer, EXPIRE_CONDITIONS, operation.condition ?? 'none');
      return writeChoice(writer, ANSWERS, operation.answer ?? 'value');
    case 'append':
      writeChoice(writer, OPERATIONS, 'append');
      return writer.sized(operation.value);
    case 'set-range':
      writeChoice(writer, OPERATIONS, 'set-range');
      writer.varint(operation.offset);
      return writer.sized(operation.value);
    case 'add':
    case 'add-float':
      writeChoice(writer, OPERATIONS, operation.type);
      writer.text(operation.delta.toString());
      writer.sized(operation.requestToken ?? NO_BYTES);
      return writeFlag(writer, operation.repeated === true);
  }
}

function writePut(writer: ByteWriter, operation: PutOperation): void {
  const { value, supersedes, deadline, condition, answer } = operation;
  const isPlain = deadline === undefined && condition === undefined && answer === undefined;
  writeChoice(writer, OPERATIONS, isPlain ? 'put' : 'put-more');
  writer.sized(value);
  writeSupersedes(writer, supersedes);
  if (isPlain) return;
  writer.uint8(deadline === undefined ? DEADLINE_NONE : deadline === 'keep' ? DEADLINE_KEEP : DEADLINE_AT);
  if (typeof deadline === 'number') writer.varint(deadline);
  writeChoice(writer, PUT_CONDITIONS, condition ?? 'none');
  writeChoice(writer, ANSWERS, answer ?? 'value');
}

function writeDelete(writer: ByteWriter, { supersedes, answer }: DeleteOperation): void {
  writeChoice(writer, OPERATIONS, answer === undefined ? 'delete' : 'delete-more');
  writer.sized(NO_BYTES);
  writeSupersedes(writer, supersedes);
  if (answer !== undefined) writeChoice(writer, ANSWERS, answer);
}

function writeSupersedes(writer: ByteWriter, supersedes: Supersedes): void {
  if (supersedes === 'held') writer.uint8(SUPERSEDES_HELD);
  else if (supersedes === 'nothing') writer.uint8(SUPERSEDES_NOTHING);
  else {
    writer.uint8(SUPERSEDES_CONTEXT);
    writer.sized(supersedes);
  }
}

export function readOperation(reader: ByteReader): WriteOperation {
  const type = readChoice(reader, OPERATIONS);
  switch (type) {
    case 'put':
      return { type, value: reader.sized(), supersedes: readSupersedes(reader) };
    case 'put-more':
      return readPut(reader);
    case 'delete':
    case 'delete-more':
      return readDelete(reader, type === 'delete-more');
    case 'expire':
      return readExpire(reader);
    case 'append':
      return { type, value: reader.sized() };
    case 'set-range':
      return { type, offset: reader.varint(), value: reader.sized() };
    case 'add':
      return { type, delta: readInt64(reader), ...readRequest(reader) };
    case 'add-float':
      return { type, delta: reader.text(), ...readRequest(reader) };
  }
}

function readPut(reader: ByteReader): PutOperation {
  const plain = { type: 'put', value: reader.sized(), supersedes: readSupersedes(reader) } as const;
  const deadline = readDeadline(reader);
  const condition = readChoice(reader, PUT_CONDITIONS);
  return {
    ...plain,
    ...(deadline !== undefined && { deadline }),
    ...(condition !== 'none' && { condition }),
    ...readAnswer(reader),
  };
}

function readDeadline(reader: ByteReader): number | 'keep' | undefined {
  const what = reader.uint8();
  if (what === DEADLINE_NONE) return undefined;
  if (what === DEADLINE_KEEP) return 'keep';
  return what === DEADLINE_AT ? reader.varint() : reader.fail(`deadline ${what}`);
}

function readDelete(reader: ByteReader, more: boolean): DeleteOperation {
  if (reader.sized().length > 0) reader.fail('a delete with a value');
  const supersedes = readSupersedes(reader);
  return { type: 'delete', supersedes, ...(more && readAnswer(reader)) };
}

function readExpire(reader: ByteReader): ExpireOperation {
  const atMs = reader.varint();
  const condition = readChoice(reader, EXPIRE_CONDITIONS);
  return { type: 'expire', atMs, ...(condition !== 'none' && { condition }), ...readAnswer(reader) };
}

function readAnswer(reader: ByteReader): { readonly answer?: 'presence' } {
  return readChoice(reader, ANSWERS) === 'presence' ? { answer: 'presence' } : {};
}

/** Bytes decimal text of what a 64-bit integer has at most. */
const INT64_TEXT_BYTES = 20;
const INT64_TEXT = /^-?\d+$/;

function readInt64(reader: ByteReader): bigint {
  const text = reader.text();
  if (text.length > INT64_TEXT_BYTES || !INT64_TEXT.test(text)) reader.fail('no integer where one is due');
  const value = BigInt(text);
  return BigInt.asIntN(64, value) === value ? value : reader.fail('an integer of more than 64 bits');
}

function readRequest(reader: ByteReader): Pick<AddOperation, 'requestToken' | 'repeated'> {
  const token = reader.sized();
  const repeated = readFlag(reader);
  return { ...(token.length > 0 && { requestToken: token }), ...(repeated && { repeated }) };
}

function readSupersedes(reader: ByteReader): Supersedes {
  const what = reader.uint8();
  switch (what) {
    case SUPERSEDES_HELD:
      return 'held';
    case SUPERSEDES_NOTHING:
      return 'nothing';
    case SUPERSEDES_CONTEXT:
      return reader.sized();
    default:
      return reader.fail(`supersedes ${what}`);
  }
}

export function writeOutcome(writer: ByteWriter, outcome: WriteOutcome): void {
  if (outcome.status !== 'ok') {
    writeChoice(writer, OUTCOMES, outcome.status);
    writeChoice(writer, REASONS, outcome.reason);
    writer.text(outcome.detail);
    return;
  }
  const { applied, value } = outcome.result;
  const isPlain = applied && value === undefined;
  writeChoice(writer, OUTCOMES, isPlain ? 'ok' : 'ok-with-result');
  writer.sized(outcome.context);
  writer.varint(outcome.acknowledged);
  writer.varint(outcome.hinted);
  if (isPlain) return;
  writeFlag(writer, applied);
  writeFlag(writer, value !== undefined);
  if (value !== undefined) writer.sized(value);
}

export function readOutcome(reader: ByteReader): WriteOutcome {
  const status = readChoice(reader, OUTCOMES);
  if (status === 'failed' || status === 'indeterminate') {
    return { status, reason: readChoice(reader, REASONS), detail: reader.text() };
  }
  const reached = { context: reader.sized(), acknowledged: reader.varint(), hinted: reader.varint() };
  return { status: 'ok', ...reached, result: status === 'ok' ? MADE : readResult(reader) };
}

function readResult(reader: ByteReader): OperationResult {
  const applied = readFlag(reader);
  return { applied, value: readFlag(reader) ? reader.sized() : undefined };
}
