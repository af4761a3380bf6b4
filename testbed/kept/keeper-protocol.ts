/**
The messages between the command that keeps a sandbox and the keeper process.
*/

import type {TopologyExtension} from '../../src/scenario/topology-extension.js';
import type {Topology} from '../../src/mesh/topology.js';
import type {ActorSet} from '../../src/mesh/actor-set.js';
import type {Intent} from '../../src/mesh/traffic.js';
import type {KeptSandbox} from './note.js';

/** The listeners that a keeper starts, and for how long. Plain data. */
export type KeeperTask = {
	readonly kept: KeptSandbox;
	readonly actorSet: ActorSet;
	readonly intent: Intent;
	readonly topology: Topology;
	readonly extension: TopologyExtension;
	readonly timeoutMs: number;
	/** Undefined: until `testbed clean`. */
	readonly keepForMs?: number | undefined;
};

/** Messages to the keeper. `stay`: it may close its channel and go on alone. */
export type ToKeeper = {readonly type: 'start'; readonly task: KeeperTask} | {readonly type: 'stay'};

/** Messages from the keeper. */
export type FromKeeper = {readonly type: 'ready'} | {readonly type: 'failed'; readonly message: string};
