/**
Rules named by a scenario or a lesson: a rule input as on the command line, a file next to the one that names it, or none; and rules inserted into them.
*/

import {realpathSync} from 'node:fs';
import path from 'node:path';
import type {Text} from '../../src/parsing/document.js';
import {languageOf, defaultBackend} from '../../src/netfilter/backends.js';
import type {AddressFamily, Backend, RuleLanguage} from '../../src/netfilter/types.js';
import {insertRules} from '../../src/scenario/file/insert.js';
import {intentOf} from '../../src/istio/intent.js';
import {istio} from '../../src/istio/mesh.js';
import {parseReleaseInput} from '../../src/istio/options/arguments.js';
import {TestbedError} from '../errors.js';
import type {RuleInput} from './types.js';
import {defaultInput} from './request.js';
import {fullSource, liveNameOf, parseSource} from './source.js';
import {readText} from './read-text.js';
import {loadRuleInput, refuseRing} from './rules.js';
import {checkModules} from './check-modules.js';

/** What a file says about its rules, and what the user who runs it allows. */
export type NamedRules = {
	/** `release:1.30`, a file's name, `none`, or the text of a dump: text with several lines. */
	readonly source: string;
	/** Rules to insert, as arguments of iptables. */
	readonly insert: readonly Text[];
	readonly families: readonly AddressFamily[];
	/** Default: the one that the rules are written for. */
	readonly backend: Backend | undefined;
	/** The folder of the file, and the file itself where it can contain the rules. */
	readonly folder: string;
	readonly file?: string;
	/** What the file is, for messages. */
	readonly kind: 'scenario' | 'lesson';
	readonly allowOutside?: boolean;
	readonly allowModules?: boolean;
};

/** The language of inserted rules. */
const insertedLanguage: RuleLanguage = 'iptables';

/** Why a back end takes no inserted rules. */
export const insertedElsewhere = 'The rules that it inserts are written for iptables.';

/** Whether a back end takes inserted rules. */
export function canInsert(backend: Backend): boolean {
	return languageOf(backend) === insertedLanguage;
}

/**
The rules that a file names, with the rules that it inserts.

@throws {TestbedError} INPUT when they are not understood, are outside the folder, or take no inserted rules.
@throws {InputError} for a rule that cannot be inserted, with its place.
*/
export function loadNamedRules({source, insert, families, backend, folder, file, kind, allowOutside = false, allowModules = false}: NamedRules): RuleInput {
	if (source === 'none') {
		return noRules(backend ?? defaultBackend);
	}

	const isText = isTextOfRules(source) && file !== undefined;
	const named = isText ? {source: file, notes: []} : fullSource(source, folder);
	const rules = loadRuleInput({
		...(isText ? {source: file, text: source} : {source: besides(named.source, {folder, kind, allowOutside})}), families, allowModules, ...(backend === undefined ? {} : {backend}),
	});
	if (insert.length > 0 && !canInsert(rules.backend)) {
		throw new TestbedError('INPUT', {message: insertedElsewhere, hint: 'Choose another back end, or leave insert out.'});
	}

	return withInsertions({...rules, source: isText ? file : source, notes: [...named.notes, ...rules.notes]}, {insert, families, allowModules});
}

/** The text of the file of rules that another file names, for a checksum; undefined if it names none, or one that cannot or may not be read, which loading it will say. */
export function textOfNamedRules({source, folder, kind, allowOutside = false}: Pick<NamedRules, 'source' | 'folder' | 'kind' | 'allowOutside'>): string | undefined {
	if (source === 'none' || isTextOfRules(source)) {
		return undefined;
	}

	try {
		const {file} = parseSource(besides(fullSource(source, folder).source, {folder, kind, allowOutside}));
		return file === undefined || file === '-' ? undefined : readText({file, what: 'The rules'});
	} catch (error) {
		if (error instanceof TestbedError) {
			return undefined;
		}

		throw error;
	}
}

/** Whether a file contains its rules instead of naming them: a name has one line. */
export function isTextOfRules(source: string): boolean {
	return source.trim().includes('\n');
}

/** Inserts rules and checks them like all others. */
function withInsertions(rules: RuleInput, {insert, families, allowModules}: Pick<NamedRules, 'insert' | 'families'> & {readonly allowModules: boolean}): RuleInput {
	if (insert.length === 0) {
		return rules;
	}

	const changed = {...rules, ruleSet: insertRules(rules.ruleSet, insert, families)};
	refuseRing({...changed, source: 'insert'});
	return {...changed, allowedModules: checkModules({...changed, source: 'insert'}, allowModules)};
}

/** Checks that a file named by another file is in the folder of that file or below it, following links: a user who runs someone else's scenario has not agreed to open any other file. */
function besides(source: string, {folder, kind, allowOutside}: {readonly folder: string; readonly kind: NamedRules['kind']; readonly allowOutside: boolean}): string {
	if (liveNameOf(source) !== undefined && !allowOutside) {
		throw new TestbedError('INPUT', {
			message: `"${source}" is a live pod of this machine, which a ${kind} may not read by itself.`,
			hint: kind === 'scenario' ? 'To allow it: --allow-outside.' : 'Save its rules to a file in the folder of the lesson: testbed rules prints them.',
		});
	}

	const {file} = parseSource(source);
	if (file === undefined) {
		return source;
	}

	const wanted = path.resolve(folder, file);
	if (!allowOutside && !isWithin(wanted, folder)) {
		throw new TestbedError('INPUT', {
			message: `"${source}" is outside the folder of the ${kind} that names it.`,
			hint: kind === 'scenario' ? 'Copy it into that folder, or use --allow-outside.' : 'Copy it into that folder.',
		});
	}

	return `${source.slice(0, -file.length)}${wanted}`;
}

/** Whether a file is in a folder or below it, with links resolved. A missing file is judged by its name. */
function isWithin(file: string, folder: string): boolean {
	const real = (name: string): string => {
		try {
			return realpathSync(name);
		} catch {
			return path.resolve(name);
		}
	};

	const relative = path.relative(real(folder), real(file));
	return relative !== '' && relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
}

/** No rules at all, with the intent of a default sidecar. */
function noRules(backend: Backend): RuleInput {
	const {release, options} = parseReleaseInput(defaultInput);
	const ruleSet = {tables: []};
	return {
		source: 'none',
		release: null,
		mesh: istio,
		backend,
		ruleSet,
		routing: {loopbackAddresses: [], markRules: [], localRoutes: []},
		warnings: ['No rules are installed: nothing is captured, and every connection goes straight to its destination.'],
		notes: [],
		reference: ruleSet,
		intent: intentOf({options, release}),
	};
}
