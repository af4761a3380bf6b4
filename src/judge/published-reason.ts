/**
Why a published route differs from the observed one: one sentence, derived from the observation.
*/

import {findRule} from '../netfilter/lookup.js';
import {printLegEnd, printStep, type Leg, type RuleHit} from '../netfilter/path.js';
import {isChain, type MeshRules} from '../mesh/mesh.js';
import {printPublishedStep, type PublishedClaims, type PublishedStep} from '../mesh/published.js';
import type {Observation} from '../trace/observation.js';
import {rulesWithRole} from './observed-roles.js';
import type {ObservedStep, RouteParting} from './published-route.js';

type PublishedRule = Extract<PublishedStep, {kind: 'rule'}>;

/** The sentence for a divergence. */
export function reasonOf({parting: {wanted, met, rest}, observation, ruleSet, claims}: {
	readonly parting: RouteParting; readonly observation: Observation; readonly ruleSet: MeshRules; readonly claims: PublishedClaims;
}): string {
	if (observation.loop) {
		return 'The flow loops and never reaches the end of the published route.';
	}

	return replyReason(rest, met) ?? earlierReason({
		wanted, met, ruleSet, claims,
	}) ?? plainReason(wanted, met);
}

/** The article follows the reply out of the pod as if it were a connection. */
function replyReason(rest: readonly PublishedStep[], met: ObservedStep | undefined): string | undefined {
	const [wanted] = rest;
	const rule = rest.find(step => step.kind === 'rule');
	const isReply = wanted?.kind === 'chain' && wanted.chain === 'OUTPUT'
		&& met?.kind === 'end' && met.stop !== undefined && met.leg.traversals.some(({hook}) => hook === 'prerouting') && met.leg.traversals.every(({hook}) => hook !== 'output');
	return isReply
		? `The nat table sees only the first packet of a connection: ${met.stop} answers within the connection that came in, so OUTPUT${rule === undefined ? ' is' : ` and ${printPublishedStep(rule)} are`} never visited.`
		: undefined;
}

/** A rule of the same chain matched the packet before the published one. */
function earlierReason({wanted, met, ruleSet, claims}: {
	readonly wanted: PublishedStep | undefined; readonly met: ObservedStep | undefined; readonly ruleSet: MeshRules; readonly claims: PublishedClaims;
}): string | undefined {
	if (wanted?.kind !== 'rule' || met === undefined || met.kind === 'actor') {
		return undefined;
	}

	const isThere = (place: {readonly table: string; readonly chain: string}): boolean => isChain(ruleSet.mesh, place, {table: claims.table, chain: wanted.chain});
	const meant = rulesWithRole(ruleSet, wanted.role, met.leg).find(rule => isThere(rule));
	if (meant === undefined) {
		return `No rule of this set does what the article's rule ${wanted.number} does; the observed path goes to ${printObservedStep(met)}.`;
	}

	return met.kind === 'hit' && isThere(met.hit) && (met.hit.number ?? meant.number) < meant.number ? `${subjectOf(met, {ruleSet, claims})} before ${meantName(wanted, meant.number)} is reached.` : undefined;
}

function meantName({chain, number}: PublishedRule, numberHere: number): string {
	return numberHere === number ? `${chain}#${number}` : `${chain}#${numberHere} (the article's rule ${number})`;
}

/** Which rule let whom go, worded to be true for the socket that the kernel saw. */
function subjectOf({hit, role, leg}: Extract<ObservedStep, {kind: 'hit'}>, {ruleSet, claims: {ownerRoles}}: {readonly ruleSet: MeshRules; readonly claims: PublishedClaims}): string {
	const {actor, socket} = leg;
	const rule = nameOf(hit);
	if (socket !== undefined && role === ownerRoles.byUid) {
		return actor === 'proxy' ? `As UID ${socket.uid}, the proxy is let go by ${rule}` : `The ${actor} runs as the proxy's UID ${socket.uid}, so ${rule} lets its packet go`;
	}

	if (socket !== undefined && role === ownerRoles.byGid) {
		return `The ${actor} runs as UID ${socket.uid} with the proxy's GID ${socket.gid}, so ${rule} lets its packet go`;
	}

	const owner = ownerOf(hit, ruleSet);
	if (socket !== undefined && role === ownerRoles.foreignUidOnLoopback && owner !== undefined) {
		return `On lo, ${rule} lets every UID but ${owner} go, and so the ${actor}'s UID ${socket.uid},`;
	}

	return `${rule} decides${whose(leg)}`;
}

function whose({actor, socket}: Leg): string {
	return socket === undefined ? '' : ` on the packet of the ${actor} (UID ${socket.uid}, GID ${socket.gid})`;
}

/** The only UID that a rule names. */
function ownerOf(hit: RuleHit, ruleSet: MeshRules): number | undefined {
	const rule = hit.number === undefined ? undefined : findRule(ruleSet, {...hit, number: hit.number});
	return rule?.matches.flatMap(match => match.kind === 'uid' && match.from === match.to ? [match.from] : [])[0];
}

/** What is always true: the first step that differs. */
function plainReason(wanted: PublishedStep | undefined, met: ObservedStep | undefined): string {
	const published = wanted === undefined ? 'The article\'s route has ended' : `The article goes to ${printPublishedStep(wanted)}`;
	return `${published} where the observed path ${met === undefined ? 'has ended' : `goes to ${printObservedStep(met)}`}.`;
}

function printObservedStep(step: ObservedStep): string {
	switch (step.kind) {
		case 'actor': {
			return step.name;
		}

		case 'hook': {
			return printStep(step.table, step.chain);
		}

		case 'hit': {
			return nameOf(step.hit);
		}

		case 'end': {
			return printLegEnd(step.leg.end);
		}
	}
}

function nameOf({table, chain, number}: RuleHit): string {
	return printStep(table, chain, number ?? '?');
}
