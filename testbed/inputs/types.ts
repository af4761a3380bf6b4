/**
The inputs a user names, loaded: the rules under test, and a scenario that is ready to run.
*/

import type {Topology} from '../../src/mesh/topology.js';
import type {Mesh} from '../../src/mesh/mesh.js';
import type {SidecarRouting} from '../../src/mesh/routing.js';
import type {Backend, Rule, RuleSet} from '../../src/netfilter/types.js';
import type {Place} from '../../src/report/shared-types.js';
import type {ActorSet} from '../../src/mesh/actor-set.js';
import type {AppContainer} from '../../src/mesh/other-senders.js';
import type {TopologyExtension} from '../../src/scenario/topology-extension.js';
import type {LivePod} from '../live/live-pod.js';
import type {Credentials, Intent, TrafficCase} from '../../src/mesh/traffic.js';

/** The rules under test, and what they are meant to do. */
export type RuleInput = {
	/** As the user named them: `release:1.30`, a file name, `-`. */
	readonly source: string;
	/** The release of the rules; null for rules from a dump. */
	readonly release: string | null;
	/** The mesh whose rules they are, or are taken to be. */
	readonly mesh: Mesh;
	/** The back end that the rules are written for. A native set can be installed by `nftables` only, an iptables dump by either iptables back end. */
	readonly backend: Backend;
	readonly ruleSet: RuleSet;
	/** Addresses, ip rules and routes that go with the rules. */
	readonly routing: SidecarRouting;
	/** What may not do what its author intended, one sentence each. */
	readonly warnings: readonly string[];
	/** Where something other than what was named is used, one sentence each: a release that is not known yet gets the rules of the newest one. */
	readonly notes: readonly string[];
	/** Tools of further rules on the machine that the dump came from, which the dump does not show: `iptables-legacy`. */
	readonly beside?: readonly string[];
	/** A correct rule set, to name rules that are missing or moved. */
	readonly reference: RuleSet;
	readonly intent: Intent;
	/** The topology with the addresses of the live pod, if they are known; the default one otherwise. */
	readonly topology?: Topology;
	/** What was read of the live pod that has these rules. */
	readonly live?: LiveFacts;
	/** The lines in the user's text that rules came from, if there is a text. */
	readonly lines?: ReadonlyMap<Rule, number>;
	/** The same with the file, if there is one. */
	readonly places?: ReadonlyMap<Rule, Place>;
	/** The proxy's user and group, if the input sets them. */
	readonly proxy?: Credentials;
	/** The app containers with the users that the input sets, in order. */
	readonly apps?: readonly AppContainer[];
	/** Unknown matches and targets that were allowed; see `sandbox/rule-check.ts`. */
	readonly allowedModules?: readonly string[];
};

/** The facts of a live pod besides its rules. `filled`: every back end that has rules there. `proxyFault`: why the rules do not fit the user of the proxy that listens, if they do not. */
export type LiveFacts = Pick<LivePod, 'place' | 'addresses' | 'devices' | 'listeners' | 'nameservers'> & {readonly filled: readonly Backend[]; readonly proxyFault: string | undefined};

/** A scenario file prepared for one rule set, to run instead of the types. */
export type ReadyScenario = {
	/** The file, as the user named it. */
	readonly file: string;
	readonly name: string;
	readonly about: string;
	readonly cases: readonly TrafficCase[];
	readonly actorSet: ActorSet;
	readonly extension: TopologyExtension;
};
