/**
Answers to probes for tests: the sketch of one type, explained by the rules as `testbed probe` does.
*/

import {gapsIn} from '../../src/judge/judge.js';
import {roleHitsOf} from '../../src/judge/observed-roles.js';
import {explainLeg} from '../../src/judge/explain/explain-leg.js';
import {printEndpoint} from '../../src/netfilter/path.js';
import type {ProbeReport} from '../../src/report/probe/types.js';
import type {TypeId} from '../../src/mesh/traffic.js';
import {defaultActors, observed} from './observed.js';
import {sketchReport, type Mutation, type RunSketch} from './reports.js';
import {ofIstio} from './mesh.js';

/** A probe to make an answer of: a type of a sketched run. `misread` spoils the rules as the explanation reads them, not as they were met. */
export type ProbeSketch = Omit<RunSketch, 'ids'> & {readonly id?: TypeId; readonly misread?: Mutation; readonly isFirstLegOnly?: boolean};

/** The answer. Everything that a machine would give is fixed. */
export function sketchProbe({id = '2', misread = ruleSet => ruleSet, isFirstLegOnly = false, ...sketch}: ProbeSketch = {}): ProbeReport {
	const {ruleSet, types, environment, rules, hints} = sketchReport({...sketch, ids: [id]});
	const [{legs: all, loop, family, actors, gaps}] = types as [typeof types[number]];
	const legs = isFirstLegOnly ? all.slice(0, 1) : all;
	const from = all[0]?.actor ?? 'app';
	const to = all[0]?.to ?? {address: '10.244.1.20', port: 8080};
	return {
		environment,
		rules,
		question: {
			from: from as keyof typeof defaultActors, credentials: {...defaultActors, ...sketch.actors}[from as keyof typeof defaultActors], asked: printEndpoint(to), to, source: undefined, family, protocol: 'tcp',
		},
		actors,
		legs,
		loop,
		gaps: gapsIn(observed(all, {loop, gaps})),
		observedRoles: legs.map(leg => roleHitsOf(leg, ofIstio(ruleSet)).map(({role}) => role)),
		explanations: legs.map(leg => explainLeg(leg, ofIstio(misread(ruleSet)), {mark: 0})),
		isFirstLegOnly: isFirstLegOnly && all.length > 1,
		hints,
		durationMs: 123,
	};
}
