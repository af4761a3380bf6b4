/**
A6: what goes out. The order of the rules is the behaviour: the first one that matches decides.
*/

import type {Context} from '../context.js';
import {
	append, insert, type PlannedRule, type Step,
} from './rule-list.js';
import {address, interfaceName, ports} from './save-form.js';

const chain = 'ISTIO_OUTPUT';

/** Step 16: the way in. Redirection itself stays TCP, for only such rules stand in the two redirection chains. */
function outputJump({features}: Context): readonly PlannedRule[] {
	return [append('nat', 'OUTPUT', features.outputJumpAllProtocols ? '-j ISTIO_OUTPUT' : '-p tcp -j ISTIO_OUTPUT')];
}

/** Step 17: ports that are never captured. */
function excludedPorts({options, features}: Context): readonly PlannedRule[] {
	const protocols = features.udpOutboundExclude ? ['tcp', 'udp'] : ['tcp'];
	return options.outboundPortsExclude.flatMap(port => protocols.map(protocol => append('nat', chain, `-p ${protocol} -m ${protocol} --dport ${ports(port)} -j RETURN`)));
}

/** Step 18: the proxy's own way to the app after the inbound listener. */
function passthroughSource({passthroughSource: source}: Context): readonly PlannedRule[] {
	return [append('nat', chain, `${address('-s', source)}-o lo -j RETURN`)];
}

/** Step 19: three rules per UID before the next UID. */
function proxyUids(context: Context): readonly PlannedRule[] {
	return context.options.proxyUids.flatMap(uid => ownerRules(context, {flag: '--uid-owner', id: uid, exceptsDns: context.dns}));
}

/** Step 20: the same per GID, except that the hairpin rule does not spare port 53. */
function proxyGids(context: Context): readonly PlannedRule[] {
	return context.options.proxyGids.flatMap(gid => ownerRules(context, {flag: '--gid-owner', id: gid, exceptsDns: false}));
}

type OwnerRules = {readonly flag: '--uid-owner' | '--gid-owner'; readonly id: number; readonly exceptsDns: boolean};

function ownerRules({options, features, loopback, loopbackIncluded, dns}: Context, {flag, id, exceptsDns}: OwnerRules): readonly PlannedRule[] {
	const tunnelPort = options.inboundTunnelPort;
	const ownTcp = features.hairpinExceptsTunnelPort ? `-p tcp -m tcp ! --dport ${tunnelPort} ` : '';
	const hairpin = exceptsDns ? `-p tcp -m multiport ! --dports 53,${tunnelPort} ` : ownTcp;
	const foreign = dns ? '-p tcp -m tcp ! --dport 53 ' : '';
	return [
		append('nat', chain, `! ${address('-d', loopback)}-o lo ${hairpin}-m owner ${flag} ${id} -j ISTIO_IN_REDIRECT`),
		...(loopbackIncluded ? [] : [append('nat', chain, `-o lo ${foreign}-m owner ! ${flag} ${id} -j RETURN`)]),
		append('nat', chain, `-m owner ${flag} ${id} -j RETURN`),
	];
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
	return options.outboundPortsInclude.map(port => append('nat', chain, `-p tcp -m tcp --dport ${ports(port)} -j ISTIO_REDIRECT`));
}

/** Step 26: what is captured by address, also from virtual machines. Nothing follows: the rest falls off the chain. */
function includedRanges({options, rangesInclude}: Context): readonly PlannedRule[] {
	const fromVirtual = (match: string) => options.kubeVirtInterfaces.map(name => insert('nat', 'PREROUTING', {position: 1, text: `${match}${interfaceName('-i', name)}-j ISTIO_REDIRECT`}));
	if (rangesInclude === '*') {
		return [append('nat', chain, '-j ISTIO_REDIRECT'), ...fromVirtual('')];
	}

	return rangesInclude.flatMap(range => [...fromVirtual(address('-d', range)), append('nat', chain, `${address('-d', range)}-j ISTIO_REDIRECT`)]);
}

/** Steps 16 to 21, before the DNS rules. */
export const outboundSteps: readonly Step[] = [outputJump, excludedPorts, passthroughSource, proxyUids, proxyGids, ownerGroups];

/** Steps 23 to 26, after them. */
export const outboundTail: readonly Step[] = [localhost, excludedRanges, includedPorts, includedRanges];
