/**
`release:1.30 --redirect-dns`: the rules that istio-iptables writes.
*/

import {parseReleaseInputs, type ReleaseInput} from '../../src/istio/arguments.js';
import {generate} from '../../src/istio/generate.js';
import {refusalOf} from '../../src/istio/nftables/refusal.js';
import {releaseLines} from '../../src/istio/releases.js';
import {sidecarRouting} from '../../src/istio/routing.js';
import {iptablesBackends, type Backend} from '../../src/netfilter/types.js';
import {intentOf, unsupportedOptions} from '../../src/scenario/intent.js';
import {TestbedError} from '../errors.js';
import type {RuleInput} from '../options.js';
import type {InputRequest, LoadedInputs} from './request.js';

/**
Reads a release input, which may stand for many.

@throws {InputError} naming the option; {TestbedError} USAGE or INPUT for what cannot be asked for.
*/
export function ofReleases({source, source6, families, backends, dnsServers, isForShow}: InputRequest): LoadedInputs {
	if (source6 !== undefined) {
		throw new TestbedError('USAGE', {message: '--rules6 goes with a dump in --rules; a release writes the rules of both families itself.'});
	}

	const releases = parseReleaseInputs(source);
	const asked = backendsFor(releases, backends).flatMap(backend => releases.map(release => ({backend, release})));
	const cannot = asked.filter(({backend, release: {release}}) => backend === 'nftables' && !release.features.nativeNftables);
	if (cannot.length > 0 && releases.length === 1) {
		throw new TestbedError('INPUT', {message: `${source}: release ${releases[0]!.release.name} ${noNative()}`, state: 'Nothing was installed.', hint: 'Choose --backend iptables-nft or iptables-legacy.'});
	}

	return {
		inputs: asked.filter(entry => !cannot.includes(entry)).map(({backend, release}) => ofRelease(source, release, {
			families, backend, dnsServers, isForShow,
		})),
		missing: cannot.map(({backend, release: {release}}) => ({
			source, release: release.name, backend, reason: noNative(),
		})),
	};
}

/** The back ends asked for, or those that the input means: native where its flag is given; both of iptables for many releases, which are there for comparing; one for a single release, which is there for looking at. */
export function backendsFor(releases: readonly ReleaseInput[], asked: readonly Backend[] | undefined): readonly Backend[] {
	if (releases.some(({native}) => native)) {
		const other = asked?.find(backend => backend !== 'nftables');
		if (other !== undefined) {
			throw new TestbedError('USAGE', {message: `--native-nftables writes native nft rules, and --backend asks for ${other}.`, hint: 'Leave one of the two out.'});
		}

		return ['nftables'];
	}

	return asked ?? (releases.length > 1 ? iptablesBackends : ['iptables-nft']);
}

function noNative(): string {
	const first = releaseLines.find(({features}) => features.nativeNftables);
	return `writes no native nftables rules${first === undefined ? '' : `; ${first.name} is the first that does`}.`;
}

/**
One release by one back end.

@throws {TestbedError} INPUT for options that the types have no expectation for, unless the rules are only looked at.
*/
export function ofRelease(source: string, input: ReleaseInput, {families, backend, dnsServers, isForShow = false}: Pick<InputRequest, 'families' | 'dnsServers' | 'isForShow'> & {readonly backend: Backend}): RuleInput {
	const unsupported = isForShow ? [] : unsupportedOptions(input.options);
	if (unsupported.length > 0) {
		throw new TestbedError('INPUT', {
			message: `${source}: the six types have no expectation for ${unsupported.join(', ')}.`,
			state: 'Nothing was installed.',
			hint: 'The rules themselves can be looked at: testbed rules',
		});
	}

	const options = dnsServers === undefined ? input.options : {...input.options, ...serversOf(dnsServers)};
	const {release} = input;
	const ruleSet = generate({
		release, options, families, backend,
	});
	const refusal = backend === 'nftables' ? refusalOf(ruleSet) : undefined;
	return {
		source,
		release: release.asked,
		backend,
		ruleSet,
		routing: sidecarRouting(options, families, release),
		warnings: refusal === undefined ? input.warnings : [...input.warnings, refusal],
		reference: ruleSet,
		intent: intentOf(options, release.features),
	};
}

function serversOf(servers: readonly string[]): Pick<ReleaseInput['options'], 'dnsServersV4' | 'dnsServersV6'> {
	return {dnsServersV4: servers.filter(server => !server.includes(':')), dnsServersV6: servers.filter(server => server.includes(':'))};
}
