/**
One line of a dump as words, quoted as iptables-restore reads them.
*/

/** Thrown by everything that reads a part of a line; whoever knows the line turns it into a `ParseError`. */
export class RuleSyntaxError extends Error {
	override readonly name = 'RuleSyntaxError';
}

/** A word with its place in the line: `start` and `end` count from 0, `end` is not included, and quotes are. */
export type Word = {readonly text: string; readonly quoted: boolean; readonly start: number; readonly end: number};

const wordPattern = /"(?<quotedText>(?:[^"\\]|\\.)*)"|(?<plainText>[^\s"]+)|(?<lone>")/gu;

/** Splits a line into words. Only double quotes group, and only a backslash within them escapes (iptables-restore 1.8.9, measured). */
export function splitWords(line: string): readonly Word[] {
	const words: Word[] = [];
	for (const match of line.matchAll(wordPattern)) {
		const {quotedText, plainText} = match.groups ?? {};
		const start = match.index;
		if (quotedText === undefined && plainText === undefined) {
			throw new RuleSyntaxError('a quote that is never closed');
		}

		if (words.at(-1)?.end === start) {
			throw new RuleSyntaxError('a quote in the middle of a word');
		}

		const text = plainText ?? (quotedText ?? '').replaceAll(/\\(.)/gu, '$1');
		words.push({
			text, quoted: plainText === undefined, start, end: start + match[0].length,
		});
	}

	return words;
}

/** Words as they stand in the line, quotes and all, joined by single spaces. */
export function verbatim(line: string, words: readonly Word[]): string {
	return words.map(({start, end}) => line.slice(start, end)).join(' ');
}
