/**
The contract of a back end: everything that the testbed does with rules in a kernel. The implementations are in this folder; `drivers.ts` finds one by its name. Code that needs to know something about a back end asks its driver or, without a kernel, `src/netfilter/backends.ts`.
*/

import type {BackendFacts} from '../../../src/netfilter/backends.js';
import type {RulesText, TextFamily} from '../../../src/netfilter/rule-texts.js';
import type {
	AddressFamily, Backend, Rule, RuleSet,
} from '../../../src/netfilter/types.js';
import type {KernelTexts, LoadedRule} from '../../../src/trace/loaded-rules.js';
import type {SampleKind, SampleUse} from '../kernel-samples.js';
import type {Netns} from '../netns.js';

/** How rules are installed. */
export type InstallRequest = {
	readonly families: readonly AddressFamily[];
	/** The lock file for iptables-legacy. Each run has its own, so it need not wait for other processes. */
	readonly lockFile: string;
	/** The earlier set in the namespace, to be replaced. */
	readonly held?: RuleSet;
	/** Families whose rules are those of the earlier set. A back end with a program per family only reads these back. */
	readonly unchanged?: readonly AddressFamily[];
	/** The lines in the user's text that rules came from, to name a rejected one. */
	readonly lines?: ReadonlyMap<Rule, number> | undefined;
};

/** Minimal rules that need one kernel feature, as text for the back end's tool. */
export type BackendSample = {
	/** As used in a sentence: `owner match`. */
	readonly what: string;
	readonly kind: SampleKind;
	readonly use: SampleUse;
	readonly text: string;
	/** The kernel module with the feature; its name is the first word. */
	readonly module: string;
	/** What the kernel must have, as used in a sentence. */
	readonly needs: string;
};

/** All samples for texts of one family. `together` is all of them in one text, if the back end allows that: if it loads, each of them would. */
export type BackendSamples = {readonly each: readonly BackendSample[]; readonly together: string | undefined};

/** A rule that a TCP connection from the namespace itself hits, and the chain in which the trace then shows it. */
export type TraceSample = {
	readonly family: TextFamily;
	readonly text: string;
	readonly table: string;
	readonly chain: string;
	/** What the kernel must have to trace it, and the module that provides it. */
	readonly needs: string;
	readonly module: string;
};

/** A request for counters. */
export type CounterRequest = {
	readonly families: readonly AddressFamily[];
	readonly lockFile: string;
};

/** One back end. */
export type BackendDriver = BackendFacts & {
	readonly name: Backend;
	/** The program that loads a text, for messages. */
	readonly programFor: (family: TextFamily) => string;
	/** Loads one text with the tool. @throws {CommandError} if the tool rejects it. */
	readonly load: (netns: Netns, request: {readonly family: TextFamily; readonly text: string; readonly lockFile: string}) => Promise<void>;
	/** Replaces `held` with a whole set, in all families or not at all, and reads back what the kernel then has. @throws {TestbedError} RULES_REJECTED or MACHINE; then nothing of the set is loaded. */
	readonly install: (netns: Netns, ruleSet: RuleSet, request: InstallRequest) => Promise<readonly RulesText[]>;
	/** The installed rules of these families without counters, as the tools print them. nft includes the testbed's own table. */
	readonly readBack: (netns: Netns, request: {readonly families: readonly AddressFamily[]; readonly lockFile: string}) => Promise<readonly RulesText[]>;
	/** Whether a rejected set leaves nothing behind. If not, its tables stay, empty. */
	readonly isAtomic: boolean;
	/** Removes tables completely, so that another back end can follow. Undefined if tables stay until their namespace is gone. */
	readonly removeTables: ((netns: Netns, ruleSet: RuleSet) => Promise<void>) | undefined;
	/** The installed rules with their counters, as the tools print them: for `parseLoadedRules`, and for the sets of the testbed's own table. */
	readonly loadKernelTexts: (netns: Netns, request: CounterRequest) => Promise<KernelTexts>;
	/** The same rules, except for those of some tables, without the texts: for those who need the counters often. @throws {TestbedError} COMMAND_FAILED, {LoadedRulesError}. */
	readonly loadRules: (netns: Netns, request: CounterRequest & {readonly exceptTables: readonly string[]}) => Promise<readonly LoadedRule[]>;
	/** Samples of what this machine must support for rules of this back end. */
	readonly samples: (family: TextFamily) => BackendSamples;
	/** The samples for what a line, and then the rest of a text, uses. */
	readonly samplesNamedIn: (request: {readonly family: TextFamily; readonly line: string; readonly input: string}) => readonly BackendSample[];
	/** A rule to test tracing with a packet of a family. */
	readonly traceSample: (family: AddressFamily) => TraceSample;
};
