/**
Splits one line of a dump into words, quoted as iptables-restore reads and iptables-save writes them.
*/

/** Thrown by all parsers of a part of a line; the caller that knows the line turns it into a `ParseError`. */
export class RuleSyntaxError extends Error {
	override readonly name = 'RuleSyntaxError';
}

/** A word with its place in the line: `start` and `end` count from 0, `end` is not included, and quotes are. */
export type Word = {readonly text: string; readonly quoted: boolean; readonly start: number; readonly end: number};

/**
Splits a line into words. Only double quotes group, and only a backslash within them escapes (iptables-restore 1.8.9, measured).

@throws {RuleSyntaxError} if a quote is not closed or is in the middle of a word.
*/
export function splitWords(line: string): readonly Word[] {
	const words: Word[] = [];
	let place = 0;
	while (place < line.length) {
		if (isBlank(line, place)) {
			place++;
			continue;
		}

		const start = place;
		const quoted = line[start] === '"';
		place = quoted ? endOfQuote(line, start) : endOfPlain(line, start);
		if (quoted ? place < line.length && !isBlank(line, place) : line[place] === '"') {
			throw new RuleSyntaxError('a quote in the middle of a word');
		}

		const inner = quoted ? line.slice(start + 1, place - 1) : line.slice(start, place);
		words.push({
			text: quoted && inner.includes('\\') ? inner.replaceAll(/\\(.)/gu, '$1') : inner, quoted, start, end: place,
		});
	}

	return words;
}

/** A word as iptables-save writes it: bare if it has only letters, digits, `_` and `-`, else in quotes (xtables_save_string of 1.8.9, measured). */
export function quoteWord(text: string): string {
	return /^[\w-]+$/.test(text) ? text : `"${text.replaceAll(/["'\\]/g, String.raw`\$&`)}"`;
}

/** A word of a part that is kept as text, with quotes only if it would be another word without them. */
export function normalWord({text, quoted}: Pick<Word, 'text' | 'quoted'>): string {
	return quoted && (/^(?:-|!?$)/.test(text) || /[\s"\\]/.test(text)) ? `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"` : text;
}

/** Words as they are in the line, including quotes, joined by single spaces. */
export function verbatim(line: string, words: readonly Word[]): string {
	return words.map(({start, end}) => line.slice(start, end)).join(' ');
}

function isBlank(line: string, place: number): boolean {
	const character = line[place];
	return character === ' ' || character === '\t';
}

function endOfPlain(line: string, start: number): number {
	let place = start;
	while (place < line.length && !isBlank(line, place) && line[place] !== '"') {
		place++;
	}

	return place;
}

function endOfQuote(line: string, start: number): number {
	let place = start + 1;
	while (line[place] !== '"') {
		if (place >= line.length) {
			throw new RuleSyntaxError('a quote that is never closed');
		}

		place += line[place] === '\\' ? 2 : 1;
	}

	return place + 1;
}
