/**
What TPROXY needs besides the inbound rules, written at the end of `Run`. The mark means "the proxy sent it"; the connection keeps it, so that replies return to the proxy.
*/

import {
	append, insert, ipOf, type NativeContext, type PlannedRule,
} from './rule-list.js';

/** The mark of the proxy's packets to its own pod, which are captured again: fixed, not an option (Istio's native rules, 1.30.3). */
const hairpinMark = 1338;

/** The end of `Run`; written even if no inbound port is captured. */
export function tproxyTail({shared: {inboundTable, options}, perFamily}: NativeContext): readonly PlannedRule[] {
	if (inboundTable !== 'mangle') {
		return [];
	}

	const {inboundTproxyMark: mark} = options;
	const owners = [...options.proxyUids.map(uid => `skuid ${uid}`), ...options.proxyGids.map(gid => `skgid ${gid}`)];
	return [
		append('mangle', 'prerouting', `meta l4proto tcp mark ${mark}`, 'ct mark set mark'),
		append('mangle', 'output', `oifname lo meta l4proto tcp mark ${mark}`, 'return'),
		...owners.flatMap(owner => perFamily.map(({family, loopback}) =>
			append('mangle', 'output', `oifname lo meta l4proto tcp ${ipOf(family)} daddr != ${loopback} ${owner}`, `meta mark set ${hairpinMark}`))),
		append('mangle', 'output', `meta l4proto tcp ct mark ${mark}`, 'meta mark set ct mark'),
		// Both families' passthrough rules go to the same index, so that IPv6's ends up before the last one and IPv4's after it.
		insert('mangle', 'istio-inbound', {index: 0, conditions: `meta l4proto tcp mark ${mark}`, verdict: 'return'}),
		...perFamily.map(({family, passthroughSource}) => insert('mangle', 'istio-inbound', {index: 1, conditions: `iifname lo meta l4proto tcp ${ipOf(family)} saddr ${passthroughSource}`, verdict: 'return'})),
		insert('mangle', 'istio-inbound', {index: 2, conditions: `iifname lo meta l4proto tcp mark != ${hairpinMark}`, verdict: 'return'}),
	];
}
