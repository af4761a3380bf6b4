/** What the documents say of the known releases is what the code and the fixtures have. */

import {readdirSync, readFileSync} from 'node:fs';
import test from 'ava';
import {newestRelease, releaseLines} from '../../../src/istio/releases.js';
import {root} from '../../helpers/root.js';

const read = (file: string): string => readFileSync(new URL(file, root), 'utf8');
const folder = 'test/fixtures/istio-real/';
const runs = readdirSync(new URL(folder, root)).filter(name => name.endsWith('.jsonl'))
	.flatMap(name => read(`${folder}${name}`).split('\n').filter(line => line !== '').map(line => (JSON.parse(line) as {readonly release: string}).release));

test('docs/inputs.md says which releases are known', t => {
	t.true(read('docs/inputs.md').includes(`Releases ${releaseLines[0]!.name} to ${newestRelease.name} are known`));
	t.true(read('docs/inputs.md').includes(`A version newer than ${newestRelease.name} gets the rules of ${newestRelease.name}`));
});

test('README.md shows the newest release', t => {
	t.true(read('README.md').includes(`the rules of Istio ${newestRelease.name}:`));
});

test('README.md and docs/limits.md say with how many runs of the real program the rules are compared', t => {
	t.true(read('README.md').includes(`The rules of ${new Set(runs).size} Istio releases have been compared with those of the real program, in ${runs.length} runs`));
	t.true(read('docs/limits.md').includes(`compares the rules with ${runs.length} runs of the real istio-iptables, from ${new Set(runs).size} releases`));
});

test('each file of runs has its row in the README of the fixtures', t => {
	const readme = read(`${folder}README.md`);
	t.deepEqual(readdirSync(new URL(folder, root)).filter(name => name.endsWith('.jsonl') && !readme.includes(`| \`${name}\` |`)), []);
});
