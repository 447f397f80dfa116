/** The services of a node with other ways to read and write; all else is as it was. */
import type { NodeServices } from './services.ts';

/** `services` itself is not changed. */
export function wrappedServices(
  services: NodeServices,
  over: Pick<NodeServices, 'read' | 'write'> & { readonly isCausal: boolean },
): NodeServices {
  return {
    config: services.config,
    runtime: services.runtime,
    access: services.access,
    ring: () => services.ring(),
    members: () => services.members(),
    reachable: (id) => services.reachable(id),
    stats: () => services.stats(),
    consistency: (overrides) => services.consistency(overrides),
    hybridNowMs: () => services.hybridNowMs(),
    contextKey: () => services.contextKey(),
    endTrace: (trace) => services.endTrace(trace),
    readLocal: (key) => services.readLocal(key),
    scan: (request, done) => services.scan(request, done),
    scanLocal: (range) => services.scanLocal(range),
    countCopies: (copies, done) => services.countCopies(copies, done),
    ...over,
  };
}
