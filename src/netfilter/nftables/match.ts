/**
Conditions of a native nft rule: what each tests, and the text that nft prints for it. All forms are measured with nft 1.0.6.
*/

import {
	addressBits, parseRange, printAddress, printRange,
} from '../address.js';
import {parseProtocol, wordMax} from '../iptables/values.js';
import type {
	AddressFamily, Family, Match, PortRange,
} from '../types.js';
import {RuleSyntaxError} from '../words.js';
import {printExpression, type Statement} from './statements.js';

/** A condition: its matches (a port implies the protocol) and its text. */
export type ReadMatch = {readonly matches: readonly Match[]; readonly text: string};

type MatchStatement = Extract<Statement, {kind: 'match'}>;

type Question = {readonly primary: string; readonly negated: boolean; readonly value: string};

const portMax = 65_535;
/** The bits of `ct state` in the order in which nft prints them (linux/netfilter/nf_conntrack_common.h). */
const stateOrder = ['invalid', 'established', 'related', 'new', 'untracked'];
/** What `nft -n` prints for them. */
const stateOfBit: ReadonlyMap<string, string> = new Map([['0x1', 'invalid'], ['0x2', 'established'], ['0x4', 'related'], ['0x8', 'new'], ['0x40', 'untracked']]);
/** Headers that only packets of one protocol have, by their names in a rule. */
const protocolOfHeader: ReadonlyMap<string, string> = new Map([...['tcp', 'udp', 'udplite', 'sctp', 'dccp', 'ah', 'esp', 'icmp'].map(name => [name, name] as const), ['icmpv6', 'ipv6-icmp']]);

/** The protocol whose header a condition reads, or undefined. */
export function protocolLookedAt(primary: string): string | undefined {
	return protocolOfHeader.get(primary.split(' ')[0] ?? '');
}

/** Parses a condition. One without a field is opaque, with its text. */
export function readMatch(statement: MatchStatement, family: Family): ReadMatch {
	const {left, operator, right} = statement;
	const known = ['', '==', '!='].includes(operator) ? readKnown({...statement, right: unwrap(right)}, family) : readFlagsAbsent(statement);
	if (known !== undefined) {
		return known;
	}

	const text = printOpaque(statement);
	const protocol = protocolLookedAt(left.primary);
	const opaque: Match = {kind: 'opaque', text};
	return {matches: protocol === undefined || left.steps.some(({operator: step}) => step !== '&') ? [opaque] : [{kind: 'protocol', negated: false, protocol}, opaque], text};
}

/** Marks are printed in hexadecimal and interface names in quotes, in sets and ranges too. */
function printOpaque({left, operator, right}: MatchStatement): string {
	const text = [printExpression(left), ...(operator === '' ? [] : [operator]), right].join(' ');
	const {primary} = left;
	if (/^(?:meta|ct|socket) mark$/u.test(primary)) {
		return text.replaceAll(/(?<=[ -])(?:0x[\da-f]+|\d+)(?![^\s,-])/giu, number => hexadecimal(Number(number)));
	}

	return /^[io]ifname$/u.test(primary) && right.startsWith('{') ? text.replaceAll(/(?<= )[\w.*-]+(?=,| \})/gu, '"$&"') : text;
}

/** A set of one value is that value. A single range in braces stays: nft prints it if ports were joined. */
function unwrap(text: string): string {
	const only = /^\{ (?<only>[^\s,{}]+),? \}$/u.exec(text)?.groups?.['only'];
	return only === undefined || /^[\da-fx.:]+-[\da-fx.:]+$/iu.test(only) ? text : only;
}

function readKnown({left: {primary, steps}, operator, right}: MatchStatement, family: Family): ReadMatch | undefined {
	const question: Question = {primary, negated: operator === '!=', value: right};
	if (primary === 'meta mark' || primary === 'ct mark') {
		return readMark(question, steps);
	}

	if (steps.length > 0) {
		return undefined;
	}

	switch (primary) {
		case 'iif':
		case 'oif':
		case 'iifname':
		case 'oifname': {
			return readInterface(question);
		}

		case 'ip saddr':
		case 'ip daddr':
		case 'ip6 saddr':
		case 'ip6 daddr': {
			return readAddress(question);
		}

		case 'meta skuid':
		case 'meta skgid': {
			return readOwner(question);
		}

		case 'meta l4proto': {
			return readProtocol(question);
		}

		case 'ip protocol': {
			// In an inet table it also tests for IPv4, which the field cannot express.
			return family === 'ip' ? readProtocol(question) : undefined;
		}

		case 'ct state': {
			return operator === '==' ? undefined : readStates(question);
		}

		default: {
			return readPorts(question);
		}
	}
}

/** The condition in nft's syntax, with the negation if there is one. */
function ask({primary, negated}: Question, value: string): string {
	return `${primary} ${negated ? '!= ' : ''}${value}`;
}

/** A trailing `*` matches every interface whose name starts this way, like `+` in iptables and in the field. Without quotes, nft accepts only plain letters. */
function readInterface(question: Question): ReadMatch | undefined {
	const {primary, negated, value} = question;
	const {quoted, bare} = /^(?:"(?<quoted>[^\s"*+\\]+\*?)"|(?<bare>[\w./-]+\*?))$/u.exec(value)?.groups ?? {};
	const name = quoted ?? bare;
	if (name === undefined || (primary.length === 3 && /^\d+$/u.test(value))) {
		return undefined;
	}

	const kind = primary.startsWith('i') ? 'in-interface' : 'out-interface';
	return {matches: [{kind, negated, name: name.replace(/\*$/u, '+')}], text: ask(question, `"${name}"`)};
}

function readAddress(question: Question): ReadMatch | undefined {
	const {primary, negated, value} = question;
	const family: AddressFamily = primary.startsWith('ip6') ? 'ipv6' : 'ipv4';
	const range = /^[\da-f.:]+(?:\/\d+)?$/iu.test(value) ? parseRange(value, family) : undefined;
	const address = range === undefined ? undefined : printRange(range);
	if (range === undefined || address === undefined) {
		return undefined;
	}

	const isHost = address.endsWith(`/${addressBits[family]}`);
	return {
		matches: [{kind: primary.endsWith('saddr') ? 'source' : 'destination', negated, address}],
		text: ask(question, isHost ? printAddress({family, value: range.first}) : address),
	};
}

function readOwner(question: Question): ReadMatch | undefined {
	const {primary, negated, value} = question;
	const range = parseNumberRange(value, wordMax);
	return range === undefined
		? undefined
		: {
			matches: [{kind: primary === 'meta skuid' ? 'uid' : 'gid', negated, ...range}],
			text: ask(question, value.includes('-') ? `${range.from}-${range.to}` : String(range.from)),
		};
}

function readProtocol(question: Question): ReadMatch | undefined {
	try {
		const protocol = parseProtocol(question.value);
		return protocol === undefined ? undefined : {matches: [{kind: 'protocol', negated: question.negated, protocol}], text: ask(question, protocol)};
	} catch (error) {
		if (error instanceof RuleSyntaxError) {
			return undefined;
		}

		throw error;
	}
}

function readMark(question: Question, steps: MatchStatement['left']['steps']): ReadMatch | undefined {
	const [step, ...more] = steps;
	const [valueText = '', prefix, ...rest] = question.value.split('/');
	const value = parseNumber(valueText, wordMax);
	const mask = step === undefined ? (prefix === undefined ? wordMax : maskOfPrefix(prefix)) : parseNumber(step.operand, wordMax);
	if (value === undefined || mask === undefined || more.length > 0 || rest.length > 0 || (step !== undefined && (step.operator !== '&' || prefix !== undefined))) {
		return undefined;
	}

	const length = prefixOfMask(mask);
	const {primary, negated} = question;
	// Under a contiguous mask, nft compares only what is in the mask, and prints a prefix.
	const kept = length === undefined ? value : Number(BigInt(value) & BigInt(mask));
	const text = length === undefined
		? `${primary} & ${hexadecimal(mask)} ${negated ? '!=' : '=='} ${hexadecimal(value)}`
		: ask(question, length === 32 ? hexadecimal(value) : `${hexadecimal(kept)}/${length}`);
	return {
		matches: [{
			kind: primary === 'meta mark' ? 'mark' : 'connmark', negated, value: kept, mask,
		}],
		text,
	};
}

/** `related,established`, or the same with bars. Several states with `!=` are opaque: nft compares the single bit of a packet with all of them, so the condition is always true (measured). */
function readStates(question: Question): ReadMatch | undefined {
	const isSet = question.value.startsWith('{');
	const states = question.value.replaceAll(/^\{ | \}$/gu, '').split(isSet ? /\s*,\s*/u : /\s*[,|]\s*/u).map(state => stateOfBit.get(state) ?? state);
	if (!states.every(state => stateOrder.includes(state)) || (question.negated && !isSet && states.length > 1)) {
		return undefined;
	}

	const ordered = stateOrder.filter(state => states.includes(state));
	return {
		matches: [statesMatch(ordered, question.negated)],
		text: ask(question, isSet ? `{ ${states.join(', ')} }` : ordered.join(',')),
	};
}

/** `ct state ! new,related`: none of these bits. */
function readFlagsAbsent({left: {primary, steps}, operator, right}: MatchStatement): ReadMatch | undefined {
	const states = right.split(/\s*,\s*/u).map(state => stateOfBit.get(state) ?? state);
	return primary === 'ct state' && steps.length === 0 && operator === '!' && states.every(state => stateOrder.includes(state))
		? {matches: [statesMatch(states, true)], text: `${primary} ! ${states.join(',')}`}
		: undefined;
}

function statesMatch(states: readonly string[], negated: boolean): Match {
	return {kind: 'conntrack-state', negated, states: states.map(state => state.toUpperCase())};
}

function readPorts(question: Question): ReadMatch | undefined {
	const {primary, negated, value} = question;
	const [header = '', field = ''] = primary.split(' ');
	const protocol = ['tcp', 'udp', 'udplite', 'sctp', 'dccp'].includes(header) ? header : undefined;
	if (protocol === undefined || (field !== 'sport' && field !== 'dport')) {
		return undefined;
	}

	const isSet = value.startsWith('{');
	const items = isSet ? value.replaceAll(/^\{\s*|,?\s*\}$/gu, '').split(/\s*,\s*/u) : [value];
	const ranges = items.map(item => parseNumberRange(item, portMax)).filter(range => range !== undefined);
	if (ranges.length < items.length) {
		return undefined;
	}

	// The kernel sorts the elements of a set, and joins adjacent ones if there is any range.
	const isRange = items.some(item => item.includes('-'));
	const ordered = isSet ? sortPorts(ranges, isRange) : ranges;
	const printed = ordered.map(({from, to}) => from === to && (isSet || !isRange) ? String(from) : `${from}-${to}`).join(', ');
	return {
		matches: [{kind: 'protocol', negated: false, protocol}, {kind: field === 'sport' ? 'source-port' : 'destination-port', negated, ranges: ordered}],
		text: ask(question, isSet ? `{ ${printed} }` : printed),
	};
}

function sortPorts(ranges: readonly PortRange[], joins: boolean): readonly PortRange[] {
	const sorted: PortRange[] = [];
	for (const range of ranges.toSorted((one, other) => one.from - other.from || one.to - other.to)) {
		const last = sorted.at(-1);
		if (last !== undefined && range.from <= last.to + (joins ? 1 : 0)) {
			sorted[sorted.length - 1] = {from: last.from, to: Math.max(last.to, range.to)};
		} else {
			sorted.push(range);
		}
	}

	return sorted;
}

function parseNumberRange(text: string, max: number): PortRange | undefined {
	const [first = '', last, ...rest] = text.split('-');
	const from = parseNumber(first, max);
	const to = last === undefined ? from : parseNumber(last, max);
	return from === undefined || to === undefined || rest.length > 0 || from > to ? undefined : {from, to};
}

/** An integer, decimal (leading zeros are ignored) or hexadecimal; undefined for anything else, including names. */
export function parseNumber(text: string, max: number): number | undefined {
	const value = /^(?:0x[\da-f]+|\d+)$/iu.test(text) ? Number(text) : undefined;
	return value !== undefined && value <= max ? value : undefined;
}

/** A mark as nft prints it. */
export function hexadecimal(value: number): string {
	return `0x${value.toString(16).padStart(8, '0')}`;
}

function maskOfPrefix(text: string): number | undefined {
	const length = parseNumber(text, 32);
	return length === undefined ? undefined : Number((0xFF_FF_FF_FFn << BigInt(32 - length)) & 0xFF_FF_FF_FFn);
}

function prefixOfMask(mask: number): number | undefined {
	const [, ones] = /^(1*)0*$/u.exec(mask.toString(2).padStart(32, '0')) ?? [];
	return ones?.length;
}
