/**
The rules that the CNI agent writes with iptables in ambient mode (`cni/pkg/iptables`, master 86c9f01f): in the pod's namespace, and on the node for its health probes.
The numbers in the comments count the agent's steps.
*/

import {parseRuleText} from '../../netfilter/iptables/rule.js';
import type {AddressFamily, RuleSet, Table} from '../../netfilter/types.js';
import {ambientConstants, type AmbientOptions} from '../ambient/options.js';
import {buildTables, type PlannedRule, type SidecarTable} from './rule-list.js';
import {
	comingIn, from, notTo, printMark, to, type Part,
} from './save-form.js';

const {packetMark, connectionMark, markMask, tunnelPort, inboundPort, outboundPort, dnsPort, probeSet} = ambientConstants;

const fromZtunnel = `-m mark --mark ${printMark(packetMark)}/${printMark(markMask)}`;
const notFromZtunnel = `-m mark ! --mark ${printMark(packetMark)}/${printMark(markMask)}`;
const opened = `${printMark(connectionMark)}/${printMark(markMask)}`;

/** A command of the list as its text; its fields are parsed from it. */
type WrittenRule = Pick<PlannedRule, 'table' | 'chain' | 'position' | 'text'>;

function append(table: SidecarTable, chain: string, text: string): WrittenRule {
	return {
		table, chain, text, position: undefined,
	};
}

/** A condition with a blank after it; empty if there is no condition. */
function words({text}: Part): string {
	return text === '' ? '' : `${text} `;
}

/** The rules in the pod's namespace, in the text of `iptables-save` 1.8.9 (nf_tables). */
export function ambientRuleSet(options: AmbientOptions, families: readonly AddressFamily[]): RuleSet {
	return {tables: tablesOf(families, family => podRules(options, family))};
}

/**
The rules on the node: probes of the kubelet get a source that the pod's rules accept.
The sets of `ambientHostSets` must exist before they are loaded.
*/
export function ambientHostRuleSet(options: AmbientOptions, families: readonly AddressFamily[]): RuleSet {
	return {
		tables: tablesOf(families, family => [
			{...append('nat', 'POSTROUTING', '-j ISTIO_POSTRT'), position: 1},
			append('nat', 'ISTIO_POSTRT', `-p tcp -m owner --socket-exists -m set --match-set ${probeSet}-${suffix(family)} dst -j SNAT --to-source ${probeAddress(options, family)}`),
		]),
	};
}

/** A set of pod addresses on the node, as `ipset create NAME TYPE family FAMILY comment` makes it. */
export type AmbientHostSet = {readonly name: string; readonly type: 'hash:ip'; readonly family: 'inet' | 'inet6'; readonly comment: true};

/** The sets that the node's rules look up. The agent adds the addresses of each pod that joins, with the pod's UID as a comment. */
export function ambientHostSets(families: readonly AddressFamily[]): readonly AmbientHostSet[] {
	return families.map(family => ({
		name: `${probeSet}-${suffix(family)}`, type: 'hash:ip', family: family === 'ipv4' ? 'inet' : 'inet6', comment: true,
	}));
}

function tablesOf(families: readonly AddressFamily[], rulesOf: (family: AddressFamily) => readonly WrittenRule[]): readonly Table[] {
	return [...new Set(families)].flatMap(family => buildTables(rulesOf(family).map(rule => ({...rule, ...parseRuleText(rule.text, family)})), family));
}

function podRules(options: AmbientOptions, family: AddressFamily): readonly WrittenRule[] {
	const {redirectDns, ingress, rerouteVirtualInterfaces} = options;
	const notLoopback = words(notTo(family === 'ipv4' ? '127.0.0.1/32' : '::1/128'));
	const probe = probeAddress(options, family);
	return [
		append('mangle', 'PREROUTING', '-j ISTIO_PRERT'),
		append('mangle', 'OUTPUT', '-j ISTIO_OUTPUT'),
		append('nat', 'OUTPUT', '-j ISTIO_OUTPUT'),
		...(redirectDns ? [append('raw', 'PREROUTING', '-j ISTIO_PRERT'), append('raw', 'OUTPUT', '-j ISTIO_OUTPUT')] : []),
		append('nat', 'PREROUTING', '-j ISTIO_PRERT'),
		...rerouteVirtualInterfaces.flatMap(name => [
			append('nat', 'ISTIO_PRERT', `${words(comingIn(name))}-p tcp -j REDIRECT --to-ports ${outboundPort}`),
			append('nat', 'ISTIO_PRERT', `${words(comingIn(name))}-p tcp -j RETURN`),
		]),
		append('mangle', 'ISTIO_PRERT', `${fromZtunnel} -j CONNMARK --set-xmark ${opened}`),
		...(ingress ? [] : [append('nat', 'ISTIO_PRERT', `${words(from(probe))}-p tcp -m tcp -j ACCEPT`)]),
		append('nat', 'ISTIO_OUTPUT', `${words(to(probe))}-p tcp -m tcp -j ACCEPT`),
		...(ingress ? [] : [append('nat', 'ISTIO_PRERT', `${notLoopback}-p tcp -m tcp ! --dport ${tunnelPort} ${notFromZtunnel} -j REDIRECT --to-ports ${inboundPort}`)]),
		append('mangle', 'ISTIO_OUTPUT', `-m connmark --mark ${opened} -j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff`),
		...(redirectDns ? dnsRules(notLoopback) : []),
		append('nat', 'ISTIO_OUTPUT', `-p tcp -m mark --mark ${opened} -j ACCEPT`),
		append('nat', 'ISTIO_OUTPUT', `${notLoopback}-o lo -j ACCEPT`),
		append('nat', 'ISTIO_OUTPUT', `${notLoopback}-p tcp ${notFromZtunnel} -j REDIRECT --to-ports ${outboundPort}`),
	];
}

/** 10. ztunnel's own queries and their answers are kept in a separate conntrack zone, because they may have the same ports as captured ones. */
function dnsRules(notLoopback: string): readonly WrittenRule[] {
	return [
		append('nat', 'ISTIO_OUTPUT', `! -o lo -p udp ${notFromZtunnel} -m udp --dport 53 -j REDIRECT --to-ports ${dnsPort}`),
		append('nat', 'ISTIO_OUTPUT', `${notLoopback}-p tcp -m tcp --dport 53 ${notFromZtunnel} -j REDIRECT --to-ports ${dnsPort}`),
		append('raw', 'ISTIO_OUTPUT', `-p udp ${fromZtunnel} -m udp --dport 53 -j CT --zone 1`),
		append('raw', 'ISTIO_PRERT', `-p udp ${notFromZtunnel} -m udp --sport 53 -j CT --zone 1`),
	];
}

function probeAddress({hostProbeSnatIp, hostProbeSnatIpv6}: AmbientOptions, family: AddressFamily): string {
	return family === 'ipv4' ? hostProbeSnatIp : hostProbeSnatIpv6;
}

function suffix(family: AddressFamily): 'v4' | 'v6' {
	return family === 'ipv4' ? 'v4' : 'v6';
}
