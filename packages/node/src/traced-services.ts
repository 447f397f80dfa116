/** The services of a node for one command that is explained: each request it makes is traced, and kept with its outcome. */
import type { Consistency, ReadOutcome, WriteOutcome } from '@kvd/replication';
import { Trace } from './request-traces.ts';
import type { NodeServices } from './services.ts';
import { wrappedServices } from './wrapped-services.ts';

export interface ExplainedRequest {
  readonly kind: 'read' | 'write';
  readonly key: Uint8Array;
  readonly consistency: Consistency;
  readonly trace: Trace;
  outcome: ReadOutcome | WriteOutcome | undefined;
  /** From the request to its outcome. */
  tookUs: number;
}

/** What is asked of the services is put into `requests`, in order. */
export function tracedServices(services: NodeServices, requests: ExplainedRequest[]): NodeServices {
  const begin = (kind: 'read' | 'write', key: Uint8Array, consistency: Consistency): ExplainedRequest => {
    const trace = new Trace(() => services.runtime.clock.monotonicMs());
    const request: ExplainedRequest = { kind, key, consistency, trace, outcome: undefined, tookUs: 0 };
    requests.push(request);
    return request;
  };
  const ended = <Outcome extends ReadOutcome | WriteOutcome>(request: ExplainedRequest, outcome: Outcome): Outcome => {
    request.outcome = outcome;
    request.tookUs = request.trace.elapsedUs;
    request.trace.note('ended', services.config.id, { note: outcome.status });
    return outcome;
  };
  return wrappedServices(services, {
    isCausal: services.isCausal === true,
    read(key, consistency, done, options) {
      const request = begin('read', key, consistency);
      const { trace } = request;
      services.read(key, consistency, (outcome) => done(ended(request, outcome)), { ...options, trace });
    },
    write(key, operation, consistency, done, options) {
      const request = begin('write', key, consistency);
      const { trace } = request;
      services.write(key, operation, consistency, (outcome) => done(ended(request, outcome)), { ...options, trace });
    },
  });
}
