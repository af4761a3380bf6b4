/**
One text for all spellings of a rule: `-p tcp --dport 80 -s 10.1.2.3/8` and `-s 10.0.0.0/8 -p tcp -m tcp --dport 80` are the same. It is the text of iptables-save 1.8.9, with modules whose order has no meaning in a fixed order, so that a handwritten rule, a dump of another version and a current one can be compared.
*/

import {parseRange, printRange} from '../address.js';
import {addressFamilyOf} from '../built-in.js';
import {languageOfTable} from '../lookup.js';
import {TextMemo} from '../text-memo.js';
import type {
	AddressFamily, Match, PortRange, Rule, RuleLanguage, RuleSet, Table,
} from '../types.js';
import {normalWord, quoteWord} from '../words.js';
import {modulesWithoutMemory} from './match-modules.js';
import {printTarget} from './normalize-target.js';
import type {RulePart} from './rule-reader.js';
import {parseRuleText, readRule, type ParsedRule} from './rule.js';
import {conntrackStates, wordMax} from './values.js';

const coreOrder = ['-s', '-d', '-i', '-o', '-p', '-f'];

/** The modules whose order is known from the rules of service meshes; all others follow by name. */
const moduleOrder = ['tcp', 'udp', 'sctp', 'dccp', 'icmp', 'icmp6', 'multiport', 'owner', 'mark', 'connmark', 'conntrack', 'comment'];

/** The order in which iptables-save prints the options of a module (1.8.9, measured). */
const optionOrder = ['--sport', '--dport', '--tcp-option', '--tcp-flags', '--socket-exists', '--uid-owner', '--gid-owner', '--suppl-groups'];

/** Port ranges that match everything: the kernel's default, which iptables-save omits. */
const everyPort: PortRange = {from: 0, to: 65_535};

const normalizers: Readonly<Record<RuleLanguage, (table: Table) => Table>> = {
	iptables: table => ({
		...table,
		chains: table.chains.map(chain => ({...chain, rules: chain.rules.map(rule => normalizeRule(rule, addressFamilyOf(table.family)))})),
	}),
	nft: table => table,
};

/** A rule set in which equivalent rules have equal texts. Native nft tables stay unchanged, because nft has only one spelling. */
export function normalize(ruleSet: RuleSet): RuleSet {
	return {
		tables: ruleSet.tables.map(table => normalizers[languageOfTable(table)](table)),
	};
}

/** A rule with its normalized text, and the fields of that text: the same objects for the same text. */
export function normalizeRule(rule: Rule, family: AddressFamily): Rule {
	return {...rule, ...normalized[family].of(rule.text)};
}

const rememberedMax = 12_000;

const normalized: Readonly<Record<AddressFamily, TextMemo<ParsedRule>>> = {
	ipv4: new TextMemo(text => parseRuleText(normalText(text, 'ipv4'), 'ipv4'), rememberedMax),
	ipv6: new TextMemo(text => parseRuleText(normalText(text, 'ipv6'), 'ipv6'), rememberedMax),
};

/**
The normalized text of a rule.

@throws {RuleSyntaxError} if it is not a rule.
*/
export function normalText(text: string, family: AddressFamily): string {
	const {parts, rule, targetWords} = readRule(text, family);
	const core = parts.filter(({module}) => module === '').toSorted((one, other) => coreOrder.indexOf(one.option) - coreOrder.indexOf(other.option));
	return [
		...core.map(part => printCore(part)),
		...groupModules(parts.filter(({module}) => module !== '')).map(group => printModule(group)),
		printTarget(rule.target, {targetWords, family}),
	].filter(piece => piece !== '').join(' ');
}

type Group = {readonly module: string; readonly parts: RulePart[]};

/** The parts by module, in the fixed order as far as order has no meaning. */
function groupModules(parts: readonly RulePart[]): readonly Group[] {
	const stretches: Group[][] = [[]];
	for (const part of parts) {
		const module = part.module === 'state' ? 'conntrack' : part.module;
		const stretch = stretches.at(-1)!;
		if (!modulesWithoutMemory.has(module)) {
			stretches.push([{module, parts: [part]}], []);
			continue;
		}

		const group = stretch.findLast(candidate => candidate.module === module);
		// A module that is given twice is two matches; an option that is still unused belongs to the same one, as in iptables.
		if (group === undefined || part.option === '-m' || group.parts.some(({option}) => option === part.option)) {
			stretch.push({module, parts: [part]});
		} else {
			group.parts.push(part);
		}
	}

	return stretches.flatMap(stretch => stretch.map(group => ({group, text: printModule(group)})).toSorted(byOrder).map(({group}) => group));
}

function byOrder(one: {readonly group: Group; readonly text: string}, other: {readonly group: Group; readonly text: string}): number {
	const [place, otherPlace] = [one, other].map(({group: {module}}) => moduleOrder.indexOf(module)).map(index => index === -1 ? moduleOrder.length : index);
	return place! - otherPlace! || one.text.localeCompare(other.text, 'en', {numeric: true});
}

function printModule({module, parts}: Group): string {
	const [first] = parts;
	if (first?.option === '-m') {
		return printWords(first);
	}

	const options = parts
		.toSorted((one, other) => optionOrder.indexOf(one.option) - optionOrder.indexOf(other.option))
		.map(part => printOption(part))
		.filter(option => option !== '');
	return options.length === 0 ? '' : `-m ${module} ${options.join(' ')}`;
}

function printCore({negated, match, words, option}: RulePart): string {
	const value = match === undefined ? undefined : coreValue(match);
	if (match === undefined || value === undefined) {
		return words.map(({text}) => text).join(' ');
	}

	// `0.0.0.0/0` and `+` match every packet, so iptables-save omits them; negated, they match none.
	return value === '' && !negated ? '' : `${negated ? '! ' : ''}${option} ${value === '' ? everything(match) : value}`;
}

/** The value as iptables-save prints it; empty if it matches every packet, undefined if it is kept as text. */
function coreValue(match: Match): string | undefined {
	if (match.kind === 'source' || match.kind === 'destination') {
		const range = parseRange(match.address);
		const text = range === undefined ? match.address : printRange(range) ?? match.address;
		return text.endsWith('/0') ? '' : text;
	}

	if (match.kind === 'in-interface' || match.kind === 'out-interface') {
		return match.name === '+' ? '' : match.name;
	}

	return match.kind === 'protocol' ? match.protocol : undefined;
}

function everything(match: Match): string {
	return match.kind === 'source' || match.kind === 'destination' ? (match.address.includes(':') ? '::/0' : '0.0.0.0/0') : '+';
}

function printOption(part: RulePart): string {
	const {match, module, negated} = part;
	const option = module === 'state' ? '--ctstate' : part.option;
	if (option === '--syn') {
		return `${negated ? '! ' : ''}--tcp-flags FIN,SYN,RST,ACK SYN`;
	}

	if (match === undefined) {
		return printWords(part);
	}

	const value = printValue(match, module);
	return value === undefined ? '' : [...(negated ? ['!'] : []), option, ...(value === '' ? [] : [value])].join(' ');
}

/** The value of an option as iptables-save prints it; empty for an option without one, undefined for an option that it omits. */
function printValue(match: Match, module: string): string | undefined {
	if (match.kind === 'source-port' || match.kind === 'destination-port') {
		const [first] = match.ranges;
		const isEvery = module !== 'multiport' && !match.negated && first?.from === everyPort.from && first.to === everyPort.to;
		return isEvery ? undefined : match.ranges.map(range => printPorts(range)).join(',');
	}

	if (match.kind === 'uid' || match.kind === 'gid') {
		return match.from === match.to ? String(match.from) : `${match.from}-${match.to}`;
	}

	if (match.kind === 'mark' || match.kind === 'connmark') {
		return `0x${match.value.toString(16)}${match.mask === wordMax ? '' : `/0x${match.mask.toString(16)}`}`;
	}

	if (match.kind === 'conntrack-state') {
		return conntrackStates.filter(state => match.states.includes(state)).join(',');
	}

	return match.kind === 'comment' ? quoteWord(match.text) : '';
}

function printPorts({from, to}: PortRange): string {
	return from === to ? String(from) : `${from}:${to}`;
}

function printWords({words}: RulePart): string {
	return words.map(word => normalWord(word)).join(' ');
}
