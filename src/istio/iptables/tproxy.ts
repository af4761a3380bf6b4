/**
What TPROXY needs besides the inbound rules, written at the end of `Run`. The mark means "the proxy sent it"; the connection keeps it, so that replies return to the proxy.
*/

import type {Context} from '../context.js';
import {
	append, insert, type Place, type PlannedRule,
} from './rule-list.js';
import {
	by, from, fromLoopback, marked, notMarked, notTo, of, onMarkedConnection, overLoopback,
} from './save-form.js';
import {
	leave, restoreMark, saveMark, setMark,
} from './targets.js';

/** The mark of the proxy's packets to its own pod, which are captured again: fixed, not an option of istio-iptables (its rules, 1.11.8 to 1.30.3). */
const hairpinMark = 1338;

const output: Place = ['mangle', 'OUTPUT'];
const inbound: Place = ['mangle', 'ISTIO_INBOUND'];

/** The end of `Run`; written even if no inbound port is captured. */
export function tproxyTail(context: Context): readonly PlannedRule[] {
	const {inboundTable, features, options, loopback} = context;
	if (inboundTable !== 'mangle') {
		return [];
	}

	const kept = options.inboundTproxyMark;
	if (features.tproxyMarks === 'loopback') {
		return [append(output, [from(loopback), notTo(loopback), of('tcp')], setMark(kept))];
	}

	const isHairpinMarked = features.tproxyMarks === 'hairpin';
	return [
		append(['mangle', 'PREROUTING'], [of('tcp'), marked(kept)], saveMark),
		...(isHairpinMarked ? hairpinMarks(context) : []),
		append(output, [of('tcp'), onMarkedConnection(kept)], restoreMark),
		// Inserted at the top of the inbound chain.
		insert(inbound, {position: 1, parts: [of('tcp'), marked(kept)], action: leave}),
		...(isHairpinMarked ? hairpinReturns(context) : []),
	];
}

function hairpinMarks({options, loopback}: Context): readonly PlannedRule[] {
	const owners = [...options.proxyUids.map(id => ({kind: 'uid', id} as const)), ...options.proxyGids.map(id => ({kind: 'gid', id} as const))];
	return [
		append(output, [overLoopback, of('tcp'), marked(options.inboundTproxyMark)], leave),
		...owners.map(owner => append(output, [notTo(loopback), overLoopback, of('tcp'), by(owner)], setMark(hairpinMark))),
	];
}

function hairpinReturns({passthroughSource}: Context): readonly PlannedRule[] {
	return [
		insert(inbound, {position: 2, parts: [from(passthroughSource), fromLoopback, of('tcp')], action: leave}),
		insert(inbound, {position: 3, parts: [fromLoopback, of('tcp'), notMarked(hairpinMark)], action: leave}),
	];
}
