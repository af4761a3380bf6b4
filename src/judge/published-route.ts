/**
Compares a published route with an observed path.

A published route is shorter than a path. It may only omit hooks at which no rule matched, and the chain that one of its rules jumps to; everything that it names has to occur, in its order.
*/

import type {Leg, RuleHit} from '../netfilter/path.js';
import {isChain, type Mesh, type MeshRules} from '../mesh/mesh.js';
import type {PublishedClaims, PublishedStep} from '../mesh/published.js';
import type {Role} from '../mesh/roles.js';
import type {Intent} from '../mesh/traffic.js';
import type {Observation} from '../trace/observation.js';
import {jumpTarget, withoutDetours} from './observed-roles.js';

/** One step of an observed path, in the form of a published one. */
export type ObservedStep =
	| {readonly kind: 'actor'; readonly name: string}
	| {readonly kind: 'hook'; readonly table: string; readonly chain: string; readonly leg: Leg}
	| {readonly kind: 'hit'; readonly hit: RuleHit; readonly role: Role | null; readonly leg: Leg}
	| {readonly kind: 'end'; readonly stop: string | undefined; readonly leg: Leg};

/** Where two routes diverge: the published step, and the observed one in its place. */
export type RouteParting = {readonly wanted: PublishedStep | undefined; readonly met: ObservedStep | undefined; /** The rest of the published route. */ readonly rest: readonly PublishedStep[]};

/** An observed path as steps that a published route can name. */
export function stepsOf({path: {legs}}: Observation, rules: {readonly ruleSet: MeshRules; readonly claims: PublishedClaims}): readonly ObservedStep[] {
	const [first] = legs;
	return first === undefined ? [] : [{kind: 'actor', name: first.actor}, ...legs.flatMap(leg => stepsOfLeg(leg, rules))];
}

function stepsOfLeg(leg: Leg, {ruleSet, claims}: {readonly ruleSet: MeshRules; readonly claims: PublishedClaims}): readonly ObservedStep[] {
	return [
		...leg.traversals.flatMap(({table, chain, hits}): readonly ObservedStep[] => hits.length === 0
			? [{
				kind: 'hook', table, chain, leg,
			}]
			// The article covers only nat: what the sidecar's own rules do in other tables (TPROXY, zones of DNS) contradicts it as little as a hook without a rule. Foreign rules do.
			: withoutDetours(hits, ruleSet).filter(({role}) => role === null || ruleSet.mesh.names.table(table) === claims.table).map(({hit, role}) => ({
				kind: 'hit', hit, role, leg,
			}))),
		{kind: 'end', stop: leg.end.kind === 'accepted' ? leg.end.stop : undefined, leg},
	];
}

/** Where the two routes diverge; undefined if they agree. */
export function partRoutes({published, claims, observed, ruleSet, intent}: {
	readonly published: readonly PublishedStep[];
	readonly claims: PublishedClaims;
	readonly observed: readonly ObservedStep[];
	readonly ruleSet: MeshRules;
	readonly intent: Intent;
}): RouteParting | undefined {
	let at = 0;
	/** The chain that the last named rule jumped to, as long as nothing else came between. */
	let leadsTo: string | undefined;
	for (const met of observed) {
		const wanted = published[at];
		if (wanted !== undefined && isNamed(wanted, met, {claims, mesh: ruleSet.mesh, intent})) {
			at++;
			leadsTo = wanted.kind === 'rule' && met.kind === 'hit' ? jumpTarget(met.hit, ruleSet) : undefined;
		} else if (met.kind === 'hit' && ruleSet.mesh.names.table(met.hit.table) === claims.table && met.hit.chain === leadsTo) {
			// The article does not always name the chain after a rule that it names.
		} else if (met.kind !== 'hook') {
			return {wanted, met, rest: published.slice(at)};
		}
	}

	const wanted = published[at];
	return wanted === undefined ? undefined : {wanted, met: undefined, rest: published.slice(at)};
}

function isNamed(wanted: PublishedStep, met: ObservedStep, {claims, mesh, intent}: {readonly claims: PublishedClaims; readonly mesh: Mesh; readonly intent: Intent}): boolean {
	const isThere = (place: {readonly table: string; readonly chain: string}, chain: string): boolean => isChain(mesh, place, {table: claims.table, chain});
	switch (wanted.kind) {
		case 'actor': {
			return met.kind === 'actor' ? met.name === wanted.name : met.kind === 'end' && met.stop !== undefined && isOwnListener(wanted.name, met.stop, intent);
		}

		case 'listener': {
			return met.kind === 'end' && met.stop === `proxy:${portMeant(wanted.port, claims, intent)}`;
		}

		case 'chain': {
			return (met.kind === 'hook' && isThere(met, wanted.chain)) || (met.kind === 'hit' && isThere(met.hit, wanted.chain));
		}

		case 'rule': {
			return met.kind === 'hit' && isThere(met.hit, wanted.chain) && met.role === wanted.role;
		}
	}
}

/** An actor at the end of a route stands for one of its listeners; for the proxy, for one that does not capture. */
function isOwnListener(name: string, stop: string, {proxyPort, inboundCapturePort}: Intent): boolean {
	return stop.startsWith(`${name}:`) && stop !== `proxy:${proxyPort}` && stop !== `proxy:${inboundCapturePort}`;
}

/** The article names the ports of a default sidecar; a set with other ports has equivalent listeners. */
function portMeant(port: number, {ports}: PublishedClaims, {proxyPort, inboundCapturePort}: Intent): number {
	const meanings: Readonly<Record<number, number>> = {[ports.outbound]: proxyPort, [ports.inbound]: inboundCapturePort};
	return meanings[port] ?? port;
}
