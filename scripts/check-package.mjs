import {spawn} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {packageChecks} from './package/checks.mjs';
import {startRegistry} from './package/registry.mjs';

const root = path.resolve(import.meta.dirname, '..');
const help = `Usage: npm run check-package [-- --output FOLDER]

Packs this package and publishes it to a registry of its own on a loopback port, which ends with this program. Then
installs it as users would, in empty folders with empty caches, and tests it there: with npx, globally, and in a
project with both libraries and their types. As root, it sends a type each time. All other packages come from the
registry that npm is set to.

  --output FOLDER   keep the packed file in this folder

Exit status: 0 everything works, 1 something does not.`;

/** Runs a program and returns its stdout. The registry is in this process, so it must not wait for the program. */
async function run(program, given, options = {}) {
	const child = spawn(program, given, {stdio: ['ignore', 'pipe', 'pipe'], ...options});
	const texts = {stdout: '', stderr: ''};
	for (const name of ['stdout', 'stderr']) {
		child[name].setEncoding('utf8').on('data', text => {
			texts[name] += text;
		});
	}

	const ended = await new Promise(resolve => {
		child.on('error', ({message}) => {
			resolve(message);
		});
		child.on('close', (status, signal) => {
			resolve(status === 0 ? undefined : signal ?? `status ${status}`);
		});
	});
	if (ended !== undefined) {
		throw new Error(`${[program, ...given].join(' ')} ended with ${ended}.\n${texts.stderr}${texts.stdout}`);
	}

	return texts.stdout;
}

/** Packs the checkout into a folder, and returns the file. */
async function pack(folder) {
	await run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], {cwd: root});
	const name = fs.readdirSync(folder).find(entry => entry.endsWith('.tgz'));
	return path.join(folder, name);
}

/** Publishes the file to the registry on loopback. The token is none: that registry asks for nothing, but npm wants one. */
async function publish(file, {folder, registry}) {
	const userConfig = path.join(folder, 'npmrc');
	fs.writeFileSync(userConfig, `${registry.url.replace('http:', '')}:_authToken=none\n`);
	await run('npm', ['publish', file, '--registry', registry.url, '--userconfig', userConfig, '--provenance=false', '--ignore-scripts'], {cwd: folder});
	const published = registry.published();
	if (published.length !== 1) {
		throw new Error(`npm publish sent ${published.length} versions, not one.`);
	}

	return published[0];
}

async function main(given) {
	const at = given.indexOf('--output');
	const kept = at === -1 ? undefined : path.resolve(given[at + 1] ?? 'package');
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'testbed-package-'));
	let registry;
	try {
		const upstream = await run('npm', ['config', 'get', 'registry']);
		registry = await startRegistry({upstream: upstream.trim()});
		const file = await pack(folder);
		console.log(`ok    npm publish takes it: ${await publish(file, {folder, registry})}`);
		const {name} = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
		for (const [title, check] of packageChecks({root, name, file, folder, url: registry.url, run})) {
			const measured = await check(); // eslint-disable-line no-await-in-loop -- One after the other: each is timed.
			console.log(`ok    ${title}${measured === undefined ? '' : `: ${measured}`}`);
		}

		if (kept !== undefined) {
			fs.mkdirSync(kept, {recursive: true});
			fs.copyFileSync(file, path.join(kept, path.basename(file)));
			console.log(`The package is ${path.join(kept, path.basename(file))}.`);
		}

		return 0;
	} catch (error) {
		console.log(`FAIL  ${error.message}`);
		return 1;
	} finally {
		registry?.close();
		fs.rmSync(folder, {recursive: true});
	}
}

if (process.argv.includes('--help')) {
	console.log(help);
} else {
	process.exitCode = await main(process.argv.slice(2));
}
