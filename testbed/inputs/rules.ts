/**
What `--rules` names → rules and what they are meant to do. Nothing is installed before all of it has been understood.
*/

import {familyNames} from '../../src/netfilter/address.js';
import {InputError} from '../../src/parsing/input-error.js';
import {ParseError} from '../../src/netfilter/parse-error.js';
import {conntrackNeedOf} from '../../src/netfilter/conntrack-need.js';
import {baseChainOf, tablesOf} from '../../src/netfilter/lookup.js';
import type {Backend, RuleSet} from '../../src/netfilter/types.js';
import {addressFamilies} from '../../src/scenario/topology.js';
import {TestbedError} from '../errors.js';
import type {RuleInput} from './types.js';
import {ofAmbient} from './ambient.js';
import {ofDump} from './dump.js';
import {checkModules} from './check-modules.js';
import {ofPod} from './pod.js';
import {ofReleases} from './release.js';
import type {InputRequest, LoadedInputs} from './request.js';
import {fullSource, kindOfSource, type SourceKind} from './source.js';

/**
Reads a rule input that stands for one rule set.

@throws {TestbedError} INPUT when it is not understood, USAGE when it stands for several.
*/
export function loadRuleInput({backend, ...request}: Omit<InputRequest, 'backends'> & {readonly backend?: Backend}): RuleInput {
	const {inputs, missing} = loadRuleInputs({...request, ...(backend === undefined ? {} : {backends: [backend]})});
	const [input] = inputs;
	if (input === undefined || inputs.length > 1) {
		throw new TestbedError('USAGE', {message: missing[0]?.reason ?? `${request.source} names ${inputs.length} rule sets; one is due here.`});
	}

	return input;
}

/**
Reads a rule input.

@throws {TestbedError} INPUT when it is not understood, with the line of a dump or the name of an option.
*/
export function loadRuleInputs(given: InputRequest): LoadedInputs {
	const {source, notes} = given.text === undefined ? fullSource(given.source) : {source: given.source, notes: []};
	const request: InputRequest = {...given, source};
	const {release, cni} = request;
	if (kindOfSource(source) !== 'pod' && (release !== undefined || cni === true)) {
		throw new TestbedError('USAGE', {message: `${cni === true ? '--cni' : '--release'} goes with pod:FILE; ${source} says itself how its rules come about.`});
	}

	try {
		const {inputs, missing} = (request.text === undefined ? readers[kindOfSource(source)] : ofDump)(request);
		return {inputs: inputs.map(input => checked({...input, notes: [...notes, ...input.notes], warnings: [...input.warnings, ...idleNatOf(input.ruleSet)]}, request)), missing};
	} catch (error) {
		if (error instanceof InputError || error instanceof ParseError) {
			throw new TestbedError('INPUT', {message: `--rules ${source}: ${error.message}`, state: 'Nothing was installed.', cause: error});
		}

		throw error;
	}
}

function checked(input: RuleInput, {allowModules = false}: InputRequest): RuleInput {
	const allowedModules = checkModules(input, allowModules);
	return allowedModules.length === 0 ? input : {...input, allowedModules};
}

/** Says of which families nat holds rules that no packet will ever be asked about. */
function idleNatOf(ruleSet: RuleSet): readonly string[] {
	return addressFamilies
		.filter(family => {
			const tables = tablesOf(ruleSet, family);
			return conntrackNeedOf(tables) === 'no' && tables.some(table => table.chains.some(chain => baseChainOf(table, chain)?.type === 'nat' && chain.rules.length > 0));
		})
		.map(family => `${familyNames[family]}: no rule here turns conntrack on (REDIRECT, DNAT and a conntrack match do), so the kernel asks nat about no packet, and no path shows its rules.`);
}

/** The reader of each kind of input. */
const readers: Readonly<Record<SourceKind, (request: InputRequest) => LoadedInputs>> = {
	release: ofReleases, ambient: ofAmbient, 'ambient-host': ofAmbient, pod: ofPod, file: ofDump, stdin: ofDump,
};
