/**
Probes by the actors of a normal run: rules in, connections out, and for each what the kernel did, explained by the rules.
*/

import {contains, parseAddress, parseRange} from '../src/netfilter/address.js';
import type {AddressFamily} from '../src/netfilter/types.js';
import {gapsIn} from '../src/judge/judge.js';
import {roleHitsOf} from '../src/judge/observed-roles.js';
import {socketMarkOf} from '../src/judge/packet-facts.js';
import {explainLeg} from '../src/judge/why-not.js';
import type {ProbeQuestion, ProbeReport} from '../src/report/probe-types.js';
import type {Environment} from '../src/report/types.js';
import {livesInPod} from '../src/scenario/expectation.js';
import {defaultTopology, type Topology} from '../src/scenario/topology.js';
import type {ActorName} from '../src/scenario/types.js';
import type {Observation} from '../src/trace/observation.js';
import {unwitnessedRules} from '../src/trace/witness.js';
import {loadEnvironment} from './environment.js';
import {TestbedError} from './errors.js';
import type {RunOptions} from './options.js';
import {checksumOf, playProbes, type Played} from './play.js';
import {Stage} from './stage.js';

/** What decides a probe: as of a run, with one question in the place of the types. */
export type ProbeOptions = Omit<RunOptions, 'families' | 'types' | 'keep'> & {readonly question: ProbeQuestion; readonly isFirstLegOnly: boolean};

/** Who a probe can meet beside the proxy and the app, which always play: everybody who listens somewhere. */
const hosts: readonly ActorName[] = ['remote', 'istiod'];

/**
Builds the world, sends the probe, explains what came of it, and takes the world down again.

@throws {TestbedError} USAGE for a destination at which no rule of the pod is met, and all that a run throws.
*/
export async function runProbe(options: ProbeOptions): Promise<ProbeReport> {
	const {question, rules, credentials, timeoutMs} = options;
	refuseOutside(question, defaultTopology);
	options.onStage('building the sandbox, installing the rules, starting the actors');
	const {from} = question;
	await using stage = await Stage.create({
		intent: rules.intent, types: [], guests: [...hosts, from], credentials, timeoutMs,
	});
	const [report] = await playQuestions(stage, {...options, questions: [question]});
	return report!;
}

/**
Asks several questions at once on a stage that plays their actors. All are of one family and of the credentials with which the stage was made.

@throws {TestbedError} as a run does.
*/
export async function playQuestions(stage: Stage, options: Omit<ProbeOptions, 'question'> & {readonly questions: readonly ProbeQuestion[]}): Promise<readonly ProbeReport[]> {
	const startedAt = performance.now();
	const {questions, rules, onStage} = options;
	const families = [...new Set(questions.map(({family}) => family))];
	let environment: Environment | undefined;
	await answerElsewhere(stage, questions.map(({to}) => to.address));
	const played = await playProbes(stage, {
		...options,
		families,
		sendings: questions.map(({
			from, asked, to: destination, family, protocol, source,
		}, index) => ({
			id: `probe-${index + 1}`,
			label: `${from} to ${asked}`,
			probe: {
				actor: from, family, protocol, destination, ...(source === undefined ? {} : {source}),
			},
		})),
		async meanwhile() {
			environment = await loadEnvironment(rules.backend);
		},
	});
	onStage('explaining');
	return questions.map((question, index) => reportOf({
		question, options, families, played, observation: played.observations[index]!, environment: environment!, startedAt,
	}));
}

function reportOf({question, options: {rules, isFirstLegOnly}, families, played: {ruleSet, before, found}, observation, environment, startedAt}: {
	readonly question: ProbeQuestion;
	readonly options: Pick<ProbeOptions, 'rules' | 'isFirstLegOnly'>;
	readonly families: readonly AddressFamily[];
	readonly played: Played;
	readonly observation: Observation;
	readonly environment: Environment;
	readonly startedAt: number;
}): ProbeReport {
	const all = observation.path.legs;
	const legs = isFirstLegOnly ? all.slice(0, 1) : all;
	const names = new Set<string>([question.from, ...legs.map(({actor}) => actor), ...legs.flatMap(({end}) => end.kind === 'accepted' ? [end.stop.split(':')[0]!] : [])]);
	const unwitnessed = unwitnessedRules({loaded: before, legs});
	return {
		environment,
		rules: {
			source: rules.source, release: rules.release, backend: rules.backend, sha256: checksumOf({backend: rules.backend, families, ruleSet}),
		},
		question,
		actors: Object.fromEntries([...found].filter(([name]) => names.has(name))),
		legs,
		loop: observation.loop,
		gaps: gapsIn(observation),
		observedRoles: legs.map(leg => roleHitsOf(leg, ruleSet).map(({role}) => role)),
		explanations: legs.map((leg, index) => explainLeg(leg, ruleSet, {mark: socketMarkOf(all, index, rules.intent)})),
		isFirstLegOnly: isFirstLegOnly && all.length > 1,
		hints: [...rules.warnings, ...(unwitnessed.length === 0 ? [] : [`These rules have no counter, so the trace is their only witness: ${unwitnessed.join(', ')}.`])],
		durationMs: Math.round(performance.now() - startedAt),
	};
}

/** A connection from outside that goes to no address of the pod never comes to it. */
function refuseOutside({from, to, family, asked}: ProbeQuestion, {places}: Topology): void {
	if (!livesInPod[from] && to.address !== places.pod[family]) {
		throw new TestbedError('USAGE', {
			message: `A connection from ${from} to ${asked} does not come into the pod, so none of its rules is asked.`,
			hint: `From outside, ask for the pod: --to pod:${to.port}`,
		});
	}
}

/** The neighbourhood answers for every address that a probe goes to, so that a connection that leaves the pod comes to an end and not to nothing: where nobody listens it is refused. */
async function answerElsewhere(stage: Stage, addresses: readonly string[]): Promise<void> {
	const {places, serviceRange} = stage.topology;
	const known = new Set([...Object.values(places), serviceRange].flatMap(({ipv4, ipv6}) => [ipv4, ipv6]));
	const foreign = [...new Set(addresses)].filter(address => !known.has(address) && canBeElsewhere(address));
	await stage.configured();
	for (const [family, flag] of [['ipv4', '-4'], ['ipv6', '-6']] as const) {
		const own = foreign.filter(address => parseAddress(address)?.family === family);
		if (own.length > 0) {
			await stage.sandbox.remote.run('ip', [flag, '-batch', '-'], {input: own.map(address => `route replace local ${address} dev lo\n`).join('')}); // eslint-disable-line no-await-in-loop -- Two short programs; one after the other keeps the second's error readable.
		}
	}
}

/** A loopback address is the pod's own; a multicast address or the unspecified one cannot be routed. */
function canBeElsewhere(text: string): boolean {
	const address = parseAddress(text);
	return address !== undefined && ownRanges.every(range => !contains(range, address));
}

const ownRanges = ['0.0.0.0/8', '127.0.0.0/8', '224.0.0.0/3', '::/96', 'fe80::/10', 'ff00::/8'].flatMap(text => parseRange(text) ?? []);
