import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import test from 'ava';
import {isolated, root, writeTree} from './_setup.js';

type Row = {npm: string; node: string; lockfile: string; ok: boolean; reason: string};
type Lockfiles = {
	npmVersions: ReadonlyArray<{npm: string}>;
	tryLockfile: (given: {npm: string; node: string; cli: string; tree: string; root: string; timeoutMs: number; isDry?: boolean}) => Promise<Row>;
};

const {npmVersions, tryLockfile} = await import(path.join(root, 'scripts/matrix/lockfiles.mjs')) as Lockfiles;

/** What stands for an npm: `ci` takes the lockfile and says so as npm does. */
const taking = `
	const fs = require('node:fs');
	if (!process.argv.includes('--dry-run')) {
		fs.mkdirSync('node_modules');
		fs.writeFileSync('node_modules/.package-lock.json', '{"packages": {"node_modules/a": {}, "node_modules/b": {}, "scripts/tests": {}}}');
	}
`;

/** What npm 10.9.4 said, in short, of a lockfile that npm 11.19.1 had written (commit 5349751). */
const refusal = `npm error code EUSAGE
npm error
npm error \`npm ci\` can only install packages when your package.json and package-lock.json or npm-shrinkwrap.json are in sync. Please update your lock file with \`npm install\` before continuing.
npm error
npm error Missing: esbuild@0.28.2 from lock file
npm error Missing: @esbuild/aix-ppc64@0.28.2 from lock file
`;

for (const {title, cli, isDry = false, ok, reason} of [
	{title: 'takes it', cli: taking, ok: true, reason: '2 packages'},
	{title: 'would take it', cli: taking, isDry: true, ok: true, reason: 'accepted; nothing was downloaded'},
	{title: 'refuses it', cli: `process.stderr.write(${JSON.stringify(refusal)}); process.exitCode = 1;`, ok: false, reason: 'npm ended with 1, EUSAGE, Missing: esbuild@0.28.2 from lock file and 1 more'},
	{title: 'refuses it, in the words of npm 9', cli: `process.stderr.write(${JSON.stringify(refusal.replaceAll('npm error', 'npm ERR!'))}); process.exitCode = 1;`, ok: false, reason: 'npm ended with 1, EUSAGE, Missing: esbuild@0.28.2 from lock file and 1 more'},
	{title: 'dies', cli: 'process.kill(process.pid, "SIGKILL"); setTimeout(() => {}, 1e6);', ok: false, reason: 'npm ended with SIGKILL, it printed nothing'},
	{title: 'changes it', cli: `${taking} fs.writeFileSync('package-lock.json', '{}');`, ok: false, reason: 'it changed the lockfile'},
]) {
	test(`an npm that ${title}`, async t => {
		await using context = await isolated();
		writeTree(context.root, {
			'package.json': '{}', 'package-lock.json': '{"packages": {}}', 'scripts/tests/package.json': '{}', 'npm.cjs': cli,
		});
		const row = await tryLockfile({
			npm: '0.0.0', node: process.execPath, cli: path.join(context.root, 'npm.cjs'), tree: 'tests', root: context.root, timeoutMs: 60_000, isDry,
		});
		t.deepEqual(row, {
			npm: '0.0.0', node: process.versions.node, lockfile: 'package-lock.json (tests)', ok, reason,
		});
		t.false(fs.existsSync(path.join(context.root, 'node_modules')), 'it works in a copy');
	});
}

test('the versions that are tried are the ones that are installed', t => {
	const {dependencies} = JSON.parse(fs.readFileSync(path.join(root, 'scripts/matrix/npms/package.json'), 'utf8')) as {dependencies: Record<string, string>};
	t.deepEqual(dependencies, Object.fromEntries(npmVersions.map(({npm}) => [`npm-${npm}`, `npm:npm@${npm}`])));
});
