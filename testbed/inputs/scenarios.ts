/**
Scenario files → what is to be run: each file with each of its back ends, and what it cannot be run with, named.
*/

import {readdirSync, realpathSync, statSync} from 'node:fs';
import path from 'node:path';
import {InputError} from '../../src/parsing/input-error.js';
import {languageOf} from '../../src/netfilter/backends.js';
import {backends as allBackends, type Backend, type RuleLanguage} from '../../src/netfilter/types.js';
import {insertRules} from '../../src/scenario/file/insert.js';
import {parseScenario} from '../../src/scenario/file/parse.js';
import {planScenario} from '../../src/scenario/file/plan.js';
import type {ScenarioFile} from '../../src/scenario/file/types.js';
import {intentOf} from '../../src/istio/intent.js';
import {defaultTopology} from '../../src/scenario/topology.js';
import {parseReleaseInput} from '../../src/istio/options/arguments.js';
import type {ActorCredentials, Intent} from '../../src/scenario/types.js';
import {TestbedError} from '../errors.js';
import type {RuleInput, ReadyScenario} from './types.js';
import {readText, reasonOf} from './read-text.js';
import {defaultInput} from './request.js';
import {fullSource, parseSource} from './source.js';
import {loadRuleInput} from './rules.js';
import {checkModules} from './check-modules.js';

/** A scenario that cannot be run with a back end, with the reason. */
export type MissingScenario = {readonly source: string; readonly release: string | null; readonly backend: Backend; readonly scenario: string; readonly reason: string};

/** What some files come to. */
export type LoadedScenarios = {readonly prepared: ReadonlyArray<{readonly rules: RuleInput; readonly play: ReadyScenario}>; readonly missing: readonly MissingScenario[]};

/** Who the usual actors are with some rules: the command line's rules for it. */
export type CredentialsOf = (intent: Intent, known: RuleInput['proxy']) => ActorCredentials;

/** What a scenario file may do beside what it says: only whoever runs it can allow that, never the file. */
export type ScenarioPermissions = {
	/** Whether it may name a file with rules that stands elsewhere than beside or below it. */
	readonly allowOutside?: boolean | undefined;
	/** Whether its rules may name matches and targets that are not known here. */
	readonly allowModules?: boolean | undefined;
};

/** How scenario files are read. `rules` take the place of those that a file names. */
export type ScenarioRequest = ScenarioPermissions & {readonly backends: readonly Backend[] | undefined; readonly credentialsOf: CredentialsOf; readonly rules?: RuleInput};

const extensions = new Set(['.yaml', '.yml', '.json']);

/** Whether a word of the command line names scenarios: a file by its extension, or a folder. */
export function namesScenario(word: string): boolean {
	return extensions.has(path.extname(word)) || word.endsWith('/') || statSync(word, {throwIfNoEntry: false})?.isDirectory() === true;
}

/**
The scenario files that words name: a folder stands for all in it, by name.

@throws {TestbedError} INPUT for what is not there, and a folder without any.
*/
export function scenarioFiles(words: readonly string[]): readonly string[] {
	return words.flatMap(word => {
		let isFolder: boolean;
		try {
			isFolder = statSync(word).isDirectory();
		} catch (error) {
			throw new TestbedError('INPUT', {message: `The scenario cannot be read: ${reasonOf(error, word)}.`, cause: error});
		}

		if (!isFolder) {
			return [word];
		}

		const files = readdirSync(word).filter(name => extensions.has(path.extname(name))).toSorted().map(name => path.join(word, name));
		if (files.length === 0) {
			throw new TestbedError('INPUT', {message: `The folder ${word} holds no scenario.`, hint: 'A scenario is a file that ends in .yaml, .yml or .json.'});
		}

		return files;
	});
}

/**
Reads a file and makes it ready for each back end; or for the rules that are given, in place of those that it names.

@throws {TestbedError} INPUT with file, line, column and key.
*/
export function loadScenario(file: string, request: ScenarioRequest): LoadedScenarios {
	return readScenario(readText({file, what: 'The scenario'}), {...request, file});
}

/**
The same from a text; `file` says where it stands, for errors and for the files that it names.

@throws {TestbedError} INPUT with file, line, column and key.
*/
export function readScenario(text: string, {file, backends, credentialsOf, rules: given, ...permissions}: ScenarioRequest & {readonly file: string}): LoadedScenarios {
	try {
		const scenario = parseScenario(text);
		const wanted = backends ?? scenario.backends ?? allBackends;
		const made: readonly Made[] = given === undefined
			? wanted.map(backend => rulesFor(scenario, {backend, folder: path.dirname(file), ...permissions}))
			: [{backend: given.backend, rules: given}];
		const prepared = made.flatMap(({rules}) => rules === undefined ? [] : [{rules, play: readyScenarioOf(scenario, rules, {file, credentialsOf})}]);
		// Where no back end has the rules, what was named is wrong.
		const failure = made.find(({error}) => error !== undefined)?.error;
		if (prepared.length === 0 && failure !== undefined) {
			throw failure;
		}

		return {
			prepared,
			missing: made.flatMap(({backend, reason}) => reason === undefined
				? []
				: [{
					source: scenario.rules.value, release: null, backend, scenario: scenario.name, reason,
				}]),
		};
	} catch (error) {
		if (error instanceof InputError) {
			throw new TestbedError('INPUT', {message: `${file}: ${error.message}`, state: 'Nothing was run.', cause: error});
		}

		throw error;
	}
}

type Made = {readonly backend: Backend; readonly rules?: RuleInput; readonly reason?: string; readonly error?: TestbedError};

/** The language of the rules that a scenario puts in front of others. */
const insertedLanguage: RuleLanguage = 'iptables';

/** The rules of a scenario by one back end, or why it has none. */
function rulesFor({rules: {value: source, at}, insert, families, backends}: ScenarioFile, {backend, folder, allowOutside = false, allowModules = false}: ScenarioPermissions & {
	readonly backend: Backend; readonly folder: string;
}): Made {
	if (backends?.includes(backend) === false) {
		return {backend, reason: `The scenario is for ${backends.join(' and ')}.`};
	}

	if (source === 'none') {
		return {backend, rules: noRules(backend)};
	}

	if (insert.length > 0 && languageOf(backend) !== insertedLanguage) {
		return {backend, reason: 'The rules that are put in front are written for iptables.'};
	}

	try {
		const named = fullSource(source, folder);
		const rules = loadRuleInput({
			source: besides(named.source, {folder, allowOutside}), families, backend, allowModules,
		});
		return {backend, rules: withInsertions({...rules, source, notes: [...named.notes, ...rules.notes]}, {insert, families, allowModules})};
	} catch (error) {
		if (!(error instanceof TestbedError)) {
			throw error;
		}

		// What one back end refuses another may have; the caller sees to it that all of them refuse nothing.
		return {backend, reason: error.message, error: new TestbedError(error.code, {message: `${at}: ${error.message}`, state: 'Nothing was run.', cause: error})};
	}
}

/** The rules that are put in front are looked at as all others are. */
function withInsertions(rules: RuleInput, {insert, families, allowModules}: Pick<ScenarioFile, 'insert' | 'families'> & {readonly allowModules: boolean}): RuleInput {
	if (insert.length === 0) {
		return rules;
	}

	const changed = {...rules, ruleSet: insertRules(rules.ruleSet, insert, families)};
	return {...changed, allowedModules: checkModules({...changed, source: 'insert'}, allowModules)};
}

/** A file that a scenario names stands beside it or below, links followed: whoever runs a scenario of somebody else's has not agreed to open any other file. */
function besides(source: string, {folder, allowOutside}: {readonly folder: string; readonly allowOutside: boolean}): string {
	const {file} = parseSource(source);
	if (file === undefined) {
		return source;
	}

	const wanted = path.resolve(folder, file);
	if (!allowOutside && !isWithin(wanted, folder)) {
		throw new TestbedError('INPUT', {
			message: `"${source}" does not stand beside or below the scenario that names it.`,
			hint: 'Copy it there, or allow it: --allow-outside',
		});
	}

	return `${source.slice(0, -file.length)}${wanted}`;
}

/** Whether a file stands in a folder or below, where the links on the way lead. What is not there is looked for by its name. */
function isWithin(file: string, folder: string): boolean {
	const real = (name: string): string => {
		try {
			return realpathSync(name);
		} catch {
			return path.resolve(name);
		}
	};

	const pathSummary = path.relative(real(folder), real(file));
	return pathSummary !== '' && pathSummary !== '..' && !pathSummary.startsWith(`..${path.sep}`) && !path.isAbsolute(pathSummary);
}

/** No rules at all, meant for a default sidecar. */
function noRules(backend: Backend): RuleInput {
	const {release, options} = parseReleaseInput(defaultInput);
	const ruleSet = {tables: []};
	return {
		source: 'none',
		release: null,
		backend,
		ruleSet,
		routing: {loopbackAddresses: [], markRules: [], localRoutes: []},
		warnings: ['No rules are installed at all: nothing is captured, and every connection goes where it was sent.'],
		notes: [],
		reference: ruleSet,
		intent: intentOf(options, release.features),
	};
}

function readyScenarioOf(scenario: ScenarioFile, rules: RuleInput, {file, credentialsOf}: {readonly file: string; readonly credentialsOf: CredentialsOf}): ReadyScenario {
	return {
		file,
		name: scenario.name,
		about: scenario.about,
		...planScenario({
			file: scenario, intent: rules.intent, topology: defaultTopology, credentials: credentialsOf(rules.intent, rules.proxy),
		}),
	};
}
