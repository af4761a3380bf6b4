/**
A8: what TPROXY needs beside the inbound rules. The mark says "the proxy sent it"; the connection keeps it, so that replies find back.
*/

import type {Context} from '../context.js';
import {
	append, insert, type PlannedRule,
} from './rule-list.js';
import {address, mark} from './save-form.js';

/** The mark of the proxy's packets to its own pod, which are captured again: fixed, not an option of istio-iptables (its rules, 1.11.8 to 1.30.3). */
const hairpinMark = 1338;

const wholeMasks = '--nfmask 0xffffffff --ctmask 0xffffffff';

/** Steps 33 to 37; written also when no inbound port is captured. */
export function tproxyTail(context: Context): readonly PlannedRule[] {
	const {inboundTable, features, options, loopback} = context;
	if (inboundTable !== 'mangle') {
		return [];
	}

	const kept = mark(options.inboundTproxyMark);
	if (features.tproxyMarks === 'loopback') {
		return [append('mangle', 'OUTPUT', `${address('-s', loopback)}! ${address('-d', loopback)}-p tcp -j MARK --set-xmark ${kept}/0xffffffff`)];
	}

	const isHairpinMarked = features.tproxyMarks === 'hairpin';
	return [
		// 33.
		append('mangle', 'PREROUTING', `-p tcp -m mark --mark ${kept} -j CONNMARK --save-mark ${wholeMasks}`),
		// 34 and 35.
		...(isHairpinMarked ? hairpinMarks(context, kept) : []),
		// 36.
		append('mangle', 'OUTPUT', `-p tcp -m connmark --mark ${kept} -j CONNMARK --restore-mark ${wholeMasks}`),
		// 37.
		insert('mangle', 'ISTIO_INBOUND', {position: 1, text: `-p tcp -m mark --mark ${kept} -j RETURN`}),
		...(isHairpinMarked ? hairpinReturns(context) : []),
	];
}

function hairpinMarks({options, loopback}: Context, kept: string): readonly PlannedRule[] {
	const owners = [...options.proxyUids.map(uid => `--uid-owner ${uid}`), ...options.proxyGids.map(gid => `--gid-owner ${gid}`)];
	return [
		append('mangle', 'OUTPUT', `-o lo -p tcp -m mark --mark ${kept} -j RETURN`),
		...owners.map(owner => append('mangle', 'OUTPUT', `! ${address('-d', loopback)}-o lo -p tcp -m owner ${owner} -j MARK --set-xmark ${mark(hairpinMark)}/0xffffffff`)),
	];
}

function hairpinReturns({passthroughSource}: Context): readonly PlannedRule[] {
	return [
		insert('mangle', 'ISTIO_INBOUND', {position: 2, text: `${address('-s', passthroughSource)}-i lo -p tcp -j RETURN`}),
		insert('mangle', 'ISTIO_INBOUND', {position: 3, text: `-i lo -p tcp -m mark ! --mark ${mark(hairpinMark)} -j RETURN`}),
	];
}
