/**
Everything that a user may bring as rules: recognised, read, and told apart by family.
*/

import {builtInChains} from '../built-in.js';
import {parseNft} from '../nftables/ruleset.js';
import {parseNftJson} from '../nftables/json.js';
import {linesOf, type Line} from '../parse-error.js';
import {readBlocks, splitBlocks, type ReadTables} from '../iptables/save.js';
import type {AddressFamily, Rule, RuleSet} from '../types.js';
import {tellFamilies} from './detect-family.js';
import {recognize, withoutColors, type Kind} from './detect-format.js';
import {isKubectlNotice, isShellPrompt} from './strip-noise.js';
import {readInitLog} from './init-log.js';
import {splitListings} from './list-rules.js';
import {opaqueRules, type OpaqueRule} from './opaque-rules.js';

export {recognize, type Kind} from './detect-format.js';
export {opaqueRules, type OpaqueRule} from './opaque-rules.js';

/** Rules that were brought, and what is to be said of them. */
export type Imported = {
	readonly kind: Kind;
	readonly ruleSet: RuleSet;
	/** The families of packets that the rules are for; a table of `inet` is for both. */
	readonly families: readonly AddressFamily[];
	/** What the user should know although it is no error: what was guessed, left out or spelled anew. */
	readonly warnings: readonly string[];
	/** The rules of which a part is not understood; they are installed as they are. */
	readonly opaque: readonly OpaqueRule[];
	/** The line of the user's text that each rule came from, counted from 1. */
	readonly lines: ReadonlyMap<Rule, number>;
};

/**
Reads rules of any kind. `family` says of which family all of them are, where the text alone cannot tell; rules of the other one are refused then.

@throws {ParseError} with the line of the user's text, its words, and the reason.
*/
export function importRules(given: string, {family}: {readonly family?: AddressFamily} = {}): Imported {
	const text = withoutColors(given);
	const kind = recognize(text);
	const {tables, lines, warnings} = readers[kind](text, family);
	const ruleSet: RuleSet = {tables};
	const seen = new Set(tables.flatMap((table): readonly AddressFamily[] => table.family === 'inet' ? ['ipv4', 'ipv6'] : [table.family === 'ip' ? 'ipv4' : 'ipv6']));
	return {
		kind, ruleSet, families: (['ipv4', 'ipv6'] as const).filter(candidate => seen.has(candidate)), warnings, opaque: opaqueRules(ruleSet), lines,
	};
}

/** One reader per kind. */
const readers = {
	'iptables-save': readDump,
	'iptables-S': readListing,
	'init-log': readInitLog,
	nft: text => readNft(parseNft(text)),
	'nft-json': text => readNft(parseNftJson(text)),
} satisfies Record<Kind, (text: string, family: AddressFamily | undefined) => ReadTables>;

/** Native nft names its families itself, and hands back no lines. */
function readNft(ruleSet: RuleSet): ReadTables {
	// Iptables-nft has tables of these names, with chains in capitals, and nft shows its own translation of their matches.
	const translated = ruleSet.tables.filter(({family, name, chains}) => family !== 'inet' && builtInChains(name).some(chain => chains.some(known => known.name === chain)));
	return {
		tables: ruleSet.tables,
		lines: new Map(),
		warnings: translated.map(({family, name}) => `table ${family} ${name} looks like one that iptables-nft wrote: nft shows a translation of it, and iptables-save its own words`),
	};
}

function readDump(text: string, family: AddressFamily | undefined): ReadTables {
	const lines = linesOf(text);
	const blocks = splitBlocks(lines, ({text: line}) => isShellPrompt(line) || isKubectlNotice(line));
	const told = tellFamilies(blocks, family);
	const {warnings, ...read} = readBlocks(told.blocks);
	return {...read, warnings: [...lines.flatMap(line => noticesOf(line)), ...told.warnings, ...warnings]};
}

function readListing(text: string, family: AddressFamily | undefined): ReadTables {
	const {blocks, warnings: ofText} = splitListings(text);
	const told = tellFamilies(blocks, family);
	const {warnings, ...read} = readBlocks(told.blocks);
	return {...read, warnings: [...ofText, ...told.warnings, ...warnings]};
}

/** What the tools themselves say of a dump in its comments. */
function noticesOf({number, text}: Line): readonly string[] {
	if (isShellPrompt(text) || isKubectlNotice(text)) {
		return [`line ${number}: left out, it is no rule: ${text}`];
	}

	const [, legacy] = /^# Warning: (ip6?tables-legacy) tables present/.exec(text) ?? [];
	if (legacy !== undefined) {
		return [`line ${number}: the machine has rules of ${legacy} as well, which this dump does not show; add the output of ${legacy}-save`];
	}

	const [, table] = /^# Table [`'"]?(\S+?)['"]? is incompatible/.exec(text) ?? [];
	return table === undefined ? [] : [`line ${number}: the tool left out table ${table}, which holds rules that it does not know; take nft list ruleset`];
}
