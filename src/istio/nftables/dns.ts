/**
DNS capture (`SetupDNSRedir`, `addDNSConntrackZones`). nat sends queries to the agent; raw keeps the proxy's own queries and the captured ones in two conntrack zones, because they may have the same ports.
*/

import {addressBits} from '../../netfilter/address.js';
import {
	append, ipOf, type NativeContext, type PlannedRule, type Step,
} from './rule-list.js';

const chain = 'istio-output-dns';

/** Where the agent answers DNS: fixed, not an option (Istio's native rules, 1.30.3). */
const agentPort = 15_053;

/** The jump into the DNS chain of raw. */
function rawJump({shared: {dns}}: NativeContext): readonly PlannedRule[] {
	return dns ? [append('raw', 'output', '', `jump ${chain}`)] : [];
}

/** The jump into the DNS chain of nat: once, whichever family has servers; also if that family is not written, in which case the chain is empty. */
function natJump({shared: {dns}}: NativeContext): readonly PlannedRule[] {
	return dns ? [append('nat', 'istio-output', '', `jump ${chain}`)] : [];
}

/** Queries go to the agent: all TCP rules, then all UDP rules. */
function redirections(context: NativeContext): readonly PlannedRule[] {
	const {dns, options} = context.shared;
	if (!dns) {
		return [];
	}

	const verdict = `redirect to :${agentPort}`;
	if (options.captureAllDns) {
		return [append('nat', chain, 'meta l4proto tcp tcp dport 53', verdict), append('nat', chain, 'udp dport 53', verdict)];
	}

	return ['tcp', 'udp'].flatMap(protocol => servers(context, 'daddr').map(server => append('nat', chain, `${server} ${protocol} dport 53`, verdict)));
}

/** `addDNSConntrackZones`, first part: queries of the proxy, and the agent's answers. */
function ownerZones({shared: {dns, options}}: NativeContext): readonly PlannedRule[] {
	const owners = [...options.proxyUids.map(uid => `meta skuid ${uid}`), ...options.proxyGids.map(gid => `meta skgid ${gid}`)];
	return dns
		? owners.flatMap(owner => [
			append('raw', chain, `udp dport 53 ${owner}`, 'ct zone set 1'),
			append('raw', chain, `udp sport ${agentPort} ${owner}`, 'ct zone set 2'),
		])
		: [];
}

/** `addDNSConntrackZones`, second part: captured queries, and the servers' answers to the proxy. */
function queryZones(context: NativeContext): readonly PlannedRule[] {
	const {dns, options} = context.shared;
	const asked = options.captureAllDns ? [''] : servers(context, 'daddr').map(server => ` ${server}`);
	const answering = options.captureAllDns ? [''] : servers(context, 'saddr').map(server => ` ${server}`);
	if (!dns || asked.length === 0) {
		return [];
	}

	return [
		append('raw', 'prerouting', '', 'jump istio-inbound'),
		...asked.map(server => append('raw', chain, `udp dport 53${server}`, 'ct zone set 2')),
		...answering.map(server => append('raw', 'istio-inbound', `udp sport 53${server}`, 'ct zone set 1')),
	];
}

/** The known servers as conditions, all of IPv4 first. */
function servers({perFamily}: NativeContext, field: 'saddr' | 'daddr'): readonly string[] {
	return perFamily.flatMap(({family, dnsServers}) => dnsServers.map(server => `${ipOf(family)} ${field} ${server}/${addressBits[family]}`));
}

/** The DNS rules in the order of `SetupDNSRedir`. */
export const dnsSteps: readonly Step[] = [rawJump, natJump, redirections, ownerZones, queryZones];
