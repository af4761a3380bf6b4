/**
Reads a pod from the API: its manifest, and with a debug container its network namespace.
*/

import {TestbedError} from '../errors.js';
import {loadClient, type ApiPod, type ClientModule} from './client.js';
import {printPodName, type ClusterChoices, type ClusterPod, type PodName} from './cluster-pod.js';
import {connect} from './connect.js';
import {readByContainer, type DebugLimits} from './debug-container.js';
import {asked} from './faults.js';

/** How long to wait, for a person who does. */
export const usualLimits: DebugLimits = {answerMs: 10_000, startMs: 60_000, commandMs: 30_000};

/** What to read, and where. */
export type PodRequest = {readonly name: PodName; readonly choices: ClusterChoices; readonly limits?: DebugLimits | undefined};

/**
Reads a pod.

@throws {TestbedError} MACHINE without the client; UNREADABLE for everything that is in the way.
*/
export async function readPod({name, choices, limits = usualLimits}: PodRequest, client?: ClientModule): Promise<ClusterPod> {
	const loaded = client ?? await loadClient();
	const connection = connect(loaded, choices);
	const api = connection.config.makeApiClient(loaded.CoreV1Api);
	const pod = await asked(async () => api.readNamespacedPod({namespace: name.namespace, name: name.pod}), {
		verb: 'get', resource: 'pods', name, connection, limitMs: limits.answerMs,
	});
	refuseOtherContainer(pod, name);
	const {debugImage: image} = choices;
	const read = image === undefined
		? undefined
		: await readByContainer({
			client: loaded, api, connection, name, image, limits,
		}, pod);
	return {
		place: `pod ${name.namespace}/${name.pod} (context ${connection.context})`,
		manifest: JSON.stringify(pod, null, 2),
		addresses: addressesOf(pod),
		live: read?.live ?? null,
		notes: read === undefined ? [] : [read.note],
	};
}

/** `status.podIPs`; older servers have `podIP` only. */
function addressesOf({status: {podIP: first, podIPs: all = []} = {}}: ApiPod): readonly string[] {
	const listed = all.flatMap(({ip}) => ip ?? []);
	return listed.length === 0 && first !== undefined ? [first] : listed;
}

/** @throws {TestbedError} UNREADABLE if the pod has no container of the name that the user gave. */
function refuseOtherContainer({spec: {containers = [], initContainers = []} = {}}: ApiPod, name: PodName): void {
	const names = [...containers, ...initContainers].map(container => container.name);
	if (name.container !== undefined && !names.includes(name.container)) {
		throw new TestbedError('UNREADABLE', {
			message: `kubectl:${printPodName(name)}: the pod has no container ${name.container}.`, state: 'Its manifest was read, and nothing was changed.', hint: `It has: ${names.join(', ')}.`,
		});
	}
}
