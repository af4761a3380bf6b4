/**
Outbound traffic. The order of the rules determines the behavior: the first one that matches decides. Names in the comments are those of functions in Istio's `run.go`, see `sidecar.ts`; rules without a name are written by `Run` itself.
*/

import type {Context} from '../context.js';
import {hasDnsExceptions} from './dns.js';
import {
	append, insert, type Place, type PlannedRule, type Step,
} from './rule-list.js';
import {
	by, comingIn, from, notBy, notTo, notToPorts, of, overLoopback, to, toPort, type Owner, type Part,
} from './save-form.js';
import {jumpTo, leave, type Action} from './targets.js';

const chain: Place = ['nat', 'ISTIO_OUTPUT'];
const capture = jumpTo('ISTIO_REDIRECT');

/** The jump into the chain. Redirection itself stays TCP, because the two redirection chains only have rules for TCP. */
function outputJump({features}: Context): readonly PlannedRule[] {
	return [append(['nat', 'OUTPUT'], features.outputJumpAllProtocols ? [] : [of('tcp')], jumpTo('ISTIO_OUTPUT'))];
}

/** Ports that are never captured. */
function excludedPorts({options, features}: Context): readonly PlannedRule[] {
	const protocols = features.udpOutboundExclude ? ['tcp', 'udp'] as const : ['tcp'] as const;
	return options.outboundPortsExclude.flatMap(port => protocols.map(protocol => append(chain, [toPort(protocol, port)], leave)));
}

/** The proxy's connections to the app after the inbound listener, by their source, which the inbound passthrough cluster binds. */
function passthroughSource({passthroughSource: source}: Context): readonly PlannedRule[] {
	return [append(chain, [from(source), overLoopback], leave)];
}

/** Three rules for each UID before those of the next. */
function proxyUids(context: Context): readonly PlannedRule[] {
	const ports = hairpinPorts(context, hasDnsExceptions(context));
	return context.options.proxyUids.flatMap(id => ownerRules(context, {kind: 'uid', id}, ports));
}

/** The same for each GID, except that the hairpin rule does not exempt port 53. */
function proxyGids(context: Context): readonly PlannedRule[] {
	const ports = hairpinPorts(context, false);
	return context.options.proxyGids.flatMap(id => ownerRules(context, {kind: 'gid', id}, ports));
}

function ownerRules(context: Context, owner: Owner, ports: readonly Part[]): readonly PlannedRule[] {
	const foreign = hasDnsExceptions(context) ? [notToPorts(53)] : [];
	return [
		append(chain, [notTo(context.loopback), overLoopback, ...ports, by(owner)], jumpTo('ISTIO_IN_REDIRECT')),
		...(context.loopbackIncluded ? [] : [append(chain, [overLoopback, ...foreign, notBy(owner)], leave)]),
		append(chain, [by(owner)], leave),
	];
}

/** The ports that the hairpin rules exempt: the tunnel's, and for DNS the proxy's own queries. */
function hairpinPorts({options, features}: Context, exceptsDns: boolean): readonly Part[] {
	const spared = [...(exceptsDns ? [53] : []), ...(features.hairpinExceptsTunnelPort ? [options.inboundTunnelPort] : [])];
	return spared.length === 0 ? [] : [notToPorts(...spared)];
}

/** `handleCaptureByOwnerGroup`: only the traffic of some groups, or of all but some. */
function ownerGroups({options}: Context): readonly PlannedRule[] {
	const {ownerGroupsInclude: include, ownerGroupsExclude: exclude} = options;
	return include === '*'
		? exclude.map(group => append(chain, [by({kind: 'gid', id: Number(group)})], leave))
		: [append(chain, include.map(group => notBy({kind: 'gid', id: Number(group)})), leave)];
}

/** The host's loopback. */
function localhost({loopback}: Context): readonly PlannedRule[] {
	return [append(chain, [to(loopback)], leave)];
}

/** Ranges that are never captured. */
function excludedRanges({rangesExclude}: Context): readonly PlannedRule[] {
	return rangesExclude.map(range => append(chain, [to(range)], leave));
}

/** `handleOutboundPortsInclude`: ports that are captured whatever their address. */
function includedPorts({options}: Context): readonly PlannedRule[] {
	return options.outboundPortsInclude.map(port => append(chain, [toPort('tcp', port)], capture));
}

/** `handleOutboundIncludeRules`: traffic captured by address, also from virtual machines. The rest reaches the end of the chain, or until 1.22 a RETURN after a list of ranges. */
function includedRanges({options, features, rangesInclude, isSeparate}: Context): readonly PlannedRule[] {
	const fromVirtual = (range: readonly Part[], action: Action) => options.kubeVirtInterfaces.map(name => insert(['nat', 'PREROUTING'], {position: 1, parts: [...range, comingIn(name)], action}));
	if (rangesInclude === '*') {
		// The separate IPv6 code returns here, where IPv4 redirects, according to the sources until 1.11.
		return [append(chain, [], capture), ...fromVirtual([], isSeparate ? leave : capture)];
	}

	return [
		...rangesInclude.flatMap(range => [...fromVirtual([to(range)], capture), append(chain, [to(range)], capture)]),
		...(features.rangesEndWithReturn && rangesInclude.length > 0 ? [append(chain, [], leave)] : []),
	];
}

/** What `Run` writes before the DNS rules. */
export const outboundSteps: readonly Step[] = [outputJump, excludedPorts, passthroughSource, proxyUids, proxyGids, ownerGroups];

/** What `Run` writes after them. */
export const outboundTail: readonly Step[] = [localhost, excludedRanges, includedPorts, includedRanges];
