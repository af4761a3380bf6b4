/**
Reads what `--rules` names into rules and their intent. Nothing is installed before all of it has been parsed.
*/

import {familyNames} from '../../src/netfilter/address.js';
import {InputError} from '../../src/parsing/input-error.js';
import {ParseError} from '../../src/netfilter/parse-error.js';
import {conntrackNeedOf} from '../../src/netfilter/conntrack-need.js';
import {printRing, ringIn} from '../../src/netfilter/chain-rings.js';
import {baseChainOf, tablesOf} from '../../src/netfilter/lookup.js';
import type {Backend, RuleSet} from '../../src/netfilter/types.js';
import {addressFamilies} from '../../src/mesh/topology.js';
import {TestbedError} from '../errors.js';
import type {RuleInput} from './types.js';
import {ofAmbient} from './ambient.js';
import {ofDump} from './dump.js';
import {checkModules} from './check-modules.js';
import {ofCluster} from './cluster.js';
import {ofLive} from './live.js';
import {ofPod} from './pod.js';
import {ofReleases} from './release.js';
import type {InputRequest, LoadedInputs} from './request.js';
import {fullSource, kindOfSource, type SourceKind} from './source.js';

/**
Reads a rule input that names one rule set.

@throws {TestbedError} INPUT if it cannot be parsed, USAGE if it names several.
*/
export function loadRuleInput({backend, ...request}: Omit<InputRequest, 'backends'> & {readonly backend?: Backend}): RuleInput {
	const {inputs, missing} = loadRuleInputs({...request, ...(backend === undefined ? {} : {backends: [backend]})});
	const [input] = inputs;
	if (input === undefined || inputs.length > 1) {
		throw new TestbedError('USAGE', {message: missing[0]?.reason ?? `${request.source} names ${inputs.length} rule sets, but only one can be used here.`});
	}

	return input;
}

/**
Reads a rule input.

@throws {TestbedError} INPUT if it cannot be parsed, with the line of a dump or the name of an option.
*/
export function loadRuleInputs(given: InputRequest): LoadedInputs {
	const {source, notes} = given.text === undefined ? fullSource(given.source) : {source: given.source, notes: []};
	const request: InputRequest = {...given, source};
	const {release, cni} = request;
	if (!['pod', 'kubectl'].includes(kindOfSource(source)) && (release !== undefined || cni === true)) {
		throw new TestbedError('USAGE', {message: `${cni === true ? '--cni' : '--release'} works only with pod:FILE and kubectl:, but the rules are ${source}.`});
	}

	try {
		const {inputs, missing} = (request.text === undefined ? readers[kindOfSource(source)] : ofDump)(request);
		return {inputs: inputs.map(input => checked({...input, notes: [...notes, ...input.notes], warnings: [...input.warnings, ...idleNatOf(input.ruleSet)]}, request)), missing};
	} catch (error) {
		if (error instanceof InputError || error instanceof ParseError) {
			throw new TestbedError('INPUT', {message: `${source}: ${error.message}`, state: 'Nothing was installed.', cause: error});
		}

		throw error;
	}
}

function checked(input: RuleInput, {allowModules = false}: InputRequest): RuleInput {
	refuseRing(input);
	const allowedModules = checkModules(input, allowModules);
	return allowedModules.length === 0 ? input : {...input, allowedModules};
}

/**
Refuses chains that jump in a loop. Here all of them can be named; the kernel would only say "Too many links".

@throws {TestbedError} INPUT.
*/
export function refuseRing({source, ruleSet, lines}: Pick<RuleInput, 'source' | 'ruleSet' | 'lines'>): void {
	const ring = ringIn(ruleSet);
	if (ring === undefined) {
		return;
	}

	const numbers = ring.flatMap(({rule}) => lines?.get(rule) ?? []);
	const where = numbers.length === 0 ? `table ${ring[0].table}` : (numbers.length === 1 ? `line ${numbers[0]!}` : `lines ${numbers.join(', ')}`);
	throw new TestbedError('INPUT', {
		message: ring.length === 1
			? `${source}: ${where}: chain ${ring[0].chain.name} jumps to itself, which the kernel rejects.`
			: `${source}: ${where}: the chains ${printRing(ring)} jump in a loop, which the kernel rejects.`,
		state: 'Nothing was installed.',
		hint: 'Let one of them RETURN, or jump elsewhere.',
	});
}

/** Warns of families with nat rules that no packet will ever reach. */
function idleNatOf(ruleSet: RuleSet): readonly string[] {
	return addressFamilies
		.filter(family => {
			const tables = tablesOf(ruleSet, family);
			return conntrackNeedOf(tables) === 'no' && tables.some(table => table.chains.some(chain => baseChainOf(table, chain)?.type === 'nat' && chain.rules.length > 0));
		})
		.map(family => `${familyNames[family]}: no rule turns conntrack on (REDIRECT, DNAT or a conntrack match would), so packets never reach the nat rules, and no path shows them.`);
}

/** The reader of each kind of input. */
const readers: Readonly<Record<SourceKind, (request: InputRequest) => LoadedInputs>> = {
	release: ofReleases, ambient: ofAmbient, 'ambient-host': ofAmbient, pod: ofPod, file: ofDump, stdin: ofDump, netns: ofLive, pid: ofLive, container: ofLive, kubectl: ofCluster,
};
