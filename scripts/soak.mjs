import {execFileSync, spawnSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {machineTables, runOnGround} from './soak/ground.mjs';
import {fixed} from './soak/fixed.mjs';
import {parts} from './soak/parts.mjs';
import {
	mergeRows, parseRows, replaceBlock, replaceFixed,
} from './soak/table.mjs';

const root = path.resolve(import.meta.dirname, '..');
const document = path.join(root, 'docs/reliability.md');

const help = `Usage: npm run soak -- [PART…] [options]

Runs the testbed many times, interferes with it, and reports what went wrong. Only what was run is written to docs/reliability.md.

Parts (default: all that are not only for their name), with how often each does it in full:
${parts.map(({name, about, full}) => `  ${name.padEnd(9)} ${about} (${full})`).join('\n')}

Options:
  --small       a few of each, in a minute
  --count N     so many of each part instead
  --minutes N   end each part after N minutes; what was tried until then counts
  --seed N      the seed of everything that is random (default: from the clock; it is printed)
  --through FILE  start each run of the parts runs, kills and together through this program, which gets the command as its arguments
  --patience N  wait N seconds for what a run has left to go (default: 30)
  --built       take the build as it is
  --no-write    do not change docs/reliability.md
  --list        list the parts, without running anything

It needs root. Everything runs in namespaces of its own, so it changes nothing on the machine, and whatever is there after a run and was not there before is that run's. Ctrl-C ends a part after its current run; what was tried until then counts.

Exit status: 0 no faults, 1 faults, 2 usage, 4 the six types do not pass here.`;

class UsageError extends Error {}

function readNumber(name, text) {
	if (text === undefined || !/^\d{1,9}$/u.test(text)) {
		throw new UsageError(`${name} needs a whole number, not ${text ?? 'nothing'}.`);
	}

	return Number(text);
}

function readFile(name, file) {
	if (file === undefined || !fs.existsSync(file)) {
		throw new UsageError(`${name} needs a file that exists, not ${file ?? 'nothing'}.`);
	}

	return path.resolve(file);
}

function parseArguments(argv) {
	const options = {names: [], count: undefined, minutes: undefined, seed: undefined, through: undefined, patience: undefined, isSmall: false, isBuilt: false, write: true};
	const queue = [...argv];
	while (queue.length > 0) {
		const word = queue.shift();
		switch (word) {
			case '--count':
			case '--minutes':
			case '--patience':
			case '--seed': {
				options[word.slice(2)] = readNumber(word, queue.shift());
				break;
			}

			case '--through': {
				options.through = readFile(word, queue.shift());
				break;
			}

			case '--small': {
				options.isSmall = true;
				break;
			}

			case '--built': {
				options.isBuilt = true;
				break;
			}

			case '--no-write': {
				options.write = false;
				break;
			}

			default: {
				if (!parts.some(({name}) => name === word)) {
					throw new UsageError(`${word} is neither a part nor an option. Parts: ${parts.map(({name}) => name).join(', ')}.`);
				}

				options.names.push(word);
			}
		}
	}

	if (options.count === 0 || options.minutes === 0) {
		throw new UsageError('--count 0 and --minutes 0 would try nothing.');
	}

	return options;
}

function say(text) {
	process.stderr.write(`soak: ${text}\n`);
}

/** The machine and the commit, for the row. Changes of the testbed that are not committed are told; the campaign's own are not what is tried. */
function placeOf() {
	const git = given => spawnSync('git', given, {cwd: root, encoding: 'utf8'}).stdout?.trim();
	const commit = git(['rev-parse', '--short=7', 'HEAD']) || 'unknown';
	const isChanged = git(['status', '--porcelain', '--', 'src', 'testbed', 'package.json', 'scripts/run.cjs']) !== '';
	return {
		commit: isChanged ? `${commit}, changed` : commit, date: new Date().toISOString().slice(0, 10), machine: `Linux ${os.release().split('-')[0]}, ${os.availableParallelism()} cores, Node ${process.versions.node}`,
	};
}

/** Where the process of a part leaves its result, and what tells it to end. */
const folder = path.join(root, 'dist');
const [stopFile, resultFile] = ['stop', 'result'].map(name => path.join(folder, `.soak-${name}-${process.pid}`));

/** Runs a part on a machine of its own. @throws {Error} if it gave no result */
async function runPart(given) {
	const tables = machineTables();
	fs.rmSync(resultFile, {force: true});
	const status = await runOnGround([path.join(import.meta.dirname, 'soak/inside.mjs'), JSON.stringify({...given, stopFile, resultFile})]);
	if (!fs.existsSync(resultFile)) {
		throw new Error(`The part ${given.name} gave no result: its process ended with status ${status}.`);
	}

	const result = JSON.parse(fs.readFileSync(resultFile, 'utf8'));
	if (result.tried === 0) {
		throw new Error(`The part ${given.name} tried nothing.`);
	}

	return machineTables() === tables ? result : {...result, faults: [...result.faults, 'This machine\'s own tables changed.']};
}

function tell(name, {tried, faults, note, notTried = []}) {
	console.log(`${faults.length === 0 ? 'ok  ' : 'FAIL'} ${name.padEnd(9)} ${tried} tried, ${faults.length} faults${note ? ` (${note})` : ''}`);
	for (const fault of faults.slice(0, 20)) {
		console.log(`     ${fault}`);
	}

	if (notTried.length > 0) {
		console.log(`     not tried here: ${notTried.join(', ')}`);
	}
}

function writeRow(row) {
	const text = fs.readFileSync(document, 'utf8');
	fs.writeFileSync(document, replaceFixed(replaceBlock(text, mergeRows(parseRows(text), [row])), fixed));
}

async function runParts(options) {
	const chosen = parts.filter(({name, byNameOnly = false}) => options.names.length === 0 ? !byNameOnly : options.names.includes(name));
	const patience = options.patience === undefined ? {} : {leftMs: options.patience * 1000};
	const {minutes, through, seed = Date.now() % 1_000_000} = options;
	say(`seed ${seed}`);
	for (const act of options.isBuilt ? [] : ['types', 'build']) {
		execFileSync(process.execPath, [path.join(root, 'scripts/run.cjs'), act], {stdio: ['ignore', 2, 2]});
	}

	const place = placeOf();
	let faults = 0;
	for (const {name, full, small} of chosen) {
		const count = options.count ?? (options.isSmall ? small : full);
		say(`${name}: ${count}`);
		const given = {
			name, count, seed, minutes, through, patience,
		};
		const result = await runPart(given); // eslint-disable-line no-await-in-loop -- One part after another.
		faults += result.faults.length;
		tell(name, result);
		if (options.write) {
			writeRow({name, seed, ...place, ...result});
		}

		if (fs.existsSync(stopFile)) {
			break;
		}
	}

	return faults === 0 ? 0 : 1;
}

async function main(argv) {
	if (argv.includes('--help')) {
		console.log(help);
		return 0;
	}

	if (argv.includes('--list')) {
		console.log(parts.map(({name, about, full, small}) => `${name.padEnd(9)} ${about} (full ${full}, small ${small})`).join('\n'));
		return 0;
	}

	const options = parseArguments(argv);
	process.chdir(root); // The tests' helper takes the launcher from here.
	for (const signal of ['SIGINT', 'SIGTERM']) {
		process.on(signal, () => {
			say('it ends after the current run');
			fs.writeFileSync(stopFile, '');
		});
	}

	try {
		return await runParts(options);
	} finally {
		for (const file of [stopFile, resultFile]) {
			fs.rmSync(file, {force: true});
		}
	}
}

try {
	process.exitCode = await main(process.argv.slice(2));
} catch (error) {
	say(error.message);
	process.exitCode = error instanceof UsageError ? 2 : 4;
}
