import {spawn} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';

/** Where the reference stands, from the root of the checkout. */
export const referenceFile = 'docs/reference.md';

const head = `# Reference

Written by \`npm run reference\` from the help of every command; a test compares the two. In a checkout, \`testbed\` is \`bin/testbed\`, from any folder.

\`npm run testbed --\` does the same, if you write \`--\` before the options: \`npm run -s testbed -- --rules release:1.30\`. If the \`--\` is forgotten, npm keeps the option for itself; the testbed then ends with status 2 and shows the line that was meant. (npm leaves no trace of \`--format\` and \`--update\`, so these go unnoticed.) \`-s\` keeps npm's own lines out of stdout. Files are named from where you stand.
`;

/** The help of one command, as it is printed into a pipe, that is 80 columns wide. */
function helpOf(root, words) {
	return new Promise((resolve, reject) => {
		const program = 'import process from \'node:process\'; import {main} from \'./dist/testbed/cli/main.js\'; process.exitCode = await main(process.argv.slice(1));';
		const child = spawn(process.execPath, ['--input-type=module', '-e', program, '--', ...words, '--help'], {
			cwd: root, env: {PATH: process.env.PATH, NO_COLOR: '1'}, stdio: ['ignore', 'pipe', 'pipe'],
		});
		let out = '';
		let complaint = '';
		child.stdout.setEncoding('utf8').on('data', text => {
			out += text;
		});
		child.stderr.setEncoding('utf8').on('data', text => {
			complaint += text;
		});
		child.on('error', reject);
		child.on('close', status => {
			if (status === 0) {
				resolve(out.trimEnd());
			} else {
				reject(new Error(`testbed ${[...words, '--help'].join(' ')} ended with status ${status}: ${complaint.trim()}`));
			}
		});
	});
}

/** The names of the commands that a help lists, in its order. `help` is commander's own. */
export function commandsIn(help) {
	const list = /^Commands:\n(?<list>(?: {2}.*\n?)*)/mu.exec(help)?.groups.list ?? '';
	return [...list.matchAll(/^ {2}(?<name>[a-z][\w-]*)/gmu)].map(({groups}) => groups.name).filter(name => name !== 'help');
}

/**
Every command with its help, those below another right after it.

@returns {Promise<Array<{words: string[], help: string}>>} `words`: the command's name, with the one above it in front.
*/
export async function helpOfEveryCommand(root, words = []) {
	const help = await helpOf(root, words);
	const below = await Promise.all(commandsIn(help).map(name => helpOfEveryCommand(root, [...words, name])));
	return [{words, help}, ...below.flat()];
}

/** The whole text of the reference. */
export function printReference(helps) {
	const sections = helps.map(({words, help}) => `## ${['testbed', ...words].join(' ')}\n\n\`\`\`text\n${help}\n\`\`\`\n`);
	return [head, ...sections].join('\n');
}

/** What is wrong with the reference as it stands: lines, none if it is what the help says. */
export function complaintsAboutReference(root, expected) {
	const file = path.join(root, referenceFile);
	const text = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
	if (text === expected) {
		return [];
	}

	const lines = text.split('\n');
	const line = expected.split('\n').findIndex((wanted, index) => wanted !== lines[index]);
	return [`${referenceFile}:${line + 1} is not what the help says. If the help is right: npm run reference`];
}
