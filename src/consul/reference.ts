/**
The rules that Consul would write for an intent.
*/

import {dnsPort} from '../mesh/actor-set.js';
import type {DnsCapture, Intent} from '../mesh/intent.js';
import type {RulesPlace} from '../mesh/mesh.js';
import {parseSave} from '../netfilter/iptables/save.js';
import {printEndpoint} from '../netfilter/path.js';
import type {AddressFamily, RuleSet} from '../netfilter/types.js';

/** The families differ in their loopback address. One that is left alone needs no rules. */
export function referenceOf(intent: Intent, {families}: RulesPlace): RuleSet {
	const taken = families.filter(family => intent.leftAlone?.includes(family) !== true);
	return {tables: taken.flatMap(family => parseSave(textOf(intent, family), family).tables)};
}

function textOf({proxyUids, proxyPort, inboundCapturePort, inboundPortsExclude, outboundPortsExclude, dns}: Intent, family: AddressFamily): string {
	const out = '-A CONSUL_PROXY_OUTPUT';
	return [
		'*nat',
		':PREROUTING ACCEPT [0:0]',
		':INPUT ACCEPT [0:0]',
		':OUTPUT ACCEPT [0:0]',
		':POSTROUTING ACCEPT [0:0]',
		':CONSUL_DNS_REDIRECT - [0:0]',
		':CONSUL_PROXY_INBOUND - [0:0]',
		':CONSUL_PROXY_IN_REDIRECT - [0:0]',
		':CONSUL_PROXY_OUTPUT - [0:0]',
		':CONSUL_PROXY_REDIRECT - [0:0]',
		'-A PREROUTING -p tcp -j CONSUL_PROXY_INBOUND',
		...dnsRules(dns, family),
		'-A OUTPUT -p tcp -j CONSUL_PROXY_OUTPUT',
		...inboundPortsExclude.map(port => `-A CONSUL_PROXY_INBOUND -p tcp -m tcp --dport ${port} -j RETURN`),
		'-A CONSUL_PROXY_INBOUND -p tcp -j CONSUL_PROXY_IN_REDIRECT',
		`-A CONSUL_PROXY_IN_REDIRECT -p tcp -j REDIRECT --to-ports ${inboundCapturePort}`,
		...outboundPortsExclude.map(port => `${out} -p tcp -m tcp --dport ${port} -j RETURN`),
		...proxyUids.map(uid => `${out} -m owner --uid-owner ${uid} -j RETURN`),
		`${out} -d ${family === 'ipv4' ? '127.0.0.1/32' : '::1/128'} -j RETURN`,
		`${out} -j CONSUL_PROXY_REDIRECT`,
		`-A CONSUL_PROXY_REDIRECT -p tcp -j REDIRECT --to-ports ${proxyPort}`,
		'COMMIT',
		'',
	].join('\n');
}

function dnsRules(dns: DnsCapture | undefined, family: AddressFamily): readonly string[] {
	const server = dns?.servers?.[family];
	if (dns === undefined || server === undefined) {
		return [];
	}

	const asked = dns.asked?.[family];
	const from = asked === undefined ? '' : ` -d ${asked}`;
	const to = dns.port === dnsPort ? server : printEndpoint({address: server, port: dns.port});
	return ['udp', 'tcp'].flatMap(protocol => [
		`-A CONSUL_DNS_REDIRECT${from} -p ${protocol} -m ${protocol} --dport 53 -j DNAT --to-destination ${to}`,
		`-A OUTPUT${from} -p ${protocol} -m ${protocol} --dport 53 -j CONSUL_DNS_REDIRECT`,
	]);
}
