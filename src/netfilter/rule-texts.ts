/**
A rule set as the texts that the tools of its language read and print: one text per family, or one text for all families.
*/

import {parseSave, printSave} from './iptables/save.js';
import {parseNft, printNft} from './nftables/ruleset.js';
import type {AddressFamily, RuleLanguage, RuleSet} from './types.js';

/** The family of a text; null for native nft, which has all families in one text. */
export type TextFamily = AddressFamily | null;

/** One text of rules. */
export type RulesText = {readonly family: TextFamily; readonly text: string};

/** How a language divides rules into texts. `name` is for sentences. */
type Language = {
	readonly name: string;
	readonly textFamilies: (families: readonly AddressFamily[]) => readonly TextFamily[];
	/** Texts per family are independent of each other; an inet table has rules that see packets of both families. */
	readonly isPerFamily: boolean;
	readonly print: (ruleSet: RuleSet, families: readonly AddressFamily[]) => readonly RulesText[];
};

const languages: Readonly<Record<RuleLanguage, Language>> = {
	iptables: {
		name: 'iptables rules',
		textFamilies: families => families,
		isPerFamily: true,
		print: (ruleSet, families) => families.map(family => ({family, text: printSave(ruleSet, family)})),
	},
	nft: {
		name: 'native nft rules',
		textFamilies: () => [null],
		isPerFamily: false,
		print: ruleSet => [{family: null, text: printNft(ruleSet)}],
	},
};

/** The name of a language's rules in a sentence: `iptables rules`. */
export function nameOfLanguage(language: RuleLanguage): string {
	return languages[language].name;
}

/** Whether the rules of one family are the same with and without those of the other. */
export function isPerFamily(language: RuleLanguage): boolean {
	return languages[language].isPerFamily;
}

/** The families of the texts that a rule set of these families is printed as. */
export function textFamilies(language: RuleLanguage, families: readonly AddressFamily[]): readonly TextFamily[] {
	return languages[language].textFamilies(families);
}

/**
Prints the rules for the tools of a language. Native nft is printed whole, whatever the families.

@throws {RuleSyntaxError} for a set with anything that nft would not read as a rule.
*/
export function printTexts(language: RuleLanguage, ruleSet: RuleSet, families: readonly AddressFamily[]): readonly RulesText[] {
	return languages[language].print(ruleSet, families);
}

/**
Parses one text.

@throws {ParseError} if the text is not what the tool of its language prints.
*/
export function parseText({family, text}: RulesText): RuleSet {
	return family === null ? parseNft(text) : parseSave(text, family);
}
