/**
`kubectl:NAMESPACE/POD`: the rules of a pod of a cluster, from its manifest, or as a debug container found them.
*/

import {familyOfAddress} from '../../src/netfilter/address.js';
import type {AddressFamily} from '../../src/netfilter/types.js';
import {addressFamilies, defaultTopology, withPodAddresses, type AddressPair} from '../../src/mesh/topology.js';
import {TestbedError} from '../errors.js';
import type {ClusterChoices, ClusterPod} from '../kubernetes/cluster-pod.js';
import type {LivePod} from '../live/live-pod.js';
import {readClusterPod} from '../kubernetes/read-cluster.js';
import {ofLive} from './live.js';
import {containerUsers, ofManifest} from './pod.js';
import {usualOptions, type InputRequest, type LoadedInputs} from './request.js';
import {liveNameOf} from './source.js';

/**
Loads the rules that a pod of a cluster gets by its manifest, or has, if its namespace was read.

@throws {InputError} and {TestbedError} as `ofManifest` and `ofLive`; UNREADABLE for a pod that cannot be read; USAGE.
*/
export function ofCluster(request: InputRequest): LoadedInputs {
	const {source, source6, release, cni, options = usualOptions} = request;
	if (source6 !== undefined) {
		throw new TestbedError('USAGE', {message: `${options.rules6} works only with a dump; a live pod is read in both families.`});
	}

	const pod = request.clusterPod ?? clusterPodOf(source, request.cluster);
	if (pod.live !== null) {
		if (release !== undefined || cni === true) {
			throw new TestbedError('USAGE', {message: `${cni === true ? '--cni' : '--release'} is about rules that are derived from a manifest, and with --debug-image they are read from the pod.`});
		}

		return noted(ofLive({...request, live: withContainers(pod.live, pod)}), pod.notes);
	}

	const own = ownAddressesOf(pod);
	const topology = withPodAddresses(defaultTopology, own);
	const notes = [
		`Derived from the manifest of ${pod.place}. Whether the pod has these rules was not looked at; --debug-image reads those that it has.`,
		...Object.keys(own).length === 0 ? ['The pod has no address yet.'] : [`Its addresses: ${pod.addresses.join(', ')}.`],
		...topology === undefined ? [`The sandbox needs ${Object.values(own).join(' or ')} for another host, so its pod has ${addressFamilies.map(family => defaultTopology.places.pod[family]).join(' and ')}.`] : [],
		...pod.notes,
	];
	const {inputs, missing} = ofManifest(pod.manifest, request);
	return noted({inputs: inputs.map(input => ({...input, ...(topology === undefined ? {} : {topology})})), missing}, notes);
}

/**
What a pod of a cluster holds, by its name.

@throws {TestbedError} as `readClusterPod`.
*/
export function clusterPodOf(source: string, choices?: ClusterChoices): ClusterPod {
	return readClusterPod(liveNameOf(source)!.name, choices);
}

/** A live pod whose listeners have the name and the group of the container that the manifest runs as their user: a debug container does not see the processes. */
function withContainers(live: LivePod, {manifest}: ClusterPod): LivePod {
	const users = containerUsers(manifest);
	return {
		...live, listeners: live.listeners.map(listener => {
			const [first, ...others] = users.filter(({uid}) => uid === listener.uid);
			return first === undefined || others.some(({gid}) => gid !== first.gid) ? listener : {...listener, gid: first.gid, process: first.container};
		}),
	};
}

/** The first address of each family. */
function ownAddressesOf({addresses}: ClusterPod): Partial<AddressPair> {
	return Object.fromEntries(addressFamilies.flatMap(family => {
		const first = addresses.find(address => familyOfAddress(address) === family);
		return first === undefined ? [] : [[family, first] as const];
	}));
}

/** The families in which a pod has an address; both for one without any. */
export function familiesOfAddresses({addresses}: Pick<ClusterPod, 'addresses'>): readonly AddressFamily[] {
	const found = addressFamilies.filter(family => addresses.some(address => familyOfAddress(address) === family));
	return found.length === 0 ? addressFamilies : found;
}

function noted({inputs, missing}: LoadedInputs, notes: readonly string[]): LoadedInputs {
	return {inputs: inputs.map(input => ({...input, notes: [...notes, ...input.notes]})), missing};
}
