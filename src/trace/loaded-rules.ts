/**
The installed rules as the kernel lists them, with their counters: they translate a handle into a number, and serve as an independent check of the trace. Read twice, before and after a run.
*/

import {factsOf, type CounterSource} from '../netfilter/backends.js';
import {tableFamily} from '../netfilter/built-in.js';
import type {AddressFamily, Backend, Family} from '../netfilter/types.js';

/** One rule in the kernel. `handle` is undefined on iptables-legacy; `packets` is undefined if the rule has no counter. */
export type LoadedRule = {
	readonly family: Family;
	readonly table: string;
	readonly chain: string;
	readonly number: number;
	readonly handle: number | undefined;
	readonly packets: number | undefined;
	/** Identifies the rule at its place if there is no handle: its text, as iptables-legacy prints it. */
	readonly text?: string;
};

/** What the kernel had at one moment, as the tools print it: `nft -n -j list`, and `iptables-save -c` if the back end's counters are read from there. */
export type KernelTexts = {
	readonly listing: string;
	readonly saved: ReadonlyArray<{readonly family: AddressFamily; readonly text: string}>;
};

/** A tool's text or JSON about the kernel's rules is not as expected. */
export class LoadedRulesError extends Error {
	override readonly name = 'LoadedRulesError';
}

/** A name for a rule by its place. */
export function ruleKey({family, table, chain, number}: {readonly family: Family; readonly table: string; readonly chain: string; readonly number: number}): string {
	return `${family} ${table} ${chain} ${number}`;
}

/** The expected form of `nft -j list ruleset`, as far as it is read here. */
export type NftListing = {readonly nftables: readonly unknown[]};
type NftRule = {readonly family: string; readonly table: string; readonly chain: string; readonly handle: number; readonly expr: readonly unknown[]};

function isObject(value: unknown): value is object {
	return typeof value === 'object' && value !== null;
}

function isListing(value: unknown): value is NftListing {
	return isObject(value) && Array.isArray((value as {readonly nftables?: unknown}).nftables);
}

/** The rule of an entry; undefined for a table, a chain, a set. */
function ruleOf(entry: unknown): NftRule | undefined {
	if (!isObject(entry) || !('rule' in entry)) {
		return undefined;
	}

	const {rule} = entry as {readonly rule: Readonly<Record<string, unknown>> | null};
	if (!isObject(rule) || ['family', 'table', 'chain'].some(key => typeof rule[key] !== 'string') || typeof rule['handle'] !== 'number' || !Array.isArray(rule['expr'])) {
		throw new LoadedRulesError(`\`nft -j list ruleset\` printed a rule that is not understood: ${JSON.stringify(rule)}`);
	}

	return rule as unknown as NftRule;
}

function packetsOf(expressions: readonly unknown[]): number | undefined {
	for (const expression of expressions) {
		if (isObject(expression) && 'counter' in expression) {
			const {counter} = expression;
			if (isObject(counter) && 'packets' in counter && typeof counter.packets === 'number') {
				return counter.packets;
			}
		}
	}

	return undefined;
}

/**
Reads the JSON of `nft -j list ruleset`.

@throws {LoadedRulesError} if the text is not such a listing.
*/
export function readNftListing(text: string): NftListing {
	let listing: unknown;
	try {
		listing = JSON.parse(text);
	} catch (error) {
		throw new LoadedRulesError('`nft -j list ruleset` printed no JSON.', {cause: error});
	}

	if (!isListing(listing)) {
		throw new LoadedRulesError('`nft -j list ruleset` printed JSON without the key `nftables`.');
	}

	return listing;
}

/**
The rules in `nft -j list ruleset`, except for those of the tables in `exceptTables` (the testbed's own). The listing keeps the order of rules within a chain, so counting gives the number.

@throws {LoadedRulesError} if the text is not such a listing.
*/
export function parseNftListing(text: string, exceptTables: readonly string[]): readonly LoadedRule[] {
	return rulesInListing(readNftListing(text), exceptTables);
}

function rulesInListing(listing: NftListing, exceptTables: readonly string[]): readonly LoadedRule[] {
	const numbers = new Map<string, number>();
	const rules: LoadedRule[] = [];
	for (const entry of listing.nftables) {
		const rule = ruleOf(entry);
		if (rule === undefined || exceptTables.includes(rule.table)) {
			continue;
		}

		const {table, chain, handle} = rule;
		const family = rule.family as Family;
		const place = `${family} ${table} ${chain}`;
		const number = (numbers.get(place) ?? 0) + 1;
		numbers.set(place, number);
		rules.push({
			family, table, chain, number, handle, packets: packetsOf(rule.expr),
		});
	}

	return rules;
}

const tablePattern = /^\*\s*(?<table>\S+)/u;
const rulePattern = /^\[(?<packets>\d+):\d+\] -A (?<chain>\S+)(?: (?<text>.*))?$/u;

/**
The rules in `iptables-save -c` or `ip6tables-save -c`, preceded by their counters.

@throws {LoadedRulesError} if a rule has no counter.
*/
export function parseSavedCounters(text: string, family: 'ip' | 'ip6'): readonly LoadedRule[] {
	const numbers = new Map<string, number>();
	const rules: LoadedRule[] = [];
	let table = '';
	for (const line of text.split('\n')) {
		table = tablePattern.exec(line)?.groups?.['table'] ?? table;
		const groups = rulePattern.exec(line)?.groups;
		if (groups !== undefined) {
			const chain = groups['chain']!;
			const number = (numbers.get(`${table} ${chain}`) ?? 0) + 1;
			numbers.set(`${table} ${chain}`, number);
			rules.push({
				family, table, chain, number, handle: undefined, packets: Number(groups['packets']), text: groups['text'] ?? '',
			});
		} else if (/(?:^|\s)-A /u.test(line) && !line.startsWith('#')) {
			throw new LoadedRulesError(`A rule was printed without its counter: ${line}`);
		}
	}

	return rules;
}

const readers: Readonly<Record<CounterSource, (texts: KernelTexts, exceptTables: readonly string[], listing?: NftListing) => readonly LoadedRule[]>> = {
	'nft-listing': (texts, exceptTables, listing = readNftListing(texts.listing)) => rulesInListing(listing, exceptTables),
	'iptables-save': ({saved}) => saved.flatMap(({family, text}) => parseSavedCounters(text, tableFamily(family))),
};

/**
The rules of a back end with their counters, except for those of the tables in `exceptTables` (the testbed's own). `listing` is the listing of the texts, if it was read before: with thousands of rules it has megabytes.

@throws {LoadedRulesError} if a tool printed something else.
*/
export function parseLoadedRules(texts: KernelTexts, {backend, exceptTables, listing}: {
	readonly backend: Backend; readonly exceptTables: readonly string[]; readonly listing?: NftListing;
}): readonly LoadedRule[] {
	return readers[factsOf(backend).counters](texts, exceptTables, listing);
}
