/**
Splits a line as a shell does: blanks, single and double quotes, backslashes (POSIX shell, 2.2 Quoting). No variables, no globs: `*` stays `*`.
*/

import {InputError} from './input-error.js';

/** A word, and whether any part of it was quoted: then it is a value, whatever it looks like. */
export type ShellWord = {readonly text: string; readonly isQuoted: boolean};

const piece = /'(?<single>[^']*)'|"(?<double>(?:[^"\\]|\\.)*)"|\\(?<escaped>.)|(?<blank>\s+)|(?<open>['"])|(?<backslash>\\)|(?<plain>[^\s'"\\]+)/gsu;

/**
Splits a line into words.

@throws {InputError} if a quote is never closed, or if a backslash escapes nothing.
*/
export function shellWords(text: string): readonly ShellWord[] {
	const words: Array<{text: string; isQuoted: boolean}> = [];
	let isInWord = false;
	for (const {groups} of text.matchAll(piece)) {
		const {single, double, escaped, blank, open, backslash, plain} = groups ?? {};
		if (open !== undefined) {
			throw new InputError(`a quote ${open} that is never closed in ${text}`);
		}

		if (backslash !== undefined) {
			throw new InputError(`a backslash at the end of ${text}`);
		}

		if (blank !== undefined) {
			isInWord = false;
			continue;
		}

		if (!isInWord) {
			words.push({text: '', isQuoted: false});
			isInWord = true;
		}

		const word = words.at(-1)!;
		// Within double quotes, a backslash is special only before these.
		word.text += single ?? double?.replaceAll(/\\(["$\\`])/gu, '$1') ?? escaped ?? plain ?? '';
		word.isQuoted ||= single !== undefined || double !== undefined;
	}

	return words;
}

/**
The words of a line, as texts.

@throws {InputError} as {@link shellWords}.
*/
export function splitShellWords(text: string): readonly string[] {
	return shellWords(text).map(word => word.text);
}
