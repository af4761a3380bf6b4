/**
The families to load rules for if nobody names any. What has to be read to tell them is read once.
*/

import {addressFamilies} from '../../src/mesh/topology.js';
import {readLive} from '../live/read-live.js';
import {clusterPodOf, familiesOfAddresses} from './cluster.js';
import {familiesOfDump} from './dump.js';
import {familiesOfLive} from './live-families.js';
import {readSource, type InputRequest} from './request.js';
import {isDump, liveNameOf, nodeNameOf} from './source.js';

/** Families, and what was read to tell them. */
export type UsualFamilies = Pick<InputRequest, 'families' | 'text' | 'live' | 'clusterPod'>;

/** The families that a single dump covers, those in which a live pod has an address, and both for anything else. The text of a dump is read here, and must not be read again: it may be standard input. The same goes for a live pod, which may change. */
export function usualFamilies({source, text, source6, cluster}: Pick<InputRequest, 'source' | 'text' | 'source6' | 'cluster'>): UsualFamilies {
	if (text === undefined && liveNameOf(source) !== undefined) {
		return ofLivePod(source, cluster);
	}

	if (source6 !== undefined || (text === undefined && !isDump(source))) {
		return {families: addressFamilies, ...(text === undefined ? {} : {text})};
	}

	const known = text ?? readSource(source);
	const found = familiesOfDump(known) ?? [];
	// If the dump holds no table or is not understood, loading it says so.
	return {families: found.length === 0 ? ['ipv4'] : found, text: known};
}

function ofLivePod(source: string, cluster: InputRequest['cluster']): UsualFamilies {
	const node = nodeNameOf(source);
	if (node !== undefined) {
		const live = readLive(node.kind, node.name);
		return {families: familiesOfLive(live), live};
	}

	const clusterPod = clusterPodOf(source, cluster);
	return {families: clusterPod.live === null ? familiesOfAddresses(clusterPod) : familiesOfLive(clusterPod.live), clusterPod};
}
