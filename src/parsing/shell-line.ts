/**
A command line as the words that a shell makes of it (POSIX shell, 2.2 Quoting), as far as logs and scripts of rules have them.
*/

import {problem, type Line} from '../netfilter/parse-error.js';

/** A word, and whether it had quotes: then it is a value whatever it looks like. */
export type ShellWord = {readonly text: string; readonly isQuoted: boolean};

const wordPattern = /'(?<single>[^']*)'|"(?<double>(?:[^"\\]|\\.)*)"|\\(?<escaped>.)|(?<blank>\s+)|(?<lone>['"])|(?<plain>[^\s'"\\]+)/gu;

/**
Splits a command line.

@throws {ParseError} when a quote is not closed.
*/
export function shellWords(text: string, line: Line): readonly ShellWord[] {
	const words: Array<{text: string; isQuoted: boolean}> = [];
	let isOpen = false;
	for (const {groups} of text.matchAll(wordPattern)) {
		const {single, double, escaped, blank, lone, plain} = groups ?? {};
		if (lone !== undefined) {
			throw problem(line, 'a quote that is never closed');
		}

		if (blank !== undefined) {
			isOpen = false;
			continue;
		}

		if (!isOpen) {
			words.push({text: '', isQuoted: false});
			isOpen = true;
		}

		const word = words.at(-1)!;
		word.text += single ?? double?.replaceAll(/\\(["$\\`])/g, '$1') ?? escaped ?? plain ?? '';
		word.isQuoted ||= single !== undefined || double !== undefined;
	}

	return words;
}
