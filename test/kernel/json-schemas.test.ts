/** JSON of real runs by the published schemas: each command's document is valid, and has no key that its schema does not tell. */

import {readFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {dir} from 'tmp-promise';
import {complaintOf, schemaFor} from '../helpers/json-schemas.js';
import {testbed} from './_cli.js';

for (const [schema, given] of [
	['run', ['run', '--types', '1,4', '--format', 'json']],
	['run', ['run', '--backend', 'nftables', '--types', '2', '--format', 'json', '--rules', 'release:1.30 --redirect-dns']],
	['probe', ['probe', '--from', 'app', '--to', 'vip:8080', '--format', 'json']],
	['diff', ['diff', 'release:1.17', 'release:1.18', '--family', 'ipv4', '--format', 'json']],
] as const) {
	test(`${given.join(' ')}: valid by schemas/${schema}.schema.json`, async t => {
		const {stdout, stderr} = await testbed([...given]);
		t.not(stdout, '', stderr);
		t.is(complaintOf(schemaFor(schema, {isClosed: true}), JSON.parse(stdout)), null);
	});
}

test('each answer of a batch is valid, including those for probes that are not sent', async t => {
	const lines = [{id: 1, to: 'vip:8080'}, {id: [2], to: '203.0.113.1:80', source: '127.0.0.1'}, {to: 'pod:15001'}];
	const {stdout, stderr} = await testbed(['probe', '--batch', '-', '--follow'], {input: lines.map(line => `${JSON.stringify({from: 'app', ...line})}\n`).join('')});
	const answers = stdout.trimEnd().split('\n').map(line => JSON.parse(line) as object);
	t.is(answers.length, lines.length, stderr);
	for (const answer of answers) {
		t.is(complaintOf(schemaFor('batch-answer', {isClosed: true}), answer), null);
	}

	t.true(answers.some(answer => 'unsendable' in answer), stdout);
});

test('a baseline that was recorded is valid', async t => {
	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	t.teardown(cleanup);
	const file = path.join(folder, 'baseline.json');
	const {exitCode, stderr} = await testbed(['baseline', 'create', '--family', 'ipv4', '--output', file]);
	t.is(exitCode, 0, stderr);
	t.is(complaintOf(schemaFor('baseline', {isClosed: true}), JSON.parse(readFileSync(file, 'utf8'))), null);
});
