/**
Nft text as pieces: a line of a chain, the head of a block, the end of a block. A piece ends at a line's end or a semicolon, but never within a set in braces.
*/

import {ParseError} from '../parse-error.js';
import {RuleSyntaxError} from '../words.js';
import {refuseCommandWords} from './safety.js';

/** A piece with its place. `opens` says that a block begins behind it, `closes` that a block ends here. `raw` keeps line ends and blanks. */
export type Piece = {readonly text: string; readonly raw: string; readonly line: number; readonly opens: boolean; readonly closes: boolean};

/** Where the reader is. */
export type PieceReader = {readonly tokens: ReadonlyArray<{readonly text: string; readonly line: number}>; next: number; readonly lines: readonly string[]};

const tokenPattern = /"[^"\n]*"|#[^\n]*|\\\n|\n|[{};]|[^"#\\\n{};]+|["\\]/gu;

/** Prepares a text. Comments are looked at, for nft says in them what it cannot tell. */
export function readPieces(text: string): PieceReader {
	const clean = text.replaceAll('\r\n', '\n');
	const reader: PieceReader = {tokens: [], next: 0, lines: clean.split('\n')};
	const tokens: Array<{readonly text: string; readonly line: number}> = [];
	let line = 1;
	for (const [token] of clean.matchAll(tokenPattern)) {
		if (token.startsWith('#')) {
			refuseForeign(reader, token, line);
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

/** Runs a reader of a piece, and adds the line to what it says. */
export function atLine<T>(reader: Pick<PieceReader, 'lines'>, line: number, read: () => T): T {
	try {
		return read();
	} catch (error) {
		throw error instanceof RuleSyntaxError ? problem(reader, line, error.message) : error;
	}
}

/** The next piece, or undefined at the end. `opensBlock` is asked at a brace what stands before it. */
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
			// A closing brace ends the piece before it first, and is one of its own then.
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

/** What a token outside braces of a rule ends. */
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

/** What stands from here to the end of the block that was just opened, as it is. */
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

/** Tables of iptables-nft show up in nft with parts missing: nft says so in a comment, or puts a part of a rule into one. */
function refuseForeign(reader: PieceReader, comment: string, line: number): void {
	const [, table] = /^# Warning: table (?<table>\S+ \S+) is managed by iptables-nft/u.exec(comment) ?? [];
	if (table !== undefined) {
		throw problem(reader, line, `table ${table} was written by iptables-nft, and nft does not tell all of its rules; take iptables-save and ip6tables-save for it`);
	}

	if (/^# ?(?:xt_|match |target )/u.test(comment)) {
		throw problem(reader, line, 'a part of a rule that only iptables-nft writes, and nft does not tell; take iptables-save and ip6tables-save');
	}
}
