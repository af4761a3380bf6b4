/**
What a user names, as values: the rules under test, and a scenario that is ready to run.
*/

import type {SidecarRouting} from '../../src/mesh/routing.js';
import type {Backend, Rule, RuleSet} from '../../src/netfilter/types.js';
import type {Place} from '../../src/report/shared-types.js';
import type {ActorSet} from '../../src/scenario/actor-set.js';
import type {TopologyExtension} from '../../src/scenario/topology-extension.js';
import type {Credentials, Intent, TrafficCase} from '../../src/scenario/types.js';

/** The rules under test, and what they are meant to do. */
export type RuleInput = {
	/** As the user named them: `release:1.30`, a file's name, `-`. */
	readonly source: string;
	/** The known release whose rules these are; null for rules that somebody brought. */
	readonly release: string | null;
	/** The back end that the rules are written for. A native set can be installed by `nftables` only, a dump of iptables by either of its two. */
	readonly backend: Backend;
	readonly ruleSet: RuleSet;
	/** Addresses, ip rules and routes that go with the rules. */
	readonly routing: SidecarRouting;
	/** What will not do what its writer may have meant, a sentence each. */
	readonly warnings: readonly string[];
	/** Where something else was taken than what was named: a sentence that says so. A release that is not known yet has the rules of the newest one. */
	readonly notes: readonly string[];
	/** What a correct set would be, to name rules that are missing or moved. */
	readonly reference: RuleSet;
	readonly intent: Intent;
	/** The lines of the user's text that rules came from, where there is one. */
	readonly lines?: ReadonlyMap<Rule, number>;
	/** The same with the file, where it is one. */
	readonly places?: ReadonlyMap<Rule, Place>;
	/** Who the proxy runs as, where the input says so. */
	readonly proxy?: Credentials;
	/** Matches and targets that are not known here and were allowed all the same; see `sandbox/rule-check.ts`. */
	readonly allowedModules?: readonly string[];
};

/** A user's file, made ready for one rule set: what is played in place of the types. */
export type ReadyScenario = {
	/** The file, as the user named it. */
	readonly file: string;
	readonly name: string;
	readonly about: string;
	readonly cases: readonly TrafficCase[];
	readonly actorSet: ActorSet;
	readonly extension: TopologyExtension;
};
