/**
Minimal rules that each need one kernel feature: a table, a match, or a target. Each is known to load if the kernel has that feature, so if one does not load, the machine is at fault. The doctor tries them all; when a user's rules are rejected, the samples for the features they name show whether the rules or the machine are at fault.
*/

import type {AddressFamily} from '../../src/netfilter/types.js';
import {forRoot} from '../system/privileges.js';

/** What a sample tests. Everything else in a table needs its `table` sample as well. */
export type SampleKind = 'table' | 'match' | 'target';

/** Which inputs produce such rules: every rule set, sets with certain options, or only dumps from users. */
export type SampleUse = 'every set' | 'DNS capture' | 'TPROXY' | 'ambient mode' | 'dumps';

/** A rule for iptables-restore, with either back end. */
export type IptablesSample = {
	/** As used in a sentence: `owner match`. */
	readonly what: string;
	readonly kind: SampleKind;
	/** Its name in iptables: `owner`, `REDIRECT`, `nat`. */
	readonly name: string;
	readonly table: string;
	readonly rule: string;
	/** The kernel's module, for legacy by family. */
	readonly module: {readonly legacy: Readonly<Record<AddressFamily, string>>; readonly nft: string};
	readonly use: SampleUse;
};

type Modules = {readonly legacy: string | Readonly<Record<AddressFamily, string>>; readonly nft?: string};

function sample(kind: SampleKind, name: string, use: SampleUse, {table, rule, legacy, nft, what}: Modules & {readonly table: string; readonly rule: string; readonly what?: string}): IptablesSample {
	const byFamily = typeof legacy === 'string' ? {ipv4: legacy, ipv6: legacy} : legacy;
	return {
		what: what ?? `${name} ${kind}`, kind, name, table, rule, module: {legacy: byFamily, nft: nft ?? byFamily.ipv4}, use,
	};
}

function table(name: 'nat' | 'mangle' | 'raw' | 'filter', use: SampleUse, chain = 'OUTPUT'): IptablesSample {
	return sample('table', name, use, {
		table: name, rule: `-A ${chain} -j ACCEPT`, legacy: {ipv4: `iptable_${name}`, ipv6: `ip6table_${name}`}, nft: name === 'nat' ? 'nft_chain_nat' : 'nf_tables',
	});
}

/** Samples for both families. A module of iptables-nft is used through nft_compat. */
export const iptablesSamples: readonly IptablesSample[] = [
	table('nat', 'every set'),
	table('mangle', 'TPROXY', 'PREROUTING'),
	table('raw', 'DNS capture'),
	table('filter', 'dumps'),
	// Root exists in every user namespace.
	sample('match', 'owner', 'every set', {table: 'nat', rule: '-A OUTPUT -m owner --uid-owner 0 -j RETURN', legacy: 'xt_owner'}),
	sample('match', 'tcp', 'every set', {table: 'nat', rule: '-A OUTPUT -p tcp -m tcp --dport 15008 -j RETURN', legacy: 'xt_tcpudp'}),
	sample('match', 'udp', 'DNS capture', {table: 'nat', rule: '-A OUTPUT -p udp -m udp --dport 53 -j RETURN', legacy: 'xt_tcpudp'}),
	sample('match', 'conntrack', 'TPROXY', {table: 'mangle', rule: '-A PREROUTING -m conntrack --ctstate INVALID -j DROP', legacy: 'xt_conntrack'}),
	sample('match', 'mark', 'TPROXY', {table: 'mangle', rule: '-A PREROUTING -m mark --mark 0x539 -j RETURN', legacy: 'xt_mark'}),
	sample('match', 'connmark', 'ambient mode', {table: 'mangle', rule: '-A PREROUTING -m connmark --mark 0x111/0xfff -j RETURN', legacy: 'xt_connmark'}),
	sample('match', 'multiport', 'dumps', {table: 'nat', rule: '-A PREROUTING -p tcp -m multiport --dports 15008,15020 -j RETURN', legacy: 'xt_multiport'}),
	sample('match', 'comment', 'dumps', {table: 'nat', rule: '-A OUTPUT -m comment --comment sample -j RETURN', legacy: 'xt_comment'}),
	sample('match', 'state', 'dumps', {table: 'mangle', rule: '-A PREROUTING -m state --state INVALID -j DROP', legacy: 'xt_state', nft: 'xt_conntrack'}),
	sample('match', 'addrtype', 'dumps', {table: 'nat', rule: '-A PREROUTING -m addrtype --dst-type LOCAL -j RETURN', legacy: 'xt_addrtype'}),
	sample('match', 'socket', 'dumps', {table: 'mangle', rule: '-A PREROUTING -p tcp -m socket -j RETURN', legacy: 'xt_socket'}),
	sample('match', 'statistic', 'dumps', {table: 'nat', rule: '-A OUTPUT -m statistic --mode nth --every 2 --packet 0 -j RETURN', legacy: 'xt_statistic'}),
	sample('match', 'limit', 'dumps', {table: 'filter', rule: '-A INPUT -m limit --limit 5/min -j RETURN', legacy: 'xt_limit', nft: 'nft_limit'}),
	sample('target', 'LOG', 'dumps', {table: 'filter', rule: '-A INPUT -j LOG --log-prefix sample', legacy: 'xt_LOG'}),
	sample('target', 'NFLOG', 'dumps', {table: 'filter', rule: '-A INPUT -j NFLOG --nflog-group 1', legacy: 'xt_NFLOG'}),
	sample('target', 'REDIRECT', 'every set', {table: 'nat', rule: '-A OUTPUT -p tcp -j REDIRECT --to-ports 15001', legacy: 'xt_REDIRECT', nft: 'nft_redir'}),
	sample('target', 'TPROXY', 'TPROXY', {table: 'mangle', rule: '-A PREROUTING -p tcp -j TPROXY --on-port 15006 --tproxy-mark 0x539/0xffffffff', legacy: 'xt_TPROXY'}),
	sample('target', 'MARK', 'TPROXY', {table: 'mangle', rule: '-A PREROUTING -j MARK --set-xmark 0x539/0xffffffff', legacy: 'xt_mark'}),
	sample('target', 'CONNMARK', 'TPROXY', {table: 'mangle', rule: '-A PREROUTING -j CONNMARK --save-mark', legacy: 'xt_connmark'}),
	sample('target', 'CT', 'DNS capture', {table: 'raw', rule: '-A OUTPUT -j CT --zone 1', legacy: 'xt_CT'}),
	sample('target', 'REJECT', 'dumps', {table: 'filter', rule: '-A INPUT -j REJECT', legacy: {ipv4: 'ipt_REJECT', ipv6: 'ip6t_REJECT'}, nft: 'nft_reject_inet'}),
	sample('target', 'DNAT', 'DNS capture', {table: 'nat', rule: '-A OUTPUT -p udp -j DNAT --to-destination :15053', legacy: 'xt_nat'}),
	sample('target', 'SNAT', 'dumps', {table: 'nat', rule: '-A POSTROUTING -p udp -j SNAT --to-source :15053', legacy: 'xt_nat'}),
	sample('target', 'MASQUERADE', 'dumps', {table: 'nat', rule: '-A POSTROUTING -j MASQUERADE', legacy: 'xt_MASQUERADE', nft: 'nft_masq'}),
];

/** A rule for native nft, in a table of both families. `asks` matches rule texts that need it. */
export type NativeSample = {readonly what: string; readonly kind: SampleKind; readonly chain: string; readonly rule: string; readonly asks: RegExp; readonly module: string; readonly use: SampleUse};

const nat = 'type nat hook output priority -100';
const mangle = 'type filter hook prerouting priority -150';
const raw = 'type filter hook output priority -300';

/** Samples for native nft. */
export const nativeSamples: readonly NativeSample[] = [
	{
		what: 'nat table', kind: 'table', chain: nat, rule: 'counter accept', asks: /type nat /u, module: 'nft_chain_nat', use: 'every set',
	},
	{
		what: 'filter chains', kind: 'table', chain: mangle, rule: 'counter accept', asks: /type filter /u, module: 'nf_tables', use: 'every set',
	},
	{
		what: 'route chains', kind: 'table', chain: 'type route hook output priority -150', rule: 'counter accept', asks: /type route /u, module: 'nf_tables', use: 'TPROXY',
	},
	{
		what: 'owner match', kind: 'match', chain: nat, rule: 'meta skuid 1337 counter return', asks: /\bsk[ug]id\b/u, module: 'nf_tables', use: 'every set',
	},
	{
		what: 'REDIRECT target', kind: 'target', chain: nat, rule: 'meta l4proto tcp counter redirect to :15001', asks: /\bredirect\b/u, module: 'nft_redir', use: 'every set',
	},
	{
		what: 'TPROXY target', kind: 'target', chain: mangle, rule: 'meta l4proto tcp tproxy ip to :15006 meta mark set 1337 counter accept', asks: /\btproxy\b/u, module: 'nft_tproxy', use: 'TPROXY',
	},
	{
		what: 'conntrack match', kind: 'match', chain: mangle, rule: 'ct state invalid counter drop', asks: /\bct\b/u, module: 'nft_ct', use: 'TPROXY',
	},
	{
		what: 'connection marks', kind: 'target', chain: mangle, rule: 'ct mark set meta mark', asks: /\bct mark\b/u, module: 'nft_ct (NF_CONNTRACK_MARK)', use: 'TPROXY',
	},
	{
		what: 'conntrack zones', kind: 'target', chain: raw, rule: 'udp dport 53 ct zone set 1', asks: /\bct zone\b/u, module: 'nft_ct (NF_CONNTRACK_ZONES)', use: 'DNS capture',
	},
	{
		what: 'DNAT target', kind: 'target', chain: nat, rule: 'udp dport 53 dnat ip to 127.0.0.1:15053', asks: /\b[ds]nat\b/u, module: 'nft_nat', use: 'DNS capture',
	},
	{
		what: 'reject', kind: 'target', chain: 'type filter hook input priority 0', rule: 'meta l4proto udp reject', asks: /\breject\b/u, module: 'nft_reject_inet', use: 'TPROXY',
	},
];

/** The table that native samples are in. */
export const nativeSampleTable = 'testbed-sample';

/** A sample as input for `nft -f`. */
export function nativeSampleText({chain, rule}: Pick<NativeSample, 'chain' | 'rule'>): string {
	return `table inet ${nativeSampleTable} {\n\tchain sample {\n\t\t${chain};\n\t\t${rule}\n\t}\n}\n`;
}

/** A sample as input for iptables-restore. */
export function iptablesSampleText({table: name, rule}: Pick<IptablesSample, 'table' | 'rule'>): string {
	return `*${name}\n${rule}\nCOMMIT\n`;
}

/** All samples in one text for iptables-restore: if it loads, each of them would. */
export function allSamplesText(): string {
	return [...new Set(iptablesSamples.map(each => each.table))].map(name => `*${name}\n${iptablesSamples.filter(each => each.table === name).map(({rule}) => `${rule}\n`).join('')}COMMIT\n`).join('');
}

/** The command that loads a module, whose name is the first word. */
export function fixOf(module: string): string {
	return forRoot(`modprobe ${module.split(' ')[0]}`);
}

/** The samples for what a line or text of iptables-save uses. Tables come first, because nothing works without them. */
export function samplesNamedIn(text: string, tables: readonly string[]): readonly IptablesSample[] {
	const names = (kind: SampleKind, name: string): boolean => kind === 'table'
		? tables.includes(name)
		: new RegExp(String.raw`(?:^|\s)${kind === 'match' ? '(?:-m|--match|-p|--protocol)' : '(?:-j|--jump)'}\s+${name}(?:\s|$)`, 'mu').test(text);
	return iptablesSamples.filter(({kind, name}) => names(kind, name)).toSorted((one, other) => Number(other.kind === 'table') - Number(one.kind === 'table'));
}

/** The samples for what an nft text uses. */
export function nativeSamplesNamedIn(text: string, whole: string): readonly NativeSample[] {
	return nativeSamples.filter(({kind, asks}) => asks.test(kind === 'table' ? whole : text)).toSorted((one, other) => Number(other.kind === 'table') - Number(one.kind === 'table'));
}
