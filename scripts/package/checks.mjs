/**
What is tried of the packed package. Each way in has a folder of its own and an empty npm cache, as on a machine that never saw it.
*/

import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';

/** Most packages and megabytes (of 10^6 bytes, the sum of all files) that an installation may have. */
export const limits = {packages: 40, megabytes: 25};

/** Whether this process may send packets. */
const isRoot = process.getuid?.() === 0;

const program = `import {parseReleaseInput} from 'sidecar-netfilter-testbed';
import {loadRules, TestbedError} from 'sidecar-netfilter-testbed/kernel';

const name: string = parseReleaseInput('release:1.30').release.name;
const {families} = loadRules('release:1.30');
if (name !== '1.30' || families.length === 0 || typeof TestbedError !== 'function') {
	throw new Error('The libraries do not return the expected results.');
}
`;

/** The number of packages in a node_modules folder, with those of scopes and those below others. */
function countPackages(modules) {
	if (!fs.existsSync(modules)) {
		return 0;
	}

	const folders = fs.readdirSync(modules, {withFileTypes: true})
		.filter(entry => entry.isDirectory() && !entry.name.startsWith('.'))
		.flatMap(({name}) => name.startsWith('@') ? fs.readdirSync(path.join(modules, name)).map(inner => path.join(name, inner)) : [name]);
	return folders.reduce((sum, name) => sum + 1 + countPackages(path.join(modules, name, 'node_modules')), 0);
}

/** The sum of the sizes of all files below a folder, in bytes. */
function countBytes(folder) {
	return fs.readdirSync(folder, {withFileTypes: true, recursive: true})
		.filter(entry => entry.isFile())
		.reduce((sum, entry) => sum + fs.statSync(path.join(entry.parentPath, entry.name)).size, 0);
}

/**
Measures an installation.

@throws {Error} It has more packages or megabytes than {@link limits} says, or nothing at all.
*/
export function measureInstalled(modules) {
	const packages = countPackages(modules);
	const megabytes = countBytes(modules) / 1e6;
	if (packages === 0 || packages > limits.packages || megabytes > limits.megabytes) {
		throw new Error(`${packages} packages with ${megabytes.toFixed(1)} MB are installed. Between 1 and ${limits.packages} are allowed, with at most ${limits.megabytes} MB.`);
	}

	return `${packages} packages, ${megabytes.toFixed(1)} MB`;
}

/** Fails where a text does not hold another. */
function demand(text, wanted, what) {
	if (!text.includes(wanted)) {
		throw new Error(`${what} does not print ${JSON.stringify(wanted)}, but:\n${text.slice(0, 2000)}`);
	}
}

/** What a first answer is: a type that was sent, or where only root could do that, the rules. */
const firstAnswer = isRoot ? [['run', '--types', '2'], 'app → proxy:15001 → remote:8080'] : [['rules', 'release:1.30'], '-A ISTIO_OUTPUT'];

/** Everything that needs no network and no root, with an installed program. */
async function checkProgram(own, root) {
	for (const [given, wanted] of [
		[['--version'], 'testbed '],
		[['rules', 'release:1.30'], '-A ISTIO_OUTPUT'],
		[['lesson', '--list'], 'into-the-pod'],
		[['replay', path.join(root, 'test/recordings/run-1-iptables-nft.testbed')], 'passed'],
		firstAnswer,
	]) {
		demand(await own(given), wanted, `testbed ${given.join(' ')}`); // eslint-disable-line no-await-in-loop -- One after the other, as the first failure is told.
	}
}

/**
All checks, in order, each with its name. A check returns what was measured, if anything.

@param {{root: string, name: string, file: string, folder: string, url: string, run: (program: string, given: readonly string[], options?: object) => Promise<string>}} context `root` is the checkout, `name` that of the package, `file` the packed file, `folder` an empty folder, `url` the registry that has the package.
*/
export function packageChecks({root, name, file, folder, url, run}) {
	const place = check => {
		const own = path.join(folder, check);
		fs.mkdirSync(path.join(own, 'work'), {recursive: true});
		return {work: path.join(own, 'work'), cache: path.join(own, 'cache'), prefix: path.join(own, 'prefix')};
	};

	const npm = async (given, {work, cache}) => run('npm', [...given, '--no-audit', '--no-fund', '--registry', url, '--cache', cache], {cwd: work});
	return [
		['npx, in an empty folder with an empty cache, gives a first answer', async () => {
			const {work, cache} = place('npx');
			const [given, wanted] = firstAnswer;
			const start = performance.now();
			const text = await run('npx', ['--yes', '--registry', url, '--cache', cache, name, ...given], {cwd: work});
			const seconds = (performance.now() - start) / 1000;
			demand(text, wanted, `npx ${name} ${given.join(' ')}`);
			const [kept] = fs.readdirSync(path.join(cache, '_npx'));
			return `${seconds.toFixed(1)} s, ${measureInstalled(path.join(cache, '_npx', kept, 'node_modules'))}`;
		}],
		['npm install --global gives `testbed`', async () => {
			const own = place('global');
			await npm(['install', '--global', '--prefix', own.prefix, name], own);
			await checkProgram(async given => run(path.join(own.prefix, 'bin/testbed'), given, {cwd: own.work}), root);
		}],
		['both libraries have types and work, installed from the packed file', async () => {
			const own = place('library');
			const {work} = own;
			fs.writeFileSync(path.join(work, 'package.json'), '{"name": "theirs", "private": true, "type": "module"}\n');
			await npm(['install', file], own);
			fs.writeFileSync(path.join(work, 'program.ts'), program);
			fs.writeFileSync(path.join(work, 'tsconfig.json'), JSON.stringify({compilerOptions: compilerOptions(root), files: ['program.ts']}));
			await run(process.execPath, [path.join(root, 'node_modules/typescript/lib/tsc.js'), '-p', work]);
			await run(process.execPath, ['out/program.js'], {cwd: work});
			await checkProgram(async given => run(path.join(work, 'node_modules/.bin/testbed'), given, {cwd: work}), root);
		}],
	];
}

function compilerOptions(root) {
	return {
		module: 'NodeNext', moduleResolution: 'NodeNext', target: 'ES2022', lib: ['ES2022', 'ESNext.Disposable', 'DOM'], strict: true, types: ['node'], typeRoots: [path.join(root, 'node_modules/@types')], outDir: 'out',
	};
}
