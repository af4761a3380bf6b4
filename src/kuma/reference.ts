/**
The rules that Kuma would write for an intent.
*/

import type {DnsCapture, Intent} from '../mesh/intent.js';
import type {RulesPlace} from '../mesh/mesh.js';
import {parseSave} from '../netfilter/iptables/save.js';
import type {AddressFamily, RuleSet} from '../netfilter/types.js';

/** The families differ in their loopback addresses. */
export function referenceOf(intent: Intent, {families}: RulesPlace): RuleSet {
	return {tables: families.flatMap(family => parseSave(textOf(intent, family), family).tables)};
}

function textOf({proxyUids: [uid], proxyPort, inboundCapturePort, inboundPortsExclude, outboundPortsExclude, dns}: Intent, family: AddressFamily): string {
	const [loopback, passthrough] = family === 'ipv4' ? ['127.0.0.1/32', '127.0.0.6/32'] : ['::1/128', '::6/128'];
	const out = '-A KUMA_MESH_OUTBOUND';
	const notDns = dns === undefined ? '' : ' -m tcp ! --dport 53';
	return [
		...(dns?.hasZones === true ? zonesOf(dns, uid) : []),
		'*nat',
		':PREROUTING ACCEPT [0:0]',
		':INPUT ACCEPT [0:0]',
		':OUTPUT ACCEPT [0:0]',
		':POSTROUTING ACCEPT [0:0]',
		':KUMA_MESH_INBOUND - [0:0]',
		':KUMA_MESH_INBOUND_REDIRECT - [0:0]',
		':KUMA_MESH_OUTBOUND - [0:0]',
		':KUMA_MESH_OUTBOUND_REDIRECT - [0:0]',
		'-A PREROUTING -p tcp -j KUMA_MESH_INBOUND',
		...(dns === undefined ? [] : [`-A OUTPUT -p udp -m udp --dport 53 -m owner --uid-owner ${uid} -j RETURN`, `-A OUTPUT -p udp -m udp --dport 53 -j REDIRECT --to-ports ${dns.port}`]),
		'-A OUTPUT -p tcp -j KUMA_MESH_OUTBOUND',
		...inboundPortsExclude.map(port => `-A KUMA_MESH_INBOUND -p tcp -m tcp --dport ${port} -j RETURN`),
		'-A KUMA_MESH_INBOUND -p tcp -j KUMA_MESH_INBOUND_REDIRECT',
		`-A KUMA_MESH_INBOUND_REDIRECT -p tcp -j REDIRECT --to-ports ${inboundCapturePort}`,
		`${out} -s ${passthrough} -o lo -j RETURN`,
		...outboundPortsExclude.map(port => `${out} -p tcp -m tcp --dport ${port} -j RETURN`),
		`${out} ! -d ${loopback} -o lo -p tcp${notDns} -m owner --uid-owner ${uid} -j KUMA_MESH_INBOUND_REDIRECT`,
		`${out} -o lo -p tcp${notDns} -m owner ! --uid-owner ${uid} -j RETURN`,
		`${out} -m owner --uid-owner ${uid} -j RETURN`,
		...(dns === undefined ? [] : [`${out} -p tcp -m tcp --dport 53 -j REDIRECT --to-ports ${dns.port}`]),
		`${out} -d ${loopback} -j RETURN`,
		`${out} -j KUMA_MESH_OUTBOUND_REDIRECT`,
		`-A KUMA_MESH_OUTBOUND_REDIRECT -p tcp -j REDIRECT --to-ports ${proxyPort}`,
		'COMMIT',
		'',
	].join('\n');
}

/** The rules that keep the proxy's queries apart from captured ones. */
function zonesOf({port}: DnsCapture, uid: number | undefined): readonly string[] {
	return [
		'*raw',
		':PREROUTING ACCEPT [0:0]',
		':OUTPUT ACCEPT [0:0]',
		'-A PREROUTING -p udp -m udp --sport 53 -j CT --zone 1',
		`-A OUTPUT -p udp -m udp --dport 53 -m owner --uid-owner ${uid} -j CT --zone 1`,
		`-A OUTPUT -p udp -m udp --sport ${port} -m owner --uid-owner ${uid} -j CT --zone 2`,
		'-A OUTPUT -p udp -m udp --dport 53 -j CT --zone 2',
		'COMMIT',
	];
}
