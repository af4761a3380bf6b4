import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';

const root = path.resolve(import.meta.dirname, '..');
const help = `Usage: npm run check-package [-- --output FOLDER]

Packs this package, installs what was packed in a temporary folder with npm, as a user would, and tries it there: the
program, both libraries and their types; as root also a run. Publishes nothing.

  --output FOLDER   keep the packed file there

Exit status: 0 all of it works, 1 something does not.`;

/** Runs a program to its end and gives its stdout. */
function run(program, given, options = {}) {
	const {status, stdout, stderr, error} = spawnSync(program, given, {encoding: 'utf8', ...options});
	if (status !== 0) {
		throw new Error(`${[program, ...given].join(' ')} ended with ${error?.message ?? `status ${status}`}.\n${stderr ?? ''}${stdout ?? ''}`);
	}

	return stdout;
}

const program = `import {parseReleaseInput} from 'sidecar-netfilter-testbed';
import {loadRules, TestbedError} from 'sidecar-netfilter-testbed/kernel';

const name: string = parseReleaseInput('release:1.30').release.name;
const {families} = loadRules('release:1.30');
if (name !== '1.30' || families.length === 0 || typeof TestbedError !== 'function') {
	throw new Error('The libraries do not say what they should.');
}
`;

const compilerOptions = {
	module: 'NodeNext', moduleResolution: 'NodeNext', target: 'ES2022', lib: ['ES2022', 'ESNext.Disposable', 'DOM'], strict: true, types: ['node'], typeRoots: [path.join(root, 'node_modules/@types')], outDir: 'out',
};

/** What is tried in the folder in which the package is installed, each with its name. */
function checks(folder) {
	const own = (file, given) => run(path.join(folder, 'node_modules/.bin', file), given, {cwd: folder});
	return [
		['the program tells its version', () => own('testbed', ['--version'])],
		['it prints rules', () => {
			if (!own('testbed', ['rules', 'release:1.30']).includes('-A ISTIO_OUTPUT')) {
				throw new Error('`testbed rules release:1.30` prints no rules.');
			}
		}],
		['both libraries have types, and do what they say', () => {
			fs.writeFileSync(path.join(folder, 'program.ts'), program);
			fs.writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({compilerOptions, files: ['program.ts']}));
			run(process.execPath, [path.join(root, 'node_modules/typescript/lib/tsc.js'), '-p', folder]);
			run(process.execPath, ['out/program.js'], {cwd: folder});
		}],
		...process.getuid?.() === 0 ? [['as root, a type is sent and passes', () => own('testbed', ['run', '--types', '2'])]] : [],
	];
}

function main(given) {
	const at = given.indexOf('--output');
	const kept = at === -1 ? undefined : path.resolve(given[at + 1] ?? 'package');
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'testbed-package-'));
	try {
		run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], {cwd: root});
		const file = fs.readdirSync(folder).find(name => name.endsWith('.tgz'));
		fs.writeFileSync(path.join(folder, 'package.json'), '{"name": "theirs", "private": true, "type": "module"}\n');
		run('npm', ['install', '--no-audit', '--no-fund', path.join(folder, file)], {cwd: folder});
		for (const [name, check] of checks(folder)) {
			check();
			console.log(`ok    ${name}`);
		}

		if (kept !== undefined) {
			fs.mkdirSync(kept, {recursive: true});
			fs.copyFileSync(path.join(folder, file), path.join(kept, file));
			console.log(`The package is ${path.join(kept, file)}.`);
		}

		return 0;
	} catch (error) {
		console.log(`FAIL  ${error.message}`);
		return 1;
	} finally {
		fs.rmSync(folder, {recursive: true});
	}
}

if (process.argv.includes('--help')) {
	console.log(help);
} else {
	process.exitCode = main(process.argv.slice(2));
}
