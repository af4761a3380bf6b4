/**
A7: DNS capture. nat sends queries to the agent; raw keeps the proxy's own queries and the captured ones in two conntrack zones, for they may have the same ports. Where the rules stand changed often: one style per range of releases.
*/

import type {Context} from '../context.js';
import type {DnsStyle} from '../releases.js';
import {
	append, type PlannedRule, type Step,
} from './rule-list.js';
import {address} from './save-form.js';

/** Where the agent answers DNS: fixed, not an option of istio-iptables (its rules, 1.8 to 1.30.3). */
const agentPort = 15_053;

/** Where Envoy answered DNS in 1.6 and 1.7 (epochs.json, N1 and N2). */
const proxyPort = 15_013;

/** The steps of a style: in front of the redirections, between the owner rules and the localhost rule, and behind everything in ISTIO_OUTPUT. */
export type DnsSteps = {readonly before: readonly Step[]; readonly between: readonly Step[]; readonly behind: readonly Step[]};

/** Since 1.9 the owner rules spare TCP to port 53, so that it gets as far as the DNS rules. */
export function hasDnsExceptions({dns, features}: Context): boolean {
	return dns && (features.dns === 'in-output' || features.dns === 'in-istio-output' || features.dns === 'in-own-chain');
}

function owners({options}: Context): readonly string[] {
	return [...options.proxyUids.map(uid => `--uid-owner ${uid}`), ...options.proxyGids.map(gid => `--gid-owner ${gid}`)];
}

function serverMatch(flag: '-s' | '-d', server: string | undefined): string {
	return server === undefined ? '' : address(flag, server);
}

/** Which servers are captured in this family: any (`undefined`), or the known ones. */
function servers({options, dnsServers}: Context): ReadonlyArray<string | undefined> {
	return options.captureAllDns ? [undefined] : dnsServers;
}

/** Steps 29 and 30, for one protocol. */
function redirections(chain: string, protocol: 'tcp' | 'udp'): Step {
	return context => servers(context).map(server => append('nat', chain, `${serverMatch('-d', server)}-p ${protocol} -m ${protocol} --dport 53 -j REDIRECT --to-ports ${agentPort}`));
}

/** Before 1.25: the proxy's own UDP queries pass. */
function ownQueries(chain: string): Step {
	return context => owners(context).map(owner => append('nat', chain, `-p udp -m udp --dport 53 -m owner ${owner} -j RETURN`));
}

/** 1.14 to 1.24: step 21 for UDP queries, which do not pass it. */
function ownGroups(chain: string): Step {
	return ({options: {ownerGroupsInclude: include, ownerGroupsExclude: exclude}}) => {
		const query = '-p udp -m udp --dport 53 ';
		return include === '*'
			? exclude.map(group => append('nat', chain, `${query}-m owner --gid-owner ${Number(group)} -j RETURN`))
			: [append('nat', chain, `${query}${include.map(group => `-m owner ! --gid-owner ${Number(group)} `).join('')}-j RETURN`)];
	};
}

/** Steps 31 and 32: the chains in which queries and answers get their zones. */
function zones({queries, answers}: {readonly queries: string; readonly answers: string}): Step {
	return context => {
		const {features, options} = context;
		if (features.dnsZones === 'never' || (features.dnsZones === 'asked' && !options.dnsConntrackZones)) {
			return [];
		}

		const answerFlag = features.dnsAnswersBySource ? '-s' : '-d';
		return [
			...owners(context).flatMap(owner => [
				append('raw', queries, `-p udp -m udp --dport 53 -m owner ${owner} -j CT --zone 1`),
				append('raw', queries, `-p udp -m udp --sport ${agentPort} -m owner ${owner} -j CT --zone 2`),
			]),
			...servers(context).flatMap(server => [
				append('raw', queries, `${serverMatch('-d', server)}-p udp -m udp --dport 53 -j CT --zone 2`),
				append('raw', answers, `${serverMatch(answerFlag, server)}-p udp -m udp --sport 53 -j CT --zone 1`),
			]),
		];
	};
}

/** A jump that stands always. */
function jump(table: 'nat' | 'raw', chain: string, text: string): Step {
	return () => [append(table, chain, text)];
}

/** A jump that stands only in a family that has something to capture. */
function jumpIfAny(table: 'nat' | 'raw', chain: string, text: string): Step {
	return context => servers(context).length > 0 ? [append(table, chain, text)] : [];
}

/** 1.6: `DNS_CAPTURE`. */
function toProxy({options}: Context): readonly PlannedRule[] {
	return [
		...options.proxyGids.map(gid => append('nat', 'OUTPUT', `-p udp -m udp --dport 53 -m owner --gid-owner ${gid} -j RETURN`)),
		append('nat', 'OUTPUT', `-p udp -m udp --dport 53 -j REDIRECT --to-ports ${proxyPort}`),
	];
}

/** 1.7 and 1.8: by DNAT, and SNAT so that the agent answers on the same interface. */
function translations({options}: Context): readonly PlannedRule[] {
	const port = options.dnsByProxy ? proxyPort : agentPort;
	return [
		append('nat', 'OUTPUT', `-p udp -m udp --dport 53 -j DNAT --to-destination 127.0.0.1:${port}`),
		append('nat', 'POSTROUTING', `-p udp -m udp --dport ${port} -j SNAT --to-source 127.0.0.1`),
	];
}

const nothing: DnsSteps = {before: [], between: [], behind: []};

const styles: Readonly<Record<DnsStyle, DnsSteps>> = {
	none: nothing,
	'to-proxy': {...nothing, behind: [toProxy]},
	translated: {...nothing, behind: [ownQueries('OUTPUT'), translations]},
	'translated-with-tcp': {
		...nothing,
		before: [() => [append('nat', 'ISTIO_REDIRECT', `-p tcp -m tcp --dport 53 -j REDIRECT --to-ports ${agentPort}`)]],
		behind: [ownQueries('OUTPUT'), translations],
	},
	'in-output': {
		...nothing,
		between: [redirections('ISTIO_OUTPUT', 'tcp')],
		behind: [ownQueries('OUTPUT'), ownGroups('OUTPUT'), redirections('OUTPUT', 'udp'), zones({queries: 'OUTPUT', answers: 'PREROUTING'})],
	},
	'in-istio-output': {
		...nothing,
		between: [redirections('ISTIO_OUTPUT', 'tcp')],
		behind: [
			jump('nat', 'OUTPUT', '-p udp -j ISTIO_OUTPUT'),
			ownQueries('ISTIO_OUTPUT'),
			ownGroups('ISTIO_OUTPUT'),
			redirections('ISTIO_OUTPUT', 'udp'),
			jump('raw', 'OUTPUT', '-p udp -j ISTIO_OUTPUT'),
			zones({queries: 'ISTIO_OUTPUT', answers: 'PREROUTING'}),
		],
	},
	// Steps 27 to 32.
	'in-own-chain': {
		...nothing,
		between: [
			jump('raw', 'OUTPUT', '-j ISTIO_OUTPUT_DNS'),
			jumpIfAny('nat', 'ISTIO_OUTPUT', '-j ISTIO_OUTPUT_DNS'),
			redirections('ISTIO_OUTPUT_DNS', 'tcp'),
			redirections('ISTIO_OUTPUT_DNS', 'udp'),
			jumpIfAny('raw', 'PREROUTING', '-j ISTIO_INBOUND'),
			zones({queries: 'ISTIO_OUTPUT_DNS', answers: 'ISTIO_INBOUND'}),
		],
	},
};

/** The DNS steps of a family, if DNS is captured in it. */
export function dnsSteps({dns, features}: Context): DnsSteps {
	return dns ? styles[features.dns] : nothing;
}
