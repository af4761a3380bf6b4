/**
What the rules are meant to do: by the options of a release, or read off the roles of a dump.
*/

import {contains, isLoopback, parseRange} from '../netfilter/address.js';
import {rulesOf} from '../netfilter/lookup.js';
import type {RuleSet} from '../netfilter/types.js';
import {parseSidecarArguments} from '../istio/arguments.js';
import {defaultOptions, injectedArguments, type SidecarOptions} from '../istio/options.js';
import {roleOf, type Role} from '../istio/roles.js';
import type {Intent} from './types.js';

/** The intent of a release's options. */
export function intentOf({
	proxyPort, inboundCapturePort, inboundTunnelPort, proxyUids, proxyGids,
	inboundPortsInclude, inboundPortsExclude, outboundPortsInclude, outboundPortsExclude, outboundIpRangesInclude, outboundIpRangesExclude,
}: SidecarOptions): Intent {
	return {
		proxyPort,
		inboundCapturePort,
		inboundTunnelPort,
		proxyUids,
		proxyGids,
		inboundPortsInclude,
		inboundPortsExclude,
		outboundPortsInclude,
		outboundPortsExclude,
		outboundIpRangesInclude,
		outboundIpRangesExclude,
	};
}

/**
The intent of a dump: that of a default injected sidecar, for the UIDs and GIDs that its rules name. Nothing else is read off the rules, least of all the redirect ports: a rule that redirects elsewhere is to be seen as wrong, not as meant.
*/
export function intentOfRuleSet(ruleSet: RuleSet): Intent {
	const injected = intentOf(parseSidecarArguments({argv: injectedArguments}));
	const proxyUids = ownersOf(ruleSet, 'uid');
	const proxyGids = ownersOf(ruleSet, 'gid');
	return {
		...injected,
		proxyUids: proxyUids.length > 0 ? proxyUids : injected.proxyUids,
		proxyGids: proxyGids.length > 0 ? proxyGids : injected.proxyGids,
	};
}

function ownersOf(ruleSet: RuleSet, kind: 'uid' | 'gid'): readonly number[] {
	const role: Role = `proxy-${kind}-bypass`;
	const owners = [...rulesOf(ruleSet)]
		.filter(({table, rule, chain}) => roleOf(rule, table, chain) === role)
		.flatMap(({rule}) => rule.matches.flatMap(match => match.kind === kind && match.from === match.to ? [match.from] : []));
	return [...new Set(owners)];
}

/** The devices of the default pod. */
const podInterfaces = ['eth0', 'lo'];

/** The options that the expectation does not model yet, by the names that users give them. A run with one of them would compare with a wrong expectation, so it is refused. */
export function unsupportedOptions(options: SidecarOptions): readonly string[] {
	const ranges = options.outboundIpRangesInclude === '*' ? [] : options.outboundIpRangesInclude;
	const found: ReadonlyArray<readonly [boolean, string]> = [
		[options.inboundInterceptionMode === 'TPROXY', '--istio-inbound-interception-mode TPROXY'],
		[options.redirectDns, '--redirect-dns'],
		[options.ownerGroupsInclude !== '*', 'ISTIO_OUTBOUND_OWNER_GROUPS'],
		[options.ownerGroupsExclude.length > 0, 'ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE'],
		[!isSameRange(options.hostIpv4LoopbackCidr, defaultOptions.hostIpv4LoopbackCidr), 'ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR'],
		[ranges.some(range => isLoopback(range)), '--istio-service-cidr with a loopback range'],
		[options.excludeInterfaces.some(name => isPodInterface(name)), '--istio-exclude-interfaces with an interface of the pod'],
		[options.kubeVirtInterfaces.some(name => isPodInterface(name)), '--kube-virt-interfaces with an interface of the pod'],
	];
	return found.flatMap(([isFound, name]) => isFound ? [name] : []);
}

function isSameRange(one: string, other: string): boolean {
	const [first, second] = [parseRange(one), parseRange(other)];
	return first !== undefined && second !== undefined && contains(first, second) && contains(second, first);
}

/** `eth+` means every name that begins so (iptables(8)). */
function isPodInterface(name: string): boolean {
	return podInterfaces.some(device => name.endsWith('+') ? device.startsWith(name.slice(0, -1)) : device === name);
}
