/**
The rules that the CNI agent writes as native nft in ambient mode (`cni/pkg/nftables`, master 86c9f01f): the counterparts of `../iptables/ambient.ts`, in the same order.
One rule serves both families, unless it tests an address.
*/

import {parseNftRule} from '../../netfilter/nftables/rule.js';
import type {
	AddressFamily, BaseChain, Chain, Rule, RuleSet, Table, TableObject,
} from '../../netfilter/types.js';
import {ambientConstants, type AmbientOptions} from '../ambient/options.js';

const {packetMark, connectionMark, markMask, tunnelPort, inboundPort, outboundPort, dnsPort, probeSet} = ambientConstants;

/** The words of nft that differ by family. */
const words = {
	ipv4: {
		header: 'ip', loopback: '127.0.0.1/32', set: `${probeSet}-v4`, type: 'ipv4_addr',
	},
	ipv6: {
		header: 'ip6', loopback: '::1/128', set: `${probeSet}-v6`, type: 'ipv6_addr',
	},
} as const satisfies Record<AddressFamily, unknown>;

const mask = hex(markMask);
const fromZtunnel = `meta mark & ${mask} == ${hex(packetMark)}`;
const notFromZtunnel = `meta mark & ${mask} != ${hex(packetMark)}`;
const opened = `${mask} == ${hex(connectionMark)}`;
/** Every bit of the connection's mark that does not belong to the agent. */
const otherBits = hex(~markMask >>> 0);

type TableKind = 'nat' | 'mangle' | 'raw';

/** `add rule TABLE CHAIN TEXT`. */
type PlannedRule = {readonly table: TableKind; readonly chain: string; readonly text: string};

/** Base chains by table, in the order in which the agent creates them. */
const baseChains: Readonly<Record<TableKind, Readonly<Record<string, BaseChain>>>> = {
	nat: {
		prerouting: {type: 'nat', hook: 'prerouting', priority: -100},
		output: {type: 'nat', hook: 'output', priority: -100},
		postrouting: {type: 'nat', hook: 'postrouting', priority: 100},
	},
	mangle: {
		prerouting: {type: 'filter', hook: 'prerouting', priority: -150},
		output: {type: 'route', hook: 'output', priority: -150},
	},
	raw: {
		prerouting: {type: 'filter', hook: 'prerouting', priority: -300},
		output: {type: 'filter', hook: 'output', priority: -300},
	},
};

/** The rules in the pod's namespace. IPv4 rules are always written, so `families` only says whether IPv6 ones are too. */
export function ambientNftRuleSet(options: AmbientOptions, families: readonly AddressFamily[]): RuleSet {
	return {tables: tablesOf(podRules(options, familiesOf(families)))};
}

/**
The rules on the node: probes of the kubelet, recognized by its user, get a source that the pod's rules accept. With iptables, any local socket of the node counts instead.
The empty sets of pod addresses are objects of the table.
*/
export function ambientHostNftRuleSet(options: AmbientOptions, families: readonly AddressFamily[]): RuleSet {
	const written = familiesOf(families);
	const rules = written.map((family): PlannedRule => {
		const {header, set} = words[family];
		return {table: 'nat', chain: 'postrouting', text: `meta l4proto tcp skuid ${options.kubeletUid} ${header} daddr @${set} counter snat ${header} to ${probeAddress(options, family)}`};
	});
	const objects = written.map((family): TableObject => {
		const {set, type} = words[family];
		return {kind: 'set', name: set, text: `set ${set} {\n\t\ttype ${type}\n\t}`};
	});
	return {tables: tablesOf(rules).map(table => ({...table, objects}))};
}

function podRules(options: AmbientOptions, families: readonly AddressFamily[]): readonly PlannedRule[] {
	const {redirectDns, ingress, rerouteVirtualInterfaces} = options;
	const inbound = (text: string): PlannedRule => ({table: 'nat', chain: 'istio-prerouting', text});
	const outbound = (text: string): PlannedRule => ({table: 'nat', chain: 'istio-output', text});
	const mangle = (chain: string, text: string): PlannedRule => ({table: 'mangle', chain, text});
	const each = (write: (family: AddressFamily, notLoopback: string) => PlannedRule): readonly PlannedRule[] =>
		families.map(family => write(family, `${words[family].header} daddr != ${words[family].loopback}`));
	return [
		mangle('prerouting', 'jump istio-prerouting'),
		mangle('output', 'jump istio-output'),
		{table: 'nat', chain: 'output', text: 'jump istio-output'},
		...(redirectDns ? [{table: 'raw', chain: 'prerouting', text: 'jump istio-prerouting'} as const, {table: 'raw', chain: 'output', text: 'jump istio-output'} as const] : []),
		{table: 'nat', chain: 'prerouting', text: 'jump istio-prerouting'},
		...rerouteVirtualInterfaces.flatMap(name => [
			inbound(`iifname "${name}" meta l4proto tcp counter redirect to :${outboundPort}`),
			inbound(`iifname "${name}" meta l4proto tcp counter return`),
		]),
		mangle('istio-prerouting', `${fromZtunnel} counter ct mark set ct mark & ${otherBits} | ${hex(connectionMark)}`),
		...(ingress ? [] : each(family => inbound(`meta l4proto tcp ${words[family].header} saddr ${probeAddress(options, family)} counter accept`))),
		...each(family => outbound(`meta l4proto tcp ${words[family].header} daddr ${probeAddress(options, family)} counter accept`)),
		...(ingress ? [] : each((_family, notLoopback) => inbound(`${notLoopback} tcp dport != ${tunnelPort} ${notFromZtunnel} counter redirect to :${inboundPort}`))),
		mangle('istio-output', `ct mark & ${opened} counter meta mark set ct mark`),
		...(redirectDns
			? [
				outbound(`oifname != "lo" ${notFromZtunnel} udp dport 53 counter redirect to :${dnsPort}`),
				...each((_family, notLoopback) => outbound(`${notLoopback} tcp dport 53 ${notFromZtunnel} counter redirect to :${dnsPort}`)),
				{table: 'raw', chain: 'istio-output', text: `udp dport 53 ${fromZtunnel} counter ct zone set 1`} as const,
				{table: 'raw', chain: 'istio-prerouting', text: `udp sport 53 ${notFromZtunnel} counter ct zone set 1`} as const,
			]
			: []),
		outbound(`meta l4proto tcp meta mark & ${opened} counter accept`),
		...each((_family, notLoopback) => outbound(`oifname "lo" ${notLoopback} counter accept`)),
		...each((_family, notLoopback) => outbound(`meta l4proto tcp ${notLoopback} ${notFromZtunnel} counter redirect to :${outboundPort}`)),
	];
}

/** Tables with rules, in the agent's order; chains with rules, and those that are only jumped to, base chains first. */
function tablesOf(rules: readonly PlannedRule[]): readonly Table[] {
	return (['nat', 'mangle', 'raw'] as const).filter(kind => rules.some(({table}) => table === kind)).map(kind => {
		const own = rules.filter(({table}) => table === kind);
		const bases = baseChains[kind];
		const isThere = (name: string): boolean => own.some(({chain, text}) => chain === name || text === `jump ${name}`);
		return {
			family: 'inet',
			name: `istio-ambient-${kind}`,
			chains: [...Object.keys(bases), 'istio-prerouting', 'istio-output'].filter(name => isThere(name)).map((name): Chain => {
				const base = bases[name];
				const chain = {name, policy: base && 'ACCEPT', rules: own.filter(({chain}) => chain === name).map(({text}, index): Rule => ({chain: name, number: index + 1, ...parseNftRule(text)}))} as const;
				return base === undefined ? chain : {...chain, base};
			}),
		};
	});
}

function familiesOf(families: readonly AddressFamily[]): readonly AddressFamily[] {
	return families.includes('ipv6') ? ['ipv4', 'ipv6'] : ['ipv4'];
}

function probeAddress({hostProbeSnatIp, hostProbeSnatIpv6}: AmbientOptions, family: AddressFamily): string {
	return family === 'ipv4' ? hostProbeSnatIp : hostProbeSnatIpv6;
}

function hex(value: number): string {
	return `0x${value.toString(16)}`;
}
