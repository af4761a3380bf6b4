/**
One round on the kernel as plain data, which tests damage to see that the damage is noticed.
*/

import {judge} from '../../src/judge/judge.js';
import type {Outcome} from '../../src/judge/outcome.js';
import type {RuleSet} from '../../src/netfilter/types.js';
import {trafficCases} from '../../src/mesh/traffic-types.js';
import {defaultTopology} from '../../src/mesh/topology.js';
import type {TrafficCase} from '../../src/mesh/traffic.js';
import {
	observeRound, sendRound, readRound, type Round,
} from '../../testbed/run/round.js';
import {ActorSandbox} from '../../testbed/run/actor-sandbox.js';
import {NetlinkTraceSource} from '../../testbed/tracer/netlink-source.js';
import {ofIstio} from '../helpers/mesh.js';
import {optionsOf, type Variation} from './_run.js';

/** The traffic, the evidence, and the rules in the kernel. */
export type Observations = {readonly cases: readonly TrafficCase[]; readonly round: Round; readonly ruleSet: RuleSet};

/** Runs one round like `runTestbed`, and returns all its evidence. */
export async function play(variation: Variation = {}): Promise<Observations> {
	const {rules, credentials, families, types, timeoutMs, traceBufferBytes} = optionsOf(variation);
	const {backend} = rules;
	const topology = defaultTopology;
	const cases = families.flatMap(family => trafficCases(rules.mesh.traffic, {
		intent: rules.intent, actors: credentials, topology, family, ids: types,
	}));
	await using ownSandbox = await ActorSandbox.create({
		mesh: rules.mesh, intent: rules.intent, types, credentials, timeoutMs,
	});
	const {pod} = ownSandbox.sandbox;
	const {ruleSet} = await ownSandbox.install({...rules, families});
	await using source = new NetlinkTraceSource(pod, ownSandbox.traceSwitch, {backend, bufferBytes: traceBufferBytes});
	await source.start();
	const actorGroup = await ownSandbox.actorGroup();
	const loadState = async () => ownSandbox.loadState({backend, families, isRecorded: true});
	const before = await loadState();
	const evidence = await sendRound(cases.map(({id, probe}) => ({id, label: `type ${id}`, probe})), {
		source, before, loadState, pod, actorGroup, round: 1, untilAborted: async act => act,
	});
	return {cases, round: readRound(evidence, backend), ruleSet};
}

/** The outcome of each type of a round, by its id. */
export function judgeRound({cases, round, ruleSet}: Observations): ReadonlyMap<string, Outcome> {
	const observations = observeRound(round, ruleSet);
	return new Map(cases.map((traffic, index) => [traffic.id, judge({traffic, observation: observations[index]!, ruleSet: ofIstio(ruleSet)}).outcome]));
}

/** The kinds of gaps of each inconclusive type. */
export function gapsOf(seen: Observations): Readonly<Record<string, readonly string[]>> {
	return Object.fromEntries([...judgeRound(seen)].flatMap(([id, outcome]) => outcome.kind === 'inconclusive' ? [[id, [...new Set(outcome.reasons.map(({kind}) => kind))]]] : []));
}
