/**
Options that the program accepts silently but whose effect was hardly intended.
*/

import {isLoopback} from '../../netfilter/address.js';
import type {Release} from '../releases.js';
import type {SidecarOptions} from './options.js';

type Case = {readonly native: boolean; readonly release: Release};

/** A sentence for each. */
export function optionWarnings(options: SidecarOptions, about: Case): readonly string[] {
	return checks.flatMap(check => check(options, about));
}

const checks: ReadonlyArray<(options: SidecarOptions, about: Case) => readonly string[]> = [shadowedOwners, noOwnerGroup, ignoredGroups, includedLoopback, captureAllAlone, rangesForNft, noProxyUid];

/** One block of rules is written per UID, and the first block matches what the others are for (measured with `-u 64535,1337`: a proxy with UID 1337 bypasses the inbound listener on the path to its own pod). */
function shadowedOwners({proxyUids, outboundIpRangesInclude: include}: SidecarOptions, {release}: Case): readonly string[] {
	const [first] = proxyUids;
	const others = [...new Set(proxyUids)].filter(uid => uid !== first);
	const isLoopbackIncluded = release.features.loopbackCanBeIncluded && include !== '*' && include.some(range => isLoopback(range));
	return first === undefined || others.length === 0 || isLoopbackIncluded
		? []
		: [`--proxy-uid: the rules of UID ${first} come first, and their "-o lo ! --uid-owner ${first} -j RETURN" matches what UID ${others.join(', ')} sends to the pod itself, so that traffic bypasses the inbound listener`];
}

function noOwnerGroup({ownerGroupsInclude}: SidecarOptions): readonly string[] {
	return ownerGroupsInclude !== '*' && ownerGroupsInclude.length === 0
		? ['ISTIO_OUTBOUND_OWNER_GROUPS: without a group, its rule is an unconditional RETURN, so nothing after it in ISTIO_OUTPUT is ever reached and no outbound traffic is captured']
		: [];
}

function ignoredGroups({ownerGroupsInclude, ownerGroupsExclude}: SidecarOptions): readonly string[] {
	return ownerGroupsInclude !== '*' && ownerGroupsExclude.length > 0
		? ['ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE: it is ignored, because ISTIO_OUTBOUND_OWNER_GROUPS names groups']
		: [];
}

function includedLoopback({outboundIpRangesInclude: include}: SidecarOptions, {release}: Case): readonly string[] {
	const found = include === '*' ? undefined : include.find(range => isLoopback(range));
	if (found === undefined) {
		return [];
	}

	return release.features.loopbackCanBeIncluded
		? [`--istio-service-cidr: ${found} has a loopback address, so the rules that exempt traffic of other processes over lo are left out, in both families`]
		: [];
}

function captureAllAlone({captureAllDns, redirectDns}: SidecarOptions): readonly string[] {
	return captureAllDns && !redirectDns ? ['--capture-all-dns: it has no effect without --redirect-dns'] : [];
}

/** In nft, ranges are written with a dash, and `a:b` is taken for the name of a service (measured: "Could not resolve service"). */
function rangesForNft(options: SidecarOptions, {native}: Case): readonly string[] {
	const lists: ReadonlyArray<readonly [string, '*' | readonly string[]]> = [
		['--istio-inbound-ports', options.inboundPortsInclude],
		['--istio-local-exclude-ports', options.inboundPortsInclude === '*' ? options.inboundPortsExclude : []],
		['--istio-outbound-ports', options.outboundPortsInclude],
		['--istio-local-outbound-ports-exclude', options.outboundPortsExclude],
	];
	return native
		? lists.flatMap(([name, list]) => list === '*'
			? []
			: list.filter(port => port.includes(':')).map(port =>
				`${name}: the range ${port} is written in iptables' syntax; nft takes it for the name of a service and rejects all rules`))
		: [];
}

function noProxyUid({writesNothing, proxyUids}: SidecarOptions): readonly string[] {
	return !writesNothing && proxyUids.length === 0 ? ['--proxy-uid: the list has no UID, so the proxy\'s own traffic is captured too, which is a loop'] : [];
}
