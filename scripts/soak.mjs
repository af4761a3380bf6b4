import {execFileSync, spawnSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {parts} from './soak/parts.mjs';
import {createRandom} from './soak/random.mjs';
import {mergeRows, parseRows, replaceBlock} from './soak/table.mjs';

const root = path.resolve(import.meta.dirname, '..');
const document = path.join(root, 'docs/reliability.md');

const help = `Usage: npm run soak -- [PART…] [options]

Runs the testbed many times, interferes with it, and reports what went wrong. Only what was run is written to docs/reliability.md.

Parts (default: all), with how often each does it in full:
${parts.map(({name, about, full}) => `  ${name.padEnd(9)} ${about} (${full})`).join('\n')}

Options:
  --small       a few of each, in a few minutes
  --count N     so many of each part instead
  --seed N      the seed of everything that is random (default: from the clock; it is printed)
  --no-write    do not change docs/reliability.md
  --list        list the parts, without running anything

It needs root. It changes nothing on the machine: disks are filled and clocks are set back in namespaces and processes of its own.

Exit status: 0 no faults, 1 faults, 2 usage, 4 the six types do not pass here.`;

class UsageError extends Error {}

function readNumber(name, text) {
	if (text === undefined || !/^\d{1,9}$/u.test(text)) {
		throw new UsageError(`${name} needs a whole number, not ${text ?? 'nothing'}.`);
	}

	return Number(text);
}

function parseArguments(argv) {
	const options = {names: [], count: undefined, seed: undefined, isSmall: false, write: true};
	const queue = [...argv];
	while (queue.length > 0) {
		const word = queue.shift();
		switch (word) {
			case '--count':
			case '--seed': {
				options[word.slice(2)] = readNumber(word, queue.shift());
				break;
			}

			case '--small': {
				options.isSmall = true;
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

	if (options.count === 0) {
		throw new UsageError('--count 0 would try nothing.');
	}

	return options;
}

function say(text) {
	process.stderr.write(`soak: ${text}\n`);
}

/** The machine and the commit, for the row. */
function placeOf() {
	const commit = spawnSync('git', ['rev-parse', '--short=7', 'HEAD'], {cwd: root, encoding: 'utf8'}).stdout?.trim() || 'unknown';
	return {
		commit, date: new Date().toISOString().slice(0, 10), machine: `Linux ${os.release().split('-')[0]}, ${os.availableParallelism()} cores, Node ${process.versions.node}`,
	};
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
	const chosen = parts.filter(({name}) => options.names.length === 0 || options.names.includes(name));
	const seed = options.seed ?? Date.now() % 1_000_000;
	say(`seed ${seed}`);
	execFileSync(process.execPath, [path.join(root, 'scripts/run.cjs'), 'types'], {stdio: ['ignore', 2, 2]});
	execFileSync(process.execPath, [path.join(root, 'scripts/run.cjs'), 'build'], {stdio: ['ignore', 2, 2]});
	const rows = [];
	for (const {name, full, small, run} of chosen) {
		const count = options.count ?? (options.isSmall ? small : full);
		const random = createRandom(seed);
		say(`${name}: ${count}`);
		const result = await run({ // eslint-disable-line no-await-in-loop -- One part after another.
			count, random, say(text) {
				say(`${name}: ${text}`);
			},
		});
		rows.push({name, seed, ...placeOf(), ...result});
		console.log(`${result.faults.length === 0 ? 'ok  ' : 'FAIL'} ${name.padEnd(9)} ${result.tried} tried, ${result.faults.length} faults${result.note ? ` (${result.note})` : ''}`);
		for (const fault of result.faults.slice(0, 20)) {
			console.log(`     ${fault}`);
		}

		if (result.notTried?.length > 0) {
			console.log(`     not tried here: ${result.notTried.join(', ')}`);
		}
	}

	if (options.write) {
		const text = fs.readFileSync(document, 'utf8');
		fs.writeFileSync(document, replaceBlock(text, mergeRows(parseRows(text), rows)));
	}

	return rows.every(({faults}) => faults.length === 0) ? 0 : 1;
}

try {
	process.exitCode = await main(process.argv.slice(2));
} catch (error) {
	say(error.message);
	process.exitCode = error instanceof UsageError ? 2 : 4;
}
