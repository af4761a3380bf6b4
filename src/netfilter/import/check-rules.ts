/**
Checks that a rule set contains rules and nothing else. Every set passes this check before a tool gets its text, whoever made it.
*/

import {languageOf} from '../backends.js';
import {addressFamilyOf, builtInChains, tableNames} from '../built-in.js';
import {knownMatches, knownTargets} from '../iptables/extensions.js';
import {checkNftRuleSet} from '../nftables/safety.js';
import {printStep} from '../path.js';
import {readRule} from '../iptables/rule.js';
import type {
	AddressFamily, Backend, Rule, RuleLanguage, RuleSet, Table,
} from '../types.js';
import {RuleSyntaxError} from '../words.js';

/** A match or a target that is not in the tables of `iptables/extensions.ts`, with the first rule that uses it. */
export type UnknownExtension = {readonly name: string; readonly flag: '-m' | '-j'; readonly rule: Rule; readonly place: string};

type Named = ReadonlyArray<Pick<UnknownExtension, 'name' | 'flag'>>;

/** A cache by rule: parsing the rules again is most of the work, and sets share rules. */
const namedByRule: Readonly<Record<AddressFamily, WeakMap<Rule, {readonly text: string; readonly named: Named}>>> = {ipv4: new WeakMap(), ipv6: new WeakMap()};

/**
Parses the text of every rule of a set again, and returns each unknown match and target once. Native nft rules have none.

@throws {RuleSyntaxError} if a name or a text of the set is not one that a parser here would have accepted.
*/
export function unknownExtensions(ruleSet: RuleSet, backend: Backend): readonly UnknownExtension[] {
	return checks[languageOf(backend)](ruleSet);
}

const checks: Readonly<Record<RuleLanguage, (ruleSet: RuleSet) => readonly UnknownExtension[]>> = {
	iptables: unknownToIptables,
	nft(ruleSet) {
		checkNftRuleSet(ruleSet);
		return [];
	},
};

function unknownToIptables(ruleSet: RuleSet): readonly UnknownExtension[] {
	const found = new Map<string, UnknownExtension>();
	for (const table of ruleSet.tables) {
		checkNames(table);
		const family = familyOf(table);
		for (const {name: chain, rules} of table.chains) {
			for (const rule of rules) {
				for (const {name, flag} of namedIn(rule, family)) {
					const key = `${flag} ${name}`;
					found.set(key, found.get(key) ?? {
						name, flag, rule, place: printStep(table.name, chain, rule.number),
					});
				}
			}
		}
	}

	return [...found.values()];
}

function familyOf({family, name}: Table): AddressFamily {
	if (family === 'inet') {
		throw new RuleSyntaxError(`table inet ${name} is not an iptables table`);
	}

	return addressFamilyOf(family);
}

function checkNames({name: table, chains}: Table): void {
	if (!tableNames.includes(table)) {
		throw new RuleSyntaxError(`unknown table ${JSON.stringify(table)}`);
	}

	for (const {name, policy, rules} of chains) {
		if (!/^[^\s!:\p{Cc}-][^\s\p{Cc}]*$/u.test(name)) {
			throw new RuleSyntaxError(`${JSON.stringify(name)} is not a valid chain name`);
		}

		if (policy !== undefined && !builtInChains(table).includes(name)) {
			throw new RuleSyntaxError(`chain ${name} of table ${table} cannot have a policy`);
		}

		const foreign = rules.find(({chain}) => chain !== name);
		if (foreign !== undefined) {
			throw new RuleSyntaxError(`a rule of chain ${JSON.stringify(foreign.chain)} in chain ${name}`);
		}
	}
}

function namedIn(rule: Rule, family: AddressFamily): Named {
	const known = namedByRule[family].get(rule);
	if (known?.text === rule.text) {
		return known.named;
	}

	if (/[^\P{Cc}\t]/u.test(rule.text)) {
		throw new RuleSyntaxError(`a control character in the rule ${JSON.stringify(rule.text)}`);
	}

	const {parts, targetWords, rule: {target}} = readRule(rule.text, family);
	const named: Named = [
		...parts.filter(({option, module}) => option === '-m' && !knownMatches.has(module)).map(({module}) => ({name: module, flag: '-m' as const})),
		...(target.kind === 'extension' && targetWords !== undefined && !knownTargets.has(targetWords.name) ? [{name: targetWords.name, flag: '-j' as const}] : []),
	];
	namedByRule[family].set(rule, {text: rule.text, named});
	return named;
}
