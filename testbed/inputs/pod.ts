/**
`pod:FILE`: the rules that a manifest leads to.
*/

import {readSidecarArguments, type ReleaseInput} from '../../src/istio/options/arguments.js';
import {podInput} from '../../src/istio/pod/input.js';
import {parsePod, type Pod} from '../../src/istio/pod/pod.js';
import {findRelease} from '../../src/istio/releases.js';
import type {AddressFamily} from '../../src/netfilter/types.js';
import type {Credentials} from '../../src/scenario/types.js';
import {TestbedError} from '../errors.js';
import {ambientInputs} from './ambient.js';
import {releaseInputs} from './release.js';
import {readSource, type InputRequest, type LoadedInputs} from './request.js';

/**
The rules come about as the manifest says, by the init container, by istio-cni or by the agent of ambient mode.

@throws {InputError} with line, column and key; {TestbedError} INPUT for a pod without rules.
*/
export function ofPod(request: InputRequest): LoadedInputs {
	const {source, families, release, cni = false} = request;
	const pod = parsePod(readSource(source.slice('pod:'.length)));
	const found = podInput(pod, {cni, ...(release === undefined ? {} : {release})});
	switch (found.kind) {
		case 'none': {
			throw new TestbedError('INPUT', {
				message: `${source}: no rules are written for ${found.workload}: ${found.reason}.`,
				state: 'Nothing was installed.',
				hint: 'A pod without rules has nothing to judge.',
			});
		}

		case 'ambient': {
			return withWarnings(ambientInputs(request, found), podWarnings(found, families));
		}

		case 'sidecar': {
			const known = findRelease(found.release);
			const asked: ReleaseInput = {release: known, ...readSidecarArguments({...found, release: known})};
			const {inputs} = releaseInputs([asked], request);
			const proxy = proxyOf(pod);
			return withWarnings({inputs: inputs.map(input => ({...input, ...(proxy === undefined ? {} : {proxy}), notes: found.notes})), missing: []}, podWarnings(found, families));
		}
	}
}

/** Who the container of the proxy runs as, where the manifest says so. A group that is not given is left to the image, whose users have groups of their own number. */
function proxyOf({containers, initContainers}: Pod): Credentials | undefined {
	const proxy = [...containers, ...initContainers].find(({name}) => name === 'istio-proxy');
	return proxy?.runAsUser === undefined ? undefined : {uid: proxy.runAsUser, gid: proxy.runAsGroup ?? proxy.runAsUser};
}

function podWarnings({warnings, families: found}: {readonly warnings: readonly string[]; readonly families: readonly AddressFamily[] | undefined}, asked: readonly AddressFamily[]): readonly string[] {
	const foreign = asked.filter(family => found?.includes(family) === false);
	return [...warnings, ...foreign.map(family => `The pod has no ${family} address, so in the cluster it gets no rules for ${family}; here it has one.`)];
}

function withWarnings({inputs, missing}: LoadedInputs, warnings: readonly string[]): LoadedInputs {
	return {inputs: inputs.map(input => ({...input, warnings: [...warnings, ...input.warnings]})), missing};
}
