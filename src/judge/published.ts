/**
What the article says of a type, compared with what was observed. It decides nothing.
*/

import type {MeshRules} from '../mesh/mesh.js';
import type {Intent, TrafficCase} from '../scenario/types.js';
import type {Observation} from '../trace/observation.js';
import {gapsIn} from './judge.js';
import {reasonOf} from './published-reason.js';
import {partRoutes, stepsOf} from './published-route.js';

/** Whether the published route agrees with the observed one. `agrees` is null where nothing could be compared; `reason` is a sentence unless it agrees. */
export type PublishedVerdict = {readonly path: readonly string[]; readonly agrees: boolean | null; readonly reason: string | null};

/** Compares a type with its published route. Null for a type that the article does not treat, and in ambient mode. */
export function comparePublished({traffic, observation, ruleSet, intent}: {
	readonly traffic: TrafficCase;
	readonly observation: Observation;
	readonly ruleSet: MeshRules;
	readonly intent: Intent;
}): PublishedVerdict | null {
	// The article treats sidecars.
	const {published} = ruleSet.mesh;
	if (published === null || traffic.article === null || intent.ambient !== undefined) {
		return null;
	}

	const {path, notation} = published.types[traffic.article];
	const [gap] = gapsIn(observation);
	if (gap !== undefined) {
		return {path: notation, agrees: null, reason: `Not compared, because the evidence has a gap: ${gap.message}`};
	}

	const parting = partRoutes({
		published: path, claims: published, observed: stepsOf(observation, {ruleSet, claims: published}), ruleSet, intent,
	});
	return {
		path: notation,
		agrees: parting === undefined,
		reason: parting === undefined
			? null
			: reasonOf({
				parting, observation, ruleSet, claims: published,
			}),
	};
}
