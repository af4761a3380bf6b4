/**
Splits nft text into pieces: a line of a chain, the opening of a block, the end of a block. A piece ends at the end of a line or at a semicolon, but never inside a set in braces.
*/

import {ParseError} from '../parse-error.js';
import {RuleSyntaxError} from '../words.js';
import {refuseCommandWords} from './safety.js';

/** A piece with its position. `opens`: a block begins after it. `closes`: a block ends here. `raw` keeps line ends and blanks. */
export type Piece = {readonly text: string; readonly raw: string; readonly line: number; readonly opens: boolean; readonly closes: boolean};

/** The reader's state. `managed` are the tables that iptables-nft wrote according to nft, as `ip nat`; `hidden` are, by line, the parts of rules that nft puts into comments. */
export type PieceReader = {
	readonly tokens: ReadonlyArray<{readonly text: string; readonly line: number}>;
	next: number;
	readonly lines: readonly string[];
	readonly managed: ReadonlySet<string>;
	readonly hidden: ReadonlyMap<number, string>;
};

const tokenPattern = /"[^"\n]*"|#[^\n]*|\\\n|\n|[{};]|[^"#\\\n{};]+|["\\]/gu;

/** Prepares a text. Comments are read too, because nft uses them for what it cannot express. */
export function readPieces(text: string): PieceReader {
	const clean = text.replaceAll('\r\n', '\n');
	const managed = new Set<string>();
	const hidden = new Map<number, string>();
	const reader: PieceReader = {
		tokens: [], next: 0, lines: clean.split('\n'), managed, hidden,
	};
	const tokens: Array<{readonly text: string; readonly line: number}> = [];
	let line = 1;
	for (const [token] of clean.matchAll(tokenPattern)) {
		if (token.startsWith('#')) {
			const {table, part} = /^# ?(?:Warning: table (?<table>\S+ \S+) is managed by iptables-nft|(?<part>(?:xt_|match |target ).*))/u.exec(token)?.groups ?? {};
			if (table !== undefined) {
				managed.add(table);
			}

			if (part !== undefined) {
				hidden.set(line, part.trim());
			}
		} else if (token === '"') {
			throw problem(reader, line, 'a quote that is never closed');
		} else {
			const place = line;
			atLine(reader, place, () => {
				refuseCommandWords(token);
			});
			tokens.push({text: token === '\\\n' ? ' ' : token, line});
		}

		line += token.endsWith('\n') ? 1 : 0;
	}

	return {...reader, tokens};
}

/** A `ParseError` for a line. */
export function problem({lines}: Pick<PieceReader, 'lines'>, line: number, reason: string): ParseError {
	return new ParseError({line, reason, lineText: lines[line - 1]?.trim() ?? ''});
}

/** Runs a parser of a piece, and adds the line to its errors. */
export function atLine<T>(reader: Pick<PieceReader, 'lines'>, line: number, read: () => T): T {
	try {
		return read();
	} catch (error) {
		throw error instanceof RuleSyntaxError ? problem(reader, line, error.message) : error;
	}
}

/** The next piece, or undefined at the end. At a brace, `opensBlock` decides by what precedes it. */
export function nextPiece(reader: PieceReader, opensBlock: (text: string) => boolean): Piece | undefined {
	const parts: string[] = [];
	let line: number | undefined;
	let depth = 0;
	for (; reader.next < reader.tokens.length; reader.next++) {
		const token = reader.tokens[reader.next]!;
		const end = depth === 0 ? endAt(token.text, () => opensBlock(parts.join('').trim())) : undefined;
		if (end === 'separator' && line === undefined) {
			continue;
		}

		if (end !== undefined) {
			// A closing brace first ends the piece before it and then is a piece of its own.
			reader.next += end === 'closes' && line !== undefined ? 0 : 1;
			return piece(parts, {line: line ?? token.line, opens: end === 'opens', closes: end === 'closes' && line === undefined});
		}

		if (line !== undefined || token.text.trim() !== '') {
			line ??= token.line;
			depth += depthOf(token.text);
			parts.push(token.text);
		}
	}

	if (depth > 0) {
		throw problem(reader, line ?? 1, '"{" without its end');
	}

	return line === undefined ? undefined : piece(parts, {line});
}

/** Whether a token ends a rule, outside of braces. */
function endAt(text: string, opensBlock: () => boolean): 'separator' | 'opens' | 'closes' | undefined {
	if (text === '\n' || text === ';') {
		return 'separator';
	}

	if (text === '}') {
		return 'closes';
	}

	return text === '{' && opensBlock() ? 'opens' : undefined;
}

function depthOf(text: string): number {
	return text === '{' ? 1 : (text === '}' ? -1 : 0);
}

/** The raw text from here to the end of the block that was just opened. */
export function rawBlock(reader: PieceReader, line: number): string {
	const parts: string[] = [];
	let depth = 1;
	for (; reader.next < reader.tokens.length; reader.next++) {
		const {text} = reader.tokens[reader.next]!;
		depth += depthOf(text);
		if (depth === 0) {
			reader.next++;
			return parts.join('');
		}

		parts.push(text);
	}

	throw problem(reader, line, 'a block without its end');
}

function piece(parts: readonly string[], {line, opens = false, closes = false}: {readonly line: number; readonly opens?: boolean; readonly closes?: boolean}): Piece {
	const raw = parts.join('');
	return {
		text: raw.replaceAll('\n', ' ').trim(), raw, line, opens, closes,
	};
}
