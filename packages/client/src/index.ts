export type { Location, Member, NodeStats } from './cluster-commands.ts';
export type { ConsistencyOptions, RequestOptions } from './consistency.ts';
export type { SessionChange, SessionSettings } from './consistency-commands.ts';
export type { ExplainedReplica, ExplainedRequest, ExplainedStep, Explanation } from './explain-command.ts';
export { kvdModule } from './kvd-module.ts';
export type { DelOptions, PutOptions, Sibling, SiblingList, Versions } from './version-commands.ts';
