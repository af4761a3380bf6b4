/**
Why a text of rules was refused, and where: in the lines that the user gave, whatever the text was taken out of.
*/

/** Longest part of a line that a message shows; `lineText` has it whole. */
const shownMax = 300;

/** Why a text was refused, and where. Lines count from 1. `lineText` is empty where the text is not known to be one of rules: then it is nobody's business. */
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

/** A line without the blanks around it, and its number in the user's text. */
export type Line = {readonly number: number; readonly text: string};

/** The error of a line. */
export function problem(line: Line, reason: string): ParseError {
	return new ParseError({line: line.number, reason, lineText: line.text});
}

/** The lines of a text, without the byte order mark that some editors put in front. */
export function linesOf(text: string): readonly Line[] {
	return text.replace(/^\uFEFF/u, '').split('\n').map((line, index) => ({number: index + 1, text: line.trim()}));
}
