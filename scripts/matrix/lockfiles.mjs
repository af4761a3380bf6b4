/**
Checks that the npm versions in use accept our lockfiles. Each version really installs each lockfile, into a copy: an older npm may refuse a lockfile written by a newer one (`EUSAGE … Missing: esbuild@0.28.2 from lock file`), which goes unnoticed on the machine that wrote it.
*/

import {spawn} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import owner from '../setup/owner.cjs';
import setupTrees from '../setup/trees.cjs';

const {giveToOwner} = owner;
const {trees} = setupTrees;
const ownRoot = path.resolve(import.meta.dirname, '../..');
const programs = path.join(import.meta.dirname, 'npms');

/** The newest npm does not start on Node 20, so it gets its own Node, from a package that contains nothing else. */
const newerNode = {name: `node-linux-${process.arch}`, version: '24.22.3'};

/** The npm versions, from scripts/matrix/npms/package.json, each with the package that contains it. */
export const npmVersions = [
	{npm: '9.2.0', comesWith: 'Debian 13'},
	{npm: '10.8.2', comesWith: 'Node 20'},
	{npm: '10.9.4', comesWith: 'Node 22'},
	{npm: '11.6.2', comesWith: 'Node 24'},
	{npm: '11.19.1', comesWith: 'Node 24, later'},
	{npm: '12.2.2', comesWith: 'Node 26', node: newerNode.name},
];

/** Runs a program in a folder; returns its status and output. */
function run([file, ...given], {cwd, env, signal}) {
	return new Promise((resolve, reject) => {
		const child = spawn(file, given, {cwd, env, stdio: ['ignore', 'pipe', 'pipe'], signal});
		let text = '';
		for (const stream of [child.stdout, child.stderr]) {
			stream.setEncoding('utf8');
			stream.on('data', chunk => {
				text += chunk;
			});
		}

		child.on('error', error => {
			// A timeout is a result; a missing program is an error.
			if (error.name === 'AbortError') {
				resolve({status: 'no answer in time', text});
			} else {
				reject(error);
			}
		});
		child.on('close', (status, ended) => {
			resolve({status: ended ?? status, text});
		});
	});
}

/** The reason that npm gives for refusing, in one line. */
function reasonOf({status, text}) {
	const lines = text.split('\n').map(line => line.replace(/^npm (?:ERR!|error) ?/u, '').trim()).filter(Boolean);
	const code = lines.find(line => line.startsWith('code '))?.slice('code '.length);
	const missing = lines.filter(line => /^(?:Missing|Invalid): /u.test(line));
	const words = missing.length > 0 ? `${missing[0]}${missing.length === 1 ? '' : ` and ${missing.length - 1} more`}` : lines.find(line => !line.startsWith('code ')) ?? 'it printed nothing';
	return [`npm ended with ${status}`, code, words].filter(Boolean).join(', ');
}

/** The environment without the variables of an npm that started us, which another npm would take as its own settings. */
function ownEnvironment(node) {
	const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^npm_(?!config_(?:cafile|registry|cache|proxy|https_proxy|noproxy)$)|^INIT_CWD$/iu.test(key)));
	return {...env, PATH: [path.dirname(node), env.PATH].filter(Boolean).join(path.delimiter)};
}

/**
Installs one tree with one npm, in a copy of its package.json files and nothing else of the checkout. npm checks a lockfile against package.json before it downloads anything, so a dry run refuses the same lockfiles; only a real run shows that the packages can be installed.

@returns {Promise<{npm: string, node: string, lockfile: string, ok: boolean, reason: string}>}
*/
export async function tryLockfile({npm, node, cli, tree, root, timeoutMs, isDry}) {
	const {folder, given} = trees[tree];
	const copy = fs.mkdtempSync(path.join(os.tmpdir(), 'testbed-lockfile-'));
	try {
		for (const file of ['package.json', 'package-lock.json', ...(folder === '.' ? ['scripts/tests/package.json'] : [])]) {
			const source = path.join(root, folder, file);
			if (fs.existsSync(source)) {
				fs.mkdirSync(path.dirname(path.join(copy, file)), {recursive: true});
				fs.copyFileSync(source, path.join(copy, file));
			}
		}

		const before = fs.readFileSync(path.join(copy, 'package-lock.json'), 'utf8');
		const signal = AbortSignal.timeout(timeoutMs);
		const env = ownEnvironment(node);
		const version = await run([node, '--version'], {cwd: copy, env, signal});
		const row = {npm, node: version.text.trim().replace(/^v/u, ''), lockfile: `${path.join(folder, 'package-lock.json')} (${tree})`};
		const result = await run([node, cli, 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--include=dev', '--prefer-offline', ...given, ...(isDry ? ['--dry-run'] : [])], {cwd: copy, env, signal});
		if (result.status !== 0) {
			return {...row, ok: false, reason: reasonOf(result)};
		}

		if (isDry) {
			return {...row, ok: true, reason: 'accepted; nothing was downloaded'};
		}

		const {packages} = JSON.parse(fs.readFileSync(path.join(copy, 'node_modules/.package-lock.json'), 'utf8'));
		const count = Object.keys(packages).filter(entry => entry.split('/').includes('node_modules')).length;
		const isKept = fs.readFileSync(path.join(copy, 'package-lock.json'), 'utf8') === before;
		return {...row, ok: isKept && count > 0, reason: isKept ? `${count} packages` : 'it changed the lockfile'};
	} finally {
		fs.rmSync(copy, {recursive: true, force: true});
	}
}

/** Where `installPrograms` installs its programs. */
function programsOf({npm, node}) {
	return {
		cli: path.join(programs, 'node_modules', `npm-${npm}`, 'bin/npm-cli.js'),
		node: node === undefined ? process.execPath : path.join(programs, 'node_modules', node, 'bin/node'),
	};
}

/** Installs the npm versions, and the Node that the newest one needs. Their versions are exact and they bundle their dependencies, so a lockfile would add nothing. */
async function installPrograms() {
	const wanted = npmVersions.map(version => programsOf(version)).flatMap(({cli, node}) => [cli, node]);
	if (wanted.every(file => fs.existsSync(file))) {
		return;
	}

	const given = ['install', '--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', `${newerNode.name}@${newerNode.version}`];
	const {status, text} = await run(['npm', ...given], {cwd: programs, env: ownEnvironment(process.execPath)});
	giveToOwner(['scripts/matrix/npms'], {root: ownRoot, uid: process.getuid?.() ?? -1, say: console.error});
	if (status !== 0) {
		throw new Error(`npm ${given.join(' ')} in ${programs} ended with ${status}:\n${text}`);
	}
}

/**
Tries every npm with every lockfile of a checkout. Two at a time, because there are two cores.

@param {{root?: string, names?: string[], isQuick?: boolean, timeoutMs?: number, tell?: (row: object) => void}} [options] `root`: the checkout; `names`: trees (scripts/setup/trees.cjs), all by default; `isQuick`: download only what the README's first command needs; `timeoutMs` for each.
@returns {Promise<Array<{npm: string, node: string, lockfile: string, ok: boolean, reason: string}>>}
*/
export async function tryLockfiles({root = ownRoot, names = Object.keys(trees), isQuick = false, timeoutMs = 300_000, tell = () => undefined} = {}) {
	await installPrograms();
	const cases = npmVersions.flatMap(version => names.map(tree => ({
		npm: version.npm, ...programsOf(version), tree, root, timeoutMs, isDry: isQuick && tree !== 'testbed',
	})));
	const rows = [];
	const work = async () => {
		for (let next = cases.shift(); next !== undefined; next = cases.shift()) {
			const row = await tryLockfile(next); // eslint-disable-line no-await-in-loop -- Two at a time, see above.
			rows.push(row);
			tell(row);
		}
	};

	await Promise.all([work(), work()]);
	return rows;
}

const help = `Usage: npm run lockfiles [-- [--quick] [TREE ...]]

Installs every lockfile of the project with every npm version that people have (${npmVersions.map(({npm}) => npm).join(', ')}),
each in a copy. Trees: ${Object.keys(trees).join(', ')}; all by default.
With --quick, only "testbed" is really installed; for the others, npm only says whether it would accept them.

Exit status: 0 all are accepted, 1 one is refused, 2 usage.`;

async function main(given) {
	if (given.includes('--help')) {
		console.log(help);
		return 0;
	}

	const isQuick = given.includes('--quick');
	const names = given.filter(word => word !== '--quick');
	const unknown = names.filter(name => !Object.hasOwn(trees, name));
	if (unknown.length > 0) {
		console.error(`There is no tree ${unknown.join(', ')}. Trees: ${Object.keys(trees).join(', ')}.`);
		return 2;
	}

	const rows = await tryLockfiles({
		...(names.length === 0 ? {} : {names}), isQuick,
		tell({npm, node, lockfile, ok, reason}) {
			console.log(`${ok ? 'ok  ' : 'FAIL'} npm ${npm.padEnd(8)} Node ${node.padEnd(8)} ${lockfile}: ${reason}`);
		},
	});
	return rows.every(({ok}) => ok) ? 0 : 1;
}

if (process.argv[1] !== undefined && fs.realpathSync(process.argv[1]) === fs.realpathSync(import.meta.filename)) {
	process.exitCode = await main(process.argv.slice(2));
}
