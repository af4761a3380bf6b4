/**
Rules that no known mesh recognizes but that redirect. Their purpose is not known: proxy ports, users and the source that is exempt on lo are read from the rules, and only stops are expected.
*/

import {isLoopback} from '../netfilter/address.js';
import {baseChainOf, tableFamily} from '../netfilter/built-in.js';
import {chainOf} from '../netfilter/lookup.js';
import type {
	AddressFamily, Hook, Rule, RuleSet, Table,
} from '../netfilter/types.js';
import {livesInPod} from './actor-set.js';
import {walkPath, type Decision} from './expected-path.js';
import {redirectIntent, type Intent} from './intent.js';
import type {Mesh} from './mesh.js';
import {redirectPortsOf, uidsOf} from './read-rules.js';
import {noRouting} from './routing.js';
import {isLocal} from './selection.js';
import type {MeshTraffic} from './traffic-types.js';
import type {Connection, ExpectationContext} from './traffic.js';
import {usualActors} from './usual-actors.js';
import {betweenHosts} from './usual-types.js';

/** Every rule that packets of a hook can reach, through jumps. */
function rulesFrom({tables}: RuleSet, hook: Hook): readonly Rule[] {
	return tables.flatMap(table => {
		const waits = table.chains.filter(chain => baseChainOf(table, chain)?.hook === hook).map(({name}) => name);
		const seen = new Set<string>();
		const found: Rule[] = [];
		for (let name = waits.pop(); name !== undefined; name = waits.pop()) {
			if (!seen.has(name)) {
				seen.add(name);
				const rules = chainOf(table, name)?.rules ?? [];
				found.push(...rules);
				waits.push(...rules.flatMap(({target}) => target.kind === 'jump' || target.kind === 'goto' ? [target.chain] : []));
			}
		}

		return found;
	});
}

/** The port to which the rules of a hook redirect TCP; undefined if they redirect nothing. */
function capturePortOf(rules: readonly Rule[]): number | undefined {
	return redirectPortsOf(rules.filter(rule => !asksForUdp(rule)))[0] ?? rules.flatMap(({target}) => target.kind === 'tproxy' ? [target.onPort] : [])[0];
}

function asksForUdp({matches}: Rule): boolean {
	return matches.some(match => match.kind === 'protocol' && match.protocol === 'udp' && !match.negated);
}

function letsGo({target}: Rule): boolean {
	return target.kind === 'verdict' && (target.verdict === 'return' || target.verdict === 'accept');
}

/** The loopback address, other than localhost, whose packets a rule exempts on lo: the source of a proxy's inbound connections. */
function inboundSourceOf(rules: readonly Rule[]): string | undefined {
	return rules.filter(rule => letsGo(rule) && rule.matches.some(match => match.kind === 'out-interface' && match.name === 'lo' && !match.negated))
		.flatMap(({matches}) => matches.flatMap(match => match.kind === 'source' && !match.negated ? [match.address.replace(/\/\d+$/u, '')] : []))
		.find(address => (isLoopback(address) && address !== '127.0.0.1') || address === '::6');
}

/** 0 stands for a direction that is not captured. */
const none = 0;

function intentOf(ruleSet: RuleSet): Intent {
	const outbound = rulesFrom(ruleSet, 'output');
	const inbound = rulesFrom(ruleSet, 'prerouting');
	const tproxy = inbound.map(({target}) => target).find(target => target.kind === 'tproxy');
	const sources = (['ipv4', 'ipv6'] as const).map((family): readonly [AddressFamily, string | undefined] => [family, inboundSourceOf(rulesFrom({tables: ruleSet.tables.filter(table => isOf(table, family))}, 'output'))]);
	return redirectIntent({
		proxyPort: capturePortOf(outbound) ?? none,
		inboundCapturePort: capturePortOf(inbound) ?? none,
		proxyUids: uidsOf(outbound.filter(rule => letsGo(rule))),
		...(tproxy?.kind === 'tproxy' ? {inboundInterceptionMode: 'TPROXY', inboundTproxyMark: tproxy.mark} : {}),
		inboundSource: Object.fromEntries(sources.filter(([, address]) => address !== undefined)),
	});
}

function isOf({family}: Table, wanted: AddressFamily): boolean {
	return family === 'inet' || family === tableFamily(wanted);
}

function decide(context: ExpectationContext, {actor, isProxysOwn, destination}: Connection): Decision {
	const {proxyPort, inboundCapturePort} = context.intent;
	if (livesInPod[actor]) {
		return {roles: null, to: isProxysOwn || proxyPort === none ? 'destination' : 'outbound-listener'};
	}

	return {roles: null, to: inboundCapturePort === none || !isLocal(context, destination.address) ? 'destination' : 'inbound-listener'};
}

const traffic: MeshTraffic = {
	types: betweenHosts,
	actors(request) {
		const {actors, services} = usualActors(request, {carries: {source: request.intent.inboundSource ?? {}}, answers: []});
		return {services, actors: actors.map(actor => ({...actor, listeners: actor.listeners.filter(({port}) => port !== none)}))};
	},
	expected: (context, connection) => walkPath(context, connection, {decide, carries: {source: context.intent.inboundSource ?? {}}}),
};

function noteOf({proxyPort, inboundCapturePort, proxyUids}: Intent): string {
	const sides = [
		...(proxyPort === none ? [] : [`outbound traffic to port ${proxyPort}`]),
		...(inboundCapturePort === none ? [] : [`inbound traffic to port ${inboundCapturePort}`]),
	];
	const users = proxyUids.length === 0 ? 'exempt no user\'s traffic' : `exempt ${proxyUids.length > 1 ? 'UIDs' : 'UID'} ${proxyUids.join(', ')}`;
	return `The purpose of these rules is not known, so only stops are expected. They redirect ${sides.join(' and ')}, and ${users}; the proxy of this run listens there and has that user.`;
}

/** Whether rules redirect anything, so that there must be a proxy. */
export function redirects(ruleSet: RuleSet): boolean {
	return capturePortOf(rulesFrom(ruleSet, 'output')) !== undefined || capturePortOf(rulesFrom(ruleSet, 'prerouting')) !== undefined;
}

/** The mesh of rules that no known mesh recognizes. */
export const unknownMesh: Mesh = {
	name: 'unknown',
	inputs: [],
	recognizes: redirects,
	roles: {},
	roleOf: () => undefined,
	shadowOf: () => undefined,
	names: {table: table => table, chain: (_table, chain) => chain},
	entryRoles: new Set(),
	intentOf,
	reference: () => ({tables: []}),
	routing: () => noRouting,
	notes: intent => [noteOf(intent)],
	isBeyondIntent: () => false,
	unsupported: () => [],
	traffic,
	published: null,
};
