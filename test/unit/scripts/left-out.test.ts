import test, {type ExecutionContext} from 'ava';
import {isLeftOut, type Needed} from '../../helpers/left-out.js';

/** What a test was told, in place of a real one: a real one that fails would fail here. */
function example() {
	const said: string[][] = [];
	const t = Object.fromEntries(['log', 'pass', 'fail'].map(name => [name, (...words: string[]) => {
		said.push([name, ...words]);
	}])) as unknown as ExecutionContext;
	return {t, said};
}

const needs: ReadonlyArray<{needed: Needed; name: string}> = [
	{needed: {program: 'ruby'}, name: 'ruby'},
	{needed: {program: 'shellcheck'}, name: 'shellcheck'},
	{needed: {program: 'chromium'}, name: 'chromium'},
	{needed: {tree: 'lint'}, name: 'the npm packages of scripts/lint'},
	{needed: {pinned: 'Envoy'}, name: 'Envoy'},
	{needed: {pinned: 'schemas of CI files'}, name: 'schemas of CI files'},
	{needed: {tree: 'examples'}, name: 'the npm packages of examples'},
];

for (const {needed, name} of needs) {
	test(`${name}: tested if it is installed, reported if it is missing, and required in CI`, t => {
		const there = example();
		t.false(isLeftOut(there.t, needed, {env: {CI: 'true'}, has: () => true}));
		t.deepEqual(there.said, []);

		const missing = example();
		t.true(isLeftOut(missing.t, needed, {env: {}, has: () => false}));
		t.deepEqual(missing.said, [['log', `Not tried here: it needs ${name}. To try it: npm run ci-tools`], ['pass']]);

		const inCi = example();
		t.true(isLeftOut(inCi.t, needed, {env: {CI: 'true'}, has: () => false}));
		t.deepEqual(inCi.said, [['fail', `Not there: ${name}. In CI nothing is left out. Install it first: npm run ci-tools`]]);
	});
}
