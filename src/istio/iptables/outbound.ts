/**
A6: what goes out. The order of the rules is the behaviour: the first one that matches decides.
*/

import type {Context} from '../context.js';
import {hasDnsExceptions} from './dns.js';
import {
	append, insert, type PlannedRule, type Step,
} from './rule-list.js';
import {address, destinationPort, interfaceName} from './save-form.js';

const chain = 'ISTIO_OUTPUT';

/** Step 16: the way in. Redirection itself stays TCP, for only such rules stand in the two redirection chains. */
function outputJump({features}: Context): readonly PlannedRule[] {
	return [append('nat', 'OUTPUT', features.outputJumpAllProtocols ? '-j ISTIO_OUTPUT' : '-p tcp -j ISTIO_OUTPUT')];
}

/** Step 17: ports that are never captured. */
function excludedPorts({options, features}: Context): readonly PlannedRule[] {
	const protocols = features.udpOutboundExclude ? ['tcp', 'udp'] as const : ['tcp'] as const;
	return options.outboundPortsExclude.flatMap(port => protocols.map(protocol => append('nat', chain, `${destinationPort(protocol, port)}-j RETURN`)));
}

/** Step 18: the proxy's own way to the app after the inbound listener. */
function passthroughSource({passthroughSource: source}: Context): readonly PlannedRule[] {
	return [append('nat', chain, `${address('-s', source)}-o lo -j RETURN`)];
}

/** Step 19: three rules per UID before the next UID. */
function proxyUids(context: Context): readonly PlannedRule[] {
	return context.options.proxyUids.flatMap(uid => ownerRules(context, {flag: '--uid-owner', id: uid, exceptsDns: hasDnsExceptions(context)}));
}

/** Step 20: the same per GID, except that the hairpin rule does not spare port 53. */
function proxyGids(context: Context): readonly PlannedRule[] {
	return context.options.proxyGids.flatMap(gid => ownerRules(context, {flag: '--gid-owner', id: gid, exceptsDns: false}));
}

type OwnerRules = {readonly flag: '--uid-owner' | '--gid-owner'; readonly id: number; readonly exceptsDns: boolean};

function ownerRules(context: Context, {flag, id, exceptsDns}: OwnerRules): readonly PlannedRule[] {
	const {loopback, loopbackIncluded} = context;
	const foreign = hasDnsExceptions(context) ? '-p tcp -m tcp ! --dport 53 ' : '';
	return [
		append('nat', chain, `! ${address('-d', loopback)}-o lo ${hairpinPorts(context, exceptsDns)}-m owner ${flag} ${id} -j ISTIO_IN_REDIRECT`),
		...(loopbackIncluded ? [] : [append('nat', chain, `-o lo ${foreign}-m owner ! ${flag} ${id} -j RETURN`)]),
		append('nat', chain, `-m owner ${flag} ${id} -j RETURN`),
	];
}

/** Which ports the proxy's way to itself spares: the tunnel's, and of DNS its own queries. */
function hairpinPorts({options, features}: Context, exceptsDns: boolean): string {
	if (!features.hairpinExceptsTunnelPort) {
		return exceptsDns ? '-p tcp -m tcp ! --dport 53 ' : '';
	}

	return exceptsDns ? `-p tcp -m multiport ! --dports 53,${options.inboundTunnelPort} ` : `-p tcp -m tcp ! --dport ${options.inboundTunnelPort} `;
}

/** Step 21: only the traffic of some groups, or of all but some. */
function ownerGroups({options}: Context): readonly PlannedRule[] {
	const {ownerGroupsInclude: include, ownerGroupsExclude: exclude} = options;
	if (include === '*') {
		return exclude.map(group => append('nat', chain, `-m owner --gid-owner ${Number(group)} -j RETURN`));
	}

	return [append('nat', chain, `${include.map(group => `-m owner ! --gid-owner ${Number(group)} `).join('')}-j RETURN`)];
}

/** Step 23: the host's loopback. */
function localhost({loopback}: Context): readonly PlannedRule[] {
	return [append('nat', chain, `${address('-d', loopback)}-j RETURN`)];
}

/** Step 24. */
function excludedRanges({rangesExclude}: Context): readonly PlannedRule[] {
	return rangesExclude.map(range => append('nat', chain, `${address('-d', range)}-j RETURN`));
}

/** Step 25. */
function includedPorts({options}: Context): readonly PlannedRule[] {
	return options.outboundPortsInclude.map(port => append('nat', chain, `${destinationPort('tcp', port)}-j ISTIO_REDIRECT`));
}

/** Step 26: what is captured by address, also from virtual machines. The rest falls off the chain, or until 1.22 is returned behind a list of ranges. */
function includedRanges({options, features, rangesInclude, isSeparate}: Context): readonly PlannedRule[] {
	const fromVirtual = (match: string, target: string) => options.kubeVirtInterfaces.map(name => insert('nat', 'PREROUTING', {position: 1, text: `${match}${interfaceName('-i', name)}-j ${target}`}));
	if (rangesInclude === '*') {
		// The separate IPv6 code returns here, where IPv4 redirects: so it stands in the sources until 1.11.
		return [append('nat', chain, '-j ISTIO_REDIRECT'), ...fromVirtual('', isSeparate ? 'RETURN' : 'ISTIO_REDIRECT')];
	}

	return [
		...rangesInclude.flatMap(range => [
			...fromVirtual(address('-d', range), 'ISTIO_REDIRECT'),
			append('nat', chain, `${address('-d', range)}-j ISTIO_REDIRECT`),
		]),
		...(features.rangesEndWithReturn && rangesInclude.length > 0 ? [append('nat', chain, '-j RETURN')] : []),
	];
}

/** Steps 16 to 21, before the DNS rules. */
export const outboundSteps: readonly Step[] = [outputJump, excludedPorts, passthroughSource, proxyUids, proxyGids, ownerGroups];

/** Steps 23 to 26, after them. */
export const outboundTail: readonly Step[] = [localhost, excludedRanges, includedPorts, includedRanges];
