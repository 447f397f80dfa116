/** The machines that work behind the requests, as this node configures them: membership, handoff, anti-entropy. */
import {
  AntiEntropy,
  type AntiEntropyDependencies,
  HintedHandoff,
  type HandoffDependencies,
  Membership,
} from '@kvd/replication';
import { memberAddress, type NodeParts } from './node-parts.ts';

/** What all three need of the driver. */
export type BackgroundNeeds = HandoffDependencies & Pick<AntiEntropyDependencies, 'reach'>;

export interface BackgroundMachines {
  readonly membership: Membership;
  readonly handoff: HintedHandoff;
  readonly antiEntropy: AntiEntropy;
}

export function backgroundMachines(parts: NodeParts, needs: BackgroundNeeds): BackgroundMachines {
  const { self, config, ring } = parts;
  const membership = new Membership({
    ...needs,
    self: { ...memberAddress(parts), incarnation: parts.incarnation },
    members: ring.members,
    options: { gossipIntervalMs: config.gossipIntervalMs },
    onNewerSelf: (incarnation) => parts.onNewerSelf(incarnation),
  });
  const antiEntropy = new AntiEntropy({
    ...needs,
    self,
    peers: () => parts.sharedSlots,
    ringEpoch: () => ring.epoch,
    options: { intervalMs: config.antiEntropyIntervalMs },
    onAgreed: ({ peer, fromSlot, toSlot }) => parts.coverage.agreed(peer, fromSlot, toSlot),
  });
  return { membership, handoff: new HintedHandoff(needs), antiEntropy };
}
