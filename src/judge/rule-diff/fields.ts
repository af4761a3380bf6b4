/**
The meaning of a rule in one spelling: equivalent rules have the same fields. Comments have no meaning; a match of every address or every interface matches everything.
*/

import {
	addressBits, parseRange, printRange, type AddressRange,
} from '../../netfilter/address.js';
import type {Match, PortRange, Target} from '../../netfilter/types.js';

/** A part of a rule: a kind of match, or `target`. */
export type FieldName = Match['kind'] | 'target';

/** Every part of a rule with its value, in a fixed order. */
export type Fields = ReadonlyMap<FieldName, string>;

/** How to read a rule: `nameOf` gives the same name to chains that a comparison treats as one. In a table of both families, a match of every address still selects one of them. */
export type Reading = {readonly nameOf: (chain: string) => string; readonly bothFamilies: boolean};

const order: readonly FieldName[] = [
	'protocol', 'source', 'destination', 'in-interface', 'out-interface', 'source-port', 'destination-port', 'uid', 'gid', 'socket-exists',
	'mark', 'connmark', 'conntrack-state', 'comment', 'opaque', 'target',
];

/** The parts of a rule. Matches of one kind are one part, sorted. */
export function fieldsOf({matches, target}: {readonly matches: readonly Match[]; readonly target: Target}, {nameOf, bothFamilies}: Reading): Fields {
	const values = new Map<FieldName, Set<string>>([['target', new Set([targetValue(target, nameOf)])]]);
	for (const match of matches) {
		const value = matchValue(match, bothFamilies);
		if (value !== undefined) {
			values.set(match.kind, (values.get(match.kind) ?? new Set()).add('negated' in match && match.negated ? `! ${value}` : value));
		}
	}

	return new Map(order.flatMap(name => {
		const own = values.get(name);
		return own === undefined ? [] : [[name, [...own].toSorted().join(' and ')] as const];
	}));
}

/** A text that is the same for rules with the same meaning. */
export function keyOf(fields: Fields): string {
	return JSON.stringify([...fields]);
}

/** A text that is the same for rules that differ only in values. */
export function shapeKeyOf(fields: Fields): string {
	return [...fields].map(([name, value]) => name === 'target' ? `target ${value.split(' ')[0]}` : (value.startsWith('!') ? `! ${name}` : name)).join(', ');
}

/** The value of a match without its negation; undefined for one that matches everything or has no meaning. */
function matchValue(match: Match, bothFamilies: boolean): string | undefined {
	switch (match.kind) {
		case 'protocol': {
			return match.protocol;
		}

		case 'source':
		case 'destination': {
			return addressValue(match, bothFamilies);
		}

		case 'in-interface':
		case 'out-interface': {
			return match.name === '+' && !match.negated ? undefined : match.name;
		}

		case 'source-port':
		case 'destination-port': {
			return joinRanges(match.ranges).map(range => printPorts(range)).join(',');
		}

		case 'uid':
		case 'gid': {
			return printPorts(match);
		}

		case 'socket-exists': {
			return 'yes';
		}

		case 'mark':
		case 'connmark': {
			return markValue(match);
		}

		case 'conntrack-state': {
			return [...new Set(match.states)].toSorted().join(',');
		}

		case 'comment': {
			return undefined;
		}

		case 'opaque': {
			return match.text.replaceAll(/\s+/gu, ' ').trim();
		}
	}
}

function addressValue({address, negated}: {readonly address: string; readonly negated: boolean}, bothFamilies: boolean): string | undefined {
	const range = parseRange(address);
	if (range === undefined) {
		return address;
	}

	return isEverything(range) && !negated && !bothFamilies ? undefined : printRange(range) ?? address;
}

function isEverything({family, first, last}: AddressRange): boolean {
	return last - first + 1n === 1n << BigInt(addressBits[family]);
}

/** Port ranges in order, with overlapping and adjacent ones merged. */
function joinRanges(ranges: readonly PortRange[]): readonly PortRange[] {
	const joined: PortRange[] = [];
	for (const range of ranges.toSorted((one, other) => one.from - other.from)) {
		const last = joined.at(-1);
		if (last !== undefined && range.from <= last.to + 1) {
			joined[joined.length - 1] = {from: last.from, to: Math.max(last.to, range.to)};
		} else {
			joined.push(range);
		}
	}

	return joined;
}

function printPorts({from, to}: PortRange): string {
	return from === to ? String(from) : `${from}-${to}`;
}

const wholeMask = 0xFF_FF_FF_FF;

function markValue({value, mask}: {readonly value: number; readonly mask: number}): string {
	return mask === wholeMask ? hexadecimal(value) : `${hexadecimal(value)}/${hexadecimal(mask)}`;
}

function hexadecimal(value: number): string {
	return `0x${value.toString(16)}`;
}

function targetValue(target: Target, nameOf: Reading['nameOf']): string {
	switch (target.kind) {
		case 'verdict': {
			return target.verdict;
		}

		case 'jump':
		case 'goto': {
			return `${target.kind} ${nameOf(target.chain)}`;
		}

		case 'redirect': {
			return target.toPorts === undefined ? 'redirect' : `redirect to ${printPorts(target.toPorts)}`;
		}

		case 'tproxy': {
			return `tproxy to ${target.onPort}, mark ${markValue({value: target.mark, mask: target.mask})}`;
		}

		case 'set-mark':
		case 'set-connmark': {
			return `${target.kind} ${markValue(target)}`;
		}

		case 'save-mark':
		case 'restore-mark':
		case 'none': {
			return target.kind;
		}

		case 'ct-zone': {
			return `ct-zone ${target.zone}`;
		}

		case 'extension': {
			return `${target.name} ${target.options}`.replaceAll(/\s+/gu, ' ').trim();
		}
	}
}
