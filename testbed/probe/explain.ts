/**
Sends probes with the actors of a normal run, and explains what the kernel did with each by the rules.
*/

import type {Leg} from '../../src/netfilter/path.js';
import type {AddressFamily} from '../../src/netfilter/types.js';
import {gapsIn} from '../../src/judge/judge.js';
import {roleHitsOf} from '../../src/judge/observed-roles.js';
import {socketMarkOf} from '../../src/judge/explain/packet-facts.js';
import {neighborHints} from '../../src/judge/neighbor-discovery.js';
import {explainLeg} from '../../src/judge/explain/explain-leg.js';
import type {ProbeQuestion, ProbeReport} from '../../src/report/probe/types.js';
import {needsProber} from '../../src/scenario/probe-spec.js';
import type {Environment} from '../../src/report/shared-types.js';
import {rulesOfMesh} from '../../src/mesh/mesh.js';
import {defaultTopology} from '../../src/mesh/topology.js';
import type {Gap} from '../../src/trace/gap.js';
import type {Observation} from '../../src/trace/observation.js';
import {uncountedRules} from '../../src/trace/counter-check.js';
import {loadEnvironment} from '../confinement/environment.js';
import type {RunOptions} from '../run/options.js';
import {sendProbes} from '../run/send.js';
import type {Observations} from '../run/observe.js';
import {ActorSandbox} from '../run/actor-sandbox.js';
import {summaryOfRules} from '../inputs/summary.js';
import {actorsOfProbe, isRoutedFromElsewhere, refuseOutside} from './participants.js';
import {ProberSandbox} from './prober-sandbox.js';

/** Options of a probe: those of a run, with one question instead of the types. */
export type ProbeOptions = Omit<RunOptions, 'families' | 'types' | 'keep'> & {readonly question: ProbeQuestion; readonly isFirstLegOnly: boolean};

/**
Builds the sandbox, sends the probe, explains the result, and removes the sandbox.

@throws {TestbedError} USAGE for a destination that no rule of the pod sees, and everything that a run throws.
*/
export async function runProbe(options: ProbeOptions): Promise<ProbeReport> {
	const {question, rules, credentials, timeoutMs} = options;
	const {topology = defaultTopology} = rules;
	if (needsProber(question) || isRoutedFromElsewhere(question, topology)) {
		return runByProber(options);
	}

	refuseOutside(question, topology);
	options.onProgress('building the sandbox, installing the rules, starting the actors');
	await using ownSandbox = await ActorSandbox.create({
		mesh: rules.mesh,
		intent: rules.intent,
		types: [],
		credentials,
		timeoutMs,
		presetSysctls: options.presetSysctls,
		actorSet: actorsOfProbe({
			question, mesh: rules.mesh, intent: rules.intent, credentials, topology,
		}),
		topology,
	});
	const [report] = await sendQuestions(ownSandbox, {...options, questions: [question]});
	return report!;
}

/** A probe that needs socket options no actor sets. The prober sends it, and its next legs as the stub would. */
async function runByProber(options: ProbeOptions): Promise<ProbeReport> {
	const startedAt = performance.now();
	const {question, rules, credentials, timeoutMs, traceBufferBytes, isFirstLegOnly, onProgress} = options;
	const {credentials: {uid, gid}, ...spec} = question;
	const families = [question.family];
	onProgress('building the sandbox, installing the rules');
	await using ownSandbox = await ProberSandbox.createWith(rules, credentials, {
		families, timeoutMs, traceBufferBytes, presetSysctls: options.presetSysctls,
	});
	const {rules: before} = await ownSandbox.loadState();
	onProgress('sending 1 probe');
	const [[probeResult], environment] = await Promise.all([
		ownSandbox.send([{...spec, uid, gid}], {follow: !isFirstLegOnly}),
		loadEnvironment(rules.backend),
	]);
	const {legs, gaps, isLoop} = probeResult!;
	return reportOf({
		question,
		options,
		families,
		seen: {ruleSet: ownSandbox.ruleSet, before, found: new Map(legs.flatMap(({actor, socket}) => socket === undefined ? [] : [[actor, socket]]))},
		observation: {legs, loop: isLoop, gaps},
		environment,
		startedAt,
	});
}

/**
Sends several probes at once in a sandbox that runs their actors. All are of one family and use the credentials that the sandbox was created with.

@throws {TestbedError} as a run does.
*/
export async function sendQuestions(ownSandbox: ActorSandbox, options: Omit<ProbeOptions, 'question'> & {readonly questions: readonly ProbeQuestion[]}): Promise<readonly ProbeReport[]> {
	const startedAt = performance.now();
	const {questions, rules, onProgress} = options;
	const families = [...new Set(questions.map(({family}) => family))];
	await ownSandbox.configured();
	await ownSandbox.sandbox.answerElsewhere(ownSandbox.topology, questions.map(({to}) => to.address));
	const seen = await sendProbes(ownSandbox, {
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
	});
	const environment = await loadEnvironment(rules.backend);
	onProgress('explaining');
	return questions.map((question, index) => reportOf({
		question, options, families, seen, observation: seenIn(seen.observations[index]!), environment, startedAt,
	}));
}

/** What was seen of a probe, regardless of its sender. */
type Seen = {readonly legs: readonly Leg[]; readonly loop: boolean; readonly gaps: readonly Gap[]};

function seenIn(observation: Observation): Seen {
	return {legs: observation.path.legs, loop: observation.loop, gaps: gapsIn(observation)};
}

function reportOf({question, options: {rules, isFirstLegOnly}, families, seen: {ruleSet, before, found}, observation, environment, startedAt}: {
	readonly question: ProbeQuestion;
	readonly options: Pick<ProbeOptions, 'rules' | 'isFirstLegOnly'>;
	readonly families: readonly AddressFamily[];
	readonly seen: Pick<Observations, 'ruleSet' | 'before' | 'found'>;
	readonly observation: Seen;
	readonly environment: Environment;
	readonly startedAt: number;
}): ProbeReport {
	const all = observation.legs;
	const meshRules = rulesOfMesh(ruleSet, rules.mesh);
	const legs = isFirstLegOnly ? all.slice(0, 1) : all;
	const names = new Set<string>([question.from, ...legs.map(({actor}) => actor), ...legs.flatMap(({end}) => end.kind === 'accepted' ? [end.stop.split(':')[0]!] : [])]);
	const uncounted = uncountedRules({loaded: before, legs});
	return {
		environment,
		rules: summaryOfRules(rules, {families, ruleSet}),
		question,
		actors: Object.fromEntries([...found].filter(([name]) => names.has(name))),
		legs,
		loop: observation.loop,
		gaps: observation.gaps,
		observedRoles: legs.map(leg => roleHitsOf(leg, meshRules).map(({role}) => role)),
		explanations: legs.map((leg, index) => explainLeg(leg, meshRules, {mark: index === 0 && question.mark !== undefined ? question.mark : socketMarkOf(all, index, rules.intent)})),
		isFirstLegOnly: isFirstLegOnly && all.length > 1,
		hints: [...rules.warnings, ...(families.includes('ipv6') ? neighborHints(ruleSet, rules.topology?.podInterface) : []), ...(uncounted.length === 0 ? [] : [`These rules have no counter, so only the trace shows that they matched: ${uncounted.join(', ')}.`])],
		durationMs: Math.round(performance.now() - startedAt),
		loaded: meshRules,
	};
}
