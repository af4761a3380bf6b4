/**
A rule of iptables with one condition or its target changed, in the text of iptables-save. The text is read again: a change that cannot be said so is none.
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

/** One thing to change of a rule. `place` counts the rule's conditions from 0. */
export type RuleEdit = {readonly kind: 'match'; readonly place: number; readonly match: Match} | {readonly kind: 'target'; readonly target: Target};

/** The rule as it is meant to be, without a text. */
export function meant({matches, target}: Pick<Rule, 'matches' | 'target'>, edit: RuleEdit): Pick<Rule, 'matches' | 'target'> {
	return edit.kind === 'target' ? {matches, target: edit.target} : {matches: matches.with(edit.place, edit.match), target};
}

/** The changed rule; undefined where iptables has no words for it: `-p` cannot be negated beside a port. */
export function editRule(rule: Rule, edit: RuleEdit, family: AddressFamily): Rule | undefined {
	const text = edit.kind === 'target' ? textWithTarget(rule, edit.target, family) : textWithMatch(rule, edit, family);
	if (text === undefined) {
		return undefined;
	}

	const wanted = meant(rule, edit);
	return withMeaning(rule, wanted, () => parseRuleText(normalText(text, family), family));
}

/** The rule with what a text was read as, if that is what was meant. */
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

/** The words behind the option of a condition. */
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

/** As marks are written. */
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
	// Words of the target that stand elsewhere, behind those of a condition, are not gathered.
	return last === undefined || (own.length > 0 && own.at(-1)!.end !== last.end)
		? undefined
		: `${text.slice(0, words[flag]!.start)}${printTarget(target, {targetWords: undefined, family})}${text.slice(last.end)}`;
}
