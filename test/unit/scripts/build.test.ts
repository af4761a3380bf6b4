import fs from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';
import test from 'ava';
import {isolated, load, root, writeTree, type Context, type Problem} from './_setup.js';

const {build, buildStands} = load('build');

const settings = {composite: true, target: 'ES2022', module: 'NodeNext', lib: ['ES5'], strict: true, skipLibCheck: true, types: []};
const projectOf = (folder: string, references: readonly string[]) => JSON.stringify({
	compilerOptions: {...settings, rootDir: '.', outDir: `../dist/${folder}`, tsBuildInfoFile: `../dist/${folder}.tsbuildinfo`},
	include: ['**/*.ts'], references: references.map(name => ({path: `../${name}`})),
});

/** A checkout with a few files, the real compiler and the real bundler. */
function writeProject(context: Context): void {
	writeTree(context.root, {
		'package.json': '{"type": "module"}', 'package-lock.json': '{}', 'tsconfig.base.json': '{}', 'tsconfig.json': '{"files": []}',
		'src/tsconfig.json': projectOf('src', []), 'src/a.ts': 'export const a = 1;\n', 'src/room/b.ts': 'export const b = 2;\n',
		'testbed/tsconfig.json': projectOf('testbed', ['src']), 'testbed/c.ts': 'export const c = 3;\n',
		'testbed/cli/main.ts': 'import {a} from \'../../src/a.js\';\nexport const main = () => a;\n',
		'test/tsconfig.json': projectOf('test', ['src', 'testbed']), 'test/d.ts': 'export const d = 4;\n',
	});
	fs.symlinkSync(path.join(root, 'node_modules'), path.join(context.root, 'node_modules'));
}

const exists = (context: Context, name: string) => fs.existsSync(path.join(context.root, name));

const cli = (context: Context) => fs.readFileSync(path.join(context.root, 'dist/bin/cli.js'), 'utf8');

test('builds the testbed in a new checkout without the compiler and without the tests', async t => {
	await using context = await isolated();
	writeProject(context);
	t.false(buildStands('testbed', context));
	build('testbed', context);
	t.true(buildStands('testbed', context));
	t.true(exists(context, 'dist/bin/cli.js'));
	t.false(exists(context, 'dist/src/a.js'));
	t.false(buildStands('test', context));
});

test('bundles are ASCII, and mean the same', async t => {
	await using context = await isolated();
	writeProject(context);
	const text = 'export const main = () => [/^[╔│]\\s*≥?$/u.test("╔ ≥"), /^[😀]$/u.test("😀"), /^[😀]$/u.test("\\uD83D"), /µs/.test("5µs")];\n';
	writeTree(context.root, {'testbed/cli/main.ts': text});
	build('testbed', context);
	t.regex(cli(context), /^[\0-\u007F]*$/u);
	const bundle = createRequire(import.meta.url)(path.join(context.root, 'dist/bin/cli.js')) as {readonly main: () => readonly unknown[]};
	t.deepEqual(bundle.main(), [true, true, false, true]);
});

test('no tagged template has text that escapes would change', t => {
	// See escapeRest in scripts/setup/bundle.cjs.
	const sources = ['src', 'testbed'].flatMap(folder => fs.readdirSync(path.join(root, folder), {recursive: true, encoding: 'utf8'}).filter(name => name.endsWith('.ts')).map(name => path.join(root, folder, name)));
	t.true(sources.length > 100);
	t.deepEqual(sources.filter(file => /\braw`[^`]*[^\0-\u007F]/u.test(fs.readFileSync(file, 'utf8'))), []);
});

test('after a complete build the testbed needs no build', async t => {
	await using context = await isolated();
	writeProject(context);
	build('test', context);
	t.true(buildStands('test', context));
	t.true(buildStands('testbed', context));
	t.true(exists(context, 'dist/testbed/c.js'));
	t.true(exists(context, 'dist/bin/cli.js'));
});

test('a copied checkout keeps its build: times do not matter', async t => {
	await using context = await isolated();
	writeProject(context);
	build('test', context);
	for (const name of ['src/a.ts', 'testbed/c.ts', 'package-lock.json', 'tsconfig.base.json']) {
		fs.utimesSync(path.join(context.root, name), 1, 1);
	}

	t.true(buildStands('testbed', context));
	t.true(buildStands('test', context));
});

test('an edit that keeps size and time is seen', async t => {
	await using context = await isolated();
	writeProject(context);
	build('testbed', context);
	const file = path.join(context.root, 'src/a.ts');
	const {atime, mtime} = fs.statSync(file);
	fs.writeFileSync(file, 'export const a = 7;\n');
	fs.utimesSync(file, atime, mtime);
	t.false(buildStands('testbed', context));
	const before = cli(context);
	build('testbed', context);
	t.not(cli(context), before);
});

test('an error in a test, or in a type, does not stop the testbed', async t => {
	await using context = await isolated();
	writeProject(context);
	writeTree(context.root, {'test/d.ts': 'export const d: string = 4;\n', 'src/a.ts': 'export const a: string = 1;\n'});
	t.notThrows(() => {
		build('testbed', context);
	});
});

test('a syntax error stops the testbed, and is shown with its place', async t => {
	await using context = await isolated();
	writeProject(context);
	writeTree(context.root, {'src/a.ts': 'export const a = ;\n'});
	const problem = t.throws<Problem>(() => {
		build('testbed', context);
	});
	t.is(problem.exitCode, 4);
	t.true(problem.message.includes('src/a.ts:1:17'), problem.message);
	t.false(buildStands('testbed', context));
});

test('a bundle that was deleted is written again', async t => {
	await using context = await isolated();
	writeProject(context);
	build('testbed', context);
	fs.rmSync(path.join(context.root, 'dist/bin/cli.js'));
	t.false(buildStands('testbed', context));
	build('testbed', context);
	t.true(exists(context, 'dist/bin/cli.js'));
});

const changes: ReadonlyArray<{title: string; change: (root: string) => void; check?: {present?: string; absent?: string}}> = [
	{
		title: 'a source changed',
		change(root) {
			writeTree(root, {'src/a.ts': 'export const a = 11;\n'});
		},
	},
	{
		title: 'a source was replaced by an older one',
		change(root) {
			writeTree(root, {'src/a.ts': 'export const a = 12;\n'});
			fs.utimesSync(path.join(root, 'src/a.ts'), 1, 1);
		},
	},
	{
		title: 'a source is new',
		change(root) {
			writeTree(root, {'src/room/n.ts': 'export const n = 5;\n'});
		},
		check: {present: 'dist/src/room/n.js'},
	},
	{
		title: 'a source was deleted',
		change(root) {
			fs.rmSync(path.join(root, 'src/room/b.ts'));
		},
		check: {absent: 'dist/src/room/b.js'},
	},
	{
		title: 'a part of dist was deleted',
		change(root) {
			fs.rmSync(path.join(root, 'dist/src/room'), {recursive: true});
		},
		check: {present: 'dist/src/room/b.js'},
	},
	{
		title: 'dist was deleted',
		change(root) {
			fs.rmSync(path.join(root, 'dist'), {recursive: true});
		},
		check: {present: 'dist/src/room/b.js'},
	},
	{
		title: 'a stale file lies in dist',
		change(root) {
			writeTree(root, {'dist/src/ghost.test.js': ''});
		},
		check: {absent: 'dist/src/ghost.test.js'},
	},
	{
		title: 'the compiler\'s settings changed',
		change(root) {
			writeTree(root, {'tsconfig.base.json': '{"compilerOptions": {}}'});
		},
	},
];

for (const {title, change, check} of changes) {
	test(`compiles again: ${title}`, async t => {
		await using context = await isolated();
		writeProject(context);
		build('test', context);
		change(context.root);
		t.false(buildStands('test', context));
		build('test', context);
		t.true(buildStands('test', context));
		t.true(check?.present === undefined || exists(context, check.present));
		t.true(check?.absent === undefined || !exists(context, check.absent));
	});
}

test('a type error is exit status 4, until it is fixed', async t => {
	await using context = await isolated();
	writeProject(context);
	writeTree(context.root, {'src/a.ts': 'export const a: string = 1;\n'});
	for (const attempt of ['first', 'second']) {
		const problem = t.throws<Problem>(() => {
			build('test', context);
		}, undefined, attempt);
		t.is(problem.exitCode, 4);
		t.false(buildStands('test', context));
	}

	writeTree(context.root, {'src/a.ts': 'export const a: string = "1";\n'});
	build('test', context);
	t.true(buildStands('test', context));
});
