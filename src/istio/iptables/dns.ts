/**
DNS capture (`SetupDNSRedir`, `addDNSConntrackZones`). nat sends queries to the agent; raw keeps the proxy's own queries and the captured ones in two conntrack zones, because they may have the same ports. The place of the rules changed often: one style per range of releases.
*/

import type {Context} from '../context.js';
import type {DnsStyle} from '../releases.js';
import {
	append, type Place, type PlannedRule, type Step,
} from './rule-list.js';
import {
	by, from, fromPort, notBy, of, to, toPort, type Owner, type Part, type Protocol,
} from './save-form.js';
import {
	extension, inZone, jumpTo, leave, redirectTo, type Action,
} from './targets.js';

/** Where the agent answers DNS: fixed, not an option of istio-iptables (its rules, 1.8 to 1.30.3). */
const agentPort = 15_053;

/** Where Envoy answered DNS in 1.6 and 1.7 (the rules of 1.6.14 and 1.7.8 in test/fixtures/istio-goldens/epochs.json). */
const proxyPort = 15_013;

const natOutput: Place = ['nat', 'OUTPUT'];
const istioOutput: Place = ['nat', 'ISTIO_OUTPUT'];

/** The steps of a style: before the redirections, between the owner rules and the localhost rule, and at the end of ISTIO_OUTPUT. */
export type DnsSteps = {readonly before: readonly Step[]; readonly between: readonly Step[]; readonly behind: readonly Step[]};

/** Since 1.9, the owner rules exempt TCP to port 53, so that it reaches the DNS rules. */
export function hasDnsExceptions({dns, features}: Context): boolean {
	return dns && (features.dns === 'in-output' || features.dns === 'in-istio-output' || features.dns === 'in-own-chain');
}

const udpQuery = toPort('udp', '53');
const toAgent = redirectTo(agentPort);

function owners({options}: Context): readonly Owner[] {
	return [...options.proxyUids.map(id => ({kind: 'uid', id} as const)), ...options.proxyGids.map(id => ({kind: 'gid', id} as const))];
}

/** The servers whose queries are captured in this family: any (`undefined`), or the known ones. */
function servers({options, dnsServers}: Context): ReadonlyArray<string | undefined> {
	return options.captureAllDns ? [undefined] : dnsServers;
}

function matchOf(match: (server: string) => Part, server: string | undefined): readonly Part[] {
	return server === undefined ? [] : [match(server)];
}

/** Queries of one protocol go to the agent: all of them, or those to the known servers. */
function redirections(place: Place, protocol: Protocol): Step {
	const query = toPort(protocol, '53');
	return context => servers(context).map(server => append(place, [...matchOf(to, server), query], toAgent));
}

/** Before 1.25: the proxy's own UDP queries pass. */
function ownQueries(place: Place): Step {
	return context => owners(context).map(owner => append(place, [udpQuery, by(owner)], leave));
}

/** 1.14 to 1.24: the groups of `handleCaptureByOwnerGroup` for UDP queries, which do not pass its rules. */
function ownGroups(place: Place): Step {
	return ({options: {ownerGroupsInclude: include, ownerGroupsExclude: exclude}}) => include === '*'
		? exclude.map(group => append(place, [udpQuery, by({kind: 'gid', id: Number(group)})], leave))
		: [append(place, [udpQuery, ...include.map(group => notBy({kind: 'gid', id: Number(group)}))], leave)];
}

/** `addDNSConntrackZones`: the chains of raw in which queries and answers get their zones. */
function zones({queries, answers}: {readonly queries: string; readonly answers: string}): Step {
	const queryPlace: Place = ['raw', queries];
	const answer = fromPort('udp', 53);
	const agentAnswer = fromPort('udp', agentPort);
	return context => {
		const {features, options} = context;
		if (features.dnsZones === 'never' || (features.dnsZones === 'asked' && !options.dnsConntrackZones)) {
			return [];
		}

		const sentBy = features.dnsAnswersBySource ? from : to;
		return [
			...owners(context).flatMap(owner => [
				append(queryPlace, [udpQuery, by(owner)], inZone(1)),
				append(queryPlace, [agentAnswer, by(owner)], inZone(2)),
			]),
			...servers(context).flatMap(server => [
				append(queryPlace, [...matchOf(to, server), udpQuery], inZone(2)),
				append(['raw', answers], [...matchOf(sentBy, server), answer], inZone(1)),
			]),
		];
	};
}

/** A rule that is always written. */
function always(place: Place, parts: readonly Part[], action: Action): Step {
	return () => [append(place, parts, action)];
}

/** A jump that is written only in a family that has something to capture. */
function jumpIfAny(place: Place, action: Action): Step {
	return context => servers(context).length > 0 ? [append(place, [], action)] : [];
}

/** 1.6: `DNS_CAPTURE`. */
function toProxy({options}: Context): readonly PlannedRule[] {
	return [
		...options.proxyGids.map(id => append(natOutput, [udpQuery, by({kind: 'gid', id})], leave)),
		append(natOutput, [udpQuery], redirectTo(proxyPort)),
	];
}

/** 1.7 and 1.8: by DNAT, and SNAT so that the agent answers on the same interface. */
function translations({options}: Context): readonly PlannedRule[] {
	const port = options.dnsByProxy ? proxyPort : agentPort;
	return [
		append(natOutput, [udpQuery], extension('DNAT', `--to-destination 127.0.0.1:${port}`)),
		append(['nat', 'POSTROUTING'], [toPort('udp', String(port))], extension('SNAT', '--to-source 127.0.0.1')),
	];
}

const nothing: DnsSteps = {before: [], between: [], behind: []};

const styles: Readonly<Record<DnsStyle, DnsSteps>> = {
	none: nothing,
	'to-proxy': {...nothing, behind: [toProxy]},
	translated: {...nothing, behind: [ownQueries(natOutput), translations]},
	'translated-with-tcp': {
		...nothing,
		before: [always(['nat', 'ISTIO_REDIRECT'], [toPort('tcp', '53')], toAgent)],
		behind: [ownQueries(natOutput), translations],
	},
	'in-output': {
		...nothing,
		between: [redirections(istioOutput, 'tcp')],
		behind: [ownQueries(natOutput), ownGroups(natOutput), redirections(natOutput, 'udp'), zones({queries: 'OUTPUT', answers: 'PREROUTING'})],
	},
	'in-istio-output': {
		...nothing,
		between: [redirections(istioOutput, 'tcp')],
		behind: [
			always(natOutput, [of('udp')], jumpTo('ISTIO_OUTPUT')),
			ownQueries(istioOutput),
			ownGroups(istioOutput),
			redirections(istioOutput, 'udp'),
			always(['raw', 'OUTPUT'], [of('udp')], jumpTo('ISTIO_OUTPUT')),
			zones({queries: 'ISTIO_OUTPUT', answers: 'PREROUTING'}),
		],
	},
	'in-own-chain': {
		...nothing,
		between: [
			always(['raw', 'OUTPUT'], [], jumpTo('ISTIO_OUTPUT_DNS')),
			jumpIfAny(istioOutput, jumpTo('ISTIO_OUTPUT_DNS')),
			redirections(['nat', 'ISTIO_OUTPUT_DNS'], 'tcp'),
			redirections(['nat', 'ISTIO_OUTPUT_DNS'], 'udp'),
			jumpIfAny(['raw', 'PREROUTING'], jumpTo('ISTIO_INBOUND')),
			zones({queries: 'ISTIO_OUTPUT_DNS', answers: 'ISTIO_INBOUND'}),
		],
	},
};

/** The DNS steps of a family, if DNS is captured in it. */
export function dnsSteps({dns, features}: Context): DnsSteps {
	return dns ? styles[features.dns] : nothing;
}
