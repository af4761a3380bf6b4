/**
A step of a lesson put to the kernel: its rules are installed, its traffic is sent, and all that was seen comes back as evidence. Nothing here knows the question, but for the changes that a question wants to have tried.
*/

import type {LessonConnection, LessonSetup} from '../../src/lessons/schema.js';
import type {LessonStep, StepEvidence, TriedFix} from '../../src/lessons/types.js';
import {InputError} from '../../src/parsing/input-error.js';
import {defaultTopology} from '../../src/mesh/topology.js';
import type {ActorCredentials, TypeId} from '../../src/mesh/traffic.js';
import type {AddressFamily} from '../../src/netfilter/types.js';
import type {ProbeSpec} from '../../src/scenario/probe-spec.js';
import {TestbedError} from '../errors.js';
import {credentialsOf} from '../inputs/credentials.js';
import {typesFor} from '../inputs/mesh-of-rules.js';
import {loadNamedRules} from '../inputs/named-rules.js';
import {readProbeObject} from '../inputs/probe-line.js';
import type {RuleInput} from '../inputs/types.js';
import {runProbe} from '../probe/explain.js';
import {refuseForeignSource} from '../probe/participants.js';
import type {RunOptions} from '../run/options.js';
import {runTestbed} from '../run/run.js';

/** What every run of a step is given. */
export type ObserveOptions = Pick<RunOptions, 'timeoutMs' | 'traceBufferBytes' | 'signal' | 'onProgress'> & {
	/** Where the lesson stands: files that it names are looked for there. */
	readonly folder: string;
	/** What sends. By default, everything is sent in a sandbox of its own. */
	readonly sender?: StepSender;
};

/** What everything that a step sends has in common. */
export type StepContext = {readonly rules: RuleInput; readonly family: AddressFamily; readonly credentials: ActorCredentials};

/** What was seen of something that was sent, and the rules as the kernel held them meanwhile. */
export type StepSeen = Pick<StepEvidence, 'rules' | 'connections'>;

/** Sends what a step asks for. */
export type StepSender = {
	readonly types: (context: StepContext, types: readonly TypeId[]) => Promise<StepSeen>;
	readonly connection: (context: StepContext, name: string, spec: ProbeSpec) => Promise<StepSeen>;
};

/**
Asks the kernel what a step asks.

@throws {TestbedError} INPUT for rules or traffic that make no sense, and all that a run throws.
*/
export async function observeStep(step: LessonStep, options: ObserveOptions): Promise<StepEvidence> {
	const {setup, traffic, asks} = step;
	const sender = options.sender ?? ownSandboxes(options);
	const send = async (asked: LessonSetup): Promise<StepSeen> => {
		const context = contextOf(asked, options.folder);
		return 'types' in traffic
			? sender.types(context, typesFor(context.rules.mesh, traffic.types))
			: sendConnections(context, traffic.connections, sender);
	};

	const evidence = {family: familyOf(setup), ...await send(setup)};
	if (asks.what !== 'fix') {
		return evidence;
	}

	const fixes: TriedFix[] = [];
	for (const {text, rules = setup.rules, insert} of asks.choices) {
		options.onProgress(`trying: ${text}`);
		// eslint-disable-next-line no-await-in-loop -- One after the other: two sandboxes at once would take longer on the few cores of a laptop.
		fixes.push(await tryFix(async () => send({...setup, rules, insert: insert ?? []})));
	}

	return {...evidence, fixes};
}

/**
The rules of a set-up.

@throws {TestbedError} INPUT when they are not understood or stand elsewhere.
*/
export function rulesOfSetup({rules: source, insert = [], backend, ...setup}: LessonSetup, folder: string): RuleInput {
	try {
		return loadNamedRules({
			source, insert: insert.map((value, index) => ({value, at: `insert[${index}]`})), families: [familyOf(setup)], backend, folder, kind: 'lesson',
		});
	} catch (error) {
		throw error instanceof InputError ? new TestbedError('INPUT', {message: error.message, state: 'Nothing was installed.', cause: error}) : error;
	}
}

function familyOf({family = 'ipv4'}: Pick<LessonSetup, 'family'>): StepEvidence['family'] {
	return family;
}

function credentialsFor({proxy, agent, app}: LessonSetup, rules: RuleInput): ActorCredentials {
	const own = {
		proxyUid: proxy?.uid, proxyGid: proxy?.gid, agentUid: agent?.uid, agentGid: agent?.gid, appUid: app?.uid, appGid: app?.gid,
	};
	// An option that is not there is not an option that is undefined.
	const given = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined)) as {readonly [Key in keyof typeof own]?: number};
	return credentialsOf(given, rules.intent, rules);
}

function contextOf(setup: LessonSetup, folder: string): StepContext {
	const rules = rulesOfSetup(setup, folder);
	return {rules, family: familyOf(setup), credentials: credentialsFor(setup, rules)};
}

async function sendConnections(context: StepContext, connections: readonly LessonConnection[], sender: StepSender): Promise<StepSeen> {
	const seen: StepSeen[] = [];
	for (const {name, ...given} of connections) {
		const {id: _, sourcePort: _port, packet: _packet, ...spec} = readProbeObject({family: context.family, ...given}, `the connection "${name}"`);
		refuseForeignSource(spec, defaultTopology);
		seen.push(await sender.connection(context, name, spec)); // eslint-disable-line no-await-in-loop -- One after the other, as lessons say.
	}

	return {rules: seen.at(-1)!.rules, connections: seen.flatMap(each => each.connections)};
}

/** A sandbox for each thing that is sent: nothing is left while somebody thinks. */
export function ownSandboxes(options: Omit<ObserveOptions, 'folder' | 'sender'>): StepSender {
	return {
		async types({rules, family, credentials}, types) {
			const {report} = await runTestbed({
				...options, rules, families: [family], types, credentials,
			});
			return {rules: report.loaded!.rules, connections: report.types};
		},
		async connection({rules, credentials: usual}, name, {uid, gid, ...spec}) {
			const own = usual[spec.from];
			const credentials: ActorCredentials = {...usual, [spec.from]: {uid: uid ?? own.uid, gid: gid ?? uid ?? own.gid}};
			const {legs, loop, gaps, observedRoles, loaded} = await runProbe({
				...options, rules, credentials, question: {...spec, credentials: credentials[spec.from]}, isFirstLegOnly: false,
			});
			return {
				rules: loaded!, connections: [{
					id: name, name, legs, loop, gaps, observedRoles,
				}],
			};
		},
	};
}

async function tryFix(send: () => Promise<StepSeen>): Promise<TriedFix> {
	try {
		const {connections} = await send();
		return {kind: 'ran', connections};
	} catch (error) {
		if (error instanceof TestbedError && error.code === 'RULES_REJECTED') {
			return {kind: 'rejected', reason: error.message};
		}

		throw error;
	}
}
