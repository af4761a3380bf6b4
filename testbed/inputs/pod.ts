/**
`pod:FILE`: the rules for a pod manifest.
*/

import {readSidecarArguments, type ReleaseInput} from '../../src/istio/options/arguments.js';
import {podInput} from '../../src/istio/pod/input.js';
import {scrapesIn} from '../../src/istio/pod/scrapes.js';
import type {AppContainer} from '../../src/mesh/other-senders.js';
import {parsePod, type Container, type Pod} from '../../src/istio/pod/pod.js';
import {findRelease} from '../../src/istio/releases.js';
import type {AddressFamily} from '../../src/netfilter/types.js';
import type {ScrapePort} from '../../src/mesh/intent.js';
import {defaultTopology} from '../../src/mesh/topology.js';
import type {Credentials} from '../../src/mesh/traffic.js';
import {TestbedError} from '../errors.js';
import {ambientInputs} from './ambient.js';
import {releaseInputs} from './release.js';
import type {RuleInput} from './types.js';
import {readSource, type InputRequest, type LoadedInputs} from './request.js';

/**
Loads the rules as the manifest's pod would get them: from the init container, istio-cni, or the ambient agent.

@throws {InputError} with line, column and key; {TestbedError} INPUT for a pod without rules.
*/
export function ofPod(request: InputRequest): LoadedInputs {
	return ofManifest(readSource(request.source.slice('pod:'.length)), request);
}

/**
The same for the text of a manifest.

@throws {InputError} and {TestbedError} as {@link ofPod}.
*/
export function ofManifest(text: string, request: InputRequest): LoadedInputs {
	const {source, families, release, cni = false} = request;
	const pod = parsePod(text);
	const found = podInput(pod, {cni, ...(release === undefined ? {} : {release})});
	switch (found.kind) {
		case 'none': {
			throw new TestbedError('INPUT', {
				message: `${source}: ${found.workload} gets no rules: ${found.reason}.`,
				state: 'Nothing was installed.',
				hint: 'A pod without rules has nothing to test.',
			});
		}

		case 'ambient': {
			const {inputs, missing} = ambientInputs(request, found);
			return withWarnings({inputs: inputs.map(input => ({...input, apps: appsOf(pod)})), missing}, podWarnings(found, families));
		}

		case 'sidecar': {
			const known = findRelease(found.release);
			const asked: ReleaseInput = {release: known, ...readSidecarArguments({...found, release: known})};
			const {inputs} = releaseInputs([asked], request);
			const [proxy, apps] = [proxyOf(pod), appsOf(pod)];
			const own = {...(proxy === undefined ? {} : {proxy}), apps, notes: found.notes};
			return withWarnings({inputs: inputs.map(input => ({...withScrapes(input, found.scrapes), ...own})), missing: []}, podWarnings(found, families));
		}
	}
}

/** The rules, meant for a proxy that answers scrapes on further ports. */
function withScrapes(input: RuleInput, asked: readonly ScrapePort[]): RuleInput {
	const {scrapes, warnings} = scrapesIn(input.intent, defaultTopology, asked);
	return {...input, ...(scrapes.length === 0 ? {} : {intent: {...input.intent, scrapes}}), warnings: [...input.warnings, ...warnings.map(text => `${text}.`)]};
}

/** The containers of a manifest's pod with the user that it sets for them, in order; those without one are left out. */
export function containerUsers(text: string): readonly AppContainer[] {
	const pod = parsePod(text);
	return [...pod.containers, ...pod.initContainers].flatMap(container => {
		const user = userOf(container, pod);
		return user === undefined ? [] : [{container: container.name, ...user}];
	});
}

const proxyName = 'istio-proxy';

/** The user of the proxy's container, if the manifest sets it. A container that only customizes the one to be injected gets its user from the template, not from the pod. */
function proxyOf(pod: Pod): Credentials | undefined {
	const proxy = [...pod.containers, ...pod.initContainers].find(({name}) => name === proxyName);
	const isReal = proxy?.image !== undefined && proxy.image !== 'auto';
	return proxy === undefined ? undefined : userOf(proxy, isReal ? pod : undefined);
}

/** The app containers whose user the manifest sets, in the container or for the whole pod. */
function appsOf(pod: Pod): readonly AppContainer[] {
	return pod.containers.filter(({name}) => name !== proxyName).flatMap(container => {
		const user = userOf(container, pod);
		return user === undefined ? [] : [{container: container.name, ...user}];
	});
}

/** A container's security context takes precedence over its pod's (Kubernetes API, core/v1, SecurityContext). A group that is not set comes from the image, where a user's group usually has the same number. */
function userOf({runAsUser, runAsGroup}: Container, pod: Pod | undefined): Credentials | undefined {
	const uid = runAsUser ?? pod?.runAsUser;
	return uid === undefined ? undefined : {uid, gid: runAsGroup ?? pod?.runAsGroup ?? uid};
}

function podWarnings({warnings, families: found}: {readonly warnings: readonly string[]; readonly families: readonly AddressFamily[] | undefined}, asked: readonly AddressFamily[]): readonly string[] {
	const foreign = asked.filter(family => found?.includes(family) === false);
	return [...warnings, ...foreign.map(family => `The pod has no ${family} address, so in the cluster it gets no ${family} rules; here it gets both.`)];
}

function withWarnings({inputs, missing}: LoadedInputs, warnings: readonly string[]): LoadedInputs {
	return {inputs: inputs.map(input => ({...input, warnings: [...warnings, ...input.warnings]})), missing};
}
