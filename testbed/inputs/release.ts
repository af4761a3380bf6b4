/**
`release:1.30 --redirect-dns`: the rules that istio-iptables writes.
*/

import {parseReleaseInputs, type ReleaseInput} from '../../src/istio/options/arguments.js';
import {canGenerate, generate, generatedRefusal} from '../../src/istio/generate.js';
import {releaseLines} from '../../src/istio/releases.js';
import {sidecarRouting} from '../../src/istio/routing.js';
import {intentOf, unsupportedOptions} from '../../src/istio/intent.js';
import {backendsOf, defaultBackend, languageOf} from '../../src/netfilter/backends.js';
import type {Backend} from '../../src/netfilter/types.js';
import {TestbedError} from '../errors.js';
import type {RuleInput} from './types.js';
import type {InputRequest, LoadedInputs} from './request.js';

/**
Reads a release input, which may stand for many.

@throws {InputError} naming the option; {TestbedError} USAGE or INPUT for what cannot be asked for.
*/
export function ofReleases(request: InputRequest): LoadedInputs {
	if (request.source6 !== undefined) {
		throw new TestbedError('USAGE', {message: '--rules6 goes with a dump in --rules; a release writes the rules of both families itself.'});
	}

	const {inputs: known, refused} = parseReleaseInputs(request.source);
	const {inputs, missing} = releaseInputs(known, request);
	const backends = backendsFor([...known, ...refused.map(({release}) => ({release, native: false}))], request.backends);
	return {
		inputs,
		missing: [...refused.flatMap(({release, reason}) => backends.map(backend => ({
			source: request.source, release: release.name, backend, reason: `It refuses the options: ${reason}.`,
		}))), ...missing],
	};
}

/**
The rules of releases with their options, by each back end asked for. Of several, what cannot be is named; of one, it is an error.

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
		const reason = canGenerate(entry.release.release, entry.backend) ? withoutExpectation.get(entry.release) : noNative();
		return reason === undefined ? [] : [{entry, reason}];
	});
	const [first] = cannot;
	if (first !== undefined && releases.length === 1 && asked.length === 1) {
		throw new TestbedError('INPUT', {
			message: `${source}: ${first.reason}`,
			state: 'Nothing was installed.',
			hint: languageOf(first.entry.backend) === 'nft' ? `Choose --backend ${backendsOf('iptables').join(' or ')}.` : 'The rules themselves can be looked at: testbed rules',
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

/** The back ends asked for, or those that the input means: native where its flag is given; both of iptables for many releases, which are there for comparing; one for a single release, which is there for looking at. */
function backendsFor(releases: ReadonlyArray<Pick<ReleaseInput, 'release' | 'native'>>, asked: readonly Backend[] | undefined): readonly Backend[] {
	if (releases.some(({native}) => native)) {
		const other = asked?.find(backend => languageOf(backend) !== 'nft');
		if (other !== undefined) {
			throw new TestbedError('USAGE', {message: `--native-nftables writes native nft rules, and --backend asks for ${other}.`, hint: 'Leave one of the two out.'});
		}

		return backendsOf('nft');
	}

	return asked ?? (releases.length > 1 ? backendsOf('iptables') : [defaultBackend]);
}

function noNative(): string {
	const first = releaseLines.find(({features}) => features.nativeNftables);
	return `It writes no native nftables rules${first === undefined ? '' : `; ${first.name} is the first that does`}.`;
}

/** One release by one back end. */
function ofRelease(source: string, input: ReleaseInput, {families, backend, dnsServers}: Pick<InputRequest, 'families' | 'dnsServers'> & {readonly backend: Backend}): RuleInput {
	const options = dnsServers === undefined ? input.options : {...input.options, ...serversOf(dnsServers)};
	const {release} = input;
	const ruleSet = generate({
		release, options, families, backend,
	});
	const refusal = generatedRefusal(ruleSet, backend);
	return {
		source,
		release: release.asked,
		backend,
		ruleSet,
		routing: sidecarRouting(options, families, release),
		warnings: refusal === undefined ? input.warnings : [...input.warnings, refusal],
		notes: release.note === undefined ? [] : [release.note],
		reference: ruleSet,
		intent: intentOf(options, release.features),
	};
}

function serversOf(servers: readonly string[]): Pick<ReleaseInput['options'], 'dnsServersV4' | 'dnsServersV6'> {
	return {dnsServersV4: servers.filter(server => !server.includes(':')), dnsServersV6: servers.filter(server => server.includes(':'))};
}
