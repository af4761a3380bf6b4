/** No file decides anything by the name of a back end: the names are in their list, in the table of facts and in the drivers. */

import {readdirSync, readFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import ts from 'typescript';
import {backends} from '../../../src/netfilter/types.js';
import {packageRoot} from '../../../testbed/system/package-root.js';

/** Where a back end may be named: the list of names, the facts, and a driver each with the table that finds it. */
const allowed = /^(?:src\/netfilter\/(?:types|backends)\.ts|testbed\/sandbox\/backends\/[\w-]+\.ts)$/u;

/** A name, several of them with commas, or a program of one. A sentence of the help that begins with a name is none of these. */
const name = String.raw`(?:${backends.join('|')})`;
const naming = new RegExp(String.raw`^(?:${name}(?:,${name})*|ip6?tables-(?:nft|legacy)(?:-\w+)?)$`, 'u');

/** The literals of a text that name a back end, as `line: literal`. Comments are no literals. */
function namesIn(text: string): readonly string[] {
	const source = ts.createSourceFile('file.ts', text, ts.ScriptTarget.Latest, false, ts.ScriptKind.TSX);
	const found: string[] = [];
	const visit = (node: ts.Node): void => {
		if (ts.isStringLiteralLike(node) && naming.test(node.text)) {
			found.push(`${source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1}: ${node.text}`);
		}

		ts.forEachChild(node, visit);
	};

	visit(source);
	return found;
}

/** The source files of a tree, with their texts, by their place in the project. */
function filesOf(tree: string, kind = /\.tsx?$/u): ReadonlyMap<string, string> {
	const names = readdirSync(path.join(packageRoot, tree), {recursive: true, encoding: 'utf8'}).filter(file => kind.test(file) && !file.includes('node_modules'));
	return new Map(names.map(file => [`${tree}/${file.split(path.sep).join('/')}`, readFileSync(path.join(packageRoot, tree, file), 'utf8')]));
}

test('no file of src/, testbed/ or page/ names a back end, except those that say what each one is', t => {
	const files = new Map(['src', 'testbed', 'page'].flatMap(tree => [...filesOf(tree)]));
	t.true(files.size > 300, `only ${files.size} files were found`);
	t.true(files.has('page/compare.tsx'));
	t.deepEqual([...files].filter(([file]) => !allowed.test(file)).flatMap(([file, text]) => namesIn(text).map(found => `${file}:${found}`)), []);
	// The files that are allowed are there, and the literals in them are seen.
	const named = new Set([...files].filter(([file, text]) => allowed.test(file) && namesIn(text).length > 0).map(([file]) => file));
	for (const file of ['src/netfilter/types.ts', 'src/netfilter/backends.ts', ...backends.map(backend => `testbed/sandbox/backends/${backend}.ts`)]) {
		t.true(named.has(file), file);
	}
});

/** Scripts that run where the project is not built, or on a commit that is not this one. A new back end needs its place in each of them, so CONTRIBUTING.md names them. */
const scriptsWithNames = ['scripts/image.mjs', 'scripts/matrix/cells/kernels.mjs', 'scripts/matrix/job/steps.mjs', 'scripts/setup/acts.cjs', 'scripts/soak/ground.mjs'];

test('the scripts that name a back end are those that CONTRIBUTING.md lists', t => {
	const files = filesOf('scripts', /\.[cm]js$/u);
	t.true(files.size > 30, `only ${files.size} files were found`);
	t.deepEqual([...files].filter(([, text]) => namesIn(text).length > 0).map(([file]) => file).toSorted(), scriptsWithNames);
	const guide = readFileSync(path.join(packageRoot, 'CONTRIBUTING.md'), 'utf8');
	t.deepEqual(scriptsWithNames.filter(file => !guide.includes(`\`${file}\``)), []);
});

test('the job of the matrix knows every back end', async t => {
	const {backends: known} = await import(path.join(packageRoot, 'scripts/matrix/job/steps.mjs')) as {backends: readonly string[]};
	t.deepEqual(known, backends);
});

test('goes red: a file that decides by a name, in any kind of literal', t => {
	t.deepEqual(namesIn([
		'/** Asks iptables-legacy. */ // \'nftables\'',
		'const isLegacy = (backend: string) => backend === \'iptables-legacy\';',
		'type Native = Extract<Backend, "nftables">;',
		'const order = {\'iptables-nft\': 1};',
		'await run(`ip6tables-legacy-save`);',
		'switch (backend) { case \'nftables\': break; }',
		'readBackends(\'iptables-nft,nftables\');',
		'const chosen = <select value="iptables-nft"/>;',
	].join('\n')), ['2: iptables-legacy', '3: nftables', '4: iptables-nft', '5: ip6tables-legacy-save', '6: nftables', '7: iptables-nft,nftables', '8: iptables-nft']);
});

test('help, messages and other words that hold a name are not taken for a decision', t => {
	t.deepEqual(namesIn('const texts = [\'iptables-nft, iptables-legacy or nftables (default: the input\\\'s)\', \'--native-nftables\', \'iptables\', \'nftables: a table\'];\nimport {nftables} from \'./nftables.js\';'), []);
});
