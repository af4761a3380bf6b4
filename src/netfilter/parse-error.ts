/**
Why a text of rules was rejected, and where: by the lines that the user supplied, even if the rules were extracted from another text.
*/

/** The longest part of a line that a message shows; `lineText` has all of it. */
const shownMax = 300;

/** Why a text was rejected, and where. Lines count from 1. `lineText` is empty if the text may not be rules, so that nothing private is shown. */
export class ParseError extends Error {
	override readonly name = 'ParseError';
	readonly line: number;
	readonly reason: string;
	readonly lineText: string;

	constructor({line, reason, lineText}: {readonly line: number; readonly reason: string; readonly lineText: string}) {
		super(`line ${line}: ${reason}${lineText === '' ? '' : `: ${lineText.length > shownMax ? `${lineText.slice(0, shownMax)}…` : lineText}`}`);
		this.line = line;
		this.reason = reason;
		this.lineText = lineText;
	}
}

/** A line, trimmed, and its number in the user's text. */
export type Line = {readonly number: number; readonly text: string};

/** The error for a line. */
export function problem(line: Line, reason: string): ParseError {
	return new ParseError({line: line.number, reason, lineText: line.text});
}

/** The lines of a text, without the byte order mark that some editors put at the start. */
export function linesOf(text: string): readonly Line[] {
	return text.replace(/^\uFEFF/u, '').split('\n').map((line, index) => ({number: index + 1, text: line.trim()}));
}
