/**
A8: what TPROXY needs beside the inbound rules. The mark says "the proxy sent it"; the connection keeps it, so that replies find back.
*/

import type {Context} from '../context.js';
import {
	append, insert, type PlannedRule,
} from './rule-list.js';
import {address, mark} from './save-form.js';

/** The mark of the proxy's packets to its own pod, which are captured again: fixed, not an option of istio-iptables (its rules, 1.30.3). */
const hairpinMark = 1338;

/** Steps 33 to 37; written also when no inbound port is captured. */
export function tproxyTail({inboundTable, options, loopback, passthroughSource}: Context): readonly PlannedRule[] {
	if (inboundTable !== 'mangle') {
		return [];
	}

	const kept = mark(options.inboundTproxyMark);
	const hairpin = mark(hairpinMark);
	const owners = [...options.proxyUids.map(uid => `--uid-owner ${uid}`), ...options.proxyGids.map(gid => `--gid-owner ${gid}`)];
	return [
		// 33.
		append('mangle', 'PREROUTING', `-p tcp -m mark --mark ${kept} -j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff`),
		// 34.
		append('mangle', 'OUTPUT', `-o lo -p tcp -m mark --mark ${kept} -j RETURN`),
		// 35.
		...owners.map(owner => append('mangle', 'OUTPUT', `! ${address('-d', loopback)}-o lo -p tcp -m owner ${owner} -j MARK --set-xmark ${hairpin}/0xffffffff`)),
		// 36.
		append('mangle', 'OUTPUT', `-p tcp -m connmark --mark ${kept} -j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff`),
		// 37.
		insert('mangle', 'ISTIO_INBOUND', {position: 1, text: `-p tcp -m mark --mark ${kept} -j RETURN`}),
		insert('mangle', 'ISTIO_INBOUND', {position: 2, text: `${address('-s', passthroughSource)}-i lo -p tcp -j RETURN`}),
		insert('mangle', 'ISTIO_INBOUND', {position: 3, text: `-i lo -p tcp -m mark ! --mark ${hairpin} -j RETURN`}),
	];
}
