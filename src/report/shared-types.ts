/**
Parts that several reports have.
*/

import type {Backend} from '../netfilter/types.js';

/** The machine that a run ran on. Versions as the programs print them. */
export type Environment = {readonly kernel: string; readonly iptables: string; readonly nft: string; readonly node: string};

/** Which rules were judged. */
export type RulesSummary = {
	readonly source: string;
	/** The known release whose rules they are; null for rules that somebody brought. */
	readonly release: string | null;
	readonly backend: Backend;
	/** Of the text that was installed, all families. */
	readonly sha256: string;
	/** Where something else was taken than what `source` names: a sentence that says so. */
	readonly notes: readonly string[];
};

/** Where in a user's file something stands: the claim of a probe, or a rule. Lines count from 1. */
export type Place = {readonly file: string; readonly line?: number};
