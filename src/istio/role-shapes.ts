/**
The shapes of a sidecar's rules as a table: chain, kinds of matches (`!` is a negated one), target. `also` lists matches that may be there or not.
*/

import {familyOfAddress, isLoopback} from '../netfilter/address.js';
import type {
	AddressFamily, Match, Rule, Target,
} from '../netfilter/types.js';
import type {Role} from './role.js';
import {twinChain} from './twin.js';

type Earlier = ReadonlyArray<{readonly rule: Rule; readonly roles: readonly Role[]}> | undefined;

/** One row: a rule of this shape has this role, unless what stands before it says otherwise. */
export type RoleShape = {
	readonly role: Role;
	readonly table: string;
	readonly chain: string;
	readonly matches: readonly string[];
	readonly also?: readonly string[];
	readonly target: string;
	readonly when?: (rule: Rule) => boolean;
	/** `earlier` is undefined when the chain is not known. */
	readonly unless?: (rule: Rule, earlier: Earlier) => boolean;
};

/** The shape of a rule, for comparison with the rows. Comments say nothing, nor does a range of all addresses, which iptables does not even print. */
export function shapeOf({matches, target}: Rule, table: string): {readonly matches: ReadonlySet<string>; readonly target: string} {
	const kinds = matches.filter(match => match.kind !== 'comment' && !isEveryAddress(match)).map(match => 'negated' in match && match.negated ? `!${match.kind}` : match.kind);
	return {matches: new Set(kinds), target: shapeOfTarget(target, table)};
}

function isEveryAddress(match: Match): boolean {
	return (match.kind === 'source' || match.kind === 'destination') && !match.negated && match.address.endsWith('/0');
}

function shapeOfTarget(target: Target, table: string): string {
	switch (target.kind) {
		case 'verdict': {
			return target.verdict;
		}

		case 'jump':
		case 'goto': {
			return twinChain(table, target.chain);
		}

		case 'extension': {
			return [target.name, ...target.options.split(' ').filter(word => word.startsWith('--')).slice(0, 1)].join(' ');
		}

		case 'redirect':
		case 'tproxy':
		case 'set-mark':
		case 'set-connmark':
		case 'save-mark':
		case 'restore-mark':
		case 'ct-zone':
		case 'none': {
			return target.kind;
		}
	}
}

function row(role: Role, place: string, shape: string, extra: Pick<RoleShape, 'also' | 'when' | 'unless'> = {}): RoleShape {
	const [table = '', chain = ''] = place.split(' ');
	const [matches = '', target = ''] = shape.split('> ');
	return {
		role, table, chain, matches: matches.split(' ').filter(match => match !== ''), target, ...extra,
	};
}

function usesProtocol(protocol: string): (rule: Rule) => boolean {
	return ({matches}) => matches.some(match => match.kind === 'protocol' && match.protocol === protocol);
}

function goesToLoopback(rule: Rule): boolean {
	return rule.matches.some(match => match.kind === 'destination' && isLoopback(match.address));
}

/** Without a chain, only the first rule can be the tunnel port's. */
function isNotFirstPort(rule: Rule, earlier: Earlier): boolean {
	return earlier === undefined ? rule.number !== 1 : earlier.some(({roles}) => roles.includes('inbound-tunnel-port'));
}

function gidOf({matches}: Rule): number | undefined {
	return matches.flatMap(match => match.kind === 'gid' ? [match.from] : [])[0];
}

/** The proxy's groups have rules for lo before their bypass, a hairpin and its counterpart, and one of them can be missing; excluded groups have neither. */
function hasNoHairpin(rule: Rule, earlier: Earlier): boolean {
	return earlier !== undefined && !earlier.some(({rule: other, roles}) => (roles.includes('hairpin-by-gid') || roles.includes('loopback-not-proxy-gid')) && gidOf(other) === gidOf(rule));
}

function follows(role: Role): (rule: Rule, earlier: Earlier) => boolean {
	return (_rule, earlier) => earlier?.some(({roles}) => roles.includes(role)) === true;
}

function familyOfDestination({matches}: Rule): AddressFamily | undefined {
	return matches.flatMap(match => match.kind === 'destination' ? [familyOfAddress(match.address)] : [])[0];
}

/** The host's loopback has one rule per family; native nft has both in one chain. */
function followsLocalhost(rule: Rule, earlier: Earlier): boolean {
	return earlier?.some(({rule: other, roles}) => roles.includes('localhost-bypass') && familyOfDestination(other) === familyOfDestination(rule)) === true;
}

const ownTcp = ['protocol', '!destination-port'];

/** All rows. Where two share a shape, the first whose `unless` does not object wins. */
export const roleShapes: readonly RoleShape[] = [
	...['nat', 'mangle'].flatMap(table => [
		row('interface-exclude-inbound', `${table} PREROUTING`, 'in-interface > return'),
		row('interface-exclude-outbound', `${table} OUTPUT`, 'out-interface > return'),
		row('inbound-jump', `${table} PREROUTING`, 'protocol > ISTIO_INBOUND'),
	]),
	row('virtual-interface-capture', 'nat PREROUTING', 'in-interface > ISTIO_REDIRECT', {also: ['destination']}),
	row('inbound-tunnel-port', 'nat ISTIO_INBOUND', 'protocol destination-port > return', {unless: isNotFirstPort}),
	row('inbound-port-exclude', 'nat ISTIO_INBOUND', 'protocol destination-port > return'),
	row('inbound-port-include', 'nat ISTIO_INBOUND', 'protocol destination-port > ISTIO_IN_REDIRECT'),
	row('inbound-capture', 'nat ISTIO_INBOUND', 'protocol > ISTIO_IN_REDIRECT'),
	row('inbound-redirect', 'nat ISTIO_IN_REDIRECT', 'protocol > redirect'),
	row('outbound-redirect', 'nat ISTIO_REDIRECT', 'protocol > redirect'),
	row('outbound-jump', 'nat OUTPUT', '> ISTIO_OUTPUT', {also: ['protocol']}),
	row('outbound-port-exclude', 'nat ISTIO_OUTPUT', 'protocol destination-port > return'),
	row('passthrough-source', 'nat ISTIO_OUTPUT', 'source out-interface > return'),
	row('hairpin-by-uid', 'nat ISTIO_OUTPUT', '!destination out-interface uid > ISTIO_IN_REDIRECT', {also: ownTcp}),
	row('loopback-not-proxy-uid', 'nat ISTIO_OUTPUT', 'out-interface !uid > return', {also: ownTcp}),
	row('proxy-uid-bypass', 'nat ISTIO_OUTPUT', 'uid > return'),
	row('hairpin-by-gid', 'nat ISTIO_OUTPUT', '!destination out-interface gid > ISTIO_IN_REDIRECT', {also: ownTcp}),
	row('loopback-not-proxy-gid', 'nat ISTIO_OUTPUT', 'out-interface !gid > return', {also: ownTcp}),
	row('proxy-gid-bypass', 'nat ISTIO_OUTPUT', 'gid > return', {unless: hasNoHairpin}),
	row('group-exclude', 'nat ISTIO_OUTPUT', 'gid > return'),
	row('group-include', 'nat ISTIO_OUTPUT', '!gid > return'),
	// A bare RETURN: no group is included, or the excluded range is every address. Ranges stand behind the localhost rule.
	row('group-include', 'nat ISTIO_OUTPUT', '> return', {unless: follows('localhost-bypass')}),
	row('range-exclude', 'nat ISTIO_OUTPUT', '> return'),
	row('dns-jump', 'nat ISTIO_OUTPUT', '> ISTIO_OUTPUT_DNS'),
	row('localhost-bypass', 'nat ISTIO_OUTPUT', 'destination > return', {when: goesToLoopback, unless: followsLocalhost}),
	row('range-exclude', 'nat ISTIO_OUTPUT', 'destination > return'),
	row('outbound-port-include', 'nat ISTIO_OUTPUT', 'protocol destination-port > ISTIO_REDIRECT'),
	row('range-include', 'nat ISTIO_OUTPUT', 'destination > ISTIO_REDIRECT'),
	row('outbound-capture', 'nat ISTIO_OUTPUT', '> ISTIO_REDIRECT'),
	row('dns-redirect-tcp', 'nat ISTIO_OUTPUT_DNS', 'protocol destination-port > redirect', {also: ['destination'], when: usesProtocol('tcp')}),
	row('dns-redirect-udp', 'nat ISTIO_OUTPUT_DNS', 'protocol destination-port > redirect', {also: ['destination'], when: usesProtocol('udp')}),
	row('dns-zone-jump', 'raw OUTPUT', '> ISTIO_OUTPUT_DNS'),
	row('dns-answer-jump', 'raw PREROUTING', '> ISTIO_INBOUND'),
	...['uid', 'gid'].flatMap(owner => [
		row('dns-zone-proxy-query', 'raw ISTIO_OUTPUT_DNS', `protocol destination-port ${owner} > ct-zone`),
		row('dns-zone-agent-answer', 'raw ISTIO_OUTPUT_DNS', `protocol source-port ${owner} > ct-zone`),
	]),
	row('dns-zone-query', 'raw ISTIO_OUTPUT_DNS', 'protocol destination-port > ct-zone', {also: ['destination']}),
	row('dns-zone-answer', 'raw ISTIO_INBOUND', 'protocol source-port > ct-zone', {also: ['source']}),
	// Native nft asks for TCP too.
	row('invalid-jump', 'mangle PREROUTING', 'conntrack-state > ISTIO_DROP', {also: ['protocol']}),
	row('invalid-drop', 'mangle PREROUTING', 'conntrack-state > drop'),
	row('invalid-drop', 'mangle ISTIO_DROP', '> drop'),
	row('tproxy-mark-bypass', 'mangle ISTIO_INBOUND', 'protocol mark > return'),
	row('tproxy-passthrough-source', 'mangle ISTIO_INBOUND', 'source in-interface protocol > return'),
	row('tproxy-loopback-not-hairpin', 'mangle ISTIO_INBOUND', 'in-interface protocol !mark > return'),
	row('inbound-port-exclude', 'mangle ISTIO_INBOUND', 'protocol destination-port > return'),
	row('tproxy-divert-established', 'mangle ISTIO_INBOUND', 'protocol conntrack-state > ISTIO_DIVERT', {also: ['destination-port']}),
	row('tproxy-capture', 'mangle ISTIO_INBOUND', 'protocol > ISTIO_TPROXY', {also: ['destination-port']}),
	row('tproxy-divert-mark', 'mangle ISTIO_DIVERT', '> set-mark'),
	row('tproxy-divert-accept', 'mangle ISTIO_DIVERT', '> accept'),
	row('tproxy-redirect', 'mangle ISTIO_TPROXY', '!destination protocol > tproxy'),
	row('tproxy-mark-save', 'mangle PREROUTING', 'protocol mark > save-mark'),
	row('tproxy-loopback-marked', 'mangle OUTPUT', 'out-interface protocol mark > return'),
	row('tproxy-hairpin-mark-by-uid', 'mangle OUTPUT', '!destination out-interface protocol uid > set-mark'),
	row('tproxy-hairpin-mark-by-gid', 'mangle OUTPUT', '!destination out-interface protocol gid > set-mark'),
	row('tproxy-mark-restore', 'mangle OUTPUT', 'protocol connmark > restore-mark'),
];
