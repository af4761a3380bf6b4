/**
A pod of a cluster by its name, and what was read of it. Plain data.
*/

import {TestbedError} from '../errors.js';
import type {LivePod} from '../live/live-pod.js';

/** A pod by its name, `NAMESPACE/POD[/CONTAINER]`. The container's processes are those that a debug container sees. */
export type PodName = {readonly namespace: string; readonly pod: string; readonly container: string | undefined};

/** How to reach the cluster, as for kubectl; and the image of the debug container that reads the pod's rules, if they are to be read. Undefined: what kubectl would use; the manifest alone. */
export type ClusterChoices = {readonly kubeconfig?: string | undefined; readonly context?: string | undefined; readonly debugImage?: string | undefined};

/** What was read of a pod. */
export type ClusterPod = {
	/** The pod in words: `pod shop/cart (context kind)`. */
	readonly place: string;
	/** The pod as the API has it, in JSON. */
	readonly manifest: string;
	/** Its addresses, `status.podIPs`, in order. */
	readonly addresses: readonly string[];
	/** What a debug container found in its network namespace; null if none was asked for. */
	readonly live: LivePod | null;
	/** What the user must know about the reading, one sentence each. */
	readonly notes: readonly string[];
};

/** Names of Kubernetes objects: a DNS label (RFC 1123), and several of them with dots. */
const label = String.raw`[a-z\d](?:[-a-z\d]{0,61}[a-z\d])?`;
const pattern = new RegExp(String.raw`^(?<namespace>${label})/(?<pod>${label}(?:\.${label})*)(?:/(?<container>${label}))?$`, 'u');

/**
A pod's name, of what follows `kubectl:`.

@throws {TestbedError} USAGE for a text that cannot be one.
*/
export function parsePodName(name: string): PodName {
	const groups = pattern.exec(name)?.groups;
	if (groups === undefined || name.length > 400) {
		throw new TestbedError('USAGE', {
			message: name === '' ? 'kubectl: names nothing (an unset variable?).' : `kubectl:${name} is not the name of a pod: expected NAMESPACE/POD or NAMESPACE/POD/CONTAINER.`,
			hint: 'For example: kubectl:default/cart-6f7c9. kubectl get pods --all-namespaces shows the names.',
		});
	}

	return {namespace: groups['namespace']!, pod: groups['pod']!, container: groups['container']};
}

/** The name as the user writes it. */
export function printPodName({namespace, pod, container}: PodName): string {
	return [namespace, pod, ...container === undefined ? [] : [container]].join('/');
}
