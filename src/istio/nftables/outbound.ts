/**
Outbound traffic. The order of the rules determines the behavior: the first one that matches decides. Names in the comments are those of functions in Istio's `run.go`, see `sidecar.ts`; rules without a name are written by `Run` itself.
*/

import {
	append, insert, ipOf, type NativeContext, type PlannedRule, type Step,
} from './rule-list.js';

const chain = 'istio-output';

/** The jump into the chain. Redirection itself stays TCP, because the two redirection chains only have rules for TCP. */
function outputJump(): readonly PlannedRule[] {
	return [append('nat', 'output', '', `jump ${chain}`)];
}

/** Ports that are never captured. */
function excludedPorts({shared: {options}}: NativeContext): readonly PlannedRule[] {
	return options.outboundPortsExclude.flatMap(port => ['tcp', 'udp'].map(protocol => append('nat', chain, `${protocol} dport ${port}`, 'return')));
}

/** The proxy's connections to the app after the inbound listener, by their source, which the inbound passthrough cluster binds. */
function passthroughSource({perFamily}: NativeContext): readonly PlannedRule[] {
	return perFamily.map(({family, passthroughSource: source}) => append('nat', chain, `oifname lo ${ipOf(family)} saddr ${source}`, 'return'));
}

/** The rules of one UID before those of the next. */
function proxyUids(context: NativeContext): readonly PlannedRule[] {
	const {options, dns} = context.shared;
	return options.proxyUids.flatMap(uid => ownerRules(context, {key: 'skuid', id: uid, exceptsDns: dns}));
}

/** The same for each GID, except that the hairpin rule does not exempt port 53. */
function proxyGids(context: NativeContext): readonly PlannedRule[] {
	return context.shared.options.proxyGids.flatMap(gid => ownerRules(context, {key: 'skgid', id: gid, exceptsDns: false}));
}

type OwnerRules = {readonly key: 'skuid' | 'skgid'; readonly id: number; readonly exceptsDns: boolean};

function ownerRules({shared: {options, loopbackIncluded, dns}, perFamily}: NativeContext, {key, id, exceptsDns}: OwnerRules): readonly PlannedRule[] {
	const spared = exceptsDns ? `{ 53, ${options.inboundTunnelPort} }` : String(options.inboundTunnelPort);
	const foreign = dns ? 'meta l4proto tcp tcp dport != 53 ' : '';
	return [
		...perFamily.map(({family, loopback}) => append('nat', chain, `oifname lo meta l4proto tcp ${ipOf(family)} daddr != ${loopback} tcp dport != ${spared} ${key} ${id}`, 'jump istio-in-redirect')),
		...(loopbackIncluded ? [] : [append('nat', chain, `oifname lo ${foreign}${key} != ${id}`, 'return')]),
		append('nat', chain, `${key} ${id}`, 'return'),
	];
}

/** `handleCaptureByOwnerGroup`: only the traffic of some groups, or of all but some. */
function ownerGroups({shared: {options}}: NativeContext): readonly PlannedRule[] {
	const {ownerGroupsInclude: include, ownerGroupsExclude: exclude} = options;
	return include === '*'
		? exclude.map(group => append('nat', chain, `skgid ${group}`, 'return'))
		: [append('nat', chain, include.map(group => `skgid != ${group}`).join(' '), 'return')];
}

/** The host's loopback. */
function localhost({perFamily}: NativeContext): readonly PlannedRule[] {
	return perFamily.map(({family, loopback}) => append('nat', chain, `${ipOf(family)} daddr ${loopback}`, 'return'));
}

/** Ranges that are never captured: all of IPv4, then all of IPv6. */
function excludedRanges({perFamily}: NativeContext): readonly PlannedRule[] {
	return perFamily.flatMap(({family, rangesExclude}) => rangesExclude.map(range => append('nat', chain, `${ipOf(family)} daddr ${range}`, 'return')));
}

/** `handleOutboundPortsInclude`: ports that are captured whatever their address. */
function includedPorts({shared: {options}}: NativeContext): readonly PlannedRule[] {
	return options.outboundPortsInclude.map(port => append('nat', chain, `tcp dport ${port}`, 'jump istio-redirect'));
}

/** `handleOutboundIncludeRules`: traffic captured by address, also from virtual machines. No rule follows: the rest reaches the end of the chain. */
function includedRanges({shared: {options, rangesInclude: shared}, perFamily}: NativeContext): readonly PlannedRule[] {
	const fromVirtual = (match: string) => options.kubeVirtInterfaces.map(name => insert('nat', 'prerouting', {index: 0, conditions: `iifname ${name}${match}`, verdict: 'jump istio-redirect'}));
	if (shared === '*') {
		return [append('nat', chain, '', 'jump istio-redirect'), ...fromVirtual('')];
	}

	return perFamily.flatMap(({family, rangesInclude}) => rangesInclude === '*'
		? []
		: rangesInclude.flatMap(range => {
			const match = `${ipOf(family)} daddr ${range}`;
			return [...fromVirtual(` ${match}`), append('nat', chain, match, 'jump istio-redirect')];
		}));
}

/** What `Run` writes before the DNS rules. */
export const outboundSteps: readonly Step[] = [outputJump, excludedPorts, passthroughSource, proxyUids, proxyGids, ownerGroups];

/** What `Run` writes after them. */
export const outboundTail: readonly Step[] = [localhost, excludedRanges, includedPorts, includedRanges];
