/**
The names that Istio gives to the same thing in its two back ends: native nft's tables and chains by the names of their iptables twins, so that roles, shadows and comparisons know one set of names.
*/

/** The iptables table that a table of Istio's native nft rules stands for: `istio-proxy-nat` and `istio-ambient-nat` are `nat`. Any other name is its own. */
export function iptablesTable(table: string): string {
	return /^istio-(?:proxy|ambient)-(?<name>nat|mangle|raw)$/u.exec(table)?.groups?.['name'] ?? table;
}

/** The iptables chain that a chain of Istio's native nft rules stands for: `istio-output` is `ISTIO_OUTPUT`, `output` is `OUTPUT`. Chains of other tables keep their names. */
export function iptablesChain(table: string, chain: string): string {
	return iptablesTable(table) === table ? chain : (shortened[chain] ?? chain.toUpperCase().replaceAll('-', '_'));
}

/** The CNI agent shortens two chain names under iptables only (cni/pkg/iptables and cni/pkg/nftables, 1.30). */
const shortened: Readonly<Record<string, string>> = {'istio-prerouting': 'ISTIO_PRERT', 'istio-postrouting': 'ISTIO_POSTRT'};

/** Whether a place is a chain of nat by its iptables name, in either back end. */
export function isNatChain({table, chain}: {readonly table: string; readonly chain: string}, name: string): boolean {
	return iptablesTable(table) === 'nat' && iptablesChain(table, chain) === name;
}
