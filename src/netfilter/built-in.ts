/**
What netfilter provides before anyone writes a rule: tables, their built-in chains, and the targets that are not chains.
*/

import type {
	AddressFamily, BaseChain, Chain, Family, Hook, Target,
} from './types.js';

/** The built-in chains of each table, in the order in which `iptables-save` prints them (iptables 1.8.9, both back ends, measured). */
const chainsOfTable: ReadonlyMap<string, readonly string[]> = new Map([
	['filter', ['INPUT', 'FORWARD', 'OUTPUT']],
	['nat', ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING']],
	['mangle', ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING']],
	['raw', ['PREROUTING', 'OUTPUT']],
	['security', ['INPUT', 'FORWARD', 'OUTPUT']],
]);

/** Every table that iptables knows (iptables(8), section TABLES). */
export const tableNames: readonly string[] = [...chainsOfTable.keys()];

/** The built-in chains of a table, in the order of `iptables-save`; empty for an unknown table. */
export function builtInChains(table: string): readonly string[] {
	return chainsOfTable.get(table) ?? [];
}

/** The targets that end or leave a chain without an extension (iptables(8), section TARGETS; the kernel still has QUEUE). */
export const verdictTargets: ReadonlyMap<string, Extract<Target, {kind: 'verdict'}>['verdict']> = new Map([
	['ACCEPT', 'accept'],
	['DROP', 'drop'],
	['RETURN', 'return'],
	['QUEUE', 'queue'],
]);

/** Targets of iptables-extensions(8): after `-j`, such a name is never a chain. */
export const extensionTargets: ReadonlySet<string> = new Set([
	'AUDIT CHECKSUM CLASSIFY CLUSTERIP CONNMARK CONNSECMARK CT DNAT DNPT DSCP ECN HL HMARK IDLETIMER LED LOG MARK MASQUERADE NETMAP NFLOG NFQUEUE NOTRACK',
	'RATEEST REDIRECT REJECT SECMARK SET SNAT SNPT SYNPROXY TCPMSS TCPOPTSTRIP TEE TOS TPROXY TRACE TTL ULOG',
].flatMap(line => line.split(' ')));

/** The family of the tables that `iptables` or `ip6tables` write for packets of a family. */
export function tableFamily(family: AddressFamily): Exclude<Family, 'inet'> {
	return family === 'ipv4' ? 'ip' : 'ip6';
}

/** The address family of the packets in a table for one family. */
export function addressFamilyOf(family: Family): AddressFamily {
	return family === 'ip6' ? 'ipv6' : 'ipv4';
}

/** Priorities of iptables' base chains (linux/netfilter_ipv4.h, `enum nf_ip_hook_priorities`). The priority of nat depends on the hook: source NAT comes last. */
const priorities: Readonly<Record<string, number>> = {
	raw: -300, mangle: -150, filter: 0, security: 50,
};

/** The hook, priority and type of a base chain: a native nft chain declares them, an iptables chain has them by its table and name. Undefined for a user chain. */
export function baseChainOf({name: table}: {readonly name: string}, {name, base, policy}: Chain): BaseChain | undefined {
	if (base !== undefined) {
		return base;
	}

	if (policy === undefined || !builtInChains(table).includes(name)) {
		return undefined;
	}

	const hook = name.toLowerCase() as Hook;
	return {
		type: table === 'nat' ? 'nat' : (table === 'mangle' && hook === 'output' ? 'route' : 'filter'),
		hook,
		priority: table === 'nat' ? (hook === 'prerouting' || hook === 'output' ? -100 : 100) : priorities[table] ?? 0,
	};
}
