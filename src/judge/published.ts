/**
Compares what the article says about a type with what was observed. It decides nothing.
*/

import type {MeshRules} from '../mesh/mesh.js';
import type {Intent, TrafficCase} from '../mesh/traffic.js';
import type {Observation} from '../trace/observation.js';
import {gapsIn} from './judge.js';
import {reasonOf} from './published-reason.js';
import {partRoutes, stepsOf} from './published-route.js';

/** Whether the published route agrees with the observed one. `agrees` is null if nothing could be compared; `reason` is a sentence unless it agrees. */
export type PublishedVerdict = {readonly path: readonly string[]; readonly agrees: boolean | null; readonly reason: string | null};

/** Compares a type with its published route. Null for a type that the article does not cover, and in ambient mode. */
export function comparePublished({traffic, observation, ruleSet, intent}: {
	readonly traffic: TrafficCase;
	readonly observation: Observation;
	readonly ruleSet: MeshRules;
	readonly intent: Intent;
}): PublishedVerdict | null {
	// The article is about sidecars.
	const {published} = ruleSet.mesh;
	if (published === null || traffic.article === null || intent.ambient !== undefined) {
		return null;
	}

	const {path, notation} = published.types[traffic.article];
	const [gap] = gapsIn(observation);
	if (gap !== undefined) {
		return {path: notation, agrees: null, reason: `Not compared, because the evidence has a gap: ${gap.message}`};
	}

	const told = withoutErrands(observation, intent);
	const parting = partRoutes({
		published: path, claims: published, observed: stepsOf(told, {ruleSet, claims: published}), ruleSet, intent,
	});
	return {
		path: notation,
		agrees: parting === undefined,
		reason: parting === undefined
			? null
			: reasonOf({
				parting, observation: told, ruleSet, claims: published,
			}),
	};
}

/** The path as far as a published route describes it: up to the first listener that does not capture. Requests that this listener makes in turn, such as the proxy's for its metrics, are never part of a route. */
function withoutErrands(observation: Observation, {proxyPort, inboundCapturePort}: Intent): Observation {
	const {legs} = observation.path;
	const last = legs.findIndex(({end}) => end.kind === 'accepted' && end.stop !== `proxy:${proxyPort}` && end.stop !== `proxy:${inboundCapturePort}`);
	return last === -1 ? observation : {...observation, path: {...observation.path, legs: legs.slice(0, last + 1)}};
}
