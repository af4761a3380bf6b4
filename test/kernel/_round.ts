/**
One round on the kernel, as plain data: what tests spoil, to see that the spoiling is noticed.
*/

import {judge} from '../../src/judge/judge.js';
import type {Outcome} from '../../src/judge/outcome.js';
import type {RuleSet} from '../../src/netfilter/types.js';
import {sixTypes} from '../../src/scenario/six-types.js';
import {defaultTopology} from '../../src/scenario/topology.js';
import type {TrafficCase} from '../../src/scenario/types.js';
import {actorsFor, Cast} from '../../testbed/actors/cast.js';
import {LockFile} from '../../testbed/lock-file.js';
import {observeRound, playRound, type Round} from '../../testbed/observe.js';
import {installRules, loadKernelState} from '../../testbed/sandbox/rules.js';
import {Sandbox} from '../../testbed/sandbox/sandbox.js';
import {NetlinkTraceSource} from '../../testbed/tracer/netlink-source.js';
import {optionsOf, type Variation} from './_run.js';

/** What was sent, what came of it, and the rules as the kernel held them. */
export type Played = {readonly cases: readonly TrafficCase[]; readonly round: Round; readonly ruleSet: RuleSet};

/** Plays one round, as `runTestbed` does, and hands over everything that it left. */
export async function play(variation: Variation = {}): Promise<Played> {
	const {rules, credentials, backend, families, types, timeoutMs, traceBufferBytes} = optionsOf(variation);
	const topology = defaultTopology;
	const cases = families.flatMap(family => sixTypes({
		intent: rules.intent, actors: credentials, topology, family, ids: types,
	}));
	await using lockFile = await LockFile.create();
	await using sandbox = Sandbox.create();
	const {pod} = sandbox;
	const place = {backend, families, lockFile: lockFile.path};
	await sandbox.configure(topology);
	const ruleSet = await installRules(pod, {...place, ruleSet: rules.ruleSet});
	await using source = new NetlinkTraceSource(pod, {backend, bufferBytes: traceBufferBytes});
	await source.start();
	await using cast = await Cast.start({
		sandbox, topology, intent: rules.intent, names: actorsFor(types), credentials, timeoutMs,
	});
	const loadState = async () => loadKernelState(pod, place);
	const {rules: before} = await loadState();
	const round = await playRound(cases, {
		source, before, loadState, pod, cast, round: 1, untilAborted: async act => act,
	});
	return {cases, round, ruleSet};
}

/** The outcome of each type of a round, by its id. */
export function judgeRound({cases, round, ruleSet}: Played): ReadonlyMap<string, Outcome> {
	const observations = observeRound(round, ruleSet);
	return new Map(cases.map((traffic, index) => [traffic.id, judge({traffic, observation: observations[index]!, ruleSet}).outcome]));
}

/** The kinds of gap of each type that is in doubt. */
export function gapsOf(played: Played): Readonly<Record<string, readonly string[]>> {
	return Object.fromEntries([...judgeRound(played)].flatMap(([id, outcome]) => outcome.kind === 'inconclusive' ? [[id, [...new Set(outcome.reasons.map(({kind}) => kind))]]] : []));
}
