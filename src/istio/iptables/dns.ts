/**
A7: DNS capture. nat sends queries to the agent; raw keeps the proxy's own queries and the captured ones in two conntrack zones, for they may have the same ports.
*/

import type {Context} from '../context.js';
import {
	append, type PlannedRule, type Step,
} from './rule-list.js';
import {address} from './save-form.js';

const chain = 'ISTIO_OUTPUT_DNS';

/** Where the agent answers DNS: fixed, not an option of istio-iptables (its rules, 1.30.3). */
const agentPort = 15_053;

/** Step 27. */
function rawJump({dns}: Context): readonly PlannedRule[] {
	return dns ? [append('raw', 'OUTPUT', `-j ${chain}`)] : [];
}

/** Step 28: only in a family that has something to capture. */
function natJump(context: Context): readonly PlannedRule[] {
	return destinations(context).length > 0 ? [append('nat', 'ISTIO_OUTPUT', `-j ${chain}`)] : [];
}

/** Steps 29 and 30: all TCP rules, then all UDP rules. */
function redirections(context: Context): readonly PlannedRule[] {
	return ['tcp', 'udp'].flatMap(protocol => destinations(context).map(destination =>
		append('nat', chain, `${destination}-p ${protocol} -m ${protocol} --dport 53 -j REDIRECT --to-ports ${agentPort}`)));
}

/** Step 31: queries of the proxy, and the agent's answers. */
function ownerZones({dns, options}: Context): readonly PlannedRule[] {
	const owners = [...options.proxyUids.map(uid => `--uid-owner ${uid}`), ...options.proxyGids.map(gid => `--gid-owner ${gid}`)];
	return dns
		? owners.flatMap(owner => [
			append('raw', chain, `-p udp -m udp --dport 53 -m owner ${owner} -j CT --zone 1`),
			append('raw', chain, `-p udp -m udp --sport ${agentPort} -m owner ${owner} -j CT --zone 2`),
		])
		: [];
}

/** Step 32: captured queries, and the servers' answers to the proxy. */
function queryZones(context: Context): readonly PlannedRule[] {
	const servers = context.options.captureAllDns ? [undefined] : context.dnsServers;
	if (!context.dns || servers.length === 0) {
		return [];
	}

	return [
		append('raw', 'PREROUTING', '-j ISTIO_INBOUND'),
		...servers.flatMap(server => [
			append('raw', chain, `${serverMatch('-d', server)}-p udp -m udp --dport 53 -j CT --zone 2`),
			append('raw', 'ISTIO_INBOUND', `${serverMatch('-s', server)}-p udp -m udp --sport 53 -j CT --zone 1`),
		]),
	];
}

/** Which destinations are captured in this family: any, or the known servers. */
function destinations({dns, options, dnsServers}: Context): readonly string[] {
	if (!dns) {
		return [];
	}

	return options.captureAllDns ? [''] : dnsServers.map(server => serverMatch('-d', server));
}

function serverMatch(flag: '-s' | '-d', server: string | undefined): string {
	return server === undefined ? '' : address(flag, server);
}

/** Steps 27 to 32. */
export const dnsSteps: readonly Step[] = [rawJump, natJump, redirections, ownerZones, queryZones];
