/**
Splits one nft rule into words. A set in braces, a group in parentheses and a quoted string are one word each; so is a list with blanks after its commas.
*/

import {RuleSyntaxError} from '../words.js';

const wordPattern = /"[^"]*"|[^\s"(){}]+|["(){}]/gu;
const closers: Readonly<Record<string, string>> = {'{': '}', '(': ')'};

type Group = {readonly closer: string; readonly parts: string[]};

/** Splits a rule into words, with single blanks within them. A string ends at the next quote: nft knows no escapes in it (nft 1.0.6, measured). Throws `RuleSyntaxError` for an unmatched quote or bracket. */
export function splitNftWords(text: string): readonly string[] {
	const words: string[] = [];
	const groups: Group[] = [];
	let end = 0;
	for (const {0: token, index} of text.matchAll(wordPattern)) {
		const isGlued = index === end && index > 0 && !'(){}'.includes(token) && !'{}'.includes(text[index - 1] ?? '');
		end = index + token.length;
		const closer = closers[token];
		if (token === '"') {
			throw new RuleSyntaxError('a quote that is never closed');
		} else if (closer !== undefined) {
			groups.push({closer, parts: []});
		} else if (token === '}' || token === ')') {
			const group = groups.pop();
			if (group?.closer !== token) {
				throw new RuleSyntaxError(`"${token}" without its beginning`);
			}

			add(groups.at(-1)?.parts ?? words, printGroup(group), false);
		} else {
			add(groups.at(-1)?.parts ?? words, token, isGlued);
		}
	}

	if (groups.length > 0) {
		throw new RuleSyntaxError(`"${groups[0]?.closer === '}' ? '{' : '('}" without its end`);
	}

	return words;
}

function printGroup({closer, parts}: Group): string {
	return closer === '}' ? `{ ${parts.join(' ')} }` : `(${parts.join(' ')})`;
}

function add(words: string[], token: string, isGlued: boolean): void {
	const last = words.at(-1);
	if (last === undefined || !(isGlued || last.endsWith(',') || token.startsWith(','))) {
		words.push(token);
	} else {
		words[words.length - 1] = last.endsWith(',') && !isGlued ? `${last} ${token}` : last + token;
	}
}
