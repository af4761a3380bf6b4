/**
Parts that several reports share.
*/

import type {Identity} from '../mesh/identity.js';
import type {Backend} from '../netfilter/types.js';

/** The machine on which a run ran. Versions as the programs print them. */
export type Environment = {
	readonly kernel: string;
	readonly iptables: string;
	readonly nft: string;
	readonly node: string;
	/** The program that was the proxy, with its version; missing for the stub. */
	readonly proxy?: string;
};

/** Which rules were judged. */
export type RulesSummary = {
	readonly source: string;
	/** The known release that writes these rules; null for a user's own rules. */
	readonly release: string | null;
	readonly backend: Backend;
	/** What kind of rules they are: the first thing that a report says. */
	readonly identity: Identity;
	/** Of the text that was installed, all families. */
	readonly sha256: string;
	/** A sentence for each case in which something other than what `source` names was used. */
	readonly notes: readonly string[];
};

/** A place in a user's file: the expectation of a probe, or a rule. Lines count from 1. */
export type Place = {readonly file: string; readonly line?: number};
