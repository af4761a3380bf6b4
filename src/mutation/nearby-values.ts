/**
The nearest different values for a condition or a target of a mutant.
*/

import {addressBits, parseRange, printRange} from '../netfilter/address.js';
import {ownerMax, wordMax} from '../netfilter/iptables/values.js';
import type {
	Match, PortRange, Rule, Table, Target,
} from '../netfilter/types.js';
import {hexadecimal, printNumbers, type RuleEdit} from './edit-iptables-rule.js';
import type {MutationKind} from './kinds.js';

/** One change of a rule, with its description: `--uid-owner 1337 → 1338`. */
export type Change = {readonly kind: MutationKind; readonly edit: RuleEdit; readonly text: string};

const portMax = 65_535;

/** All changes of one condition. */
export function changesOfMatch(match: Match, place: number): readonly Change[] {
	if (!('negated' in match)) {
		return [];
	}

	const own = printQuestion(match);
	const changed = (kind: MutationKind, other: Match): Change => ({kind, edit: {kind: 'match', place, match: other}, text: `${own} → ${printQuestion(other)}`});
	return [
		changed('negate', {...match, negated: !match.negated}),
		...valuesOf(match).map(([kind, other]) => changed(kind, other)),
	];
}

function valuesOf(match: Match): ReadonlyArray<readonly [MutationKind, Match]> {
	switch (match.kind) {
		case 'uid':
		case 'gid': {
			return rangesBeside(match, ownerMax).map(([kind, range]) => [kind === 'shift' ? 'owner' : kind, {...match, ...range}]);
		}

		case 'source-port':
		case 'destination-port': {
			return match.ranges.flatMap((range, index) => rangesBeside(range, portMax).map(([kind, other]) => [kind === 'shift' ? 'port' : kind, {...match, ranges: match.ranges.with(index, other)}] as const));
		}

		case 'source':
		case 'destination': {
			return addressesBeside(match.address).map(([kind, address]) => [kind, {...match, address}]);
		}

		case 'mark':
		case 'connmark': {
			// Flips the lowest bit under the mask.
			return match.mask === 0 ? [] : [['mark', {...match, value: (match.value ^ (match.mask & -match.mask)) >>> 0}]];
		}

		case 'protocol':
		case 'in-interface':
		case 'out-interface':
		case 'socket-exists':
		case 'conntrack-state':
		case 'comment':
		case 'opaque': {
			return [];
		}
	}
}

/** The next number; for a range, one more and one less at either end. */
function rangesBeside({from, to}: PortRange, max: number): ReadonlyArray<readonly ['shift' | 'widen' | 'narrow', PortRange]> {
	return [
		...(to < max ? [['shift', {from: from + 1, to: to + 1}] as const, ['widen', {from, to: to + 1}] as const] : []),
		...(from > 0 ? [['widen', {from: from - 1, to}] as const] : []),
		...(to === max && from > 0 ? [['shift', {from: from - 1, to: to - 1}] as const] : []),
		...(from < to ? [['narrow', {from: from + 1, to}] as const, ['narrow', {from, to: to - 1}] as const] : []),
	];
}

/** A prefix that is one bit shorter, both halves with one bit more, and the adjacent network. */
function addressesBeside(text: string): ReadonlyArray<readonly ['address' | 'widen' | 'narrow', string]> {
	const range = parseRange(text);
	const address = range === undefined ? undefined : printRange(range);
	const length = Number(address?.split('/')[1]);
	if (range === undefined || address === undefined) {
		return [];
	}

	const {family, first, last} = range;
	const size = last - first + 1n;
	const at = (value: bigint, count: bigint): string => printRange({family, first: value, last: value + count - 1n})!;
	const sibling = first ^ size;
	return [
		...(length > 0 ? [['address', at(sibling, size)] as const, ['widen', at(first & ~size, size * 2n)] as const] : []),
		...(length < addressBits[family] ? [['narrow', at(first, size / 2n)] as const, ['narrow', at(first + (size / 2n), size / 2n)] as const] : []),
	];
}

/** All changes of a rule's target. `redirects` are the ports that other rules of the set redirect to. */
export function changesOfTarget({target, chain}: Pick<Rule, 'target' | 'chain'>, {table, redirects}: {readonly table: Table; readonly redirects: readonly number[]}): readonly Change[] {
	const changed = (other: Target): Change => ({kind: other.kind === target.kind && (target.kind === 'redirect' || target.kind === 'tproxy') ? 'port' : 'target', edit: {kind: 'target', target: other}, text: `${printTarget(target)} → ${printTarget(other)}`});
	return targetsBeside(target, {table, chain, redirects}).map(other => changed(other));
}

function targetsBeside(target: Target, {table, chain, redirects}: {readonly table: Table; readonly chain: string; readonly redirects: readonly number[]}): readonly Target[] {
	const verdicts = (...names: ReadonlyArray<'accept' | 'drop' | 'return'>): readonly Target[] => names.map(verdict => ({kind: 'verdict', verdict}));
	switch (target.kind) {
		case 'verdict': {
			return verdicts('accept', 'drop', 'return').filter(other => other.kind === 'verdict' && other.verdict !== target.verdict);
		}

		case 'jump':
		case 'goto': {
			const others = table.chains.filter(({policy, base, name}) => policy === undefined && base === undefined && name !== target.chain && name !== chain);
			return [...verdicts('accept', 'return'), ...others.map(({name}): Target => ({kind: target.kind, chain: name}))];
		}

		case 'redirect': {
			const {toPorts} = target;
			const ports = toPorts === undefined ? [] : [toPorts.to < portMax ? toPorts.to + 1 : toPorts.from - 1, ...redirects.filter(port => port !== toPorts.from)];
			return [...ports.map((port): Target => ({kind: 'redirect', toPorts: {from: port, to: port}})), ...verdicts('accept', 'return')];
		}

		case 'tproxy': {
			return [{...target, onPort: target.onPort < portMax ? target.onPort + 1 : target.onPort - 1}, {...target, mark: (target.mark ^ (target.mask & -target.mask)) >>> 0}, ...verdicts('return')];
		}

		case 'set-mark':
		case 'set-connmark': {
			return [{...target, value: (target.value ^ (target.mask === 0 ? 1 : target.mask & -target.mask)) >>> 0}];
		}

		case 'save-mark':
		case 'restore-mark':
		case 'ct-zone':
		case 'extension':
		case 'none': {
			return [];
		}
	}
}

/** A condition in words that are the same for every back end. */
function printQuestion(match: Match): string {
	const sign = 'negated' in match && match.negated ? '! ' : '';
	switch (match.kind) {
		case 'protocol': {
			return `${sign}protocol ${match.protocol}`;
		}

		case 'source':
		case 'destination': {
			return `${sign}${match.kind} ${match.address}`;
		}

		case 'in-interface':
		case 'out-interface': {
			return `${sign}${match.kind} ${match.name}`;
		}

		case 'source-port':
		case 'destination-port': {
			return `${sign}${match.kind} ${match.ranges.map(range => printNumbers(range, '-')).join(',')}`;
		}

		case 'uid':
		case 'gid': {
			return `${sign}${match.kind} ${printNumbers(match, '-')}`;
		}

		case 'mark':
		case 'connmark': {
			return `${sign}${match.kind} ${hexadecimal(match.value)}${match.mask === wordMax ? '' : `/${hexadecimal(match.mask)}`}`;
		}

		case 'conntrack-state': {
			return `${sign}state ${match.states.join(',')}`;
		}

		case 'socket-exists': {
			return `${sign}socket exists`;
		}

		case 'comment':
		case 'opaque': {
			return match.text;
		}
	}
}

function printTarget(target: Target): string {
	switch (target.kind) {
		case 'verdict': {
			return target.verdict.toUpperCase();
		}

		case 'jump':
		case 'goto': {
			return `${target.kind} ${target.chain}`;
		}

		case 'redirect': {
			return target.toPorts === undefined ? 'REDIRECT' : `REDIRECT to ${printNumbers(target.toPorts, '-')}`;
		}

		case 'tproxy': {
			return `TPROXY to ${target.onPort}, mark ${hexadecimal(target.mark)}`;
		}

		case 'set-mark':
		case 'set-connmark': {
			return `${target.kind} ${hexadecimal(target.value)}/${hexadecimal(target.mask)}`;
		}

		case 'save-mark':
		case 'restore-mark':
		case 'none': {
			return target.kind;
		}

		case 'ct-zone': {
			return `zone ${target.zone}`;
		}

		case 'extension': {
			return `${target.name} ${target.options}`.trim();
		}
	}
}
