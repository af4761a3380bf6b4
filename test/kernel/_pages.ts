/** Runs the commands, scenarios and programs of a Markdown page, in a separate folder that looks like the checkout. */

import {
	mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {execa} from 'execa';
import {dir} from 'tmp-promise';
import {
	blocksOf, complaintAboutOutput, complaintsAboutShape, readShape, type Block, type Command,
} from '../helpers/documents.js';
import {systemPath} from './_run.js';

const root = path.resolve('.');
const {name: packageName} = JSON.parse(readFileSync('package.json', 'utf8')) as {readonly name: string};

/** The results of a page. */
export type PageResult = {readonly ran: number; readonly marked: readonly string[]; readonly complaints: readonly string[]};

/** A folder with links to everything in the checkout, so that commands work and their output stays there. */
async function checkoutFolder(): Promise<{readonly folder: string; readonly cleanup: () => Promise<void>}> {
	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	for (const name of readdirSync(root).filter(entry => entry !== '.git' && entry !== 'node_modules')) {
		symlinkSync(path.join(root, name), path.join(folder, name));
	}

	mkdirSync(path.join(folder, 'node_modules'));
	symlinkSync(root, path.join(folder, 'node_modules', packageName));
	return {folder, cleanup};
}

/** The commands to try a block, and how to judge their output. */
type Step = Command & {readonly check?: (printed: string) => readonly string[]};

/** What is printed by `console.log` and shown in a comment behind it, with the blanks inside brackets that Node adds. */
function shownByProgram(text: string): readonly string[] {
	return [...text.matchAll(/^\s*console\.log\(.*\);[ \t]*(?:\/\/ (?<shown>.*))?$/gmu)].map(({groups}) => groups!['shown']?.trim() ?? '…');
}

function stepsOf(block: Block, folder: string): readonly Step[] {
	const step = {line: block.line, statuses: [0], output: undefined};
	const before = block.before.map(text => ({...step, text}));
	switch (block.kind) {
		case 'not-run':
		case 'copy': {
			return before;
		}

		case 'commands': {
			return [...before, ...block.commands];
		}

		case 'scenario': {
			const file = `scenario-${block.line}.yaml`;
			writeFileSync(path.join(folder, file), block.text);
			return [...before, {...step, text: `bin/testbed run ${file}`}];
		}

		case 'program': {
			const file = `program-${block.line}.mjs`;
			writeFileSync(path.join(folder, file), block.text);
			return [...before, {
				...step, text: `node ${file}`, check: printed => [complaintAboutOutput(shownByProgram(block.text), printed.replaceAll(/(?<=[[{]) | (?=[\]}])/gu, '')) ?? []].flat(),
			}];
		}

		case 'keys': {
			return [...before, {
				...step, statuses: [0, 1], text: block.command, check: printed => complaintsAboutShape(readShape(block.text), JSON.parse(printed)),
			}];
		}
	}
}

/** One shell for the whole page, so that variables and files of one block exist in the next. Its processes end with it. */
function scriptFor(steps: readonly Step[], folder: string): string {
	mkdirSync(path.join(folder, '.steps'));
	const runs = steps.map(({text}, index) => {
		const file = `.steps/${index}`;
		writeFileSync(path.join(folder, file), `${text}\n`);
		return `. ${file} >${file}.out 2>${file}.err; echo $? >${file}.status`;
	});
	return ['trap \'kill $(jobs -p) 2>/dev/null\' EXIT', 'set -o pipefail', ...runs].join('\n');
}

function complaintsAboutStep({text, line, statuses, output, check}: Step, {index, folder, file}: {readonly index: number; readonly folder: string; readonly file: string}): readonly string[] {
	const read = (end: string) => readFileSync(path.join(folder, '.steps', `${index}.${end}`), 'utf8');
	const [printed, status] = [read('out'), Number(read('status'))];
	const place = `${file}:${line}: ${text}`;
	if (!statuses.includes(status)) {
		return [`${place}\nended with status ${status}, not ${statuses.join(' or ')}.\n${read('err')}${printed}`];
	}

	const complaint = output === undefined ? undefined : complaintAboutOutput(output, printed);
	return [...complaint === undefined ? [] : [complaint], ...check?.(printed) ?? []].map(what => `${place}\n${what}`);
}

/** Tries a page: runs its blocks and compares the output that it shows. */
export async function tryPage(page: string, file: string): Promise<PageResult> {
	const blocks = blocksOf(page, file);
	const copies = blocks.flatMap(block => block.kind === 'copy' && readFileSync(block.file, 'utf8') !== block.text ? [`${file}:${block.line} is not the text of ${block.file}.`] : []);
	const {folder, cleanup} = await checkoutFolder();
	try {
		const steps = blocks.flatMap(block => stepsOf(block, folder));
		await execa('bash', ['-c', scriptFor(steps, folder)], {
			cwd: folder, stdin: 'ignore', reject: false, timeout: 280_000, extendEnv: false,
			env: {
				PATH: `${path.dirname(process.execPath)}:${systemPath}`, HOME: folder, LANG: 'C.UTF-8', NO_COLOR: '1',
			},
		});
		return {
			ran: blocks.filter(({kind}) => kind !== 'not-run').length,
			marked: blocks.flatMap(block => block.kind === 'not-run' ? [`${file}:${block.line}: ${block.reason}`] : []),
			complaints: [...copies, ...steps.flatMap((step, index) => complaintsAboutStep(step, {index, folder, file}))],
		};
	} finally {
		await cleanup();
	}
}
