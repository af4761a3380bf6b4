/**
The roles of a sidecar's rules for traffic of the pod's processes.
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

function uidOf({matches}: Rule): number | undefined {
	return matches.flatMap(match => match.kind === 'uid' ? [match.from] : [])[0];
}

const loopbackByOwner: readonly OutboundRole[] = ['hairpin-by-uid', 'loopback-not-proxy-uid', 'hairpin-by-gid', 'loopback-not-proxy-gid'];
const loopbackByGroup: readonly OutboundRole[] = ['hairpin-by-gid', 'loopback-not-proxy-gid'];

/**
Whether an exempt group is an excluded one and not the proxy's. Since 1.5 the proxy's groups have rules for lo before their bypass, a hairpin and its counterpart, one of which can be missing; excluded groups have neither.
Until 1.4 no owner has any, and no group could be excluded. Since 1.6 a captured loopback range removes all of them (`loopbackCanBeIncluded`); the proxy's group then has the number of its user.
*/
function isExcludedGroup(rule: Rule, earlier: EarlierRules): boolean {
	if (earlier === undefined) {
		return false;
	}

	const hasRole = (wanted: readonly OutboundRole[]) => earlier.filter(({roles}) => wanted.some(role => roles.includes(role)));
	if (hasRole(['hairpin-any-owner']).length > 0 || hasRole(loopbackByGroup).some(({rule: other}) => gidOf(other) === gidOf(rule))) {
		return false;
	}

	return hasRole(loopbackByOwner).length > 0 || hasRole(['proxy-uid-bypass']).every(({rule: other}) => uidOf(other) !== gidOf(rule));
}

function familyOfDestination({matches}: Rule): AddressFamily | undefined {
	return matches.flatMap(match => match.kind === 'destination' ? [familyOfAddress(match.address)] : [])[0];
}

/** The host's loopback has one rule per family; native nft has both in one chain. */
function followsLocalhost(rule: Rule, earlier: EarlierRules): boolean {
	return earlier?.some(({rule: other, roles}) => roles.includes('localhost-bypass' satisfies OutboundRole) && familyOfDestination(other) === familyOfDestination(rule)) === true;
}

/** The hairpin rules and their counterparts exclude the tunnel port since 1.18. */
const ownTcp = ['protocol', '!destination-port'];

const loopbackIsTaken = ['hairpin-by-uid', 'loopback-not-proxy-uid', 'proxy-uid-bypass'] as const;
const loopbackIsTakenBecause = 'On lo, loopback-not-proxy-uid returns every packet that does not have the proxy\'s UID; hairpin-by-uid and proxy-uid-bypass match the proxy\'s own.';

/** Outbound roles of a sidecar. Shadows are measured: iptables 1.8.9, both back ends, Linux 6.18. */
export const outboundRoles = {
	'outbound-jump': {
		purpose: 'Sends traffic of the pod\'s processes to ISTIO_OUTPUT.',
		...inOldest,
		patterns: [{in: ['nat OUTPUT'], rule: '> ISTIO_OUTPUT', also: ['protocol']}],
	},
	'outbound-redirect': {
		purpose: 'Redirects captured TCP to the proxy\'s outbound listener.',
		...inOldest,
		patterns: [{in: ['nat ISTIO_REDIRECT'], rule: 'protocol > redirect'}],
	},
	'interface-exclude-outbound': {
		purpose: 'Exempts traffic through an excluded interface.',
		...byOption('1.11.3', '--istio-exclude-interfaces'),
		patterns: [{in: ['nat OUTPUT', 'mangle OUTPUT'], rule: '> return', also: ['out-interface']}],
	},
	'outbound-port-exclude': {
		purpose: 'Exempts an excluded outbound port.',
		...byOption(oldest, '--istio-local-outbound-ports-exclude (1.2)'),
		patterns: [{in: ['nat ISTIO_OUTPUT'], rule: 'protocol > return', also: anyPort}],
	},
	'passthrough-source': {
		purpose: 'Lets the proxy\'s inbound connections, which have the passthrough address as their source, reach the app over lo.',
		...inOldest,
		patterns: [{in: ['nat ISTIO_OUTPUT'], rule: 'source out-interface > return'}],
	},
	'hairpin-any-owner': {
		purpose: 'Sends every connection to the pod\'s own addresses over lo, whoever opens it, through the inbound listener, until 1.4; until 1.2 through the one listener of both directions.',
		since: oldest, until: '1.4', source: 'istio/istio 1.1, tools/packaging/common/istio-iptables.sh; logs of the init container of 1.4',
		patterns: [{in: ['nat ISTIO_OUTPUT'], rule: '!destination out-interface > ISTIO_IN_REDIRECT'}, {in: ['nat ISTIO_OUTPUT'], rule: '!destination out-interface > ISTIO_REDIRECT'}],
	},
	'hairpin-by-uid': {
		purpose: 'Sends the proxy\'s own connections to the pod\'s own addresses through the inbound listener, by UID.',
		...inOldest,
		patterns: [{in: ['nat ISTIO_OUTPUT'], rule: '!destination out-interface uid > ISTIO_IN_REDIRECT', also: ownTcp}],
	},
	'loopback-not-proxy-uid': {
		purpose: 'Exempts traffic over lo of processes with another UID than the proxy\'s.',
		...inOldest,
		patterns: [{in: ['nat ISTIO_OUTPUT'], rule: 'out-interface !uid > return', also: ownTcp}],
	},
	'proxy-uid-bypass': {
		purpose: 'Exempts the proxy\'s own traffic, by UID, so that it is not captured again.',
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
		purpose: 'Exempts traffic over lo of processes with another GID than the proxy\'s.',
		...inOldest,
		shadow: {by: loopbackIsTaken, because: loopbackIsTakenBecause},
		patterns: [{in: ['nat ISTIO_OUTPUT'], rule: 'out-interface !gid > return', also: ownTcp}],
	},
	'proxy-gid-bypass': {
		purpose: 'Exempts traffic of the proxy\'s group, whatever the UID, so that it is not captured.',
		...inOldest,
		patterns: [{in: ['nat ISTIO_OUTPUT'], rule: 'gid > return', unless: isExcludedGroup}],
	},
	'group-exclude': {
		purpose: 'Exempts traffic of an excluded group.',
		...byOption('1.14.0', 'ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE'),
		patterns: [{in: ['nat ISTIO_OUTPUT'], rule: 'gid > return'}],
	},
	'group-include': {
		purpose: 'Exempts traffic of all groups except the included ones.',
		...byOption('1.14.0', 'ISTIO_OUTBOUND_OWNER_GROUPS'),
		patterns: [
			{in: ['nat ISTIO_OUTPUT'], rule: '!gid > return'},
			// An unconditional RETURN: no group is included, or the excluded range is every address, or it is the rest after the included ranges. Groups come after the owners' rules, ranges after the localhost rule.
			{in: ['nat ISTIO_OUTPUT'], rule: '> return', behind: ['passthrough-source', 'proxy-uid-bypass', 'proxy-gid-bypass'], notBehind: ['localhost-bypass', 'range-include', 'outbound-capture']},
		],
	},
	'localhost-bypass': {
		purpose: 'Exempts connections to the host\'s loopback address.',
		...inOldest,
		shadow: {by: loopbackIsTaken, because: `Traffic to a loopback address leaves over lo, unless its socket is bound to another device. ${loopbackIsTakenBecause}`},
		patterns: [{in: ['nat ISTIO_OUTPUT'], rule: 'destination > return', when: goesToLoopback, unless: followsLocalhost}],
	},
	'range-rest': {
		purpose: 'Exempts everything outside the included ranges, until 1.22.',
		...byOption(oldest, '--istio-service-cidr (1.0)'), until: '1.22',
		patterns: [{in: ['nat ISTIO_OUTPUT'], rule: '> return', behind: ['range-include', 'outbound-capture']}],
	},
	'range-exclude': {
		purpose: 'Exempts an excluded address range.',
		...byOption(oldest, '--istio-service-exclude-cidr (1.0)'),
		patterns: [
			{in: ['nat ISTIO_OUTPUT'], rule: '> return', behind: ['localhost-bypass']},
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
		purpose: 'Captures everything that no earlier rule of the chain exempted.',
		...inOldest,
		patterns: [{in: ['nat ISTIO_OUTPUT'], rule: '> ISTIO_REDIRECT'}],
	},
} as const satisfies RoleTable;
