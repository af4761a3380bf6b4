/**
Changes one condition or the target of an iptables rule in the text of iptables-save. The new text is parsed again; a change that has no such text is discarded.
*/

import {meaningOf} from '../netfilter/compare-rules.js';
import {normalText} from '../netfilter/iptables/normalize.js';
import {printTarget} from '../netfilter/iptables/normalize-target.js';
import {parseRuleText, readRule} from '../netfilter/iptables/rule.js';
import {wordMax} from '../netfilter/iptables/values.js';
import type {
	AddressFamily, Match, PortRange, Rule, Target,
} from '../netfilter/types.js';
import {RuleSyntaxError, splitWords} from '../netfilter/words.js';

/** One change of a rule. `place` is the index of the condition, from 0. */
export type RuleEdit = {readonly kind: 'match'; readonly place: number; readonly match: Match} | {readonly kind: 'target'; readonly target: Target};

/** The intended rule, without a text. */
export function meant({matches, target}: Pick<Rule, 'matches' | 'target'>, edit: RuleEdit): Pick<Rule, 'matches' | 'target'> {
	return edit.kind === 'target' ? {matches, target: edit.target} : {matches: matches.with(edit.place, edit.match), target};
}

/** The changed rule; undefined if iptables cannot express it: `-p` cannot be negated together with a port. */
export function editRule(rule: Rule, edit: RuleEdit, family: AddressFamily): Rule | undefined {
	const text = edit.kind === 'target' ? textWithTarget(rule, edit.target, family) : textWithMatch(rule, edit, family);
	if (text === undefined) {
		return undefined;
	}

	const wanted = meant(rule, edit);
	return withMeaning(rule, wanted, () => parseRuleText(normalText(text, family), family));
}

/** The rule as its text was parsed, if that is the intended one. */
export function withMeaning(rule: Rule, wanted: Pick<Rule, 'matches' | 'target'>, read: () => Pick<Rule, 'matches' | 'target' | 'text'>): Rule | undefined {
	try {
		const found = read();
		return meaningOf(found) === meaningOf(wanted) ? {...rule, ...found} : undefined;
	} catch (error) {
		if (error instanceof RuleSyntaxError) {
			return undefined;
		}

		throw error;
	}
}

function textWithMatch({text}: Rule, {place, match}: Extract<RuleEdit, {kind: 'match'}>, family: AddressFamily): string | undefined {
	const part = readRule(text, family).parts[place];
	const option = part?.words.find(word => word.text !== '!' || word.quoted);
	const [first, last] = [part?.words[0], part?.words.at(-1)];
	if (option === undefined || first === undefined || last === undefined) {
		return undefined;
	}

	const [name] = option.text.split('=');
	const words = [...('negated' in match && match.negated ? ['!'] : []), name!, ...valueOf(match)];
	return `${text.slice(0, first.start)}${words.join(' ')}${text.slice(last.end)}`;
}

/** The words after the option of a condition. */
function valueOf(match: Match): readonly string[] {
	switch (match.kind) {
		case 'protocol': {
			return [match.protocol];
		}

		case 'source':
		case 'destination': {
			return [match.address];
		}

		case 'in-interface':
		case 'out-interface': {
			return [match.name];
		}

		case 'source-port':
		case 'destination-port': {
			return [match.ranges.map(range => printNumbers(range, ':')).join(',')];
		}

		case 'uid':
		case 'gid': {
			return [printNumbers(match, '-')];
		}

		case 'mark':
		case 'connmark': {
			return [match.mask === wordMax ? hexadecimal(match.value) : `${hexadecimal(match.value)}/${hexadecimal(match.mask)}`];
		}

		case 'conntrack-state': {
			return [match.states.join(',')];
		}

		case 'socket-exists': {
			return [];
		}

		case 'comment':
		case 'opaque': {
			return [match.text];
		}
	}
}

/** One number, or the first and the last of a range. */
export function printNumbers({from, to}: PortRange, separator: string): string {
	return from === to ? String(from) : `${from}${separator}${to}`;
}

/** Marks in their notation. */
export function hexadecimal(value: number): string {
	return `0x${value.toString(16)}`;
}

function textWithTarget({text}: Rule, target: Target, family: AddressFamily): string | undefined {
	const words = splitWords(text);
	const flag = words.findIndex(word => !word.quoted && /^(?:-j|-g|--jump|--goto)$/u.test(word.text));
	if (flag === -1) {
		return undefined;
	}

	const own = readRule(text, family).targetWords?.words ?? [];
	const last = words[flag + 1 + own.length];
	// Does not handle target words that are elsewhere, after those of a condition.
	return last === undefined || (own.length > 0 && own.at(-1)!.end !== last.end)
		? undefined
		: `${text.slice(0, words[flag]!.start)}${printTarget(target, {targetWords: undefined, family})}${text.slice(last.end)}`;
}
