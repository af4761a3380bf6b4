/**
`release:1.30 --redirect-dns`: the rules that istio-iptables writes.
*/

import {parseReleaseInputs, type ReleaseInput} from '../../src/istio/options/arguments.js';
import {
	canGenerate, generate, generatedRefusal, programFailure,
} from '../../src/istio/generate.js';
import {releaseLines} from '../../src/istio/releases.js';
import {sidecarRouting} from '../../src/istio/routing.js';
import {intentOf, unsupportedOptions} from '../../src/istio/intent.js';
import {istio} from '../../src/istio/mesh.js';
import {backendsOf, defaultBackend, languageOf} from '../../src/netfilter/backends.js';
import type {Backend} from '../../src/netfilter/types.js';
import {quote} from '../../src/report/terminal/shell-quote.js';
import {TestbedError} from '../errors.js';
import {commandLine} from '../system/program-name.js';
import type {RuleInput} from './types.js';
import {usualOptions, type InputRequest, type LoadedInputs} from './request.js';

/**
Reads a release input, which may name several releases.

@throws {InputError} naming the option; {TestbedError} USAGE or INPUT if the combination is impossible.
*/
export function ofReleases(request: InputRequest): LoadedInputs {
	if (request.source6 !== undefined) {
		throw new TestbedError('USAGE', {message: `${(request.options ?? usualOptions).rules6} works only with a dump; a release includes the rules of both families.`});
	}

	const {inputs: known, refused} = parseReleaseInputs(request.source);
	const {inputs, missing} = releaseInputs(known, request);
	const backends = backendsFor([...known, ...refused.map(({release}) => ({release, native: false}))], request.backends);
	return {
		inputs,
		missing: [...refused.flatMap(({release, reason}) => backends.map(backend => ({
			source: request.source, release: release.name, backend, reason: `It rejects the options: ${reason}.`,
		}))), ...missing],
	};
}

/**
The rules of releases with their options, for each requested back end. Combinations that do not exist are listed as missing; if only one was requested, that is an error.

@throws {TestbedError} USAGE or INPUT.
*/
export function releaseInputs(releases: readonly ReleaseInput[], {source, families, backends, dnsServers, isForShow}: InputRequest): LoadedInputs {
	const withoutExpectation = new Map(isForShow === true
		? []
		: releases.flatMap(input => {
			const unsupported = unsupportedOptions({options: input.options, features: input.release.features, families});
			return unsupported.length === 0 ? [] : [[input, `The six types have no expectation for ${unsupported.join(', ')}.`] as const];
		}));
	const asked = backendsFor(releases, backends).flatMap(backend => releases.map(release => ({backend, release})));
	const cannot = asked.flatMap(entry => {
		const {backend, release} = entry;
		// Rules that fail in a pod can be shown, with a warning, but not run.
		const failure = isForShow === true ? undefined : programFailure({...release, backend});
		const reason = canGenerate(release.release, backend) ? failure ?? withoutExpectation.get(release) : noNative();
		return reason === undefined ? [] : [{entry, reason}];
	});
	const [first] = cannot;
	if (first !== undefined && releases.length === 1 && asked.length === 1) {
		throw new TestbedError('INPUT', {
			message: `${source}: ${first.reason}`,
			state: 'Nothing was installed.',
			hint: languageOf(first.entry.backend) === 'nft' ? `Use --backend ${backendsOf('iptables').join(' or ')}.` : `The rules can still be printed: ${commandLine(`rules ${quote(source)}`)}`,
		});
	}

	return {
		inputs: asked.filter(entry => cannot.every(other => other.entry !== entry)).map(({backend, release}) => ofRelease(source, release, {
			families, backend, dnsServers,
		})),
		missing: cannot.map(({entry: {backend, release: {release}}, reason}) => ({
			source, release: release.name, backend, reason,
		})),
	};
}

/** The requested back ends, or those that the input implies: nftables with the native flag; both of iptables for several releases, which are meant to be compared; the default one for a single release. */
function backendsFor(releases: ReadonlyArray<Pick<ReleaseInput, 'release' | 'native'>>, asked: readonly Backend[] | undefined): readonly Backend[] {
	if (releases.some(({native}) => native)) {
		const other = asked?.find(backend => languageOf(backend) !== 'nft');
		if (other !== undefined) {
			throw new TestbedError('USAGE', {message: `--native-nftables writes native nft rules, but --backend names ${other}.`, hint: 'Remove one of the two.'});
		}

		return backendsOf('nft');
	}

	return asked ?? (releases.length > 1 ? backendsOf('iptables') : [defaultBackend]);
}

function noNative(): string {
	const first = releaseLines.find(({features}) => features.nativeNftables);
	return `It writes no native nftables rules${first === undefined ? '' : `; the first release that does is ${first.name}`}.`;
}

/** The rules of one release for one back end. */
function ofRelease(source: string, input: ReleaseInput, {families, backend, dnsServers}: Pick<InputRequest, 'families' | 'dnsServers'> & {readonly backend: Backend}): RuleInput {
	const options = dnsServers === undefined ? input.options : {...input.options, ...serversOf(dnsServers)};
	const {release} = input;
	const ruleSet = generate({
		release, options, families, backend,
	});
	const refused = [generatedRefusal(ruleSet, backend), programFailure({...input, options, backend})].filter(reason => reason !== undefined);
	return {
		source,
		release: release.asked,
		mesh: istio,
		backend,
		ruleSet,
		routing: sidecarRouting(options, families, release),
		warnings: [...input.warnings, ...refused],
		notes: release.note === undefined ? [] : [release.note],
		reference: ruleSet,
		intent: intentOf({options, release}),
	};
}

function serversOf(servers: readonly string[]): Pick<ReleaseInput['options'], 'dnsServersV4' | 'dnsServersV6'> {
	return {dnsServersV4: servers.filter(server => !server.includes(':')), dnsServersV6: servers.filter(server => server.includes(':'))};
}
