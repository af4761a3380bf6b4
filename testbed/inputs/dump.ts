/**
A file, or standard input: rules that somebody brought.
*/

import {generateAmbient} from '../../src/istio/ambient/generate.js';
import {defaultAmbientOptions} from '../../src/istio/ambient/options.js';
import {ambientRouting} from '../../src/istio/ambient/routing.js';
import {parseReleaseInput} from '../../src/istio/options/arguments.js';
import {generate} from '../../src/istio/generate.js';
import {sidecarRouting} from '../../src/istio/routing.js';
import {backendsOf, defaultBackendOf, languageOf} from '../../src/netfilter/backends.js';
import {importRules, type Imported} from '../../src/netfilter/import/import-rules.js';
import {restrictToFamilies} from '../../src/netfilter/lookup.js';
import {printStep} from '../../src/netfilter/path.js';
import {nameOfLanguage} from '../../src/netfilter/rule-texts.js';
import type {
	AddressFamily, Backend, Rule, RuleLanguage, RuleSet,
} from '../../src/netfilter/types.js';
import type {Place} from '../../src/report/shared-types.js';
import {TestbedError} from '../errors.js';
import {meshOf} from './meshes.js';
import type {RuleInput} from './types.js';
import {
	defaultInput, readSource, type InputRequest, type LoadedInputs,
} from './request.js';

/**
A dump of any kind: of iptables, an init container's log, or native nft.

@throws {ParseError} with the line; {TestbedError} INPUT or USAGE.
*/
export function ofDump({source, text, source6, families, backends}: InputRequest): LoadedInputs {
	const parts = importParts({
		source, text, source6, families,
	});
	const language: RuleLanguage = parts.some(({kind}) => kind === 'nft' || kind === 'nft-json') ? 'nft' : 'iptables';
	const ruleSet = restrictToFamilies({tables: parts.flatMap(part => part.ruleSet.tables)}, families);
	const missing = families.filter(family => parts.every(part => !part.families.includes(family)));
	if (missing.length > 0 && parts.some(part => part.families.length > 0)) {
		throw missingFamily(source, missing);
	}

	const wanted = backends ?? [defaultBackendOf(language)];
	const foreign = wanted.find(backend => languageOf(backend) !== language);
	if (foreign !== undefined) {
		const possible = backendsOf(language);
		throw new TestbedError('USAGE', {message: `${source} holds ${nameOfLanguage(language)}, which --backend ${foreign} cannot install.`, hint: possible.length === 1 ? 'Leave --backend out.' : `Choose ${possible.join(' or ')}.`});
	}

	const intent = meshOf({source, ruleSet}).intentOf(ruleSet);
	const {release, options: injected} = parseReleaseInput(defaultInput);
	const options = {...injected, inboundInterceptionMode: intent.inboundInterceptionMode, inboundTproxyMark: intent.inboundTproxyMark};
	/** What a correct set of its kind would be. */
	const referenceFor = (backend: Backend): RuleSet => intent.ambient === undefined
		? generate({
			release, options, families, backend,
		})
		: generateAmbient({options: {...defaultAmbientOptions, ingress: intent.ambient.ingress}, families, backend});
	const shared = {
		source,
		release: null,
		ruleSet,
		routing: intent.ambient === undefined ? sidecarRouting(options, families, release) : ambientRouting(families),
		warnings: [...parts.flatMap(({warnings}) => warnings), ...opaqueWarnings(parts)],
		notes: [],
		lines: new Map(parts.flatMap(({lines}) => [...lines])),
		places: placesOf(parts, source6 === undefined ? [source] : [source, source6]),
		intent,
	};
	return {
		inputs: wanted.map((backend): RuleInput => ({...shared, backend, reference: referenceFor(backend)})),
		missing: [],
	};
}

/** A single dump may be of either family or of both; two are of one each. */
function importParts({source, text = readSource(source), source6, families}: Pick<InputRequest, 'source' | 'text' | 'source6' | 'families'>): readonly Imported[] {
	if (source6 !== undefined) {
		return [importRules(text, {family: 'ipv4'}), importRules(readSource(source6, '--rules6'), {family: 'ipv6'})];
	}

	const [only, ...others] = families;
	return [importRules(text, only === 'ipv6' && others.length === 0 ? {family: 'ipv6'} : {})];
}

/** Standard input is no file that anybody could open. */
function placesOf(parts: readonly Imported[], sources: readonly string[]): ReadonlyMap<Rule, Place> {
	return new Map(parts.flatMap(({lines}, index) => sources[index] === '-' ? [] : [...lines].map(([rule, line]) => [rule, {file: sources[index]!.replace(/^file:/u, ''), line}])));
}

function missingFamily(source: string, missing: readonly AddressFamily[]): TestbedError {
	return missing.includes('ipv6')
		? new TestbedError('USAGE', {message: `${source} is an IPv4 dump, and IPv6 was asked for as well.`, hint: 'Add --rules6 FILE, or ask for --family ipv4.'})
		: new TestbedError('USAGE', {message: `${source} is an IPv6 dump, and IPv4 was asked for.`, hint: 'Ask for --family ipv6.'});
}

/** What is not understood is installed as it is, and named. */
function opaqueWarnings(parts: readonly Imported[]): readonly string[] {
	const opaque = parts.flatMap(part => part.opaque);
	return opaque.length === 0
		? []
		: [`Not understood in part, and installed as they are: ${opaque.map(({table, chain, number, parts: words}) => `${printStep(table, chain, number)} (${words.join('; ')})`).join(', ')}.`];
}
