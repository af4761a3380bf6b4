/**
The order in which the kernel runs the base chains of one hook.

Chains run in the order of their priorities; of two with the same priority, the one created last runs first (`nf_hook_entries_grow` in net/netfilter/core.c; measured on Linux 6.18). Chains of type nat are an exception: they are not attached to the hook themselves. A single entry, with a priority of its own and created together with the first nat chain at any hook, runs all of them in the order of their priorities (`nf_nat_register_fn` and `nf_nat_inet_fn` in net/netfilter/nf_nat_core.c). So a nat chain with priority 50 runs before a filter chain with priority 0 in OUTPUT, and after it in INPUT.
*/

import type {BaseChain, Hook} from './types.js';

/** The priority of the single entry of all nat chains (`nf_nat_ipv4_ops` in net/netfilter/nf_nat_proto.c: NF_IP_PRI_NAT_DST and NF_IP_PRI_NAT_SRC). */
const natPriorities: Readonly<Record<Hook, number>> = {
	prerouting: -100, output: -100, input: 100, postrouting: 100, forward: 100,
};

/** The base chains of one family in the order in which packets meet them, hook by hook. `created` lists them in the order of their creation. */
export function inOrderAsked<Each extends {readonly base: BaseChain}>(created: readonly Each[]): readonly Each[] {
	const firstNat = created.findIndex(({base}) => base.type === 'nat');
	return created
		.map((each, index) => {
			const {type, hook, priority} = each.base;
			const isNat = type === 'nat';
			return {each, keys: [isNat ? natPriorities[hook] : priority, -(isNat ? firstNat : index), priority, -index]};
		})
		.toSorted((one, other) => one.keys.map((key, place) => key - other.keys[place]!).find(difference => difference !== 0) ?? 0)
		.map(({each}) => each);
}
