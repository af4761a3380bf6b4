/**
Options that the program takes without a word, and that do something which was hardly meant.
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

/** One block of rules is written per UID, and the first block takes what the others are for (measured with `-u 64535,1337`: a proxy of UID 1337 skips the inbound listener on its way to its own pod). */
function shadowedOwners({proxyUids, outboundIpRangesInclude: include}: SidecarOptions, {release}: Case): readonly string[] {
	const [first] = proxyUids;
	const others = [...new Set(proxyUids)].filter(uid => uid !== first);
	const isLoopbackIncluded = release.features.loopbackCanBeIncluded && include !== '*' && include.some(range => isLoopback(range));
	return first === undefined || others.length === 0 || isLoopbackIncluded
		? []
		: [`--proxy-uid: the rules of UID ${first} come first, and their "-o lo ! --uid-owner ${first} -j RETURN" takes what UID ${others.join(', ')} sends to the pod itself, so that this skips the inbound listener`];
}

function noOwnerGroup({ownerGroupsInclude}: SidecarOptions): readonly string[] {
	return ownerGroupsInclude !== '*' && ownerGroupsInclude.length === 0
		? ['ISTIO_OUTBOUND_OWNER_GROUPS: without a group its rule is a bare RETURN, so nothing behind it in ISTIO_OUTPUT is ever reached and no outbound traffic is captured']
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
		? [`--istio-service-cidr: ${found} has a loopback address, so the rules that let other processes than the proxy talk over lo are left out, in both families`]
		: [];
}

function captureAllAlone({captureAllDns, redirectDns}: SidecarOptions): readonly string[] {
	return captureAllDns && !redirectDns ? ['--capture-all-dns: it has no effect without --redirect-dns'] : [];
}

/** Nft writes ranges with a dash and takes `a:b` for a service's name (measured: "Could not resolve service"). */
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
				`${name}: the range ${port} is written the way of iptables; nft takes it for the name of a service and refuses all rules`))
		: [];
}

function noProxyUid({writesNothing, proxyUids}: SidecarOptions): readonly string[] {
	return !writesNothing && proxyUids.length === 0 ? ['--proxy-uid: no UID is left of the list, so the proxy\'s own traffic is captured too, which is a loop'] : [];
}
