import {spawn} from 'node:child_process';
import path from 'node:path';
import process from 'node:process';

const root = path.resolve(import.meta.dirname, '..');
const help = `Usage: npm run coverage [-- unit | kernel | FILE…]

Runs tests (by default the unit tests) with V8's coverage, and uses c8 to print how many lines, branches and functions
of src/ and testbed/ they reach. Details are written to coverage/ as lcov.
Only code that runs in the test processes counts, not programs that a test starts (the bundles in dist/bin).

Exit status: that of the tests. The coverage does not affect it.`;

/** Turns the file names that people use into those of the compiled files. */
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
