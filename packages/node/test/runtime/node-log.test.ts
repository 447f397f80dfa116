import { expect, test } from 'vitest';
import { createLog, type LogOptions } from '../../src/runtime/node-log.ts';

function lines(options: LogOptions): { log: ReturnType<typeof createLog>; written: string[] } {
  const written: string[] = [];
  return { log: createLog(options, { wallMs: () => 0, write: (line) => written.push(line) }), written };
}

test('an event is one readable line', () => {
  const { log, written } = lines({ level: 'info', form: 'text' });
  const error = Object.assign(new Error('broken'), { code: 'EIO' });
  log('warn', 'disk-failed', { file: 'a b', count: 3, plain: 'x', error, text: 'two\nlines', none: undefined });
  expect(written).toEqual([
    '1970-01-01T00:00:00.000Z WARN  disk-failed file="a b" count=3 plain=x error="EIO: broken" text="two\\nlines" none=null\n',
  ]);
});

test('or one JSON object', () => {
  const { log, written } = lines({ level: 'debug', form: 'json' });
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  log('debug', 'odd-values', { big: 5n, bytes: new Uint8Array([1, 255]), circular, list: [1, 2] });
  expect(JSON.parse(written[0] as string)).toEqual({
    time: '1970-01-01T00:00:00.000Z',
    level: 'debug',
    event: 'odd-values',
    big: '5',
    bytes: '01ff',
    circular: '[unprintable]',
    list: '[1,2]',
  });
});

test('events below the level are not written', () => {
  const { log, written } = lines({ level: 'warn', form: 'text' });
  log('debug', 'a');
  log('info', 'b');
  log('error', 'c');
  expect(written).toHaveLength(1);
});

test('what is named like a secret is not written, in either form', () => {
  for (const form of ['text', 'json'] as const) {
    const { log, written } = lines({ level: 'info', form });
    log('info', 'a', { requirepass: 'hush', peerSecret: 'hush', password: 'hush' });
    expect(written[0]).not.toContain('hush');
    expect(written[0]).toContain('[redacted]');
  }
});
