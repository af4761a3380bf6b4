/**
The vocabulary of netfilter: what a rule set is. All other rooms use these types.
*/

/** Both families of packets, in the order in which they are run and printed. */
export const addressFamilies = ['ipv4', 'ipv6'] as const;

/** The family of a packet. An `inet` table sees both, so this is not {@link Family}. */
export type AddressFamily = typeof addressFamilies[number];

/** The family of a table, as nft names it. `iptables` writes `ip` tables, `ip6tables` writes `ip6` tables. */
export type Family = 'ip' | 'ip6' | 'inet';

/** Every back end that can be selected, in the order in which results list them. The first is the default. `backends.ts` has the facts about each. */
export const backends = ['iptables-nft', 'iptables-legacy', 'nftables'] as const;

/** Which program writes the rules into the kernel, and through which kernel interface. */
export type Backend = typeof backends[number];

/** The languages of rules: what `iptables-save` prints, and what `nft list ruleset` prints. Several back ends can share one. */
export const ruleLanguages = ['iptables', 'nft'] as const;

/** One of these languages. */
export type RuleLanguage = typeof ruleLanguages[number];

/** A hook at which the kernel consults chains (linux/netfilter.h, `enum nf_inet_hooks`). */
export type Hook = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting';

/** Netfilter's decision about a packet (linux/netfilter.h and linux/netfilter/nf_tables.h). */
export type Verdict = 'accept' | 'drop' | 'stolen' | 'queue' | 'repeat' | 'jump' | 'goto' | 'return' | 'continue';

/** The name of a table: one that iptables knows (`nat`, `mangle`, `raw`, `filter`, `security`), or any name of a native nft table. */
export type TableName = string;

/** One condition of a rule. `negated` is the `!` before it. A match that is not understood is `opaque`: it keeps its text and is installed unchanged. */
export type Match =
	| {readonly kind: 'protocol'; readonly negated: boolean; readonly protocol: string}
	| {readonly kind: 'source' | 'destination'; readonly negated: boolean; readonly address: string}
	| {readonly kind: 'in-interface' | 'out-interface'; readonly negated: boolean; readonly name: string}
	| {readonly kind: 'source-port' | 'destination-port'; readonly negated: boolean; readonly ranges: readonly PortRange[]}
	| {readonly kind: 'uid' | 'gid'; readonly negated: boolean; readonly from: number; readonly to: number}
	| {readonly kind: 'socket-exists'; readonly negated: boolean}
	| {readonly kind: 'mark' | 'connmark'; readonly negated: boolean; readonly value: number; readonly mask: number}
	| {readonly kind: 'conntrack-state'; readonly negated: boolean; readonly states: readonly string[]}
	| {readonly kind: 'comment'; readonly text: string}
	| {readonly kind: 'opaque'; readonly text: string};

/** Ports `from` to `to`, both included. */
export type PortRange = {readonly from: number; readonly to: number};

/** What a rule does with a packet that it matches. `none` is a rule without `-j`: it only counts. */
export type Target =
	| {readonly kind: 'verdict'; readonly verdict: 'accept' | 'drop' | 'return' | 'queue'}
	| {readonly kind: 'jump' | 'goto'; readonly chain: string}
	| {readonly kind: 'redirect'; readonly toPorts: PortRange | undefined}
	| {readonly kind: 'tproxy'; readonly onPort: number; readonly mark: number; readonly mask: number}
	/** Sets the packet's mark, in the bits of `mask` (MARK --set-xmark; nft `meta mark set`). The packet continues. */
	| {readonly kind: 'set-mark'; readonly value: number; readonly mask: number}
	/** Sets the connection's mark, in the bits of `mask` (CONNMARK --set-xmark; nft `ct mark set`). The packet continues. */
	| {readonly kind: 'set-connmark'; readonly value: number; readonly mask: number}
	/** Copies the packet's mark to its connection, or back (CONNMARK; nft `ct mark set mark`, `meta mark set ct mark`). The packet continues. */
	| {readonly kind: 'save-mark' | 'restore-mark'}
	/** Chooses the conntrack zone, in raw (CT --zone; nft `ct zone set`). The packet continues. */
	| {readonly kind: 'ct-zone'; readonly zone: number}
	| {readonly kind: 'extension'; readonly name: string; readonly options: string}
	| {readonly kind: 'none'};

/** The counters of a rule, or of the policy of a built-in chain. */
export type Counters = {readonly packets: bigint; readonly bytes: bigint};

/** One rule of one chain. Code uses `matches` and `target`; people see `text`. */
export type Rule = {
	readonly chain: string;
	/** 1-based position in its chain, as in `iptables -L --line-numbers`. Never a handle. */
	readonly number: number;
	readonly matches: readonly Match[];
	readonly target: Target;
	/** The rule without `-A CHAIN` and without counts, verbatim: `-p tcp -j REDIRECT --to-ports 15001`. For a native nft table, as `nft -s list ruleset` prints it: `meta l4proto tcp counter redirect to :15001`. */
	readonly text: string;
};

/** Where a base chain of a native nft table is attached (nft(8), CHAINS). Lower priorities come first. */
export type BaseChain = {readonly type: 'filter' | 'nat' | 'route'; readonly hook: Hook; readonly priority: number};

/** A chain with its rules in order. `policy` is undefined for a user chain. `base` is only for the base chains of a native nft table; those of iptables follow from their names, see `baseChainOf`. */
export type Chain = {
	readonly name: string;
	readonly policy: 'ACCEPT' | 'DROP' | undefined;
	readonly base?: BaseChain;
	/** The `comment "…"` of a chain in a native nft table. */
	readonly comment?: string;
	readonly rules: readonly Rule[];
};

/** A named object of a native nft table other than a chain: a set, a map, a flowtable … `text` is its block as nft prints it, from its keyword to its closing brace, unchanged. */
export type TableObject = {readonly kind: string; readonly name: string; readonly text: string};

/** One table of one family. */
export type Table = {
	readonly family: Family;
	readonly name: TableName;
	readonly chains: readonly Chain[];
	/** Only for native nft tables. */
	readonly objects?: readonly TableObject[];
};

/** All tables for a sandbox, of both families and, with native nft tables, `inet`. Plain data. */
export type RuleSet = {readonly tables: readonly Table[]};
