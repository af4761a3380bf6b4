/**
What nft would not take of a generated rule set. Istio passes some options on as they are, and the transaction fails; such a rule can be shown all the same.
*/

import type {
	Match, Rule, RuleSet, Table,
} from '../../netfilter/types.js';

/** Why nft or the kernel refuses the set, as one sentence with the rule; undefined when it takes it (nft 1.0.6, measured). */
export function refusalOf({tables}: RuleSet): string | undefined {
	for (const table of tables) {
		for (const rule of table.chains.flatMap(({rules}) => rules)) {
			const reason = refusalOfRule(rule, table);
			if (reason !== undefined) {
				return `nft refuses rule ${rule.number} of chain ${rule.chain} in table ${table.family} ${table.name}, "${rule.text}": ${reason}`;
			}
		}
	}

	return undefined;
}

function refusalOfRule({target, matches}: Rule, {chains}: Table): string | undefined {
	if ((target.kind === 'jump' || target.kind === 'goto') && !chains.some(({name}) => name === target.chain)) {
		return `no chain ${target.chain} was made, because it holds no rule ("No such file or directory")`;
	}

	return matches.map(match => refusalOfMatch(match)).find(reason => reason !== undefined);
}

/** What has no field is not understood here either; of that, the kinds that options can bring about. */
function refusalOfMatch(match: Match): string | undefined {
	const text = match.kind === 'opaque' ? match.text : '';
	if (/^(?:tcp|udp) [sd]port \S*:/u.test(text)) {
		return 'in nft, a range of ports is written 9000-9010 ("Could not resolve service")';
	}

	return /^[io]ifname (?:!= )?[^"{@]/u.test(text) ? 'in nft, such a name of an interface is due in quotes ("syntax error")' : undefined;
}
