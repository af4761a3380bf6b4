import {spawn} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {complaintsAboutActs} from './checks/acts.mjs';
import {complaintsAboutComments} from './checks/comments.mjs';
import {complaintsAboutTracked} from './checks/tracked.mjs';
import {complaintsAbout, cruiseRooms, drawTrees, printBlock} from './lint/rooms.mjs';
import {complaintsAboutWords} from './lint/words.mjs';

const root = path.resolve(import.meta.dirname, '..');
const help = `Usage: npm run lint [-- --fix]

Runs all checks, even if one fails:
  types    tsc -b compiles everything
  style    XO, with xo.config.js (--fix fixes what it can)
  rooms    the order of the rooms, with .dependency-cruiser.cjs
  graph    the room graph in ARCHITECTURE.md matches the imports (\`npm run graph\` writes it)
  acts     \`npm run\` lists every command, and the documents name no others
  comments everything that comments cite is in the repository
  tracked  git tracks no file that .gitignore names, and none over 1 MB
  words    no name contains a word that scripts/lint/words.mjs bans

Exit status: 0 all checks passed, 1 a check failed.`;

/** Runs a JavaScript program; returns its output as complaints if it fails. */
function run(file, given) {
	return new Promise((resolve, reject) => {
		const child = spawn(process.execPath, [path.join(root, file), ...given], {cwd: root, stdio: ['ignore', 'pipe', 'pipe']});
		let text = '';
		for (const stream of [child.stdout, child.stderr]) {
			stream.setEncoding('utf8');
			stream.on('data', chunk => {
				text += chunk;
			});
		}

		child.on('error', reject);
		child.on('close', (status, signal) => {
			resolve(status === 0 ? [] : [text.trimEnd(), `${file} ended with ${signal ?? `exit status ${status}`}.`]);
		});
	});
}

function complaintsAboutGraph(cruised) {
	const file = path.join(root, 'ARCHITECTURE.md');
	const text = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
	return text.includes(printBlock(drawTrees(cruised))) ? [] : ['The room graph in ARCHITECTURE.md does not match the imports. If the new imports are intended, run: npm run graph'];
}

async function timed(name, work) {
	const start = performance.now();
	const complaints = await work();
	return {name, complaints, seconds: (performance.now() - start) / 1000};
}

async function main(given) {
	const fix = given.includes('--fix') ? ['--fix'] : [];
	const cruising = cruiseRooms(root);
	const checks = await Promise.all([
		timed('types', () => run('node_modules/typescript/bin/tsc', ['-b', '--pretty', 'false'])),
		timed('style', () => run('scripts/lint/node_modules/xo/dist/cli.js', fix)),
		timed('rooms', async () => complaintsAbout(await cruising)),
		timed('graph', async () => complaintsAboutGraph(await cruising)),
		timed('acts', () => complaintsAboutActs(root)),
		timed('comments', () => complaintsAboutComments(root)),
		timed('tracked', () => complaintsAboutTracked(root)),
		timed('words', () => complaintsAboutWords(root)),
	]);
	for (const {name, complaints, seconds} of checks) {
		console.log(`${complaints.length === 0 ? 'ok  ' : 'FAIL'} ${name.padEnd(8)} ${seconds.toFixed(1)} s`);
		for (const complaint of complaints) {
			console.log(complaint.replaceAll(/^(?=.)/gm, '     '));
		}
	}

	return checks.every(({complaints}) => complaints.length === 0) ? 0 : 1;
}

if (process.argv.includes('--help')) {
	console.log(help);
} else {
	process.exitCode = await main(process.argv.slice(2));
}
