/**
The rules that Linkerd would write for an intent.
*/

import type {Intent} from '../mesh/intent.js';
import type {RulesPlace} from '../mesh/mesh.js';
import {parseSave} from '../netfilter/iptables/save.js';
import type {RuleSet} from '../netfilter/types.js';

/** Both families get the same rules. */
export function referenceOf(intent: Intent, {families}: RulesPlace): RuleSet {
	return {tables: families.flatMap(family => parseSave(textOf(intent), family).tables)};
}

function textOf({proxyUids, proxyPort, inboundCapturePort, inboundPortsExclude, outboundPortsExclude}: Intent): string {
	const ignoring = (chain: string, ports: readonly string[]): readonly string[] => ports.length === 0 ? [] : [`-A ${chain} -p tcp -m multiport --dports ${ports.join(',')} -j RETURN`];
	return [
		'*nat',
		':PREROUTING ACCEPT [0:0]',
		':INPUT ACCEPT [0:0]',
		':OUTPUT ACCEPT [0:0]',
		':POSTROUTING ACCEPT [0:0]',
		':PROXY_INIT_OUTPUT - [0:0]',
		':PROXY_INIT_REDIRECT - [0:0]',
		'-A PREROUTING -j PROXY_INIT_REDIRECT',
		'-A OUTPUT -j PROXY_INIT_OUTPUT',
		...proxyUids.map(uid => `-A PROXY_INIT_OUTPUT -m owner --uid-owner ${uid} -j RETURN`),
		'-A PROXY_INIT_OUTPUT -o lo -j RETURN',
		...ignoring('PROXY_INIT_OUTPUT', outboundPortsExclude),
		`-A PROXY_INIT_OUTPUT -p tcp -j REDIRECT --to-ports ${proxyPort}`,
		...ignoring('PROXY_INIT_REDIRECT', inboundPortsExclude),
		`-A PROXY_INIT_REDIRECT -p tcp -j REDIRECT --to-ports ${inboundCapturePort}`,
		'COMMIT',
		'',
	].join('\n');
}
