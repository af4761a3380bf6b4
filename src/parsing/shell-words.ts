/**
A line as a shell splits it: blanks, single and double quotes, backslash. No variables, no globs: `*` stays `*`.
*/

import {InputError} from './input-error.js';

/** Splits a line into words (POSIX shell, 2.2 Quoting). */
export function splitShellWords(text: string): readonly string[] {
	const words: string[] = [];
	let word: string | undefined;
	let quote: '"' | '\'' | undefined;
	for (let index = 0; index < text.length; index++) {
		const character = text.charAt(index);
		if (quote === undefined && /\s/.test(character)) {
			if (word !== undefined) {
				words.push(word);
			}

			word = undefined;
		} else if (quote === undefined && (character === '"' || character === '\'')) {
			quote = character;
			word ??= '';
		} else if (character === quote) {
			quote = undefined;
		} else if (character === '\\' && quote !== '\'') {
			const next = text.charAt(++index);
			if (next === '') {
				throw new InputError(`a backslash at the end of ${text}`);
			}

			// Within double quotes a backslash is only special before these.
			word = (word ?? '') + (quote === '"' && !/["$\\`]/.test(next) ? character + next : next);
		} else {
			word = (word ?? '') + character;
		}
	}

	if (quote !== undefined) {
		throw new InputError(`a quote ${quote} that is never closed in ${text}`);
	}

	return word === undefined ? words : [...words, word];
}
