import {spawnSync} from 'node:child_process';
import path from 'node:path';
import process from 'node:process';

const help = `Usage: npm run picture

Writes docs/path.svg, the picture in README.md: type 2 on this kernel.
A test in test/kernel compares it with a run. Needs Linux and root.`;

if (process.argv.includes('--help')) {
	console.log(help);
} else {
	const root = path.resolve(import.meta.dirname, '..');
	const {status} = spawnSync(process.execPath, [path.join(root, 'bin/testbed'), 'run', '--types', '2', '--format', 'svg', '--output', path.join(root, 'docs/path.svg')], {stdio: 'inherit'});
	process.exitCode = status ?? 1;
}
