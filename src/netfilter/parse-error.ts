/**
Why a text that should hold rules was refused.
*/

/** Why a dump was refused, and where. Lines count from 1. */
export class ParseError extends Error {
	override readonly name = 'ParseError';
	readonly line: number;
	readonly reason: string;
	readonly lineText: string;

	constructor({line, reason, lineText}: {readonly line: number; readonly reason: string; readonly lineText: string}) {
		super(`line ${line}: ${reason}: ${lineText}`);
		this.line = line;
		this.reason = reason;
		this.lineText = lineText;
	}
}
