/**
The parts of a rule that can be changed by a click: its users, groups, ports, addresses and negations.
*/

import {ownerMax} from '../netfilter/iptables/values.js';
import {parseAddress, parseRange} from '../netfilter/address.js';
import type {
	Match, PortRange, Rule, Target,
} from '../netfilter/types.js';
import type {RuleValue} from './protocol.js';

const portMax = 65_535;

const names = {
	protocol: 'protocol', source: 'source', destination: 'destination', 'in-interface': 'in', 'out-interface': 'out', 'source-port': 'source port', 'destination-port': 'port',
	uid: 'UID', gid: 'GID', 'socket-exists': 'socket', mark: 'mark', connmark: 'connection mark', 'conntrack-state': 'state', comment: 'comment', opaque: '',
} as const satisfies Record<Match['kind'], string>;

/** The parts of a rule that can be changed, with their current values. */
export function valuesOf({matches, target}: Rule): readonly RuleValue[] {
	return [
		...matches.flatMap((match, condition): readonly RuleValue[] => 'negated' in match
			? [{
				condition, name: names[match.kind], value: `${match.negated ? '! ' : ''}${printValue(match)}`, canNegate: true, canChange: canChange(match),
			}]
			: []),
		...valueOfTarget(target),
	];
}

function valueOfTarget(target: Target): readonly RuleValue[] {
	const value = target.kind === 'redirect' && target.toPorts !== undefined ? printRange(target.toPorts) : (target.kind === 'tproxy' ? String(target.onPort) : undefined);
	return value === undefined
		? []
		: [{
			condition: null, name: 'to port', value, canNegate: false, canChange: true,
		}];
}

function canChange({kind}: Match): boolean {
	return ['uid', 'gid', 'source-port', 'destination-port', 'source', 'destination'].includes(kind);
}

function printValue(match: Extract<Match, {negated: boolean}>): string {
	switch (match.kind) {
		case 'protocol': {
			return match.protocol;
		}

		case 'source':
		case 'destination': {
			return match.address;
		}

		case 'in-interface':
		case 'out-interface': {
			return match.name;
		}

		case 'source-port':
		case 'destination-port': {
			return match.ranges.map(range => printRange(range)).join(',');
		}

		case 'uid':
		case 'gid': {
			return printRange(match);
		}

		case 'mark':
		case 'connmark': {
			return `0x${match.value.toString(16)}`;
		}

		case 'conntrack-state': {
			return match.states.join(',');
		}

		case 'socket-exists': {
			return 'exists';
		}
	}
}

function printRange({from, to}: PortRange): string {
	return from === to ? String(from) : `${from}-${to}`;
}

/** A condition with another value; undefined if the value is invalid for it. */
export function withValue(match: Match, value: string): Match | undefined {
	switch (match.kind) {
		case 'uid':
		case 'gid': {
			const range = readRange(value, {min: 0, max: ownerMax});
			return range === undefined ? undefined : {...match, ...range};
		}

		case 'source-port':
		case 'destination-port': {
			const ranges = value.split(',').map(part => readRange(part, {min: 0, max: portMax}));
			return ranges.includes(undefined) ? undefined : {...match, ranges: ranges as readonly PortRange[]};
		}

		case 'source':
		case 'destination': {
			const text = value.trim();
			const range = parseRange(text) ?? parseAddress(text);
			return range === undefined ? undefined : {...match, address: text.includes('/') ? text : `${text}/${range.family === 'ipv4' ? 32 : 128}`};
		}

		case 'protocol':
		case 'in-interface':
		case 'out-interface':
		case 'socket-exists':
		case 'mark':
		case 'connmark':
		case 'conntrack-state':
		case 'comment':
		case 'opaque': {
			return undefined;
		}
	}
}

/** A target with another port; undefined if it has none, or if the value is invalid. */
export function targetWithPort(target: Target, value: string): Target | undefined {
	const range = readRange(value, {min: 1, max: portMax});
	if (range === undefined) {
		return undefined;
	}

	if (target.kind === 'redirect') {
		return {...target, toPorts: range};
	}

	return target.kind === 'tproxy' && range.from === range.to ? {...target, onPort: range.from} : undefined;
}

function readRange(text: string, {min, max}: {readonly min: number; readonly max: number}): PortRange | undefined {
	const {first, last = first} = /^\s*(?<first>\d{1,10})(?:\s*[-:]\s*(?<last>\d{1,10}))?\s*$/u.exec(text)?.groups ?? {};
	if (first === undefined) {
		return undefined;
	}

	const [from, to] = [Number(first), Number(last)];
	return from < min || to > max || from > to ? undefined : {from, to};
}
