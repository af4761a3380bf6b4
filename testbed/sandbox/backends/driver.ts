/**
The contract of a back end: all that the testbed does with rules in a kernel. One implementation stands beside the other in this folder; `drivers.ts` finds the one of a name. Whoever needs to know something about a back end asks its driver, or, without a kernel, `src/netfilter/backends.ts`.
*/

import type {BackendFacts} from '../../../src/netfilter/backends.js';
import type {RulesText, TextFamily} from '../../../src/netfilter/rule-texts.js';
import type {
	AddressFamily, Backend, Rule, RuleSet,
} from '../../../src/netfilter/types.js';
import type {KernelTexts} from '../../../src/trace/loaded-rules.js';
import type {SampleKind, SampleUse} from '../kernel-samples.js';
import type {Netns} from '../netns.js';

/** Where and how rules are put. */
export type InstallRequest = {
	readonly families: readonly AddressFamily[];
	/** The lock that iptables-legacy takes. Rules of a namespace of our own need not wait for anybody else's. */
	readonly lockFile: string;
	/** What the namespace holds of an earlier set; it is replaced. */
	readonly held?: RuleSet;
	/** The lines of the user's text that rules came from, for telling which of them was rejected. */
	readonly lines?: ReadonlyMap<Rule, number> | undefined;
};

/** The smallest rules that need one thing of the kernel, as a text for the back end's tool. */
export type BackendSample = {
	/** In a sentence: `owner match`. */
	readonly what: string;
	readonly kind: SampleKind;
	readonly use: SampleUse;
	readonly text: string;
	/** The kernel module that has the thing; its name is the first word. */
	readonly module: string;
	/** What the kernel must have, in a sentence. */
	readonly needs: string;
};

/** All samples for texts of one family. `together` is all of them in one text, where the back end can take them so: if that loads, each of them does. */
export type BackendSamples = {readonly each: readonly BackendSample[]; readonly together: string | undefined};

/** One rule that a TCP connection from the namespace itself meets, and the chain in which the trace then shows it. */
export type TraceSample = {
	readonly family: TextFamily;
	readonly text: string;
	readonly table: string;
	readonly chain: string;
	/** What the kernel must have to tell of it, and the module that brings it. */
	readonly needs: string;
	readonly module: string;
};

/** What the kernel is asked for its counters. */
export type CounterRequest = {
	readonly families: readonly AddressFamily[];
	readonly lockFile: string;
	/** Leaves out of nft's listing what neither the counters of the rules nor the testbed's own table need. */
	readonly isBrief?: boolean;
};

/** One back end. */
export type BackendDriver = BackendFacts & {
	readonly name: Backend;
	/** The program that takes a text, for messages. */
	readonly programFor: (family: TextFamily) => string;
	/** Gives one text to the tool. @throws {CommandError} when the tool does not take it. */
	readonly load: (netns: Netns, request: {readonly family: TextFamily; readonly text: string; readonly lockFile: string}) => Promise<void>;
	/** Puts a whole set in the place of `held`, of all families or not at all, and reads back what the kernel then holds. @throws {TestbedError} RULES_REJECTED or MACHINE; nothing of the set is loaded then. */
	readonly install: (netns: Netns, ruleSet: RuleSet, request: InstallRequest) => Promise<readonly RulesText[]>;
	/** What the kernel holds of these families, without counters, as the tools print it. The testbed's own table is in it where the tool is nft. */
	readonly readBack: (netns: Netns, request: {readonly families: readonly AddressFamily[]; readonly lockFile: string}) => Promise<readonly RulesText[]>;
	/** Whether a rejected set leaves no trace. Otherwise its tables stay, empty. */
	readonly isAtomic: boolean;
	/** Takes tables away as if they had never been there, so that another back end can follow. Undefined where they stay until their namespace goes. */
	readonly removeTables: ((netns: Netns, ruleSet: RuleSet) => Promise<void>) | undefined;
	/** What the kernel holds with its counters, as the tools print it: for `parseLoadedRules`, and for the sets of the testbed's own table. */
	readonly loadKernelTexts: (netns: Netns, request: CounterRequest) => Promise<KernelTexts>;
	/** What this machine must be able to do for rules of this back end. */
	readonly samples: (family: TextFamily) => BackendSamples;
	/** The samples of what a line and then the rest of a text name. */
	readonly samplesNamedIn: (request: {readonly family: TextFamily; readonly line: string; readonly input: string}) => readonly BackendSample[];
	/** A rule for trying the trace with a packet of a family. */
	readonly traceSample: (family: AddressFamily) => TraceSample;
};
