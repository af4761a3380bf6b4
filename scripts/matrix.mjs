import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {debianCells} from './matrix/cells/debian.mjs';
import {imageCells} from './matrix/cells/image.mjs';
import {kernelCells} from './matrix/cells/kernels.mjs';
import {hereCell, nodeCells, runHere} from './matrix/cells/node.mjs';
import {npmCells} from './matrix/cells/npm.mjs';
import {answersIn} from './matrix/jobs.mjs';
import {privateCommand, run} from './matrix/private.mjs';
import {environmentOf, settingsOfMachine, withoutNpm} from './matrix/settings.mjs';
import {mergeRows, parseRows, renderText, replaceBlock} from './matrix/table.mjs';

const root = path.resolve(import.meta.dirname, '..');
const document = path.join(root, 'docs/machines.md');
const workFolder = path.join(root, 'dist/.matrix');
const cells = [...npmCells, hereCell, ...nodeCells, ...debianCells, ...imageCells, ...kernelCells];

const parts = {
	npm: 'every supported npm accepts the lockfile (2 min; no root)',
	here: 'this machine, with its own Node and npm (1 min)',
	node: 'official builds of Node 20 to 26 (5 min)',
	debian: 'Debian 13 and 12 in roots created by mmdebstrap, with their own programs (25 min)',
	image: 'the image: built, and run with the least capabilities, and without each of them (10 min)',
	kernels: 'Debian\'s kernels, 5.10 to the newest, in QEMU, without KVM (25 min)',
	ci: 'what .ci/run runs: a part of npm, here, node and debian (8 min)',
};

const help = `Usage: npm run matrix -- [PART…] [options]

Tests the testbed on the kinds of machines that people have, and writes the results to docs/machines.md. Only rows of what was run change.

Parts (default: all but image, kernels and ci), with their approximate duration on two cores:
${Object.entries(parts).map(([name, about]) => `  ${name.padEnd(8)} ${about}`).join('\n')}

Options:
  --only TEXT      only the cells of these parts whose name contains TEXT
  --commit COMMIT  the commit to test (default: HEAD; uncommitted changes are never tested)
  --batch FILE     the probes whose answers are compared (default: test/fixtures/batch/probes.jsonl)
  --logs DIR       write the output of each cell to this folder
  --result FILE    write the rows to this file as JSON
  --no-write       do not change docs/machines.md
  --list           list the cells and what they need, without running anything

Everything happens in namespaces and in a file system in memory, which are gone when the matrix ends. It needs root (except for npm) and git. debian, image and kernels also need mmdebstrap; image needs buildah and crun, and kernels needs qemu-system-x86_64, mke2fs and depmod.

Exit status: 0 every cell passed, 1 some failed, 2 usage, 3 none failed, but some could not be tested.`;

/** The Debian package of each program that a cell may need. */
const packageOf = {'qemu-system-x86_64': 'qemu-system-x86', mke2fs: 'e2fsprogs', depmod: 'kmod'};

class UsageError extends Error {}

function parseArguments(argv) {
	const options = {parts: [], only: '', commit: 'HEAD', batch: path.join(root, 'test/fixtures/batch/probes.jsonl'), logs: undefined, result: undefined, write: true, list: false};
	const queue = [...argv];
	while (queue.length > 0) {
		const word = queue.shift();
		if (['--only', '--commit', '--batch', '--logs', '--result'].includes(word)) {
			if (queue.length === 0) {
				throw new UsageError(`${word} needs a value.`);
			}

			const value = queue.shift();
			options[word.slice(2)] = ['--batch', '--logs', '--result'].includes(word) ? path.resolve(value) : value;
		} else if (word === '--no-write') {
			options.write = false;
		} else if (word === '--list') {
			options.list = true;
		} else if (Object.hasOwn(parts, word)) {
			options.parts.push(word);
		} else {
			throw new UsageError(`There is no part or option "${word}".`);
		}
	}

	const chosen = options.parts.length === 0 ? ['npm', 'here', 'node', 'debian'] : options.parts;
	const selected = cells.filter(cell => (chosen.includes(cell.part) || (chosen.includes('ci') && cell.inCi)) && cell.machine.includes(options.only));
	if (selected.length === 0) {
		throw new UsageError(`No cell of ${chosen.join(', ')} has "${options.only}" in its name.`);
	}

	return {...options, selected};
}

const say = line => {
	process.stderr.write(`  ${line}\n`);
};

function git(given) {
	// Also reads a checkout that belongs to another user (under sudo).
	const {status, stdout, stderr} = spawnSync('git', ['-c', 'safe.directory=*', '-C', root, ...given], {encoding: 'utf8'});
	if (status !== 0) {
		throw new UsageError(`git ${given.join(' ')}: ${stderr.trim()}`);
	}

	return stdout.trim();
}

function isThere(program) {
	return [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin', '/sbin'].some(folder => fs.existsSync(path.join(folder, program)));
}

/** The context of every cell: where to work, how to reach the registries, what to try. */
async function prepare(options, commit, work) {
	const settings = settingsOfMachine();
	const certificatesFile = settings.certificates === '' ? undefined : path.join(work, 'certificates.pem');
	if (certificatesFile !== undefined) {
		fs.writeFileSync(certificatesFile, settings.certificates);
	}

	process.env.TMPDIR = path.join(work, 'tmp');
	fs.mkdirSync(process.env.TMPDIR, {mode: 0o1777});
	const source = path.join(work, 'testbed.git');
	spawnSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', source]);
	git(['push', '--quiet', source, `${commit}:refs/heads/main`]);
	const batch = fs.existsSync(options.batch) ? path.join(work, 'batch.jsonl') : '';
	if (batch !== '') {
		fs.copyFileSync(options.batch, batch);
	}

	let reference;
	const context = {
		work, settings, certificatesFile, source, batch, say, isQuick: options.parts.includes('ci'), cache: path.join(work, 'npm-cache'),
		keep(out, name) {
			if (options.logs !== undefined) {
				fs.cpSync(out, path.join(options.logs, name), {recursive: true});
			}
		},
		/** The reference run on this machine, done once. */
		runReference() {
			reference ??= runHere(context);
			return reference;
		},
		async reference() {
			const {out} = await context.runReference();
			return answersIn(out);
		},
	};
	return context;
}

/** Fetches the packages once, so that each cell is measured with a warm cache. If that fails, the cells report why. */
async function warmCache(context) {
	const folder = path.join(context.work, 'warm');
	spawnSync('git', ['clone', '--quiet', context.source, folder]);
	const env = {...withoutNpm(process.env), ...environmentOf(context.settings, context.certificatesFile)};
	await run(['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--include=dev', '--cache', context.cache], {cwd: folder, env, onLine() {}});
	fs.rmSync(folder, {recursive: true, force: true});
	fs.mkdirSync(context.cache, {recursive: true});
}

async function tryCell(cell, context, {date, commit}) {
	const {part, machine, needs} = cell;
	const row = {part, machine, distribution: '', npm: '', node: '', iptables: '', nft: '', kernel: '', date, commit};
	process.stderr.write(`matrix: ${part}: ${machine}\n`);
	const missing = needs.filter(program => !isThere(program));
	if (missing.length > 0) {
		const packages = missing.map(program => packageOf[program] ?? program);
		return [{...row, result: `not tried: ${missing.join(', ')} missing → apt-get install ${packages.join(' ')}`}];
	}

	const start = performance.now();
	let seen;
	try {
		seen = await cell.run(context);
	} catch (error) {
		seen = {result: `failed: ${error.message}`};
	}

	const rows = (Array.isArray(seen) ? seen : [seen]).map(one => ({...row, ...one}));
	for (const one of rows) {
		process.stderr.write(`matrix: ${one.machine}: ${one.result} (${((performance.now() - start) / 1000).toFixed(0)} s)\n`);
	}

	return rows;
}

function writeDocument(rows) {
	const before = fs.readFileSync(document, 'utf8');
	fs.writeFileSync(document, replaceBlock(before, mergeRows(parseRows(before), rows)));
}

/** Runs the cells, and creates what they need in the folder `work`. */
async function main(options, work) {
	const commit = git(['rev-parse', `${options.commit}^{commit}`]);
	const about = {date: new Date().toISOString().slice(0, 10), commit: commit.slice(0, 7)};
	const changed = git(['status', '--porcelain', '--untracked-files=no']);
	process.stderr.write(`matrix: commit ${about.commit}${changed === '' ? '' : '; uncommitted changes are not tested'}\n`);
	const context = await prepare(options, commit, work);
	if (options.selected.some(({part}) => part !== 'npm')) {
		await warmCache(context);
	}

	const rows = [];
	for (const cell of options.selected) {
		rows.push(...await tryCell(cell, context, about)); // eslint-disable-line no-await-in-loop -- One after the other, because each is measured and there are two cores.
	}

	console.log(renderText(rows));
	if (options.result !== undefined) {
		fs.writeFileSync(options.result, JSON.stringify(rows, undefined, '\t'));
	}

	if (options.write) {
		writeDocument(rows);
	}

	if (rows.some(({result}) => result.startsWith('failed'))) {
		return 1;
	}

	return rows.every(({result}) => result.startsWith('passed')) ? 0 : 3;
}

/** Restarts this program in its own namespaces, with an in-memory file system for everything it creates. */
async function mainInPrivate(argv) {
	fs.mkdirSync(workFolder, {recursive: true});
	// Most of the memory may be used, because it is only allocated as it fills up.
	const megabytes = Math.floor(os.totalmem() * 0.7 / 1_048_576);
	const prepareWork = `mount -t tmpfs -o mode=755,size=${megabytes}m matrix "$1"; shift`;
	const {status} = await run(privateCommand(prepareWork, [workFolder, process.execPath, path.join(import.meta.dirname, 'matrix.mjs'), ...argv]), {env: {...process.env, TESTBED_MATRIX_INSIDE: '1'}});
	return status === -1 ? 1 : status;
}

async function start(argv) {
	if (argv.includes('--help') || argv.includes('-h')) {
		console.log(help);
		return 0;
	}

	const options = parseArguments(argv);
	if (options.list) {
		for (const {part, machine, needs, inCi} of options.selected) {
			console.log(`${part.padEnd(8)} ${machine.padEnd(34)} ${inCi ? 'CI ' : '   '} needs ${needs.join(', ')}`);
		}

		return 0;
	}

	if (process.env.TESTBED_MATRIX_INSIDE !== undefined) {
		return main(options, workFolder);
	}

	if (process.getuid() !== 0 && options.selected.every(({part}) => part === 'npm')) {
		const work = fs.mkdtempSync(path.join(os.tmpdir(), 'testbed-matrix-'));
		try {
			return await main(options, work);
		} finally {
			fs.rmSync(work, {recursive: true, force: true});
		}
	}

	if (process.getuid() !== 0) {
		throw new UsageError('The matrix creates namespaces and Debian roots, which needs root: sudo env "PATH=$PATH" npm run matrix');
	}

	return mainInPrivate(argv);
}

try {
	process.exitCode = await start(process.argv.slice(2));
} catch (error) {
	if (!(error instanceof UsageError)) {
		throw error;
	}

	console.error(`matrix: ${error.message}\n  npm run matrix -- --help`);
	process.exitCode = 2;
}
