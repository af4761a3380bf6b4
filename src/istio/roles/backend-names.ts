/**
Maps the names of native nft tables and chains to their iptables counterparts, so that roles, shadows and comparisons use one set of names.
*/

/** The iptables table that corresponds to a table of Istio's native nft rules: `istio-proxy-nat` and `istio-ambient-nat` are `nat`. Any other name is unchanged. */
export function iptablesTable(table: string): string {
	return /^istio-(?:proxy|ambient)-(?<name>nat|mangle|raw)$/u.exec(table)?.groups?.['name'] ?? table;
}

/** The iptables chain that corresponds to a chain of Istio's native nft rules: `istio-output` is `ISTIO_OUTPUT`, `output` is `OUTPUT`. Chains of other tables keep their names. */
export function iptablesChain(table: string, chain: string): string {
	return iptablesTable(table) === table ? chain : (shortened[chain] ?? chain.toUpperCase().replaceAll('-', '_'));
}

/** Two chain names that the CNI agent shortens only under iptables (cni/pkg/iptables and cni/pkg/nftables, 1.30). */
const shortened: Readonly<Record<string, string>> = {'istio-prerouting': 'ISTIO_PRERT', 'istio-postrouting': 'ISTIO_POSTRT'};

/** Whether a place is a chain of nat by its iptables name, in either back end. */
export function isNatChain({table, chain}: {readonly table: string; readonly chain: string}, name: string): boolean {
	return iptablesTable(table) === 'nat' && iptablesChain(table, chain) === name;
}
