/**
A published route laid over an observed path.

A published route is shorter than a path. What it leaves out may only be hooks at which no rule matched, and the chain that a rule it names jumps to; everything it names has to be met, in its order.
*/

import type {Leg, RuleHit} from '../netfilter/path.js';
import type {RuleSet} from '../netfilter/types.js';
import type {PublishedStep} from '../istio/published.js';
import type {Role} from '../istio/roles/roles.js';
import {isNatChain, twinTable} from '../istio/roles/backend-names.js';
import type {Intent} from '../scenario/types.js';
import type {Observation} from '../trace/observation.js';
import {jumpTarget, withoutDetours} from './observed-roles.js';

/** One step of an observed path, as a published one can name it. */
export type ObservedStep =
	| {readonly kind: 'actor'; readonly name: string}
	| {readonly kind: 'hook'; readonly table: string; readonly chain: string; readonly leg: Leg}
	| {readonly kind: 'hit'; readonly hit: RuleHit; readonly role: Role | null; readonly leg: Leg}
	| {readonly kind: 'end'; readonly stop: string | undefined; readonly leg: Leg};

/** Where two routes part: the published step that was due, and the observed one in its place. */
export type RouteParting = {readonly due: PublishedStep | undefined; readonly met: ObservedStep | undefined; /** What the article names from there on. */ readonly rest: readonly PublishedStep[]};

/** An observed path as steps that a published route can name. */
export function stepsOf({path: {legs}}: Observation, ruleSet: RuleSet): readonly ObservedStep[] {
	const [first] = legs;
	return first === undefined ? [] : [{kind: 'actor', name: first.actor}, ...legs.flatMap(leg => stepsOfLeg(leg, ruleSet))];
}

function stepsOfLeg(leg: Leg, ruleSet: RuleSet): readonly ObservedStep[] {
	return [
		...leg.traversals.flatMap(({table, chain, hits}): readonly ObservedStep[] => hits.length === 0
			? [{
				kind: 'hook', table, chain, leg,
			}]
			// The article treats nat and nothing else: what the sidecar's own rules do in other tables (TPROXY, zones of DNS) contradicts it as little as a hook without a rule. Foreign rules do.
			: withoutDetours(hits, ruleSet).filter(({role}) => role === null || twinTable(table) === 'nat').map(({hit, role}) => ({
				kind: 'hit', hit, role, leg,
			}))),
		{kind: 'end', stop: leg.end.kind === 'accepted' ? leg.end.stop : undefined, leg},
	];
}

/** Where the two routes part; undefined when they agree. */
export function partRoutes({published, observed, ruleSet, intent}: {
	readonly published: readonly PublishedStep[];
	readonly observed: readonly ObservedStep[];
	readonly ruleSet: RuleSet;
	readonly intent: Intent;
}): RouteParting | undefined {
	let at = 0;
	/** The chain that the last named rule jumped to, as long as nothing else came between. */
	let leadsTo: string | undefined;
	for (const met of observed) {
		const due = published[at];
		if (due !== undefined && isNamed(due, met, intent)) {
			at++;
			leadsTo = due.kind === 'rule' && met.kind === 'hit' ? jumpTarget(met.hit, ruleSet) : undefined;
		} else if (met.kind === 'hit' && twinTable(met.hit.table) === 'nat' && met.hit.chain === leadsTo) {
			// The article does not always name the chain behind a rule that it names.
		} else if (met.kind !== 'hook') {
			return {due, met, rest: published.slice(at)};
		}
	}

	const due = published[at];
	return due === undefined ? undefined : {due, met: undefined, rest: published.slice(at)};
}

function isNamed(due: PublishedStep, met: ObservedStep, intent: Intent): boolean {
	switch (due.kind) {
		case 'actor': {
			return met.kind === 'actor' ? met.name === due.name : met.kind === 'end' && met.stop !== undefined && isOwnListener(due.name, met.stop, intent);
		}

		case 'listener': {
			return met.kind === 'end' && met.stop === `proxy:${portMeant(due.port, intent)}`;
		}

		case 'chain': {
			return (met.kind === 'hook' && isNatChain(met, due.chain)) || (met.kind === 'hit' && isNatChain(met.hit, due.chain));
		}

		case 'rule': {
			return met.kind === 'hit' && isNatChain(met.hit, due.chain) && met.role === due.role;
		}
	}
}

/** An actor at the end of a route stands for a listener of its own, which for the proxy is none of the two that capture. */
function isOwnListener(name: string, stop: string, {proxyPort, inboundCapturePort}: Intent): boolean {
	return stop.startsWith(`${name}:`) && stop !== `proxy:${proxyPort}` && stop !== `proxy:${inboundCapturePort}`;
}

/** The article names the ports of a default sidecar; a set with other ports has listeners of the same meaning. */
function portMeant(port: number, {proxyPort, inboundCapturePort}: Intent): number {
	const meanings: Readonly<Record<number, number>> = {[publishedPorts.outbound]: proxyPort, [publishedPorts.inbound]: inboundCapturePort};
	return meanings[port] ?? port;
}

/** The two capturing listeners as the article numbers them. */
const publishedPorts = {outbound: 15_001, inbound: 15_006} as const;
