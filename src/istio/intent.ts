/**
What the rules are meant to do: derived from the options of a release, or from the roles in a dump.
*/

import type {Intent} from '../mesh/intent.js';
import {isLoopback} from '../netfilter/address.js';
import {hasInterface} from '../netfilter/interface-name.js';
import {rulesOf} from '../netfilter/lookup.js';
import type {AddressFamily, RuleSet} from '../netfilter/types.js';
import {ambientConstants, defaultAmbientOptions, type AmbientOptions} from './ambient/options.js';
import {defaultOptions, type SidecarOptions} from './options/options.js';
import {injectedOptions, interceptionOf, releaseLike} from './identity/release-like.js';
import {newestRelease, type ReleaseFeatures} from './releases.js';
import {iptablesTable} from './roles/backend-names.js';
import {roleOf, type Role} from './roles/roles.js';

/** The features of a release that expectations depend on. */
export type IntendedFeatures = Pick<ReleaseFeatures, 'hairpinExceptsTunnelPort' | 'tunnelPort' | 'loopbackCanBeIncluded' | 'tproxyMarks'>;

/** The intent of options, as the release implements it for which they were read. */
export function intentOf({options, release: {features}}: {readonly options: SidecarOptions; readonly release: {readonly features: IntendedFeatures}}): Intent {
	const {hairpinExceptsTunnelPort, tunnelPort, loopbackCanBeIncluded, tproxyMarks} = features;
	const {
		proxyPort, inboundCapturePort, inboundTunnelPort, proxyUids, proxyGids, inboundInterceptionMode, inboundTproxyMark,
		inboundPortsInclude, inboundPortsExclude, outboundPortsInclude, outboundPortsExclude, outboundIpRangesInclude, outboundIpRangesExclude,
		excludeInterfaces, kubeVirtInterfaces, ownerGroupsInclude, ownerGroupsExclude, hostIpv4LoopbackCidr,
	} = options;
	return {
		proxyPort,
		inboundCapturePort,
		inboundTunnelPort,
		proxyUids,
		proxyGids,
		inboundInterceptionMode,
		inboundTproxyMark,
		inboundPortsInclude,
		inboundPortsExclude,
		outboundPortsInclude,
		outboundPortsExclude,
		outboundIpRangesInclude,
		outboundIpRangesExclude,
		excludeInterfaces,
		kubeVirtInterfaces,
		ownerGroupsInclude,
		ownerGroupsExclude,
		hostIpv4LoopbackCidr,
		loopbackIncluded: loopbackCanBeIncluded && outboundIpRangesInclude !== '*' && outboundIpRangesInclude.some(range => isLoopback(range)),
		inboundExceptsTunnelPort: tunnelPort,
		hairpinExceptsTunnelPort,
		tproxyMarksHairpin: tproxyMarks === 'hairpin',
	};
}

/** The intent of ambient mode's options. The ports of ztunnel are fixed. */
export function intentOfAmbient({ingress, rerouteVirtualInterfaces, hostProbeSnatIp, hostProbeSnatIpv6}: AmbientOptions): Intent {
	const {outboundPort, inboundPort, tunnelPort, packetMark} = ambientConstants;
	return {
		...intentOf({
			options: {
				...defaultOptions, proxyPort: outboundPort, inboundCapturePort: inboundPort, inboundTunnelPort: tunnelPort, proxyUids: [], proxyGids: [],
			},
			release: newestRelease,
		}),
		ambient: {
			ingress, isTproxy: false, rerouteVirtualInterfaces, mark: packetMark, probeSource: {ipv4: hostProbeSnatIp, ipv6: hostProbeSnatIpv6},
		},
	};
}

/**
The intent of a dump: that of ambient mode if it has ambient rules, otherwise that of a default injected sidecar of the release that writes such rules (`releaseLike`), for the UIDs and GIDs in its rules. Apart from these, only the way of capturing inbound traffic is taken from the rules, but not the redirect ports: a rule that redirects elsewhere should show as a fault, not as intended.
*/
export function intentOfRuleSet(ruleSet: RuleSet): Intent {
	const roles = new Set([...rulesOf(ruleSet)].map(({table, rule, chain}) => roleOf(rule, table, chain)));
	if (ambientEntries.some(role => roles.has(role))) {
		return ambientIntentOf(roles, ruleSet);
	}

	const release = releaseLike(ruleSet);
	const injected = intentOf({options: injectedOptions(release), release});
	const proxyUids = ownersOf(ruleSet, 'uid');
	const proxyGids = ownersOf(ruleSet, 'gid');
	return {
		...injected,
		// The way of capturing inbound traffic is a choice, not a fault: the rules show which one was meant.
		...interceptionOf(ruleSet),
		...(roles.has('hairpin-any-owner') ? {hairpinsAnyOwner: true as const, inboundExceptsTunnelPort: false} : {}),
		...(isOfOneListener(ruleSet) ? {hasOneListener: true as const, inboundCapturePort: injected.proxyPort} : {}),
		proxyUids: proxyUids.length > 0 ? proxyUids : injected.proxyUids,
		proxyGids: proxyGids.length > 0 ? proxyGids : injected.proxyGids,
	};
}

/** Whether the rule for the pod's own addresses uses the outbound redirect: then one listener accepts both directions (until 1.2). */
function isOfOneListener(ruleSet: RuleSet): boolean {
	return [...rulesOf(ruleSet)].some(({table, rule, chain}) => roleOf(rule, table, chain) === 'hairpin-any-owner' && rule.target.kind === 'jump' && rule.target.chain === 'ISTIO_REDIRECT');
}

const byTproxy: readonly Role[] = ['ambient-tproxy-capture', 'ambient-tproxy-tunnel', 'ambient-tproxy-established', 'ambient-tproxy-loopback'];
const ambientEntries: readonly Role[] = ['ambient-outbound-redirect', 'ambient-inbound-redirect', ...byTproxy];

/** A pod without inbound capture is intended if the other rules of ambient mode are present, or if the dump has no table but nat. */
function ambientIntentOf(roles: ReadonlySet<Role | undefined>, {tables}: RuleSet): Intent {
	const isTproxy = byTproxy.some(role => roles.has(role));
	// In ingress mode, the agent leaves out the rule for probes as well.
	const isCaptured = isTproxy || roles.has('ambient-inbound-redirect') || roles.has('ambient-probe-inbound');
	const isWhole = roles.has('ambient-connection-mark') || tables.every(({name}) => iptablesTable(name) === 'nat');
	const intent = intentOfAmbient({...defaultAmbientOptions, ingress: !isCaptured && isWhole});
	return {...intent, ambient: {...intent.ambient!, isTproxy}};
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

/** The properties of a release that determine whether the expectation follows it. */
export type Asked = {
	readonly options: Pick<SidecarOptions, 'inboundInterceptionMode' | 'kubeVirtInterfaces'>;
	readonly features?: Pick<ReleaseFeatures, 'tproxyMarks' | 'ipv6IsLikeIpv4'>;
	readonly families?: readonly AddressFamily[];
};

/** The options that the expectation does not model, by the names that users give them. A run with one of them is rejected, because it would compare with a wrong expectation. */
export function unsupportedOptions({options: {inboundInterceptionMode, kubeVirtInterfaces}, features = newestRelease.features, families = []}: Asked): readonly string[] {
	if (inboundInterceptionMode !== 'TPROXY') {
		return [];
	}

	return [
		// Mangle assigns the packet to a socket, and then nat rewrites its destination: it is not defined which of the two listeners gets it.
		...(podInterfaces.some(device => hasInterface(kubeVirtInterfaces, device)) ? ['--kube-virt-interfaces with an interface of the pod under TPROXY'] : []),
		...(features.tproxyMarks === 'loopback' ? ['TPROXY of releases before 1.9, which give inbound connections to the outbound listener'] : []),
		...(!features.ipv6IsLikeIpv4 && families.includes('ipv6') ? ['TPROXY in IPv6 of releases before 1.12, which redirect there anyway'] : []),
	];
}
