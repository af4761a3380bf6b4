import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import test from 'ava';
import {execa} from 'execa';
import {isolated, load, root, writeProgram, writeTree, type Context, type Problem} from './_setup.js';

const {ensureSetUp} = load('launch');
const {netfilterPrograms} = load('acts');

/** A compiler that copies: enough for the launcher, and quick. It writes down when it began and ended. */
const compiler = `
	const fs = require('fs'), path = require('path');
	const log = word => fs.appendFileSync('calls', word + ' tsc\\n');
	log('begin');
	// Only the sources, as the real one: in dist the other launchers make and drop their locks.
	for (const name of ['src', 'testbed', 'test'].flatMap(folder => fs.readdirSync(folder, {recursive: true}).map(file => folder + '/' + file))) {
		if (name.endsWith('.ts')) {
			const output = 'dist/' + name.replace(/ts$/, 'js');
			fs.mkdirSync(path.dirname(output), {recursive: true});
			fs.writeFileSync(output, fs.readFileSync(name));
		}
	}
	log('end');
`;

/** What stands for esbuild: each entry is its own bundle. */
const bundler = `
	const fs = require('node:fs');
	const path = require('node:path');
	exports.buildSync = ({absWorkingDir, entryPoints, outdir}) => {
		const log = word => fs.appendFileSync(path.join(absWorkingDir, 'calls'), word + ' esbuild\\n');
		log('begin');
		const folder = path.join(absWorkingDir, outdir);
		fs.mkdirSync(folder, {recursive: true});
		for (const [name, file] of Object.entries(entryPoints)) {
			fs.copyFileSync(path.join(absWorkingDir, file), path.join(folder, name + '.js'));
		}

		log('end');
	};
`;

/** A fresh clone: sources, a lockfile, an npm that brings the compiler, and every program but what is left out. */
function writeClone(context: Context & {bin: string}, {sources = 3, without = [] as readonly string[], npmWaits = false} = {}): void {
	writeTree(context.root, {
		'package.json': '{}', 'package-lock.json': '{"packages": {}}', 'tsconfig.json': '{}', 'tsconfig.base.json': '{}', compiler, bundler,
		'src/tsconfig.json': '{}', 'testbed/tsconfig.json': '{}', 'test/tsconfig.json': '{}',
		'testbed/cli/main.ts': 'exports.main = async argv => { console.log(JSON.stringify({argv})); return argv.length; };\n',
		...Object.fromEntries(Array.from({length: sources}, (_, index) => [`src/room-${index % 9}/file-${index}.ts`, `exports.n = ${index};\n`])),
	});
	for (const name of Object.values(netfilterPrograms).flat().filter(program => !without.includes(program))) {
		writeProgram(context.bin, name);
	}

	writeProgram(context.bin, 'npm', `
		echo 'begin npm' >> calls
		${npmWaits ? 'while [ ! -e go ]; do /bin/sleep 0.05; done' : ''}
		/bin/mkdir -p node_modules/typescript/bin && /bin/cp compiler node_modules/typescript/bin/tsc
		/bin/mkdir -p node_modules/esbuild && /bin/cp bundler node_modules/esbuild/index.js
		echo 'end npm' >> calls
		echo 'npm says this on stdout'`);
}

const calls = (context: Context) => {
	const log = path.join(context.root, 'calls');
	return fs.existsSync(log) ? fs.readFileSync(log, 'utf8').trim().split('\n') : [];
};

/** Starts the launcher in a process of its own, on the machine that the context describes. */
// Returns the process itself, not a promise of its end, because one test listens to it.
// eslint-disable-next-line @typescript-eslint/promise-function-async
function launch(given: readonly string[], {said, bin, ...context}: Context & {said: string[]; bin: string}) {
	const text = `
		const {launch} = require(${JSON.stringify(path.join(root, 'scripts/setup/launch.cjs'))});
		const {report, say} = require(${JSON.stringify(path.join(root, 'scripts/setup/problem.cjs'))});
		launch(${JSON.stringify(given)}, {...${JSON.stringify(context)}, say}).catch(report);
	`;
	return execa(process.execPath, ['-e', text], {reject: false, stdin: 'ignore'});
}

const fresh = ['begin npm', 'end npm', 'begin esbuild', 'end esbuild'];

test('a fresh clone is set up, and stdout belongs to the program', async t => {
	await using context = await isolated();
	writeClone(context);
	const {stdout, stderr, exitCode} = await launch(['testbed', '--format', 'json'], context);
	t.is(stdout, '{"argv":["--format","json"]}');
	t.is(exitCode, 2);
	t.true(stderr.includes('npm says this on stdout'));
	t.deepEqual(calls(context), fresh);
});

test('if everything is set up, nothing is done or printed', async t => {
	await using context = await isolated();
	writeClone(context);
	await launch(['testbed'], context);
	const {stdout, stderr, exitCode} = await launch(['testbed'], context);
	t.deepEqual({stdout, stderr, exitCode}, {stdout: '{"argv":[]}', stderr: '', exitCode: 0});
	t.deepEqual(calls(context), fresh);
});

test('eight at once in a fresh clone: one installs and builds, and the others wait', async t => {
	await using context = await isolated();
	// The npm there is busy until one of the others has said that it waits: so one of them must.
	writeClone(context, {npmWaits: true});
	const running = Array.from({length: 8}, () => launch(['testbed'], context)); // eslint-disable-line @typescript-eslint/promise-function-async -- As above.
	for (const {stderr} of running) {
		stderr.on('data', (words: Uint8Array) => {
			if (/Process \d+ is setting up this checkout; waiting for it/.test(String(words))) {
				writeTree(context.root, {go: ''});
			}
		});
	}

	const results = await Promise.all(running);
	t.deepEqual(results.map(({exitCode}) => exitCode), Array.from({length: 8}, () => 0), results.map(({stderr}) => stderr).join('\n'));
	t.deepEqual(calls(context), fresh);
	t.true(results.some(({stderr}) => stderr.includes('waiting for it')));
	t.deepEqual(fs.readdirSync(path.join(context.root, 'dist')).filter(name => name.includes('lock')), []);
});

test('when all stands, the check starts no program', async t => {
	await using context = await isolated();
	writeClone(context, {sources: 300});
	ensureSetUp('testbed', [], context);
	const before = calls(context);
	t.true(before.length > 0);
	ensureSetUp('testbed', [], context);
	t.deepEqual(calls(context), before);
});

const refused: ReadonlyArray<{title: string; given: readonly string[]; change: Partial<Context>; says: string; hint: string}> = [
	{title: 'clean without root', given: ['testbed', 'clean'], change: {uid: 1000, parentPid: 1}, says: 'UID 1000', hint: 'sudo env "PATH=$PATH" npm run testbed -- clean'},
	{
		title: 'enter without root keeps its arguments', given: ['testbed', 'enter', 'app', '--', 'sh', '-c', 'echo 1,4'], change: {uid: 1000, parentPid: 1},
		says: 'UID 1000', hint: 'sudo env "PATH=$PATH" npm run testbed -- enter app -- sh -c \'echo 1,4\'',
	},
	{title: 'all tests without root', given: ['test'], change: {uid: 1000, parentPid: 1}, says: 'UID 1000', hint: 'sudo env "PATH=$PATH" npm test'},
	{title: 'bench without root', given: ['bench'], change: {uid: 1000, parentPid: 1}, says: 'UID 1000', hint: 'sudo env "PATH=$PATH" npm run bench'},
	{title: 'macOS', given: ['testbed'], change: {platform: 'darwin', uid: 501}, says: 'darwin', hint: 'vagrant up'},
];

for (const {title, given, change, says, hint} of refused) {
	test(`refused before anything is installed: ${title}`, async t => {
		await using context = await isolated(change);
		writeClone(context);
		const {stdout, stderr, exitCode} = await launch(given, context);
		t.is(exitCode, 4);
		t.is(stdout, '');
		t.true(stderr.includes(says), stderr);
		t.true(stderr.includes(`Do:  ${hint}`), stderr);
		t.deepEqual(calls(context), []);
	});
}

for (const given of [['testbed'], ['testbed', '--types', '1,4'], ['testbed', 'diff', 'a', 'b'], ['testbed', 'lesson', 'hairpin']]) {
	test(`started without root, because a user namespace does: ${given.join(' ')}`, async t => {
		await using context = await isolated({uid: 1000, parentPid: 1});
		writeClone(context);
		const {exitCode, stderr} = await launch(given, context);
		// The program of this clone ends with the number of its arguments.
		t.is(exitCode, given.length - 1, stderr);
	});
}

test('whoever is root, and whom npm 7 or 8 has made an ordinary user, is told', async t => {
	const status = (name: string, uid: number, parent: number): string => `Name:\t${name}\nPPid:\t${parent}\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\n`;
	const parents: Readonly<Record<number, string>> = {30: status('sh', 1000, 20), 20: status('npm run testbed', 0, 10)};
	const change = {uid: 1000, parentPid: 30, readStatus: (pid: number) => parents[pid] ?? ''};
	await using context = await isolated(change);
	writeClone(context);
	t.throws(() => {
		ensureSetUp('testbed', [], {...context, env: {...context.env, npm_lifecycle_event: 'testbed'}});
	}, {message: /You are root \(UID 0\), but npm runs this as UID 1000/u});
});

test('a user is told that only root can install what is missing', async t => {
	await using context = await isolated({uid: 1000, parentPid: 1});
	writeClone(context, {without: ['nft']});
	writeProgram(context.bin, 'apt-get', 'echo "begin apt-get" >> calls');
	const {exitCode, stderr} = await launch(['testbed'], context);
	t.is(exitCode, 4);
	t.true(stderr.includes('These programs are missing: nft. Only root can install them, and this is UID 1000.'), stderr);
	t.true(stderr.includes('Do:  sudo apt-get update && sudo apt-get install'), stderr);
	t.deepEqual(calls(context), []);
});

for (const program of ['nft', 'ip', 'iptables-nft-restore', 'ip6tables-nft-restore', 'iptables-legacy-restore']) {
	test(`a missing ${program} where nothing can be installed`, async t => {
		await using context = await isolated();
		writeClone(context, {without: [program]});
		const {stderr, exitCode} = await launch(['testbed'], context);
		t.is(exitCode, 4);
		t.true(stderr.includes(`These programs are missing: ${program}.`), stderr);
		t.deepEqual(calls(context), []);
	});
}

for (const given of [['testbed', '--help'], ['testbed', 'run', '--help'], ['testbed', '--version'], ['testbed', 'doctor'], ['testbed', 'rules']]) {
	test(`without root and on any platform: ${given.join(' ')}`, async t => {
		await using context = await isolated({uid: 1000, platform: 'darwin'});
		writeClone(context, {without: ['nft']});
		const {stdout} = await launch(given, context);
		t.is(stdout, JSON.stringify({argv: given.slice(1)}));
	});
}

test('unit tests need neither root nor Linux', async t => {
	await using context = await isolated({uid: 1000, platform: 'darwin'});
	writeClone(context, {without: ['nft']});
	t.notThrows(() => {
		ensureSetUp('test', ['unit'], context);
	});
});

for (const {act, given, broken} of [
	{act: 'testbed', given: [], broken: {bundler: 'exports.buildSync = () => { throw new Error("no"); };'}},
	{act: 'test', given: ['unit'], broken: {compiler: 'process.exitCode = 2;'}},
]) {
	test(`a failed build is not run: ${act}`, async t => {
		await using context = await isolated();
		writeClone(context);
		writeTree(context.root, broken);
		const problem = t.throws<Problem>(() => {
			ensureSetUp(act, given, context);
		});
		t.is(problem.exitCode, 4);
	});
}

test('it says what it does, how long that takes, and where the result is', async t => {
	await using context = await isolated();
	writeClone(context);
	ensureSetUp('testbed', [], context);
	t.is(context.said[0], 'Setting up this checkout (new, or something changed): about 5 s.');
	t.deepEqual(context.said.slice(1).map(line => line.replace(/\d+\.\d s/, 'N s')), [
		'[1/2] npm packages for what a run needs (package-lock.json) …', '[1/2] done in N s.',
		'[2/2] Bundling src and testbed into dist/bin …', '[2/2] done in N s.',
	]);
});

test('tests do not install what only CI needs', async t => {
	await using context = await isolated();
	writeClone(context);
	writeProgram(context.bin, 'apt-get', 'echo "begin apt-get" >> calls');
	t.notThrows(() => {
		ensureSetUp('test', ['test/kernel/x.test.ts'], context);
	});
	t.false(calls(context).some(call => call.includes('apt-get')));
});

test('a checkout that was set up starts a kernel test without network', async t => {
	await using context = await isolated();
	writeClone(context);
	ensureSetUp('test', [], context);
	const before = calls(context);
	writeProgram(context.bin, 'npm', 'echo "no network" >> calls; exit 1');
	ensureSetUp('test', ['test/kernel/x.test.ts'], context);
	ensureSetUp('testbed', [], context);
	t.deepEqual(calls(context), before);
});

for (const {title, given, exitCode, stream} of [
	{title: 'no act', given: [], exitCode: 2, stream: 'stdout'},
	{title: 'help', given: ['--help'], exitCode: 0, stream: 'stdout'},
	{title: 'unknown act', given: ['frobnicate'], exitCode: 2, stream: 'stderr'},
	{title: 'a name of every object', given: ['constructor'], exitCode: 2, stream: 'stderr'},
] as const) {
	test(`the launcher itself: ${title}`, async t => {
		const result = await execa(process.execPath, [path.join(root, 'scripts/run.cjs'), ...given], {reject: false, stdin: 'ignore'});
		t.is(result.exitCode, exitCode);
		t.true(result[stream].length > 0);
	});
}
