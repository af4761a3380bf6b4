/**
Finds rules in a generated set that nft would reject. Istio passes some options on unchanged, and the transaction fails; such a rule set can be shown anyway.
*/

import type {
	Match, Rule, RuleSet, Table,
} from '../../netfilter/types.js';

/** Why nft or the kernel rejects the set, as one sentence with the rule; undefined if it is accepted (nft 1.0.6, measured). */
export function refusalOf({tables}: RuleSet): string | undefined {
	for (const table of tables) {
		for (const rule of table.chains.flatMap(({rules}) => rules)) {
			const reason = refusalOfRule(rule, table);
			if (reason !== undefined) {
				return `nft rejects rule ${rule.number} of chain ${rule.chain} in table ${table.family} ${table.name}, "${rule.text}": ${reason}`;
			}
		}
	}

	return undefined;
}

function refusalOfRule({target, matches}: Rule, {chains}: Table): string | undefined {
	if ((target.kind === 'jump' || target.kind === 'goto') && !chains.some(({name}) => name === target.chain)) {
		return `chain ${target.chain} was not created, because it has no rule ("No such file or directory")`;
	}

	return matches.map(match => refusalOfMatch(match)).find(reason => reason !== undefined);
}

/** Parts without a field are not understood here either; of these, the kinds that options can cause. */
function refusalOfMatch(match: Match): string | undefined {
	const text = match.kind === 'opaque' ? match.text : '';
	if (/^(?:tcp|udp) [sd]port \S*:/u.test(text)) {
		return 'in nft, a range of ports is written 9000-9010 ("Could not resolve service")';
	}

	return /^[io]ifname (?:!= )?[^"{@]/u.test(text) ? 'nft requires quotes for such an interface name ("syntax error")' : undefined;
}
