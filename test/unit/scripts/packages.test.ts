import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import test from 'ava';
import {isolated, load, root, writeProgram, writeTree, type Context, type Problem} from './_setup.js';

const {installPackages, packagesStand} = load('packages');
const {entriesOf, trees} = load('trees');

/** What a run needs is `a`, its binary for another machine, and its own `c`; the tests need `t` and `c` of another version, by a workspace. */
const lockfile = {
	packages: {
		'': {dependencies: {a: '1'}, workspaces: ['scripts/tests']},
		'node_modules/a': {integrity: 'sha512-a', dependencies: {c: '1'}, optionalDependencies: {other: '1'}},
		'node_modules/a/node_modules/c': {integrity: 'sha512-c1'},
		'node_modules/c': {integrity: 'sha512-c2'},
		'node_modules/other': {integrity: 'sha512-o', optional: true, os: ['win32'], cpu: ['x64']},
		'node_modules/t': {integrity: 'sha512-t', dependencies: {c: '2'}},
		'node_modules/tests': {resolved: 'scripts/tests', link: true},
		'scripts/tests': {dependencies: {t: '1'}},
	},
};

const ofRun = {'node_modules/a': {integrity: 'sha512-a'}, 'node_modules/a/node_modules/c': {integrity: 'sha512-c1'}};
const ofTests = {...ofRun, 'node_modules/c': {integrity: 'sha512-c2'}, 'node_modules/t': {integrity: 'sha512-t'}, 'node_modules/tests': {resolved: 'scripts/tests', link: true}};

test('a tree is what its root reaches, each package as Node would find it', t => {
	t.deepEqual(entriesOf('testbed', lockfile.packages).toSorted(), ['node_modules/a', 'node_modules/a/node_modules/c', 'node_modules/other']);
	t.deepEqual(entriesOf('tests', lockfile.packages).toSorted(), Object.keys(lockfile.packages).filter(entry => entry.startsWith('node_modules/')));
});

for (const [tree, {folder}] of Object.entries(trees)) {
	test(`the lockfile of ${tree} names what the tree needs`, t => {
		const {packages} = JSON.parse(fs.readFileSync(path.join(root, folder, 'package-lock.json'), 'utf8')) as {packages: Record<string, unknown>};
		t.true(entriesOf(tree, packages).length > 3);
	});
}

test('the first command installs 30 packages to run at most, and ten to build', t => {
	const {packages} = JSON.parse(fs.readFileSync(path.join(root, 'package-lock.json'), 'utf8')) as {packages: Record<string, {os?: string[]; cpu?: string[]; dev?: boolean}>};
	const here = entriesOf('testbed', packages).map(entry => packages[entry]!).filter(({os, cpu}) => (os?.includes('linux') ?? true) && (cpu?.includes('x64') ?? true));
	const toBuild = here.filter(({dev}) => dev === true);
	t.is(toBuild.length, 10, 'esbuild and its binary, and what only bundles hold: Hono, its adapter for Node, Preact, @clack/core and its four');
	t.true(here.length - toBuild.length <= 30, `${here.length - toBuild.length} packages`);
});

/** An npm that writes down how it was called, and brings node_modules and its own list of what is in it. */
function fakeNpm(context: Context & {bin: string}, status = 0): () => string[] {
	const log = path.join(context.bin, 'calls');
	fs.writeFileSync(log, '');
	writeProgram(context.bin, 'npm', `echo "$*" >> '${log}'\n/bin/rm -rf node_modules; /bin/mkdir -p node_modules; echo "{\\"packages\\": {}, \\"of\\": \\"$*\\"}" > node_modules/.package-lock.json\nexit ${status}`);
	return () => fs.readFileSync(log, 'utf8').split('\n').filter(line => line.startsWith('ci --ignore-scripts --no-audit --no-fund'));
}

test('a new checkout is installed once, from the lockfile', async t => {
	await using context = await isolated();
	writeTree(context.root, {'package-lock.json': JSON.stringify(lockfile)});
	const calls = fakeNpm(context);
	t.false(packagesStand('testbed', context));
	installPackages('testbed', context);
	t.true(packagesStand('testbed', context));
	t.is(calls().length, 1);
});

const changes: ReadonlyArray<{title: string; change: (context: Context) => Context}> = [
	{
		title: 'the lockfile changed',
		change(context) {
			writeTree(context.root, {'package-lock.json': '{"packages": {}}'});
			return context;
		},
	},
	{title: 'Node\'s major changed', change: context => ({...context, nodeMajor: '24'})},
	{title: 'the folder is shared with another platform', change: context => ({...context, platform: 'darwin'})},
	{title: 'the folder is shared with another architecture', change: context => ({...context, arch: 'riscv64'})},
	{
		title: 'node_modules was deleted',
		change(context) {
			fs.rmSync(path.join(context.root, 'node_modules'), {recursive: true});
			return context;
		},
	},
];

for (const {title, change} of changes) {
	test(`installs again: ${title}`, async t => {
		await using context = await isolated();
		writeTree(context.root, {'package-lock.json': JSON.stringify(lockfile)});
		const calls = fakeNpm(context);
		installPackages('testbed', context);
		const changed = change(context);
		t.false(packagesStand('testbed', changed));
		installPackages('testbed', changed);
		t.true(packagesStand('testbed', changed));
		t.is(calls().length, 2);
	});
}

test('the tests\' tree holds the one of a run, and not the other way round', async t => {
	await using context = await isolated();
	writeTree(context.root, {'package-lock.json': JSON.stringify(lockfile)});
	const calls = fakeNpm(context);
	installPackages('testbed', context);
	t.false(packagesStand('tests', context));
	installPackages('tests', context);
	t.true(packagesStand('tests', context));
	t.true(packagesStand('testbed', context));
	t.deepEqual(calls().map(call => call.includes('--workspaces=false')), [true, false]);
});

test('a tree of its own folder is installed there', async t => {
	await using context = await isolated();
	writeTree(context.root, {'package-lock.json': JSON.stringify(lockfile), 'scripts/lint/package-lock.json': '{"packages": {}}'});
	fakeNpm(context);
	installPackages('lint', context);
	t.true(packagesStand('lint', context));
	t.true(fs.existsSync(path.join(context.root, 'scripts/lint/node_modules')));
	t.false(fs.existsSync(path.join(context.root, 'node_modules')));
});

const own = (packages: Record<string, unknown>) => ({'package-lock.json': JSON.stringify(lockfile), 'node_modules/.package-lock.json': JSON.stringify({packages})});

for (const {title, packages, tests} of [
	{title: 'npm ci', packages: ofTests, tests: true},
	{title: 'npm ci --workspaces=false', packages: ofRun, tests: false},
]) {
	test(`a user's own ${title} is taken as it is`, async t => {
		await using context = await isolated();
		writeTree(context.root, own(packages));
		const calls = fakeNpm(context);
		installPackages('testbed', context);
		t.true(packagesStand('testbed', context));
		t.is(packagesStand('tests', context), tests);
		t.is(calls().length, 0);
	});
}

for (const {title, packages, change = {}} of [
	{title: 'another version', packages: {...ofTests, 'node_modules/a': {integrity: 'sha512-b'}}},
	{title: 'a missing package', packages: {'node_modules/a': {integrity: 'sha512-a'}}},
	{title: 'a surplus package', packages: {...ofTests, 'node_modules/z': {integrity: 'sha512-z'}}},
	{title: 'the binary of this machine not there', packages: ofTests, change: {platform: 'win32', arch: 'x64'}},
]) {
	test(`a user's own installation is replaced: ${title}`, async t => {
		await using context = await isolated(change);
		writeTree(context.root, own(packages));
		const calls = fakeNpm(context);
		installPackages('testbed', context);
		t.is(calls().length, 1);
	});
}

for (const {title, packages, stands} of [
	{title: 'added the tests\' packages', packages: ofTests, stands: true},
	{title: 'took one away', packages: {'node_modules/a': {integrity: 'sha512-a'}}, stands: false},
]) {
	test(`npm by hand after our own installation, which ${title}, is noticed`, async t => {
		await using context = await isolated();
		writeTree(context.root, {'package-lock.json': JSON.stringify(lockfile)});
		const calls = fakeNpm(context);
		installPackages('testbed', context);
		writeTree(context.root, own(packages)); // The stamp stays: `npm install` leaves what it does not know.
		t.false(packagesStand('testbed', context));
		installPackages('testbed', context);
		t.true(packagesStand('testbed', context));
		t.is(packagesStand('tests', context), stands);
		t.is(calls().length, stands ? 1 : 2);
	});
}

test('a failed npm ci leaves no stamp, and says what to do', async t => {
	await using context = await isolated();
	writeTree(context.root, {'package-lock.json': JSON.stringify(lockfile)});
	fakeNpm(context, 7);
	const problem = t.throws<Problem>(() => {
		installPackages('testbed', context);
	});
	t.is(problem.exitCode, 4);
	t.true(problem.message.includes('exit status 7'));
	t.true(problem.hint.includes('npm ci'));
	t.false(packagesStand('testbed', context));
});

test('no npm at all is the same problem', async t => {
	await using context = await isolated();
	writeTree(context.root, {'package-lock.json': JSON.stringify(lockfile)});
	const problem = t.throws<Problem>(() => {
		installPackages('testbed', context);
	});
	t.true(problem.message.includes('ENOENT'));
});

test('what root installs in a user\'s checkout belongs to the user', async t => {
	if (process.getuid?.() !== 0) {
		t.log('Only root can give a file away; as a user there is nothing to check.');
		t.pass();
		return;
	}

	await using context = await isolated();
	writeTree(context.root, {'package-lock.json': JSON.stringify(lockfile)});
	fakeNpm(context);
	fs.chownSync(context.root, 4242, 4343);
	installPackages('testbed', context);
	for (const name of ['node_modules', 'node_modules/.testbed-stamp']) {
		const {uid, gid} = fs.statSync(path.join(context.root, name));
		t.deepEqual({uid, gid}, {uid: 4242, gid: 4343});
	}
});
