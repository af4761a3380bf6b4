/**
What a Markdown page says that can be tried: its fenced blocks, with the marks for machines that stand right before them.

A mark is an HTML comment:
- `<!-- not run: REASON -->`: the block cannot run here.
- `<!-- status: 1 -->`: the exit status of the block's commands. One for all, or one for each (`0, 1`); `0 or 1` allows either. 0 without a mark.
- `<!-- before: COMMAND -->`: a command that the reader need not see, run before the block.
- `<!-- same as: FILE -->`: the block is the text of that file.
- `<!-- keys of: COMMAND -->`: the block (JSON with comments) has the keys of the document that the command prints.
*/

/** What stands in the way of trying a page; the message has file and line. */
export class PageError extends Error {}

/** A command with what it should print; undefined where the page does not show it. */
export type Command = {readonly text: string; readonly line: number; readonly statuses: readonly number[]; readonly output: readonly string[] | undefined};

/** A fenced block by the way in which it is tried. */
export type Block = {readonly line: number; readonly before: readonly string[]} & (
	| {readonly kind: 'commands'; readonly commands: readonly Command[]}
	| {readonly kind: 'scenario' | 'program'; readonly text: string}
	| {readonly kind: 'copy'; readonly text: string; readonly file: string}
	| {readonly kind: 'keys'; readonly text: string; readonly command: string}
	| {readonly kind: 'not-run'; readonly reason: string}
);

type Marks = {before: string[]; notRun?: string; status?: string; sameAs?: string; keysOf?: string};

const marksByName = {'not run': 'notRun', status: 'status', 'same as': 'sameAs', 'keys of': 'keysOf'} as const;

/** Reads a mark into `marks`. Comments of other tools (with a colon, too) must not look like ours, so an unknown name is an error. */
function readMark(comment: string, marks: Marks, place: string): void {
	const {name, value} = /^(?<name>[a-z ]+): (?<value>.+)$/su.exec(comment)?.groups ?? {};
	if (name === 'before') {
		marks.before.push(value!);
	} else if (name !== undefined && Object.hasOwn(marksByName, name)) {
		marks[marksByName[name as keyof typeof marksByName]] = value!;
	} else {
		throw new PageError(`${place}: <!-- ${comment} --> is not a mark. Marks are before, ${Object.keys(marksByName).join(', ')}, each with a colon and a value.`);
	}
}

/** `0, 1 or 2` → [[0], [1, 2]]. */
function readStatuses(text: string, place: string): ReadonlyArray<readonly number[]> {
	if (!/^\d+(?: or \d+)*(?:, \d+(?: or \d+)*)*$/u.test(text)) {
		throw new PageError(`${place}: "${text}" is not a list of exit statuses, such as 1, or 0, 1 for two commands.`);
	}

	return text.split(', ').map(part => part.split(' or ').map(Number));
}

/** The commands of a block: with `$ ` and what they print in a `console` block, one a line in any other. A backslash at the end continues a line. */
function commandsOf(lines: readonly string[], {isConsole, status, line, place}: {
	readonly isConsole: boolean; readonly status: string | undefined; readonly line: number; readonly place: string;
}): readonly Command[] {
	const commands: Array<{text: string; line: number; output: string[] | undefined}> = [];
	for (const [index, text] of lines.entries()) {
		const last = commands.at(-1);
		if (last?.text.endsWith('\\') === true) {
			last.text = `${last.text.slice(0, -1)}${text.trim()}`;
		} else if (!isConsole) {
			if (text.trim() !== '') {
				commands.push({text, line: line + 1 + index, output: undefined});
			}
		} else if (text.startsWith('$ ')) {
			commands.push({text: text.slice(2), line: line + 1 + index, output: []});
		} else if (last === undefined) {
			throw new PageError(`${place}: a console block begins with "$ " and a command.`);
		} else {
			last.output!.push(text);
		}
	}

	const statuses = status === undefined ? [[0]] : readStatuses(status, place);
	if (commands.length === 0 || (statuses.length > 1 && statuses.length !== commands.length)) {
		throw new PageError(`${place}: ${commands.length} commands and ${statuses.length} exit statuses.`);
	}

	return commands.map((command, index) => ({...command, statuses: statuses[index] ?? statuses[0]!}));
}

function blockOf(language: string, lines: readonly string[], {marks, line, place}: {readonly marks: Marks; readonly line: number; readonly place: string}): Block {
	const text = `${lines.join('\n')}\n`;
	const about = {line, before: marks.before};
	if (marks.notRun !== undefined) {
		return {...about, kind: 'not-run', reason: marks.notRun};
	}

	if (marks.sameAs !== undefined) {
		return {...about, kind: 'copy', text, file: marks.sameAs};
	}

	if (marks.keysOf !== undefined) {
		return {...about, kind: 'keys', text, command: marks.keysOf};
	}

	if (language === 'console' || language === 'sh') {
		return {...about, kind: 'commands', commands: commandsOf(lines, {isConsole: language === 'console', status: marks.status, line, place})};
	}

	if (language === 'yaml' && /^probes:/mu.test(text)) {
		return {...about, kind: 'scenario', text};
	}

	if (language === 'js') {
		return {...about, kind: 'program', text};
	}

	throw new PageError(`${place}: nobody knows how to try a block of "${language}". Say why it is not: <!-- not run: REASON -->`);
}

/**
The blocks of a page, in order.

@throws {PageError} For a mark that is not known, a block that is not closed, or one that has no mark and that nobody knows how to try.
*/
export function blocksOf(page: string, file: string): readonly Block[] {
	const blocks: Block[] = [];
	let marks: Marks = {before: []};
	let open: {language: string; line: number; lines: string[]} | undefined;
	for (const [index, text] of page.split('\n').entries()) {
		const place = `${file}:${index + 1}`;
		if (open !== undefined) {
			if (text === '```') {
				blocks.push(blockOf(open.language, open.lines, {marks, line: open.line, place: `${file}:${open.line}`}));
				marks = {before: []};
				open = undefined;
			} else {
				open.lines.push(text);
			}

			continue;
		}

		const comment = /^<!-- (?<comment>.+) -->$/u.exec(text)?.groups!['comment'];
		if (comment !== undefined) {
			readMark(comment, marks, place);
		} else if (text.trimStart().startsWith('```')) {
			const language = /^```(?<language>[a-z]*)$/u.exec(text)?.groups!['language'];
			if (language === undefined) {
				throw new PageError(`${place}: a fence stands at the beginning of its line, with a language or nothing behind it.`);
			}

			open = {language, line: index + 1, lines: []};
		} else if (text.trim() !== '' && Object.keys(marks).length > 1) {
			throw new PageError(`${place}: the mark before this line has no block.`);
		}
	}

	if (open !== undefined || marks.before.length > 0 || Object.keys(marks).length > 1) {
		throw new PageError(`${file}: ${open === undefined ? 'a mark at the end has no block' : `the block of line ${open.line} is not closed`}.`);
	}

	return blocks;
}

function patternOf(lines: readonly string[]): RegExp {
	const parts = lines.map(line => line === '…' ? '(?:.*\n)*?' : `${line.trimEnd().split('…').map(text => text.replaceAll(/[$()*+.?[\\\]^{|}]/gu, String.raw`\$&`)).join('.*')}\n`);
	return new RegExp(`^${parts.join('')}`, 'u');
}

/**
Whether a text is what a page shows: `…` alone in a line stands for any lines, in a line for any text.

@returns What differs, or undefined.
*/
export function complaintAboutOutput(shown: readonly string[], printed: string): string | undefined {
	const lines = printed === '' ? [] : printed.replace(/\n$/u, '').split('\n').map(line => line.trimEnd());
	const text = lines.map(line => `${line}\n`).join('');
	const differing = shown.findIndex((_, index) => !patternOf(shown.slice(0, index + 1)).test(text));
	if (differing !== -1) {
		return `"${shown[differing]!}" was not printed there. What was printed:\n${printed}`;
	}

	const whole = new RegExp(`${patternOf(shown).source}$`, 'u');
	return whole.test(text) ? undefined : `more was printed than is shown:\n${printed}`;
}

/** JSON with comments, as pages have it, as a value. */
export function readShape(text: string): unknown {
	return JSON.parse(text.replaceAll(/("(?:[^"\\]|\\.)*")|\/\/.*$/gmu, (_, quoted: string | undefined) => quoted ?? ''));
}

function typeOf(value: unknown): string {
	if (Array.isArray(value)) {
		return 'list';
	}

	return value === null ? 'null' : typeof value;
}

/**
Whether a document has the shape that a page shows: the same keys, and values of the same types. `{}` and `[]` allow anything of their kind; null allows, and is allowed in the place of, anything. Of a list each element of the document has one of the shapes shown.

@returns A line for each difference, with the way to it.
*/
export function complaintsAboutShape(shape: unknown, document: unknown, where = '$'): readonly string[] {
	if (shape === null || document === null) {
		return [];
	}

	if (typeOf(shape) !== typeOf(document)) {
		return [`${where} is a ${typeOf(document)}, not a ${typeOf(shape)}`];
	}

	if (Array.isArray(shape) && Array.isArray(document)) {
		if (shape.length === 0) {
			return [];
		}

		return document.flatMap((element, index) => {
			const tried = shape.map(one => complaintsAboutShape(one, element, `${where}[${index}]`));
			return tried.some(complaints => complaints.length === 0) ? [] : tried[0]!;
		});
	}

	if (typeof shape !== 'object' || Object.keys(shape).length === 0) {
		return [];
	}

	const shown = shape as Readonly<Record<string, unknown>>;
	const has = document as Readonly<Record<string, unknown>>;
	return [
		...Object.keys(shown).filter(key => !Object.hasOwn(has, key)).map(key => `${where}.${key} is shown, and the document does not have it`),
		...Object.keys(has).filter(key => !Object.hasOwn(shown, key)).map(key => `${where}.${key} is in the document, and not shown`),
		...Object.keys(shown).filter(key => Object.hasOwn(has, key)).flatMap(key => complaintsAboutShape(shown[key], has[key], `${where}.${key}`)),
	];
}
