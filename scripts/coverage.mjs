import {spawn} from 'node:child_process';
import path from 'node:path';
import process from 'node:process';

const root = path.resolve(import.meta.dirname, '..');
const help = `Usage: npm run coverage [-- unit | kernel | FILE…]

Runs tests (the unit tests, unless others are named) with V8's own coverage, and prints by c8 how many lines, branches
and functions of src/ and testbed/ they reach; details go to coverage/ as lcov.
It counts what runs in the processes of the tests. Programs that a test starts (the bundles in dist/bin) do not count.

Exit status: that of the tests. The figure decides nothing.`;

/** What people name as the compiled files. */
const compiled = name => ['unit', 'kernel'].includes(name) ? `dist/test/${name}` : name.replace(/^(?:\.\/)?(test\/.*\.test)\.ts$/, 'dist/$1.js');

function main(given) {
	const files = (given.length === 0 ? ['unit'] : given).map(name => compiled(name));
	const child = spawn(process.execPath, [
		'node_modules/c8/bin/c8.js', '--all', '--include', 'dist/src/**', '--include', 'dist/testbed/**', '--exclude', '**/*.d.ts',
		'--reporter', 'text-summary', '--reporter', 'lcovonly', '--reports-dir', 'coverage',
		process.execPath, 'node_modules/ava/entrypoints/cli.mjs', ...files,
	], {cwd: root, stdio: 'inherit'});
	child.on('error', error => {
		console.error(`c8 could not be started: ${error.message}`);
		process.exitCode = 1;
	});
	child.on('close', status => {
		process.exitCode = status ?? 1;
	});
}

if (process.argv.includes('--help')) {
	console.log(help);
} else {
	main(process.argv.slice(2));
}
