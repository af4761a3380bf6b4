/**
The conductor of `testbed run`: the only file that knows the order of acts.
*/

import {createHash} from 'node:crypto';
import {printSave} from '../src/netfilter/save.js';
import type {RuleSet} from '../src/netfilter/types.js';
import {judge} from '../src/judge/judge.js';
import {comparePublished} from '../src/judge/published.js';
import {ruleNotes} from '../src/judge/rule-notes.js';
import type {Report, TypeResult} from '../src/report/types.js';
import {sixTypes} from '../src/scenario/six-types.js';
import {defaultTopology} from '../src/scenario/topology.js';
import type {ActorName, Credentials, TrafficCase} from '../src/scenario/types.js';
import type {Gap} from '../src/trace/gap.js';
import type {Observation} from '../src/trace/observation.js';
import {actorsFor, Cast} from './actors/cast.js';
import {loadEnvironment} from './environment.js';
import {TestbedError} from './errors.js';
import {LockFile} from './lock-file.js';
import {observeRound, playRound} from './observe.js';
import type {RunOptions} from './options.js';
import {keep} from './sandbox/keep.js';
import {installRules} from './sandbox/rules.js';
import {Sandbox} from './sandbox/sandbox.js';

/** What a run came to. `kept` tells how to enter what `--keep` left. */
export type RunResult = {readonly report: Report; readonly kept: readonly string[]};

/**
Builds the world, sends the types, judges, and takes the world down again, whatever happens on the way.

@throws {TestbedError} when the machine cannot do it, the kernel rejects the rules, an actor cannot start, or the run is interrupted.
*/
export async function runTestbed(options: RunOptions): Promise<RunResult> {
	const startedAt = performance.now();
	const {rules, backend, families, credentials, timeoutMs, onStage} = options;
	const untilAborted = racer(options.signal);
	const topology = defaultTopology;
	const cases = families.flatMap(family => sixTypes({
		intent: rules.intent, actors: credentials, topology, family, ids: options.types,
	}));

	onStage('building the sandbox');
	await using lockFile = await LockFile.create();
	await using sandbox = await Sandbox.create(topology);

	onStage(`installing the rules (${backend}) and starting the actors`);
	const starting = Cast.start({
		sandbox, topology, intent: rules.intent, names: actorsFor(options.types), credentials, timeoutMs,
	});
	const installing = installRules(sandbox.pod, {
		ruleSet: rules.ruleSet, backend, families, lockFile: lockFile.path,
	});
	const [castResult, installed, environment] = await Promise.allSettled([starting, installing, loadEnvironment(backend)]);
	await using cast = valueOf(castResult);
	const ruleSet = valueOf(installed);
	options.onActors?.(cast.actors);
	options.signal.throwIfAborted();

	onStage(`sending ${cases.length} probes`);
	const play = async (chosen: readonly TrafficCase[], round: number): Promise<readonly Observation[]> => observeRound(await playRound(chosen, {
		pod: sandbox.pod, cast, backend, families, lockFile: lockFile.path, bufferBytes: options.traceBufferBytes, round, untilAborted,
	}), ruleSet);
	const observations = [...await play(cases, 1)];
	const doubtful = cases.flatMap((_, index) => observations[index]!.gaps.length > 0 ? [index] : []);
	if (doubtful.length > 0 && [...cast.actors.values()].every(({gap}) => gap === undefined)) {
		onStage(`sending ${doubtful.length} probes again, from new ports`);
		const again = await play(doubtful.map(index => cases[index]!), 2);
		for (const [position, index] of doubtful.entries()) {
			observations[index] = again[position]!;
		}
	}

	onStage('judging');
	const actorGaps = gapsOfActors(cast, credentials);
	const types = cases.map((traffic, index) => resultOf({
		traffic, observation: withGaps(observations[index]!, actorGaps), ruleSet, options, cast,
	}));
	const kept = options.keep ? await keep(sandbox) : [];
	return {
		report: {
			environment: valueOf(environment),
			rules: {
				source: rules.source, release: rules.release, backend, sha256: createHash('sha256').update(families.map(family => printSave(ruleSet, family)).join('')).digest('hex'),
			},
			types,
			ruleNotes: ruleNotes({ruleSet, reference: rules.reference, results: types}),
			hints: hintsOf(options),
			durationMs: Math.round(performance.now() - startedAt),
		},
		kept,
	};
}

/** Lets a wait end when the run is interrupted, so that everything is taken down. */
function racer(signal: AbortSignal): <T>(act: Promise<T>) => Promise<T> {
	const aborted = new Promise<never>((_resolve, reject) => {
		signal.addEventListener('abort', () => {
			reject(signal.reason as Error);
		}, {once: true});
	});
	aborted.catch(() => undefined); // Whoever waits hears of it.
	return async act => Promise.race([act, aborted]);
}

function valueOf<T>(result: PromiseSettledResult<T>): T {
	if (result.status === 'rejected') {
		throw result.reason as Error;
	}

	return result.value;
}

function withGaps(observation: Observation, gaps: readonly Gap[]): Observation {
	return {...observation, gaps: [...gaps, ...observation.gaps]};
}

/** Actors that ended, or that are not who they should be. */
function gapsOfActors(cast: Cast, credentials: RunOptions['credentials']): readonly Gap[] {
	return [...cast.actors].flatMap(([name, actor]) => {
		if (actor.gap !== undefined) {
			return [actor.gap];
		}

		const asked = credentials[name];
		const found = actor.credentials();
		return found?.uid === asked.uid && found.gid === asked.gid ? [] : [{
			kind: 'credentials',
			message: `${name} should run as uid ${asked.uid} gid ${asked.gid}; /proc/${actor.pid}/status says ${found === undefined ? 'nothing that is one user' : `uid ${found.uid} gid ${found.gid}`}.`,
		} satisfies Gap];
	});
}

function resultOf({traffic, observation, ruleSet, options, cast}: {traffic: TrafficCase; observation: Observation; ruleSet: RuleSet; options: RunOptions; cast: Cast}): TypeResult {
	const gaps = [...observation.gaps, ...socketGaps(observation, options.credentials)];
	const whole = {...observation, gaps};
	const {outcome, observedRoles} = judge({traffic, observation: whole, ruleSet});
	const names = new Set<ActorName>([traffic.probe.actor, ...observation.path.legs.map(({actor}) => actor as ActorName), ...observation.path.legs.flatMap(({end}) => end.kind === 'accepted' ? [end.stop.split(':')[0] as ActorName] : [])]);
	const actors: Partial<Record<ActorName, Credentials>> = {};
	for (const [name, actor] of cast.actors) {
		const found = names.has(name) ? actor.credentials() : undefined;
		if (found !== undefined) {
			actors[name] = found;
		}
	}

	return {
		id: traffic.id,
		name: traffic.name,
		family: traffic.probe.family,
		actors,
		outcome,
		legs: observation.path.legs,
		loop: observation.loop,
		expected: traffic.expected,
		observedRoles,
		published: comparePublished({
			traffic, observation: whole, ruleSet, intent: options.rules.intent,
		}),
		gaps,
	};
}

/** The owner that the kernel saw on each socket of the pod must be the actor. */
function socketGaps({path}: Observation, credentials: RunOptions['credentials']): readonly Gap[] {
	const inPod = new Set(['app', 'proxy', 'agent']);
	return path.legs.filter(({actor}) => inPod.has(actor)).flatMap(({actor, socket, from}) => {
		const asked = credentials[actor as ActorName];
		return socket?.uid === asked.uid && socket.gid === asked.gid ? [] : [{
			kind: 'credentials',
			message: `The socket of ${actor} on port ${from.port} should belong to uid ${asked.uid} gid ${asked.gid}; the kernel says ${socket === undefined ? 'nothing of it' : `uid ${socket.uid} gid ${socket.gid}`}.`,
		} satisfies Gap];
	});
}

/** What a reader may have overlooked. */
function hintsOf({rules: {intent}, credentials: {proxy}}: RunOptions): readonly string[] {
	const {proxyUids} = intent;
	return proxyUids.includes(proxy.uid) ? [] : [`The rules let UID ${proxyUids.join(', ')} out as the proxy; the proxy of this run has UID ${proxy.uid} (--proxy-uid).`];
}

/** The error of an interrupted run. */
export function interrupted(signal: string): TestbedError {
	return new TestbedError('INTERRUPTED', {message: `Interrupted by ${signal}.`, state: 'Everything that the run had made is gone.'});
}
