/**
Rules from a file or standard input.
*/

import type {RulesPlace} from '../../src/mesh/mesh.js';
import {meshes} from '../../src/meshes.js';
import {backendsOf, defaultBackendOf, languageOf} from '../../src/netfilter/backends.js';
import {importRules, type Imported} from '../../src/netfilter/import/import-rules.js';
import {ParseError} from '../../src/netfilter/parse-error.js';
import {restrictToFamilies} from '../../src/netfilter/lookup.js';
import {printStep} from '../../src/netfilter/path.js';
import {nameOfLanguage} from '../../src/netfilter/rule-texts.js';
import type {
	AddressFamily, Rule, RuleLanguage, RuleSet,
} from '../../src/netfilter/types.js';
import type {Place} from '../../src/report/shared-types.js';
import {TestbedError} from '../errors.js';
import {doAll} from './many-faults.js';
import {meshOf} from './mesh-of-rules.js';
import type {RuleInput} from './types.js';
import {
	readSource, usualOptions, type InputOptions, type InputRequest, type LoadedInputs,
} from './request.js';

/**
Reads a dump of any kind: iptables, an init container's log, or native nft.

@throws {ParseError} with the line; {TestbedError} INPUT or USAGE.
*/
export function ofDump(request: InputRequest): LoadedInputs {
	const {source, text, source6, families, options: names = usualOptions} = request;
	const parts = importParts({
		source, text, source6, families, names,
	});
	const missing = families.filter(family => parts.every(part => !part.families.includes(family)));
	if (missing.length > 0 && parts.some(part => part.families.length > 0)) {
		throw missingFamily(source, missing, {families, names});
	}

	const language: RuleLanguage = parts.some(({kind}) => kind === 'nft' || kind === 'nft-json') ? 'nft' : 'iptables';
	const {inputs} = inputsOfParts(parts, request, {language});
	const shared = {
		beside: [...new Set(parts.flatMap(({beside}) => beside))],
		lines: new Map(parts.flatMap(({lines}) => [...lines])),
		places: placesOf(parts, source6 === undefined ? [source] : [source, source6]),
	};
	return {inputs: inputs.map(input => ({...input, ...shared})), missing: []};
}

/**
The rules of imported texts, for each requested back end; by default for the usual one of their language.

@throws {TestbedError} USAGE for a back end that cannot install them.
*/
export function inputsOfParts(parts: readonly Imported[], {source, families, backends}: InputRequest, {language}: {readonly language: RuleLanguage}): LoadedInputs {
	const ruleSet = restrictToFamilies({tables: parts.flatMap(part => part.ruleSet.tables)}, families);
	const wanted = backends ?? [defaultBackendOf(language)];
	const foreign = wanted.find(backend => languageOf(backend) !== language);
	if (foreign !== undefined) {
		const possible = backendsOf(language);
		throw new TestbedError('USAGE', {message: `${source} holds ${nameOfLanguage(language)}, which --backend ${foreign} cannot install.`, hint: possible.length === 1 ? 'Omit --backend.' : `Use ${possible.join(' or ')}.`});
	}

	const mesh = meshOf({source, ruleSet});
	const intent = mesh.intentOf(ruleSet);
	const shared = {
		source,
		release: null,
		mesh,
		ruleSet,
		routing: mesh.routing(intent, families, ruleSet),
		warnings: [...parts.flatMap(({warnings}) => warnings), ...manglings(ruleSet, {families, backend: wanted[0]!}), ...opaqueWarnings(parts)],
		notes: mesh.notes(intent),
		intent,
	};
	return {
		inputs: wanted.map((backend): RuleInput => ({...shared, backend, reference: mesh.reference(intent, {families, backend}, ruleSet)})),
		missing: [],
	};
}

/** A single dump may cover either family or both: its text tells, and only if it does not, the requested families decide. Of two dumps, each covers one family. */
function importParts({source, names, text, source6, families}: Pick<InputRequest, 'source' | 'text' | 'source6' | 'families'> & {readonly names: InputOptions}): readonly Imported[] {
	if (source6 !== undefined) {
		const read = (file: string, family: AddressFamily, own: () => string): Imported => {
			try {
				return importRules(own(), {family});
			} catch (error) {
				throw error instanceof ParseError ? new TestbedError('INPUT', {message: `${file}: ${error.message}`, state: 'Nothing was installed.', cause: error}) : error;
			}
		};

		return doAll([() => read(source, 'ipv4', () => text ?? readSource(source, names.rules)), () => read(source6, 'ipv6', () => readSource(source6, names.rules6))], {heading: () => 'Both dumps cannot be used:'});
	}

	const [only, ...others] = families;
	return [importRules(text ?? readSource(source, names.rules), only === 'ipv6' && others.length === 0 ? {fallback: 'ipv6'} : {})];
}

/**
The families that a dump covers, for callers that must choose before the rules are loaded; undefined if the text cannot be parsed, which is reported when it is loaded.
*/
export function familiesOfDump(text: string): readonly AddressFamily[] | undefined {
	try {
		return importRules(text).families;
	} catch (error) {
		if (error instanceof ParseError) {
			return undefined;
		}

		throw error;
	}
}

/** Warns of chains whose names differ from those of a mesh's correct rules only in underscores: Markdown reads underscores as emphasis, and translators write hyphens. */
function manglings(ruleSet: RuleSet, place: RulesPlace): readonly string[] {
	const namesOf = ({tables}: RuleSet): ReadonlySet<string> => new Set(tables.flatMap(({chains}) => chains.map(({name}) => name)));
	const bare = (name: string): string => name.replaceAll(/[-_]/gu, '');
	const right = new Set(meshes.flatMap(mesh => [...namesOf(mesh.reference(mesh.intentOf({tables: []}), place))]));
	const pairs = [...namesOf(ruleSet)].flatMap(name => {
		const meant = right.has(name) ? undefined : [...right].find(candidate => bare(candidate) === bare(name));
		return meant === undefined ? [] : [`${name} (${meant})`];
	});
	return pairs.length === 0 ? [] : [`Chain names differ from the mesh's own only in underscores: ${pairs.join(', ')}. Markdown and translators remove underscores. If that happened here, put them back; without them the rules are not recognized.`];
}

/** The source places of rules. Standard input has none: it is not a file that can be opened. */
function placesOf(parts: readonly Imported[], sources: readonly string[]): ReadonlyMap<Rule, Place> {
	return new Map(parts.flatMap(({lines}, index) => sources[index] === '-' ? [] : [...lines].map(([rule, line]) => [rule, {file: sources[index]!.replace(/^file:/u, ''), line}])));
}

function missingFamily(source: string, missing: readonly AddressFamily[], {families, names: {rules6}}: {readonly families: readonly AddressFamily[]; readonly names: InputOptions}): TestbedError {
	if (!missing.includes('ipv6')) {
		return new TestbedError('USAGE', {message: `${source} is an IPv6 dump, but IPv4 was requested.`, hint: 'Use --family ipv6.'});
	}

	return families.length === 1
		? new TestbedError('USAGE', {message: `${source} is an IPv4 dump, but IPv6 was requested. A pod without IPv6 rules captures no IPv6 traffic at all.`, hint: `If the pod has IPv6 rules, add the output of ip6tables-save: ${rules6} FILE.`})
		: new TestbedError('USAGE', {message: `${source} is an IPv4 dump, but IPv6 was requested as well.`, hint: `Add ${rules6} FILE, or use --family ipv4.`});
}

/** Names the parts that were not understood. They are installed as they are. */
function opaqueWarnings(parts: readonly Imported[]): readonly string[] {
	const opaque = parts.flatMap(part => part.opaque);
	return opaque.length === 0
		? []
		: [`Partly not understood, but installed as they are: ${opaque.map(({table, chain, number, parts: words}) => `${printStep(table, chain, number)} (${words.join('; ')})`).join(', ')}.`];
}
