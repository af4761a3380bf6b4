/**
Lists of addresses in one rule, `-s 10.0.0.1,10.0.0.2`: iptables makes one rule for each combination, with sources in the outer loop and destinations in the inner one (1.8.9, measured).
*/

import {RuleSyntaxError, splitWords, type Word} from '../words.js';
import {isNegation} from './rule-reader.js';

const addressOptions: ReadonlySet<string> = new Set(['-s', '--source', '--src', '-d', '--destination', '--dst']);

/** The most rules for one line; more is a mistake. */
const rulesPerLineMax = 1000;

/**
The rules that one line stands for; the line itself if it has no list.

@throws {RuleSyntaxError} if a list is negated, which iptables rejects, or stands for too many rules.
*/
export function expandLists(text: string): readonly string[] {
	if (!text.includes(',') || !/(?:-[sd]|--source|--src|--destination|--dst)\s+\S*,/.test(text)) {
		return [text];
	}

	const words = splitWords(text);
	let texts = [''];
	let place = 0;
	const append = (pieces: readonly string[]): void => {
		if (texts.length * pieces.length > rulesPerLineMax) {
			throw new RuleSyntaxError(`lists of addresses that stand for more than ${rulesPerLineMax} rules`);
		}

		texts = texts.flatMap(head => pieces.map(piece => head + piece));
	};

	for (const list of words.filter((word, index) => isList(words, {word, index}))) {
		append([text.slice(place, list.start)]);
		append(list.text.split(','));
		place = list.end;
	}

	append([text.slice(place)]);
	return texts;
}

function isList(words: readonly Word[], {word, index}: {readonly word: Word; readonly index: number}): boolean {
	const option = words[index - 1];
	if (option === undefined || option.quoted || !addressOptions.has(option.text) || !word.text.includes(',')) {
		return false;
	}

	if (isNegation(words[index - 2])) {
		throw new RuleSyntaxError(`"!" in front of ${option.text}: a list of addresses cannot be negated`);
	}

	return true;
}
