/**
Reads any rules that a user supplies: detects the format, parses, and separates the families.
*/

import {isTranslated, parseNftListing} from '../nftables/listing.js';
import {parseNftJson} from '../nftables/json.js';
import type {Line} from '../parse-error.js';
import {
	readBlocks, splitBlocks, type ReadTables, type SaveBlock,
} from '../iptables/save.js';
import type {AddressFamily, Rule, RuleSet} from '../types.js';
import {tellFamilies} from './detect-family.js';
import {kindOf, type Kind} from './detect-format.js';
import {splitVerboseListings} from './list-verbose.js';
import {unwrap, type Pasted} from './pasted-text.js';
import {isNoise} from './strip-noise.js';
import {readInitLog} from './init-log.js';
import {splitListings} from './list-rules.js';
import {opaqueRules, type OpaqueRule} from './opaque-rules.js';

export {recognize, type Kind} from './detect-format.js';
export {opaqueRules, type OpaqueRule} from './opaque-rules.js';

/** The rules, and remarks about them. */
export type Imported = {
	readonly kind: Kind;
	readonly ruleSet: RuleSet;
	/** The families of packets that the rules apply to; an `inet` table applies to both. */
	readonly families: readonly AddressFamily[];
	/** Warnings that are not errors: what was guessed, ignored or rewritten. */
	readonly warnings: readonly string[];
	/** Tools whose rules are also on the machine but not in the text, according to the text itself: `iptables-legacy`. */
	readonly beside: readonly string[];
	/** The rules with a part that is not understood; they are installed unchanged. */
	readonly opaque: readonly OpaqueRule[];
	/** The line of the user's text from which each rule came, counted from 1. */
	readonly lines: ReadonlyMap<Rule, number>;
};

/** What the caller says about the families of a text. `family`: all rules are of it, and one of the other family is rejected. `fallback`: the family to assume if the text does not show it. */
export type FamilyHints = {readonly family?: AddressFamily; readonly fallback?: AddressFamily};

/**
Reads rules of any kind, ignoring whatever was pasted around them.

@throws {ParseError} with the line of the user's text, its content, and the reason.
*/
export function importRules(given: string, hints: FamilyHints = {}): Imported {
	const pasted = unwrap(given);
	const kind = kindOf(given, pasted);
	const {tables, lines, warnings} = readers[kind](pasted, hints);
	const ruleSet: RuleSet = {tables};
	const seen = new Set(tables.flatMap((table): readonly AddressFamily[] => table.family === 'inet' ? ['ipv4', 'ipv6'] : [table.family === 'ip' ? 'ipv4' : 'ipv6']));
	return {
		kind, ruleSet, families: (['ipv4', 'ipv6'] as const).filter(candidate => seen.has(candidate)), warnings: [...pasted.warnings, ...warnings], beside: besideOf(pasted.lines), opaque: opaqueRules(ruleSet), lines,
	};
}

/** One reader for each format. */
const readers = {
	'iptables-save': ({lines}, hints) => readDump(lines, hints),
	'iptables-S': ({lines}, hints) => readSplit(splitListings(lines), hints),
	'iptables-L': ({lines}, hints) => readSplit(splitVerboseListings(lines), hints),
	'init-log': ({logged}, hints) => readInitLog(logged, hints),
	nft: readNft,
	'nft-json': readNftJson,
} satisfies Record<Kind, (pasted: Pasted, hints: FamilyHints) => ReadTables>;

function readNft(pasted: Pasted): ReadTables {
	const {ruleSet, leftOut} = parseNftListing(rulesAlone(pasted));
	const read = readTranslated(ruleSet);
	return {...read, warnings: [...noticesOf(pasted.lines), ...leftOut, ...read.warnings]};
}

function readNftJson(pasted: Pasted): ReadTables {
	const read = readTranslated(parseNftJson(rulesAlone(pasted)));
	return {...read, warnings: [...noticesOf(pasted.lines), ...read.warnings]};
}

/** The text with lines that are not rules blanked. Sets keep their indentation. */
function rulesAlone({lines, raw}: Pasted): string {
	return lines.map(({text}, index) => isNoise(text) ? '' : (raw[index]!.trim() === text ? raw[index]! : text)).join('\n');
}

/** Native nft rules name their families; this reader returns no line numbers. */
function readTranslated(ruleSet: RuleSet): ReadTables {
	return {
		tables: ruleSet.tables,
		lines: new Map(),
		warnings: ruleSet.tables.filter(table => isTranslated(table)).map(({family, name}) => `table ${family} ${name} looks like one that iptables-nft wrote: nft shows a translation of it, while iptables-save shows the original rules`),
	};
}

function readDump(lines: readonly Line[], hints: FamilyHints): ReadTables {
	const {warnings, ...read} = readSplit({blocks: splitBlocks(lines, ({text}) => isNoise(text)), warnings: []}, hints);
	return {...read, warnings: [...noticesOf(lines), ...warnings]};
}

function readSplit({blocks, warnings: ofText}: {readonly blocks: readonly SaveBlock[]; readonly warnings: readonly string[]}, hints: FamilyHints): ReadTables {
	const told = tellFamilies(blocks, hints);
	const {warnings, ...read} = readBlocks(told.blocks);
	return {...read, warnings: [...ofText, ...told.warnings, ...warnings]};
}

/** The warning of iptables-nft tools that legacy tables also contain rules (iptables 1.8, `xtables-save.c` and `xtables-standalone.c`). */
function besideOf(lines: readonly Line[]): readonly string[] {
	return [...new Set(lines.flatMap(({text}) => /^# Warning: (?<tool>ip6?tables-legacy) tables present/u.exec(text)?.groups?.['tool'] ?? []))];
}

/** What was ignored between rules, and what the tools say about the dump in its comments. */
function noticesOf(lines: readonly Line[]): readonly string[] {
	return lines.flatMap(line => noticeOf(line));
}

function noticeOf({number, text}: Line): readonly string[] {
	if (isNoise(text)) {
		return [`line ${number}: ignored because it is not a rule: ${text}`];
	}

	const [, legacy] = /^# Warning: (ip6?tables-legacy) tables present/.exec(text) ?? [];
	if (legacy !== undefined) {
		return [`line ${number}: the machine also has ${legacy} rules, which this dump does not show; add the output of ${legacy}-save`];
	}

	const [, table] = /^# Table [`'"]?(\S+?)['"]? is incompatible/.exec(text) ?? [];
	return table === undefined ? [] : [`line ${number}: the tool left out table ${table} because it contains rules that the tool does not know; use nft list ruleset`];
}
