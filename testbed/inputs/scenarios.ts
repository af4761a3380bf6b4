/**
Loads scenario files: each file with each of its back ends, and the back ends it cannot run on.
*/

import path from 'node:path';
import {InputError} from '../../src/parsing/input-error.js';
import {backends as allBackends, type Backend} from '../../src/netfilter/types.js';
import {parseScenario} from '../../src/scenario/file/parse.js';
import {parseScenarioHead} from '../../src/scenario/file/parse-head.js';
import {planScenario} from '../../src/scenario/file/plan.js';
import type {ScenarioFile, ScenarioHead} from '../../src/scenario/file/types.js';
import {meshes} from '../../src/meshes.js';
import {defaultTopology} from '../../src/mesh/topology.js';
import type {ActorCredentials, Intent} from '../../src/mesh/traffic.js';
import {TestbedError} from '../errors.js';
import type {RuleInput, ReadyScenario} from './types.js';
import {canInsert, insertedElsewhere, isTextOfRules, loadNamedRules} from './named-rules.js';
import {doAll} from './many-faults.js';
import {readText} from './read-text.js';
import {liveNameOf} from './source.js';

/** A scenario that cannot run on a back end, with the reason. */
export type MissingScenario = {readonly source: string; readonly release: string | null; readonly backend: Backend; readonly scenario: string; readonly reason: string};

/** Loaded scenarios, and the combinations that cannot run. */
export type LoadedScenarios = {readonly prepared: ReadonlyArray<{readonly rules: RuleInput; readonly play: ReadyScenario}>; readonly missing: readonly MissingScenario[]};

/** Computes the credentials of the usual actors for some rules, from the command line. */
export type CredentialsOf = (intent: Intent, known: Pick<RuleInput, 'proxy' | 'apps'>) => ActorCredentials;

/** Permissions for a scenario file. Only the user can grant them, never the file itself. */
export type ScenarioPermissions = {
	/** Whether it may name a rules file outside its own folder. */
	readonly allowOutside?: boolean | undefined;
	/** Whether its rules may use unknown matches and targets. */
	readonly allowModules?: boolean | undefined;
};

/** How scenario files are read. `rules` replaces the rules that a file names. */
export type ScenarioRequest = ScenarioPermissions & {
	readonly backends: readonly Backend[] | undefined; readonly credentialsOf: CredentialsOf; readonly rules?: RuleInput;
	/** Whether live pods are left out instead of read. */
	readonly isForCheck?: boolean | undefined;
};

/** What can be told of a scenario file before its traffic and its rules are read. */
export type OutlinedScenario = {
	readonly file: string;
	readonly text: string;
	readonly head: ScenarioHead;
	/** How reports name its rules. */
	readonly source: string;
	/** The back ends that are asked for. */
	readonly backends: readonly Backend[];
};

/**
Reads a file and prepares it for each back end, or for the given rules instead of those that it names.

@throws {TestbedError} INPUT with file, line, column and key.
*/
export function loadScenario(file: string, request: ScenarioRequest): LoadedScenarios {
	return readScenario(readText({file, what: 'The scenario'}), {...request, file});
}

/**
The same from text; `file` is used in errors and to resolve the files that it names. With `own`, only for these of the back ends.

@throws {TestbedError} INPUT with file, line, column and key.
*/
export function readScenario(text: string, {file, backends, credentialsOf, rules: given, own, ...permissions}: ScenarioRequest & {
	readonly file: string; readonly own?: readonly Backend[];
}): LoadedScenarios {
	return inFile(file, () => {
		const scenario = parseScenario(text, meshes);
		const wanted = wantedOf(scenario, backends);
		const make = (backend: Backend): Made => rulesFor(scenario, {backend, file, ...permissions});
		const made = given === undefined ? (own ?? wanted).map(backend => make(backend)) : [{backend: given.backend, rules: given}];
		const prepared = made.flatMap(({rules}) => rules === undefined ? [] : [{rules, play: readyScenarioOf(scenario, rules, {file, credentialsOf})}]);
		// If the rules exist on no back end, their name is wrong.
		const failure = made.find(({error}) => error !== undefined)?.error;
		if (prepared.length === 0 && failure !== undefined && wanted.every(backend => made.some(one => one.backend === backend) || make(backend).rules === undefined)) {
			throw failure;
		}

		return {
			prepared,
			missing: made.flatMap(({backend, reason}) => reason === undefined
				? []
				: [{
					source: sourceOf(scenario, file), release: null, backend, scenario: scenario.name, reason,
				}]),
		};
	});
}

/**
Reads only what is needed to say which runs a file asks for; the rest of it is not checked.

@throws {TestbedError} INPUT with file, line, column and key.
*/
export function outlineScenario(file: string, backends: readonly Backend[] | undefined): OutlinedScenario {
	const text = readText({file, what: 'The scenario'});
	const head = inFile(file, () => parseScenarioHead(text, meshes));
	return {
		file, text, head, source: sourceOf(head, file), backends: wantedOf(head, backends),
	};
}

function sourceOf({rules: {value}}: ScenarioHead, file: string): string {
	return isTextOfRules(value) ? file : value;
}

function wantedOf(head: ScenarioHead, backends: readonly Backend[] | undefined): readonly Backend[] {
	return backends ?? head.backends ?? allBackends;
}

/** Names the file in errors about it. */
function inFile<T>(file: string, act: () => T): T {
	try {
		return act();
	} catch (error) {
		if (error instanceof InputError) {
			throw new TestbedError('INPUT', {message: `${file}: ${error.message}`, state: 'Nothing was run.', cause: error});
		}

		throw error;
	}
}

/**
Reads many files, each as {@link loadScenario} does, and reports the errors of all of them at once.

@throws {TestbedError} INPUT, or the code that all errors share; a single error is thrown as it is.
*/
export function loadScenarios(files: readonly string[], request: ScenarioRequest): readonly LoadedScenarios[] {
	return ofScenarios(files, file => loadScenario(file, request));
}

/**
Does something with each of some scenarios, and reports the errors of all of them at once.

@throws {TestbedError} as {@link loadScenarios}.
*/
export function ofScenarios<One, T>(scenarios: readonly One[], act: (one: One) => T): readonly T[] {
	return doAll(scenarios.map(one => () => act(one)), {heading: failed => `${failed} of ${scenarios.length} scenarios cannot be run:`});
}

type Made = {readonly backend: Backend; readonly rules?: RuleInput; readonly reason?: string; readonly error?: TestbedError};

/** Why a scenario excludes a back end by itself, whatever its rules are; undefined if it does not. */
export function excludedBy({rules: {value: source}, insert, backends}: ScenarioHead, backend: Backend): string | undefined {
	if (backends?.includes(backend) === false) {
		return `The scenario is for ${backends.join(' and ')}.`;
	}

	return source !== 'none' && insert.length > 0 && !canInsert(backend) ? insertedElsewhere : undefined;
}

/** The rules of a scenario for one back end, or why there are none. */
function rulesFor(scenario: ScenarioFile, {backend, file, allowOutside = false, allowModules = false, isForCheck = false}: ScenarioPermissions & {
	readonly backend: Backend; readonly file: string; readonly isForCheck?: boolean | undefined;
}): Made {
	const {rules: {value: source, at}, insert, families} = scenario;
	const excluded = excludedBy(scenario, backend);
	if (excluded !== undefined) {
		return {backend, reason: excluded};
	}

	if (isForCheck && allowOutside && liveNameOf(source) !== undefined) {
		return {backend, reason: 'Its rules are those of a live pod, which is read only when it is run.'};
	}

	try {
		return {
			backend,
			rules: loadNamedRules({
				source, insert, families, backend, folder: path.dirname(file), file, kind: 'scenario', allowOutside, allowModules,
			}),
		};
	} catch (error) {
		if (!(error instanceof TestbedError)) {
			throw error;
		}

		// Another back end may accept it; if none does, the caller throws the error.
		return {backend, reason: error.message, error: new TestbedError(error.code, {message: `${file}: ${at}: ${error.message}`, state: 'Nothing was run.', ...(error.hint === undefined ? {} : {hint: error.hint}), cause: error})};
	}
}

function readyScenarioOf(scenario: ScenarioFile, rules: RuleInput, {file, credentialsOf}: {readonly file: string; readonly credentialsOf: CredentialsOf}): ReadyScenario {
	return {
		file,
		name: scenario.name,
		about: scenario.about,
		...planScenario({
			file: scenario, mesh: rules.mesh, intent: rules.intent, topology: rules.topology ?? defaultTopology, credentials: credentialsOf(rules.intent, rules),
		}),
	};
}
