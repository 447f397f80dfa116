/** One traced request as KVD.EXPLAIN tells it. Shapes are documented in docs/commands.md, "KVD.EXPLAIN". */
import { type TraceStep, VersionVector } from '@kvd/replication';
import { preferenceList, slotOf } from '@kvd/ring';
import { mapOf, type RespValue } from './resp/value.ts';
import type { NodeServices } from './services.ts';
import type { ExplainedRequest } from './traced-services.ts';

/** A step, and the node that tells of it. */
interface ToldStep extends TraceStep {
  readonly by: string;
}

/** What is known of one replica, from the last step that says it. */
interface ReplicaPart {
  state: string;
  role: string;
  context: Uint8Array | undefined;
  values: number;
  us: number | undefined;
  note: string;
}

export function explained(services: NodeServices, request: ExplainedRequest): RespValue {
  const { kind, key, consistency, trace } = request;
  const slot = slotOf(key);
  const { owners, fallbacks } = preferenceList(services.ring(), slot, consistency.n);
  const self = services.config.id;
  const steps = allSteps(request, self);
  const coordinator = kind === 'read' ? self : (steps.findLast((step) => step.word === 'coordinates')?.node ?? null);
  return mapOf([
    ['kind', kind],
    ['key', Buffer.from(key)],
    ['slot', slot],
    ['entry', self],
    ['coordinator', coordinator],
    ['row', owners],
    ['fallbacks', fallbacks],
    ...(['mode', 'n', 'r', 'w', 'pr', 'pw', 'dw', 'durability'] as const).map(
      (name) => [name, consistency[name]] as const,
    ),
    ['timeout', consistency.timeoutMs],
    ['us', request.tookUs],
    ...outcomeOf(request),
    ['replicas', replicasOf(steps, owners).map(([node, part]) => replicaReply(node, part))],
    ['steps', steps.map(stepReply)],
    ['dropped-steps', trace.dropped],
  ]);
}

function allSteps({ trace }: ExplainedRequest, self: string): readonly ToldStep[] {
  const own = trace.steps.map((step) => ({ ...step, by: self }));
  return [...own, ...trace.relayed.flatMap(({ by, steps }) => steps.map((step) => ({ ...step, by })))];
}

function outcomeOf({ kind, outcome, consistency }: ExplainedRequest): readonly (readonly [string, RespValue])[] {
  const need = kind === 'read' ? consistency.r : consistency.w;
  if (outcome === undefined) return [['outcome', 'none']];
  if (outcome.status !== 'ok')
    return [
      ['outcome', outcome.status],
      ['need', need],
      ['why', outcome.detail],
    ];
  if ('answered' in outcome) {
    return [
      ['outcome', 'ok'],
      ['need', need],
      ['met', outcome.answered],
      ['degraded', outcome.degraded ? 1 : 0],
    ];
  }
  return [
    ['outcome', 'ok'],
    ['need', need],
    ['met', outcome.acknowledged],
    ['hinted', outcome.hinted],
  ];
}

function replicasOf(
  steps: readonly ToldStep[],
  owners: readonly string[],
): readonly (readonly [string, ReplicaPart])[] {
  const parts = new Map<string, ReplicaPart>();
  for (const owner of owners) parts.set(owner, newPart('owner'));
  for (const step of steps) {
    if (step.word === 'forwarded' || step.word === 'coordinates' || step.word === 'ended') continue;
    // The answer to a forwarded write is the coordinator's, not a replica's.
    if (step.word === 'answered' && step.role === 'none') continue;
    let part = parts.get(step.node);
    if (part === undefined) parts.set(step.node, (part = newPart('fallback')));
    noteStep(part, step);
  }
  return [...parts];
}

function newPart(role: string): ReplicaPart {
  return { state: 'not asked', role, context: undefined, values: 0, us: undefined, note: '' };
}

function noteStep(part: ReplicaPart, step: ToldStep): void {
  // That a hint is kept for it, or that it is repaired, says nothing new of what it has answered.
  if (step.word !== 'hint' && step.word !== 'repaired') part.state = step.word;
  else part.state = part.state === 'not asked' ? step.word : `${part.state}, ${step.word}`;
  part.us = step.atUs;
  if (step.note !== '') part.note = step.note;
  if (step.word !== 'answered' && step.word !== 'merged') return;
  part.context = step.context;
  part.values = step.siblings;
}

function replicaReply(node: string, part: ReplicaPart): RespValue {
  return mapOf([
    ['node', node],
    ['role', part.role],
    ['state', part.state],
    ['context', contextText(part.context)],
    ['values', part.values],
    ['us', part.us ?? null],
    ['note', part.note],
  ]);
}

function stepReply(step: ToldStep): RespValue {
  return mapOf([
    ['us', step.atUs],
    ['by', step.by],
    ['step', step.word],
    ['node', step.node],
    ['context', contextText(step.context)],
    ['values', step.siblings],
    ['note', step.note],
  ]);
}

function contextText(context: Uint8Array | undefined): string | null {
  return context === undefined ? null : VersionVector.decode(context).toString();
}
