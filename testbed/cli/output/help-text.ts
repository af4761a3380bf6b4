/**
The text after the options in a command's help: paragraphs and examples, fitted to the width of the terminal, with the program named as it was called.
*/

import {paragraph} from '../../../src/report/terminal/wrap.js';
import {readerOf} from './terminal.js';

/** The width that the texts are written for. */
const ownWidth = 80;

/** The program name used in the texts. */
const ownName = 'testbed';

/** A command in the examples and its description. Either may be empty. */
type Example = {readonly command: string; readonly about: string};

/** The help text of a command, made on demand: the program's name is known only then. */
export function helpText(text: string): () => string {
	return () => layOutHelp(text, readerOf());
}

/** The text unchanged if it fits; otherwise wrapped again. Commands are never wrapped: half a command would be a different command. */
export function layOutHelp(text: string, {width, program}: {readonly width: number; readonly program: string}): string {
	return width >= ownWidth && program === ownName
		? text
		: blocksOf(text).map(block => layOutBlock(block, {width, program})).join('\n');
}

/** Paragraphs, lists of examples and empty lines. `Places: …` begins a paragraph without an empty line before it. */
function blocksOf(text: string): ReadonlyArray<readonly string[]> {
	const blocks: string[][] = [];
	for (const line of text.split('\n')) {
		const [first] = blocks.at(-1) ?? [];
		const isSame = first !== undefined && first !== '' && line !== '' && first.startsWith('  ') === line.startsWith('  ') && !/^[A-Z][a-z ]+:/u.test(line);
		if (isSame) {
			blocks.at(-1)!.push(line);
		} else {
			blocks.push([line]);
		}
	}

	return blocks;
}

function layOutBlock(lines: readonly string[], {width, program}: {readonly width: number; readonly program: string}): string {
	if (!lines[0]!.startsWith('  ')) {
		return paragraph(lines.join(' '), {indent: 0, width}).join('\n');
	}

	const examples = lines.map(line => exampleIn(line, program));
	const column = Math.max(...examples.filter(({about}) => about !== '').map(({command}) => command.length), 0) + 4;
	const isBeside = examples.every(({about}) => column + about.length <= width);
	return examples.flatMap(({command, about}) => isBeside && about !== ''
		? [`${`  ${command}`.padEnd(column)}${about}`]
		: [...(command === '' ? [] : [`  ${command}`]), ...(about === '' ? [] : paragraph(about, {indent: 6, width}))]).join('\n');
}

function exampleIn(line: string, program: string): Example {
	const {command = '', about = ''} = /^ {2}(?:(?<command>\S.*?)(?: {2,}(?<about>\S.*))?)?$/u.exec(line)?.groups ?? {command: '', about: line.trim()};
	return {command: command.replaceAll(/(?<=^|\| )testbed(?= |$)/gu, program), about};
}
