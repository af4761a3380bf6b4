/**
What a rule says, apart from the words in which it says it: for comparing a rule as somebody wrote it with the rule as the kernel holds it.
*/

import {normalize} from './iptables/normalize.js';
import type {Match, Rule, RuleSet} from './types.js';

/** What a rule of a normal form (`iptables/normalize.ts`) says, as a text that is equal for equal rules. Comments do not count; what is not understood counts as something that is there, because the tools spell it in their own way. */
export function meaningOf({matches, target}: Pick<Rule, 'matches' | 'target'>): string {
	const said = matches.filter(({kind}) => kind !== 'comment').map(match => meaningOfMatch(match)).toSorted();
	return JSON.stringify([said, target.kind === 'extension' ? {kind: 'extension', name: target.name} : target]);
}

function meaningOfMatch(match: Match): string {
	if (match.kind === 'opaque') {
		return 'opaque';
	}

	return JSON.stringify(match.kind === 'conntrack-state' ? {...match, states: match.states.toSorted()} : match);
}

/** Where one set does not hold what the other does: per chain the number of rules, and the first rule that says something else. Chains without rules and tables without any do not count. */
export function differencesInMeaning(asked: RuleSet, installed: RuleSet): readonly string[] {
	const [wanted, found] = [chainsOf(normalize(asked)), chainsOf(normalize(installed))];
	return [...new Set([...wanted.keys(), ...found.keys()])].flatMap(place => {
		const [required, there] = [wanted.get(place) ?? [], found.get(place) ?? []];
		if (required.length !== there.length) {
			return [`${place}: ${required.length} rules were asked for, ${there.length} are held`];
		}

		const at = required.findIndex((rule, index) => meaningOf(rule) !== meaningOf(there[index]!));
		return at === -1 ? [] : [`${place}#${at + 1}: asked for \`${required[at]!.text}\`, held is \`${there[at]!.text}\``];
	});
}

function chainsOf({tables}: RuleSet): ReadonlyMap<string, readonly Rule[]> {
	return new Map(tables.flatMap(({family, name, chains}) => chains
		.filter(({rules}) => rules.length > 0)
		.map(chain => [`${family} ${name} ${chain.name}`, chain.rules] as const)));
}
