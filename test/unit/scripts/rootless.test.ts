/** Which command lines the launcher starts again in a user namespace, before the command line itself is loaded. */

import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {isolated, load} from './_setup.js';

const {becomeRoot, runsInNamespace} = load('rootless');

for (const [argv, does] of [
	[[], true],
	[['--backend', 'all'], true],
	[['run', '--types', '1'], true],
	[['probe', '--to', 'pod:80'], true],
	[['mutate', '--print', '3'], false],
	[['run', '--list'], false],
	[['run', '--help'], false],
	[['run', '--check'], false],
	[['run', '--keep'], false],
	[['run', '--keep-for', '10s'], false],
	[['run', '--keep-for=10s'], false],
	[['serve'], false],
	[['enter', 'app'], false],
	[['clean'], false],
	[['doctor'], false],
	[['rules'], false],
	[['run', '--rules', 'kubectl:shop/cart'], false],
	[['diff', 'release:1.30', 'kubectl:shop/cart'], false],
	[['run', '--rules=kubectl:shop/cart'], false],
] as const) {
	test(`${does ? 'at once' : 'not at once'}: testbed ${argv.join(' ')}`, t => {
		t.is(runsInNamespace(argv), does);
	});
}

/** A bundle that only notes that it was called. */
async function calledWith(options: {readonly uid?: number; readonly argv?: readonly string[]; readonly env?: Readonly<Record<string, string>>; readonly fails?: boolean}): Promise<unknown> {
	await using context = await isolated();
	fs.mkdirSync(path.join(context.root, 'dist/bin'), {recursive: true});
	fs.writeFileSync(path.join(context.root, 'dist/bin/enter.js'), `exports.enterNamespace = given => { require('node:fs').writeFileSync(${JSON.stringify(path.join(context.root, 'called'))}, JSON.stringify(given)); ${options.fails === true ? 'throw new Error("no");' : ''} };`);
	becomeRoot({
		uid: 1000, argv: ['run'], env: {}, ...options, root: context.root, context: {called: 'bin/testbed'},
	});
	const file = path.join(context.root, 'called');
	return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : undefined;
}

test('a user\'s command, with its arguments and what main is given', async t => {
	t.deepEqual(await calledWith({argv: ['run', '--types', '1']}), {argv: ['run', '--types', '1'], context: {called: 'bin/testbed'}});
});

test('not root\'s, not one that is already inside, and not what needs no root', async t => {
	t.is(await calledWith({uid: 0}), undefined);
	t.is(await calledWith({uid: -1}), undefined);
	t.is(await calledWith({env: {TESTBED_NAMESPACE: '{}'}}), undefined);
	t.is(await calledWith({argv: ['rules']}), undefined);
	t.is(await calledWith({argv: ['run', '--rules', 'kubectl:shop/cart']}), undefined);
	t.is(await calledWith({env: {TESTBED_RULES: 'kubectl:shop/cart'}}), undefined);
});

test('what goes wrong is left to the command line, which says it', async t => {
	t.not(await calledWith({fails: true}), undefined);
});
