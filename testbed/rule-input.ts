/**
What `--rules` names → rules and what they are meant to do. Nothing is installed before all of it has been understood.
*/

import {readFileSync} from 'node:fs';
import {parseReleaseInput, parseReleaseInputs} from '../src/istio/arguments.js';
import {InputError} from '../src/istio/input-error.js';
import {newestRelease} from '../src/istio/releases.js';
import {sidecarRouting} from '../src/istio/routing.js';
import {sidecarRuleSet} from '../src/istio/iptables/sidecar.js';
import {ParseError, parseSave} from '../src/netfilter/save.js';
import type {AddressFamily, Backend, RuleSet} from '../src/netfilter/types.js';
import {intentOf, intentOfRuleSet, unsupportedOptions} from '../src/scenario/intent.js';
import {TestbedError} from './errors.js';
import type {RuleInput} from './options.js';

/** The input that is meant without `--rules`. */
export const defaultInput = `release:${newestRelease.name}`;

/**
Reads a rule input.

@throws {TestbedError} INPUT when it is not understood, with the line of a dump or the name of an option.
*/
export function loadRuleInput({source, source6, families, backend = 'iptables-nft'}: {
	readonly source: string; readonly source6: string | undefined; readonly families: readonly AddressFamily[]; readonly backend?: Backend;
}): RuleInput {
	try {
		return source.startsWith('release:') ? ofRelease({source, source6, families, backend}) : ofDump({source, source6, families, backend});
	} catch (error) {
		if (error instanceof InputError || error instanceof ParseError) {
			throw new TestbedError('INPUT', {message: `--rules ${source}: ${error.message}`, state: 'Nothing was installed.', cause: error});
		}

		throw error;
	}
}

type Asked = {readonly source: string; readonly source6: string | undefined; readonly families: readonly AddressFamily[]; readonly backend: Backend};

function ofRelease({source, source6, families, backend}: Asked): RuleInput {
	if (source6 !== undefined) {
		throw new TestbedError('USAGE', {message: '--rules6 goes with a dump in --rules; a release writes the rules of both families itself.'});
	}

	const inputs = parseReleaseInputs(source);
	const [input] = inputs;
	if (input === undefined || inputs.length > 1) {
		throw new TestbedError('USAGE', {message: `${source} names ${inputs.length} releases; a run takes one.`});
	}

	const unsupported = unsupportedOptions(input.options);
	if (unsupported.length > 0) {
		throw new TestbedError('INPUT', {
			message: `${source}: the six types have no expectation yet for ${unsupported.join(', ')}.`,
			state: 'Nothing was installed.',
			hint: 'The rules themselves can be written and compared; see README.md, "Limits".',
		});
	}

	const ruleSet = sidecarRuleSet(input.release, input.options, families);
	return {
		source,
		release: input.release.asked,
		backend,
		ruleSet,
		routing: sidecarRouting(input.options, families, input.release),
		warnings: input.warnings,
		reference: ruleSet,
		intent: intentOf(input.options),
	};
}

function ofDump({source, source6, families, backend}: Asked): RuleInput {
	const sourceOf = (family: AddressFamily): string => {
		// A single dump is of the single family that was asked for.
		if (family === 'ipv4' || (source6 === undefined && families.length === 1)) {
			return source;
		}

		if (source6 === undefined) {
			throw new TestbedError('USAGE', {message: `${source} is an IPv4 dump, and IPv6 was asked for as well.`, hint: 'Add --rules6 FILE, or ask for --family ipv4.'});
		}

		return source6;
	};

	const tables = families.flatMap(family => parseSave(readSource(sourceOf(family)), family).tables);
	const ruleSet: RuleSet = {tables};
	const {release, options} = parseReleaseInput(defaultInput);
	return {
		source, release: null, backend, ruleSet, routing: sidecarRouting(options, families), warnings: [], reference: sidecarRuleSet(release, options, families), intent: intentOfRuleSet(ruleSet),
	};
}

function readSource(source: string): string {
	const file = source === '-' ? 0 : source.replace(/^file:/u, '');
	try {
		return readFileSync(file, 'utf8');
	} catch (error) {
		throw new TestbedError('INPUT', {
			message: `The rules in ${source} cannot be read: ${(error as Error).message}`,
			hint: 'A rule input is release:VERSION, a file, or - for standard input.',
			cause: error,
		});
	}
}
