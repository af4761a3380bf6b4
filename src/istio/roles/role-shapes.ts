/**
The shapes of a sidecar's rules as a table: chain, kinds of matches (`!` is a negated one), target. `also` lists matches that may be there or not.
*/

import {familyOfAddress, isLoopback} from '../../netfilter/address.js';
import type {
	AddressFamily, Match, Rule, Target,
} from '../../netfilter/types.js';
import type {Role} from './role.js';
import {twinChain} from './backend-names.js';

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

/** A row from words: `row(ROLE, 'TABLE CHAIN', 'MATCH MATCH > TARGET')`. */
export function row(role: Role, place: string, shape: string, extra: Pick<RoleShape, 'also' | 'when' | 'unless'> = {}): RoleShape {
	const [table = '', chain = ''] = place.split(' ');
	const [matches = '', target = ''] = shape.split('> ');
	return {
		role, table, chain, matches: matches.split(' ').filter(match => match !== ''), target, ...extra,
	};
}

/** Whether a rule asks for a protocol, where two roles differ by nothing else. */
export function usesProtocol(protocol: string): (rule: Rule) => boolean {
	return ({matches}) => matches.some(match => match.kind === 'protocol' && match.protocol === protocol);
}

function goesToLoopback(rule: Rule): boolean {
	return rule.matches.some(match => match.kind === 'destination' && isLoopback(match.address));
}

/** Without a chain, only the first rule can be the tunnel port's. In 1.5 and 1.6, which knew no tunnel, SSH's comes first. */
function isNotTunnelPort(rule: Rule, earlier: Earlier): boolean {
	return isForSsh(rule) || (earlier === undefined ? rule.number !== 1 : earlier.some(({roles}) => roles.includes('inbound-tunnel-port')));
}

/** The port that releases until 1.12 never captured is the only one that the program itself names; everything else is told by its place. */
function isForSsh({matches}: Rule): boolean {
	return matches.some(match => match.kind === 'destination-port' && match.ranges.length === 1 && match.ranges[0]?.from === 22 && match.ranges[0].to === 22);
}

/** SSH's rule stands in front of all excluded ports, behind the tunnel port's if there is one. */
function isBehindPorts(rule: Rule, earlier: Earlier): boolean {
	return earlier === undefined ? rule.number > 2 : earlier.filter(({roles}) => roles.includes('inbound-port-exclude')).length > 1;
}

function isOpaque(text: string): (rule: Rule) => boolean {
	return ({matches}) => matches.some(match => match.kind === 'opaque' && match.text === text);
}

function gidOf({matches}: Rule): number | undefined {
	return matches.flatMap(match => match.kind === 'gid' ? [match.from] : [])[0];
}

/** The proxy's groups have rules for lo before their bypass, a hairpin and its counterpart, and one of them can be missing; excluded groups have neither. */
function hasNoHairpin(rule: Rule, earlier: Earlier): boolean {
	return earlier !== undefined && !earlier.some(({rule: other, roles}) => (roles.includes('hairpin-by-gid') || roles.includes('loopback-not-proxy-gid')) && gidOf(other) === gidOf(rule));
}

function follows(...wanted: readonly Role[]): (rule: Rule, earlier: Earlier) => boolean {
	return (_rule, earlier) => earlier?.some(({roles}) => wanted.some(role => roles.includes(role))) === true;
}

function precedes(...wanted: readonly Role[]): (rule: Rule, earlier: Earlier) => boolean {
	const isBehind = follows(...wanted);
	return (rule, earlier) => !isBehind(rule, earlier);
}

function familyOfDestination({matches}: Rule): AddressFamily | undefined {
	return matches.flatMap(match => match.kind === 'destination' ? [familyOfAddress(match.address)] : [])[0];
}

/** The host's loopback has one rule per family; native nft has both in one chain. */
function followsLocalhost(rule: Rule, earlier: Earlier): boolean {
	return earlier?.some(({rule: other, roles}) => roles.includes('localhost-bypass') && familyOfDestination(other) === familyOfDestination(rule)) === true;
}

const ownTcp = ['protocol', '!destination-port'];

/** A range of all ports is printed without it. */
const anyPort = ['destination-port'];

/** A row for each chain in which the releases put the same rule. */
function rowsIn(places: readonly string[], role: Role, shape: string, extra: Pick<RoleShape, 'also' | 'when' | 'unless'> = {}): readonly RoleShape[] {
	return places.map(place => row(role, place, shape, extra));
}

const isTcp = usesProtocol('tcp');
const isUdp = usesProtocol('udp');

/** Where UDP queries are judged until 1.24. */
const dnsPlaces = ['nat OUTPUT', 'nat ISTIO_OUTPUT'];

/** Where queries get their conntrack zone: until 1.22, until 1.24, since. */
const zonePlaces = ['raw OUTPUT', 'raw ISTIO_OUTPUT', 'raw ISTIO_OUTPUT_DNS'];

/** All rows. Where two share a shape, the first whose `unless` does not object wins. */
export const roleShapes: readonly RoleShape[] = [
	...['nat', 'mangle'].flatMap(table => [
		row('interface-exclude-inbound', `${table} PREROUTING`, '> return', {also: ['in-interface']}),
		row('interface-exclude-outbound', `${table} OUTPUT`, '> return', {also: ['out-interface']}),
		row('inbound-jump', `${table} PREROUTING`, 'protocol > ISTIO_INBOUND'),
		row('inbound-ssh', `${table} ISTIO_INBOUND`, 'protocol destination-port > return', {when: isForSsh, unless: isBehindPorts}),
	]),
	row('virtual-interface-capture', 'nat PREROUTING', '> ISTIO_REDIRECT', {also: ['in-interface', 'destination']}),
	row('inbound-tunnel-port', 'nat ISTIO_INBOUND', 'protocol destination-port > return', {unless: isNotTunnelPort}),
	row('inbound-port-exclude', 'nat ISTIO_INBOUND', 'protocol > return', {also: anyPort}),
	row('inbound-port-include', 'nat ISTIO_INBOUND', 'protocol destination-port > ISTIO_IN_REDIRECT'),
	row('inbound-capture', 'nat ISTIO_INBOUND', 'protocol > ISTIO_IN_REDIRECT'),
	row('inbound-redirect', 'nat ISTIO_IN_REDIRECT', 'protocol > redirect'),
	row('outbound-redirect', 'nat ISTIO_REDIRECT', 'protocol > redirect'),
	row('dns-redirect-tcp', 'nat ISTIO_REDIRECT', 'protocol destination-port > redirect', {when: isTcp}),
	row('dns-udp-jump', 'nat OUTPUT', 'protocol > ISTIO_OUTPUT', {when: isUdp}),
	row('outbound-jump', 'nat OUTPUT', '> ISTIO_OUTPUT', {also: ['protocol']}),
	...['uid', 'gid'].flatMap(owner => rowsIn(dnsPlaces, 'dns-query-bypass', `protocol destination-port ${owner} > return`, {when: isUdp})),
	...rowsIn(dnsPlaces, 'dns-group-include', 'protocol destination-port !gid > return', {when: isUdp}),
	row('dns-group-include', 'nat OUTPUT', 'protocol destination-port > return', {when: isUdp}),
	row('dns-group-include', 'nat ISTIO_OUTPUT', 'protocol destination-port > return', {when: isUdp, unless: precedes('dns-query-bypass')}),
	...rowsIn(dnsPlaces, 'dns-redirect-udp', 'protocol destination-port > redirect', {also: ['destination'], when: isUdp}),
	row('dns-redirect-tcp', 'nat ISTIO_OUTPUT', 'protocol destination-port > redirect', {also: ['destination'], when: isTcp}),
	row('dns-translate', 'nat OUTPUT', 'protocol destination-port > DNAT --to-destination', {when: isUdp}),
	row('dns-translate-source', 'nat POSTROUTING', 'protocol destination-port > SNAT --to-source', {when: isUdp}),
	row('outbound-port-exclude', 'nat ISTIO_OUTPUT', 'protocol > return', {also: anyPort}),
	row('passthrough-source', 'nat ISTIO_OUTPUT', 'source out-interface > return'),
	row('hairpin-by-uid', 'nat ISTIO_OUTPUT', '!destination out-interface uid > ISTIO_IN_REDIRECT', {also: ownTcp}),
	row('loopback-not-proxy-uid', 'nat ISTIO_OUTPUT', 'out-interface !uid > return', {also: ownTcp}),
	row('proxy-uid-bypass', 'nat ISTIO_OUTPUT', 'uid > return'),
	row('hairpin-by-gid', 'nat ISTIO_OUTPUT', '!destination out-interface gid > ISTIO_IN_REDIRECT', {also: ownTcp}),
	row('loopback-not-proxy-gid', 'nat ISTIO_OUTPUT', 'out-interface !gid > return', {also: ownTcp}),
	row('proxy-gid-bypass', 'nat ISTIO_OUTPUT', 'gid > return', {unless: hasNoHairpin}),
	row('group-exclude', 'nat ISTIO_OUTPUT', 'gid > return'),
	row('group-include', 'nat ISTIO_OUTPUT', '!gid > return'),
	// A bare RETURN: no group is included, or the excluded range is every address, or it is the rest behind the included ranges. Ranges stand behind the localhost rule.
	row('group-include', 'nat ISTIO_OUTPUT', '> return', {unless: follows('localhost-bypass')}),
	row('range-rest', 'nat ISTIO_OUTPUT', '> return', {unless: precedes('range-include', 'outbound-capture')}),
	row('range-exclude', 'nat ISTIO_OUTPUT', '> return'),
	row('dns-jump', 'nat ISTIO_OUTPUT', '> ISTIO_OUTPUT_DNS'),
	row('localhost-bypass', 'nat ISTIO_OUTPUT', 'destination > return', {when: goesToLoopback, unless: followsLocalhost}),
	row('range-exclude', 'nat ISTIO_OUTPUT', 'destination > return'),
	row('outbound-port-include', 'nat ISTIO_OUTPUT', 'protocol > ISTIO_REDIRECT', {also: anyPort}),
	row('range-include', 'nat ISTIO_OUTPUT', 'destination > ISTIO_REDIRECT'),
	row('outbound-capture', 'nat ISTIO_OUTPUT', '> ISTIO_REDIRECT'),
	row('dns-redirect-tcp', 'nat ISTIO_OUTPUT_DNS', 'protocol destination-port > redirect', {also: ['destination'], when: isTcp}),
	row('dns-redirect-udp', 'nat ISTIO_OUTPUT_DNS', 'protocol destination-port > redirect', {also: ['destination'], when: isUdp}),
	row('dns-zone-jump', 'raw OUTPUT', '> ISTIO_OUTPUT_DNS'),
	row('dns-zone-jump', 'raw OUTPUT', 'protocol > ISTIO_OUTPUT', {when: isUdp}),
	row('dns-answer-jump', 'raw PREROUTING', '> ISTIO_INBOUND'),
	...['uid', 'gid'].flatMap(owner => [
		...rowsIn(zonePlaces, 'dns-zone-proxy-query', `protocol destination-port ${owner} > ct-zone`),
		...rowsIn(zonePlaces, 'dns-zone-agent-answer', `protocol source-port ${owner} > ct-zone`),
	]),
	...rowsIn(zonePlaces, 'dns-zone-query', 'protocol destination-port > ct-zone', {also: ['destination']}),
	...rowsIn(['raw PREROUTING', 'raw ISTIO_INBOUND'], 'dns-zone-answer', 'protocol source-port > ct-zone', {also: ['source', 'destination']}),
	// Native nft asks for TCP too.
	row('invalid-jump', 'mangle PREROUTING', 'conntrack-state > ISTIO_DROP', {also: ['protocol']}),
	row('invalid-drop', 'mangle PREROUTING', 'conntrack-state > drop'),
	row('invalid-drop', 'mangle ISTIO_DROP', '> drop'),
	row('tproxy-mark-bypass', 'mangle ISTIO_INBOUND', 'protocol mark > return'),
	row('tproxy-passthrough-source', 'mangle ISTIO_INBOUND', 'source in-interface protocol > return'),
	row('tproxy-loopback-not-hairpin', 'mangle ISTIO_INBOUND', 'in-interface protocol !mark > return'),
	row('inbound-port-exclude', 'mangle ISTIO_INBOUND', 'protocol > return', {also: anyPort}),
	row('tproxy-divert-established', 'mangle ISTIO_INBOUND', 'protocol conntrack-state > ISTIO_DIVERT', {also: anyPort}),
	row('tproxy-divert-established', 'mangle ISTIO_INBOUND', 'protocol opaque > ISTIO_DIVERT', {also: anyPort, when: isOpaque('-m socket')}),
	row('tproxy-capture', 'mangle ISTIO_INBOUND', 'protocol > ISTIO_TPROXY', {also: anyPort}),
	row('tproxy-divert-mark', 'mangle ISTIO_DIVERT', '> set-mark'),
	row('tproxy-divert-accept', 'mangle ISTIO_DIVERT', '> accept'),
	row('tproxy-redirect', 'mangle ISTIO_TPROXY', '!destination protocol > tproxy'),
	row('tproxy-mark-save', 'mangle PREROUTING', 'protocol mark > save-mark'),
	row('tproxy-loopback-marked', 'mangle OUTPUT', 'out-interface protocol mark > return'),
	row('tproxy-hairpin-mark-by-uid', 'mangle OUTPUT', '!destination out-interface protocol uid > set-mark'),
	row('tproxy-hairpin-mark-by-gid', 'mangle OUTPUT', '!destination out-interface protocol gid > set-mark'),
	row('tproxy-loopback-mark', 'mangle OUTPUT', 'source !destination protocol > set-mark'),
	row('tproxy-mark-restore', 'mangle OUTPUT', 'protocol connmark > restore-mark'),
];
