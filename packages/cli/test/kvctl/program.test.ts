import { afterEach, expect, test } from 'vitest';
import { runProgram } from '../../src/command-line.ts';
import { createKvctlProgram } from '../../src/kvctl/program.ts';
import { FakeTerminal } from '../fake-terminal.ts';
import { bulk, startRespServer } from './resp-server.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(() => Promise.all(stops.splice(0).map((stop) => stop())), 2000);

async function run(answers: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const server = await startRespServer(answers);
  stops.push(server.stop);
  const terminal = new FakeTerminal();
  const program = createKvctlProgram(terminal);
  const exitCode = await runProgram(program, ['-p', String(server.port), ...args], terminal);
  return { exitCode, output: terminal.output, errors: terminal.errors, asked: server.asked };
}

const member = { host: '127.0.0.1', port: 7379, state: 'alive', health: 'OK', suspectedBy: [], reachable: true };
const alive = { ...member, id: 'node-1' };
const dead = {
  ...member,
  id: 'node-2',
  port: 7380,
  state: 'dead',
  suspectedBy: ['node-1', 'node-3'],
  reachable: false,
};
const statusAnswers = (members: readonly object[]) => ({
  INFO: bulk('# Server\r\nredis_version:7.2.0\r\nhints_pending:2\r\n'),
  'CLUSTER INFO': bulk('cluster_state:ok\r\ncluster_current_epoch:1\r\n'),
  'KVD.MEMBERS': bulk(JSON.stringify(members)),
});

test('get prints the value, and --local asks the node alone', async () => {
  expect(await run({ 'GET k': bulk('v') }, 'get', 'k')).toMatchObject({ exitCode: 0, output: ['v'] });
  const local = await run({ 'KVD.LOCAL GET k': bulk('v') }, 'get', 'k', '--local', '--json');
  expect(local).toMatchObject({ exitCode: 0, output: ['{"key":"k","found":true,"value":"v"}'] });
});

test('a missing key leaves stdout empty and exits with 3', async () => {
  const { exitCode, output, errors } = await run({ 'GET k': '$-1\r\n' }, 'get', 'k');
  expect([exitCode, output, errors]).toEqual([3, [], ["kvctl: there is no key 'k'"]]);
  expect(await run({ 'GET k': '$-1\r\n' }, 'get', 'k', '--json')).toMatchObject({
    exitCode: 3,
    output: ['{"key":"k","found":false}'],
  });
});

test('put and del say what the node said', async () => {
  expect(await run({ 'SET k v': '+OK\r\n' }, 'put', 'k', 'v')).toMatchObject({ exitCode: 0, output: ['OK'] });
  expect(await run({ 'DEL k': ':1\r\n' }, 'del', 'k')).toMatchObject({ exitCode: 0, output: ['deleted'] });
  expect((await run({ 'DEL k': ':0\r\n' }, 'del', 'k')).exitCode).toBe(3);
});

test('an error of the cluster is told in its own words with exit code 1', async () => {
  const { exitCode, errors } = await run({ 'SET k v': '-NOQUORUM 1 of 2 answered\r\n' }, 'put', 'k', 'v');
  expect([exitCode, errors]).toEqual([1, ['kvctl: NOQUORUM 1 of 2 answered']]);
});

test('members is a table for people and the node’s own JSON for programs', async () => {
  const answers = { 'KVD.MEMBERS': bulk(JSON.stringify([alive])) };
  expect((await run(answers, 'members')).output).toEqual([
    'MEMBER  ADDRESS         STATE  REACHABLE  HEALTH',
    'node-1  127.0.0.1:7379  alive  yes        OK',
  ]);
  expect((await run(answers, 'members', '--json')).output).toEqual([JSON.stringify([alive])]);
});

test('locate tells slot, owners and fallbacks', async () => {
  const location = { slot: 7629, row: ['node-2', 'node-1'], fallbacks: ['node-3'], primary: 'node-2' };
  const { output } = await run({ 'KVD.LOCATE k': bulk(JSON.stringify(location)) }, 'locate', 'k');
  expect(output).toEqual(['slot       7629', 'primary    node-2', 'owners     node-2, node-1', 'fallbacks  node-3']);
});

test('status says what is wrong and exits with 1', async () => {
  const { exitCode, output } = await run(statusAnswers([alive, dead]), 'status');
  expect(exitCode).toBe(1);
  expect(output[0]).toBe('1 of 2 members alive and reachable, ring epoch 1');
  expect(output.filter((line) => line.startsWith('wrong'))).toEqual([
    'wrong: node-2 is dead (not heard by node-1, node-3)',
    'wrong: writes for absent nodes wait here, in 2 slots (hints)',
  ]);
});

test('an answer of another shape is refused, not printed', async () => {
  for (const answer of [bulk('{'), bulk('{"id":1}'), bulk('[{"id":1}]'), ':1\r\n']) {
    const { exitCode, errors } = await run({ 'KVD.MEMBERS': answer }, 'members');
    expect([exitCode, errors[0]?.startsWith('kvctl: the answer is not from kvd')]).toEqual([1, true]);
  }
});

test('a node that is not there, or does not answer, exits with 4 and says what to do', async () => {
  const terminal = new FakeTerminal();
  expect(await runProgram(createKvctlProgram(terminal), ['-p', '1', 'get', 'k'], terminal)).toBe(4);
  expect(terminal.errors[0]).toContain('127.0.0.1:1: ');
  expect(terminal.errors[0]).toContain('is kvd running there? --host and --port name another node');
  const { exitCode, errors } = await run({ 'GET k': 'SILENCE' }, '--timeout', '100ms', 'get', 'k');
  expect([exitCode, errors[0]?.includes('no answer within 100 ms')]).toEqual([4, true]);
});

test('wrong usage is refused with exit code 2 before any connection', async () => {
  for (const args of [['get'], ['gte', 'k'], ['get', 'k', '--lokal'], ['get', 'k', 'more'], ['-p', '0', 'get', 'k']]) {
    const terminal = new FakeTerminal();
    expect(await runProgram(createKvctlProgram(terminal), args, terminal)).toBe(2);
    expect(terminal.errors[0]).toMatch(/^kvctl: /);
  }
});
