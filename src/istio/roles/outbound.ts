/**
The roles of the rules for what the processes in a sidecar's pod send.
*/

import {familyOfAddress, isLoopback} from '../../netfilter/address.js';
import type {AddressFamily, Rule} from '../../netfilter/types.js';
import {anyPort, type EarlierRules, type RoleTable} from '../../mesh/roles.js';
import {byOption, inOldest, oldest} from './history.js';

type OutboundRole = keyof typeof outboundRoles;

function goesToLoopback(rule: Rule): boolean {
	return rule.matches.some(match => match.kind === 'destination' && isLoopback(match.address));
}

function gidOf({matches}: Rule): number | undefined {
	return matches.flatMap(match => match.kind === 'gid' ? [match.from] : [])[0];
}

/** The proxy's groups have rules for lo before their bypass, a hairpin and its counterpart, and one of them can be missing; excluded groups have neither. */
function hasNoHairpin(rule: Rule, earlier: EarlierRules): boolean {
	const loopbackRoles: readonly OutboundRole[] = ['hairpin-by-gid', 'loopback-not-proxy-gid'];
	return earlier !== undefined && !earlier.some(({rule: other, roles}) => loopbackRoles.some(role => roles.includes(role)) && gidOf(other) === gidOf(rule));
}

function familyOfDestination({matches}: Rule): AddressFamily | undefined {
	return matches.flatMap(match => match.kind === 'destination' ? [familyOfAddress(match.address)] : [])[0];
}

/** The host's loopback has one rule per family; native nft has both in one chain. */
function followsLocalhost(rule: Rule, earlier: EarlierRules): boolean {
	return earlier?.some(({rule: other, roles}) => roles.includes('localhost-bypass' satisfies OutboundRole) && familyOfDestination(other) === familyOfDestination(rule)) === true;
}

/** The hairpin rules and their counterparts except the tunnel port since 1.18. */
const ownTcp = ['protocol', '!destination-port'];

const loopbackIsTaken = ['hairpin-by-uid', 'loopback-not-proxy-uid', 'proxy-uid-bypass'] as const;
const loopbackIsTakenBecause = 'On lo, loopback-not-proxy-uid returns every packet that is not of the proxy\'s UID; hairpin-by-uid and proxy-uid-bypass take the proxy\'s own.';

/** Outbound roles of a sidecar. Shadows are measured: iptables 1.8.9, both back ends, Linux 6.18. */
export const outboundRoles = {
	'outbound-jump': {
		purpose: 'Hands what the pod\'s processes send to ISTIO_OUTPUT.',
		...inOldest,
		patterns: [{in: ['nat OUTPUT'], rule: '> ISTIO_OUTPUT', also: ['protocol']}],
	},
	'outbound-redirect': {
		purpose: 'Redirects captured TCP to the proxy\'s outbound listener.',
		...inOldest,
		patterns: [{in: ['nat ISTIO_REDIRECT'], rule: 'protocol > redirect'}],
	},
	'interface-exclude-outbound': {
		purpose: 'Leaves alone what goes out through an excluded interface.',
		...byOption('1.11.3', '--istio-exclude-interfaces'),
		patterns: [{in: ['nat OUTPUT', 'mangle OUTPUT'], rule: '> return', also: ['out-interface']}],
	},
	'outbound-port-exclude': {
		purpose: 'Leaves an excluded outbound port alone.',
		...byOption(oldest, '--istio-local-outbound-ports-exclude (1.2)'),
		patterns: [{in: ['nat ISTIO_OUTPUT'], rule: 'protocol > return', also: anyPort}],
	},
	'passthrough-source': {
		purpose: 'Lets the proxy\'s inbound connections, which have the passthrough address as their source, reach the app over lo.',
		...inOldest,
		patterns: [{in: ['nat ISTIO_OUTPUT'], rule: 'source out-interface > return'}],
	},
	'hairpin-by-uid': {
		purpose: 'Sends the proxy\'s own connections to the pod\'s own addresses through the inbound listener, by UID.',
		...inOldest,
		patterns: [{in: ['nat ISTIO_OUTPUT'], rule: '!destination out-interface uid > ISTIO_IN_REDIRECT', also: ownTcp}],
	},
	'loopback-not-proxy-uid': {
		purpose: 'Lets processes with another UID than the proxy\'s talk over lo without the proxy.',
		...inOldest,
		patterns: [{in: ['nat ISTIO_OUTPUT'], rule: 'out-interface !uid > return', also: ownTcp}],
	},
	'proxy-uid-bypass': {
		purpose: 'Lets the proxy\'s own traffic out, by UID, so that it is not captured again.',
		...inOldest,
		patterns: [{in: ['nat ISTIO_OUTPUT'], rule: 'uid > return'}],
	},
	'hairpin-by-gid': {
		purpose: 'Sends the proxy\'s own connections to the pod\'s own addresses through the inbound listener, by GID.',
		...inOldest,
		shadow: {by: loopbackIsTaken, because: loopbackIsTakenBecause},
		patterns: [{in: ['nat ISTIO_OUTPUT'], rule: '!destination out-interface gid > ISTIO_IN_REDIRECT', also: ownTcp}],
	},
	'loopback-not-proxy-gid': {
		purpose: 'Lets processes with another GID than the proxy\'s talk over lo without the proxy.',
		...inOldest,
		shadow: {by: loopbackIsTaken, because: loopbackIsTakenBecause},
		patterns: [{in: ['nat ISTIO_OUTPUT'], rule: 'out-interface !gid > return', also: ownTcp}],
	},
	'proxy-gid-bypass': {
		purpose: 'Lets traffic of the proxy\'s group out, whatever the UID, so that it is not captured.',
		...inOldest,
		patterns: [{in: ['nat ISTIO_OUTPUT'], rule: 'gid > return', unless: hasNoHairpin}],
	},
	'group-exclude': {
		purpose: 'Lets traffic of an excluded group out without the proxy.',
		...byOption('1.14.0', 'ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE'),
		patterns: [{in: ['nat ISTIO_OUTPUT'], rule: 'gid > return'}],
	},
	'group-include': {
		purpose: 'Lets traffic of all groups but the included ones out without the proxy.',
		...byOption('1.14.0', 'ISTIO_OUTBOUND_OWNER_GROUPS'),
		patterns: [
			{in: ['nat ISTIO_OUTPUT'], rule: '!gid > return'},
			// A bare RETURN: no group is included, or the excluded range is every address, or it is the rest after the included ranges. Ranges come after the localhost rule.
			{in: ['nat ISTIO_OUTPUT'], rule: '> return', notBehind: ['localhost-bypass']},
		],
	},
	'localhost-bypass': {
		purpose: 'Lets connections to the host\'s loopback address go without the proxy.',
		...inOldest,
		shadow: {by: loopbackIsTaken, because: `Traffic to a loopback address leaves over lo, unless its socket is bound to another device. ${loopbackIsTakenBecause}`},
		patterns: [{in: ['nat ISTIO_OUTPUT'], rule: 'destination > return', when: goesToLoopback, unless: followsLocalhost}],
	},
	'range-rest': {
		purpose: 'Lets everything that no included range names go without the proxy, until 1.22.',
		...byOption(oldest, '--istio-service-cidr (1.0)'), until: '1.22',
		patterns: [{in: ['nat ISTIO_OUTPUT'], rule: '> return', behind: ['range-include', 'outbound-capture']}],
	},
	'range-exclude': {
		purpose: 'Leaves an excluded address range alone.',
		...byOption(oldest, '--istio-service-exclude-cidr (1.0)'),
		patterns: [
			{in: ['nat ISTIO_OUTPUT'], rule: '> return'},
			{in: ['nat ISTIO_OUTPUT'], rule: 'destination > return'},
		],
	},
	'outbound-port-include': {
		purpose: 'Captures one included outbound port, whatever its address.',
		...byOption('1.7.0', '--istio-outbound-ports'),
		patterns: [{in: ['nat ISTIO_OUTPUT'], rule: 'protocol > ISTIO_REDIRECT', also: anyPort}],
	},
	'range-include': {
		purpose: 'Captures one included address range.',
		...byOption(oldest, '--istio-service-cidr (1.0)'),
		patterns: [{in: ['nat ISTIO_OUTPUT'], rule: 'destination > ISTIO_REDIRECT'}],
	},
	'outbound-capture': {
		purpose: 'Captures everything that no earlier rule of the chain let go.',
		...inOldest,
		patterns: [{in: ['nat ISTIO_OUTPUT'], rule: '> ISTIO_REDIRECT'}],
	},
} as const satisfies RoleTable;
