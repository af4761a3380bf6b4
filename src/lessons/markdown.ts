/**
The Markdown of lessons: paragraphs, headings, lists, fenced code; within a line `code`, **strong** and [links](https://…). All other Markdown is rejected, so that a terminal and a page show the same.
*/

import {InputError} from '../parsing/input-error.js';

/** A piece of a line. `href` is an address of https or a path within the project. */
export type Span =
	| {readonly kind: 'text' | 'code' | 'strong'; readonly text: string}
	| {readonly kind: 'link'; readonly text: string; readonly href: string};

/** A part of a text. The items of a list are lines; those of a numbered list count from 1. */
export type Block =
	| {readonly kind: 'paragraph' | 'heading'; readonly spans: readonly Span[]}
	| {readonly kind: 'list'; readonly isNumbered: boolean; readonly items: ReadonlyArray<readonly Span[]>}
	| {readonly kind: 'code'; readonly lines: readonly string[]};

/** Markdown that lessons do not support, with what to use instead. Code is not checked. */
const refused: ReadonlyArray<readonly [pattern: RegExp, what: string]> = [
	[/<\/?[A-Za-z!]/u, 'HTML; use text, and code in backquotes'],
	[/!\[/u, 'images; the drawings are made from packets'],
	[/^\s*\|/u, 'tables; use a list'],
	[/^\s*>/u, 'quotations; use a paragraph'],
	[/(?<!\*)\*(?!\*)[^*\s]|(?<![\w_])_[^_\s]/u, 'emphasis with * or _; use **strong**, or code in backquotes'],
];

const marker = /^(?<bullet>[-*]|(?<number>\d+)\.) +(?<rest>.*)$/u;

/**
The blocks of a text.

@throws {InputError} for unsupported Markdown, with the line of the text, counted from `firstLine`, or with the place `at` if it is given.
*/
export function readMarkdown(text: string, {firstLine = 1, at}: {readonly firstLine?: number; readonly at?: string} = {}): readonly Block[] {
	const blocks: Block[] = [];
	const lines = text.split('\n');
	let open: {kind: 'paragraph' | 'list'; isNumbered: boolean; items: string[]; place: string} | undefined;
	const close = (): void => {
		if (open !== undefined) {
			const {kind, isNumbered, items, place} = open;
			const spans = items.map(item => spansOf(item, place));
			blocks.push(kind === 'paragraph' ? {kind, spans: spans[0]!} : {kind, isNumbered, items: spans});
			open = undefined;
		}
	};

	for (let index = 0; index < lines.length; index++) {
		const line = lines[index]!.trimEnd();
		const place = at ?? `line ${firstLine + index}`;
		if (line.startsWith('```')) {
			close();
			const end = lines.findIndex((later, number) => number > index && later.trimEnd() === '```');
			if (end === -1) {
				throw new InputError('this code block is not closed; end it with a line of ```', place);
			}

			blocks.push({kind: 'code', lines: lines.slice(index + 1, end).map(each => each.trimEnd())});
			index = end;
			continue;
		}

		const heading = /^#{1,6} +(?<title>\S.*)$/u.exec(line)?.groups?.['title'];
		const {bullet, number, rest} = marker.exec(line)?.groups ?? {};
		if (line.trim() === '') {
			close();
		} else if (heading !== undefined) {
			close();
			blocks.push({kind: 'heading', spans: spansOf(heading, place)});
		} else if (bullet !== undefined) {
			const isNumbered = number !== undefined;
			if (open?.kind !== 'list' || open.isNumbered !== isNumbered) {
				close();
				open = {kind: 'list', isNumbered, items: [], place};
			}

			open.items.push(rest!);
		} else if (open === undefined) {
			open = {kind: 'paragraph', isNumbered: false, items: [line.trim()], place};
		} else {
			open.items.push(`${open.items.pop()!} ${line.trim()}`);
		}
	}

	close();
	return blocks;
}

const spanPattern = /`(?<code>[^`]+)`|\*\*(?<strong>[^*]+)\*\*|(?<!!)\[(?<text>[^\]]+)\]\((?<href>[^)\s]+)\)/gu;

function spansOf(line: string, place: string): readonly Span[] {
	const spans: Span[] = [];
	let done = 0;
	const plain = (text: string): void => {
		const found = refused.find(([pattern]) => pattern.test(text));
		if (found !== undefined) {
			throw new InputError(`lessons do not support ${found[1]}`, place);
		}

		if (text !== '') {
			spans.push({kind: 'text', text});
		}
	};

	for (const match of line.matchAll(spanPattern)) {
		const {code, strong, text, href} = match.groups!;
		plain(line.slice(done, match.index));
		done = match.index + match[0].length;
		if (code !== undefined) {
			spans.push({kind: 'code', text: code});
		} else if (strong !== undefined) {
			spans.push({kind: 'strong', text: strong});
		} else if (/^(?:https:\/\/|\.{0,2}\/|[\w-]+\.md)/u.test(href!)) {
			spans.push({kind: 'link', text: text!, href: href!});
		} else {
			throw new InputError(`links must go to https:// or to a page of the project, but this one goes to ${JSON.stringify(href)}`, place);
		}
	}

	plain(line.slice(done));
	return spans;
}

/** The text of spans, without marks. */
export function plainText(spans: readonly Span[]): string {
	return spans.map(({text}) => text).join('');
}
