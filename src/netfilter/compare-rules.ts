/**
Compares what rules mean, not how they are written: a rule as a user wrote it with the rule as the kernel prints it.
*/

import {normalize} from './iptables/normalize.js';
import type {Match, Rule, RuleSet} from './types.js';

/** The meaning of a normalized rule (`iptables/normalize.ts`), as a text that is equal for equivalent rules. Comments do not count. A part that is not understood only counts as present, because tools spell it in different ways. */
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

/** The differences between two sets: for each chain, the number of rules and the first rule with a different meaning. Empty chains and tables do not count. */
export function differencesInMeaning(asked: RuleSet, installed: RuleSet): readonly string[] {
	const [wanted, found] = [chainsOf(normalize(asked)), chainsOf(normalize(installed))];
	return [...new Set([...wanted.keys(), ...found.keys()])].flatMap(place => {
		const [required, there] = [wanted.get(place) ?? [], found.get(place) ?? []];
		if (required.length !== there.length) {
			return [`${place}: ${required.length} rules were requested, but ${there.length} are installed`];
		}

		const at = required.findIndex((rule, index) => !isSameMeaning(rule, there[index]!));
		return at === -1 ? [] : [`${place}#${at + 1}: requested \`${required[at]!.text}\`, but installed is \`${there[at]!.text}\``];
	});
}

/** Rules with the same normalized text have the same fields, so most need not be put into words. */
function isSameMeaning(one: Rule, other: Rule): boolean {
	return (one.matches === other.matches && one.target === other.target) || meaningOf(one) === meaningOf(other);
}

function chainsOf({tables}: RuleSet): ReadonlyMap<string, readonly Rule[]> {
	return new Map(tables.flatMap(({family, name, chains}) => chains
		.filter(({rules}) => rules.length > 0)
		.map(chain => [`${family} ${name} ${chain.name}`, chain.rules] as const)));
}
