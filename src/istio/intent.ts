/**
What the rules are meant to do: by the options of a release, or read off the roles of a dump.
*/

import type {Intent} from '../mesh/intent.js';
import {isLoopback} from '../netfilter/address.js';
import {hasInterface} from '../netfilter/interface-name.js';
import {rulesOf} from '../netfilter/lookup.js';
import type {AddressFamily, RuleSet} from '../netfilter/types.js';
import {parseSidecarArguments} from './options/arguments.js';
import {ambientConstants, defaultAmbientOptions, type AmbientOptions} from './ambient/options.js';
import {defaultOptions, injectedArguments, type SidecarOptions} from './options/options.js';
import {newestRelease, type ReleaseFeatures} from './releases.js';
import {roleOf, type Role} from './roles/roles.js';

/** The features of a release that expectations depend on. */
export type IntendedFeatures = Pick<ReleaseFeatures, 'hairpinExceptsTunnelPort' | 'tunnelPort' | 'loopbackCanBeIncluded' | 'tproxyMarks'>;

/** The intent of options, as a release with these features carries it out. */
export function intentOf(options: SidecarOptions, {hairpinExceptsTunnelPort, tunnelPort, loopbackCanBeIncluded, tproxyMarks}: IntendedFeatures = newestRelease.features): Intent {
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
			...defaultOptions, proxyPort: outboundPort, inboundCapturePort: inboundPort, inboundTunnelPort: tunnelPort, proxyUids: [], proxyGids: [],
		}),
		ambient: {
			ingress, rerouteVirtualInterfaces, mark: packetMark, probeSource: {ipv4: hostProbeSnatIp, ipv6: hostProbeSnatIpv6},
		},
	};
}

/**
The intent of a dump: that of ambient mode where its rules are, else that of a default injected sidecar, for the UIDs and GIDs that its rules name. Beside these only the way of capturing inbound traffic is read off the rules, least of all the redirect ports: a rule that redirects elsewhere is to be seen as wrong, not as meant.
*/
export function intentOfRuleSet(ruleSet: RuleSet): Intent {
	const roles = new Set([...rulesOf(ruleSet)].map(({table, rule, chain}) => roleOf(rule, table, chain)));
	if (roles.has('ambient-outbound-redirect') || roles.has('ambient-inbound-redirect')) {
		return intentOfAmbient({...defaultAmbientOptions, ingress: !roles.has('ambient-inbound-redirect')});
	}

	const injected = intentOf(parseSidecarArguments({argv: injectedArguments}));
	const proxyUids = ownersOf(ruleSet, 'uid');
	const proxyGids = ownersOf(ruleSet, 'gid');
	const tproxy = [...rulesOf(ruleSet)].find(({table, rule, chain}) => roleOf(rule, table, chain) === 'tproxy-redirect')?.rule.target;
	return {
		...injected,
		// How inbound traffic is captured is a choice, not a fault: the rules say which of the two ways was meant.
		...(tproxy?.kind === 'tproxy' ? {inboundInterceptionMode: 'TPROXY' as const, inboundTproxyMark: tproxy.mark} : {}),
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

/** What is asked of a release by whom the expectation follows. */
export type Asked = {
	readonly options: Pick<SidecarOptions, 'inboundInterceptionMode' | 'kubeVirtInterfaces'>;
	readonly features?: Pick<ReleaseFeatures, 'tproxyMarks' | 'ipv6IsLikeIpv4'>;
	readonly families?: readonly AddressFamily[];
};

/** What the expectation does not model, by the names that users give it. A run with one of them would compare with a wrong expectation, so it is refused. */
export function unsupportedOptions({options: {inboundInterceptionMode, kubeVirtInterfaces}, features = newestRelease.features, families = []}: Asked): readonly string[] {
	if (inboundInterceptionMode !== 'TPROXY') {
		return [];
	}

	return [
		// Mangle gives the packet to a socket, and then nat rewrites its destination: which of the two listeners gets it is nobody's intent.
		...(podInterfaces.some(device => hasInterface(kubeVirtInterfaces, device)) ? ['--kube-virt-interfaces with an interface of the pod under TPROXY'] : []),
		...(features.tproxyMarks === 'loopback' ? ['TPROXY of releases before 1.9, which give inbound connections to the outbound listener'] : []),
		...(!features.ipv6IsLikeIpv4 && families.includes('ipv6') ? ['TPROXY in IPv6 of releases before 1.12, which redirect there all the same'] : []),
	];
}
