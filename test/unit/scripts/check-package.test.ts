import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {execa} from 'execa';
import {dir} from 'tmp-promise';
import {root} from './_setup.js';

type Checks = {limits: {packages: number; megabytes: number}; measureInstalled: (modules: string) => string};
type Registry = {startRegistry: (options: {upstream: string}) => Promise<{url: string; published: () => readonly string[]; close: () => void}>};

const {limits, measureInstalled} = await import(path.join(root, 'scripts/package/checks.mjs')) as Checks;
const {startRegistry} = await import(path.join(root, 'scripts/package/registry.mjs')) as Registry;

/** A node_modules folder with packages, each with a file of so many bytes. */
function writeModules(folder: string, names: readonly string[], bytes: number): void {
	for (const name of names) {
		fs.mkdirSync(path.join(folder, name), {recursive: true});
		fs.writeFileSync(path.join(folder, name, 'index.js'), 'x'.repeat(bytes));
	}
}

async function inFolder(act: (folder: string) => void | Promise<void>): Promise<void> {
	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	try {
		await act(folder);
	} finally {
		await cleanup();
	}
}

test('packages are counted with those of scopes and those below others, and .bin is none', async t => {
	await inFolder(folder => {
		writeModules(folder, ['a', '@scope/b', '@scope/c', 'a/node_modules/d', '.bin'], 1e6);
		t.is(measureInstalled(folder), '4 packages, 5.0 MB');
	});
});

test('goes red: more packages or megabytes than allowed, or nothing', async t => {
	await inFolder(folder => {
		t.throws(() => measureInstalled(folder), {message: /^0 packages/u});
		writeModules(folder, Array.from({length: limits.packages}, (_, index) => `p${index}`), 10);
		t.is(measureInstalled(folder), `${limits.packages} packages, 0.0 MB`);
		writeModules(folder, ['one-more'], 10);
		t.throws(() => measureInstalled(folder), {message: new RegExp(`^${limits.packages + 1} packages`, 'u')});
	});
	await inFolder(folder => {
		writeModules(folder, ['large'], (limits.megabytes + 1) * 1e6);
		t.throws(() => measureInstalled(folder), {message: /26\.0 MB are installed/u});
	});
});

test('the registry on loopback hands out what was published, and sends npm elsewhere for the rest', async t => {
	const registry = await startRegistry({upstream: 'https://registry.example/npm/'});
	try {
		await inFolder(async folder => {
			fs.writeFileSync(path.join(folder, 'package.json'), '{"name": "thing", "version": "1.2.3", "bin": "x.js"}');
			fs.writeFileSync(path.join(folder, 'x.js'), '#!/usr/bin/env node\nconsole.log("the thing");\n');
			const userConfig = path.join(folder, '.npmrc');
			fs.writeFileSync(userConfig, `${registry.url.replace('http:', '')}:_authToken=none\n`);
			// Before it publishes, npm asks for the package, and is sent to the registry elsewhere, which is none: once is enough.
			const env = {npm_config_fetch_retries: '0'};
			await execa('npm', ['publish', '--registry', registry.url, '--userconfig', userConfig], {cwd: folder, env});
			t.deepEqual(registry.published(), ['thing@1.2.3']);
			const {stdout} = await execa('npx', ['--yes', '--registry', registry.url, '--cache', path.join(folder, 'cache2'), 'thing'], {cwd: folder, env});
			t.is(stdout, 'the thing');
		});
		const elsewhere = await fetch(`${registry.url}@scope%2fother`, {redirect: 'manual'});
		t.is(elsewhere.status, 307);
		t.is(elsewhere.headers.get('location'), 'https://registry.example/npm/@scope%2fother');
	} finally {
		registry.close();
	}
});
