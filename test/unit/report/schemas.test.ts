/** The published JSON Schemas: what the act would write, true of what the testbed prints, and false of anything less. ajv holds them, which had no part in writing them. */

import {readdirSync, readFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {parse} from 'yaml';
import {documentSchemas, printJsonSchema} from '../../../src/report/schemas.js';
import {runsToJson} from '../../../src/report/run/many.js';
import {baselineText} from '../../helpers/baselines.js';
import {
	complaintOf, projectRoot, schemaFor, spoil, type Json,
} from '../../helpers/json-schemas.js';
import {mixed} from '../../helpers/runs.js';

const folder = path.join(projectRoot, 'schemas');
const goldens = path.join(projectRoot, 'test/goldens');
const jsonOf = (file: string): Json => JSON.parse(readFileSync(file, 'utf8')) as Json;
const read = (name: string): Json => jsonOf(path.join(goldens, name));
const plain = (value: unknown): Json => {
	const text = JSON.stringify(value); // What is undefined goes, as in what is printed.
	return JSON.parse(text) as Json;
};

test('the files are those that `npm run schemas` would write', t => {
	const written = Object.entries(documentSchemas()).map(([name, schema]) => [`${name}.schema.json`, printJsonSchema(schema)] as const);
	t.deepEqual(readdirSync(folder).toSorted(), written.map(([name]) => name).toSorted());
	for (const [name, text] of written) {
		t.is(readFileSync(path.join(folder, name), 'utf8'), text, `${name}: npm run schemas`);
	}
});

/** Documents of each kind, most of them goldens. */
const documents: ReadonlyArray<readonly [schema: string, title: string, document: Json]> = [
	['run', 'a report', read('report.json')],
	['run', 'many runs', plain(runsToJson(mixed))],
	['probe', 'an answer', read('probe/answer.json')],
	...readdirSync(path.join(goldens, 'comparison')).filter(name => name.endsWith('.json')).map(name => ['diff', name, read(`comparison/${name}`)] as const),
	['diff', 'suites', {version: 1, suites: [{name: 'a', missing: [{name: '1.20, nftables', reason: 'It writes none.'}], pairs: [read('comparison/moved.json')]}]}],
	...(['iptables-nft', 'iptables-legacy', 'nftables'] as const).map(backend => ['baseline', backend, JSON.parse(baselineText(backend)) as Json] as const),
	['batch-answer', 'an answer', {
		id: {any: ['thing']}, path: ['app', 'OUTPUT#1', 'remote:8080'], stops: ['remote:8080'], outcome: 'delivered', gaps: [],
	}],
	['batch-answer', 'not sent', {
		path: [], stops: [], outcome: 'unreachable', unsendable: {errno: 'ENETUNREACH', message: 'connect: no route'}, gaps: [{kind: 'not-sent', message: 'Nothing was sent.'}],
	}],
	...readdirSync(path.join(projectRoot, 'scenarios')).map(name => ['scenario', name, parse(readFileSync(path.join(projectRoot, 'scenarios', name), 'utf8')) as Json] as const),
];

for (const [schema, title, document] of documents) {
	test(`${schema}: ${title} is valid, and nothing in it goes without being told`, t => {
		t.is(complaintOf(schemaFor(schema), document), null);
		t.is(complaintOf(schemaFor(schema, {isClosed: true}), document), null);
	});
}

/** Keys whose absence leaves a document valid (among them those of a mapping by names), and values that may be of any type: all that the schemas leave open. `[]` stands for any item. */
const openPlaces: Readonly<Record<string, RegExp>> = {
	run: /^(?:\.runs\[\])?\.(?:types\[\]\.differences\[\]\.unclaimed|types\[\]\.fault|types\[\]\.expected\.(?:path|loop)|scenario|types\[\]\.legs\[\]\.flow|types\[\]\.actors\.\w+)$/u,
	probe: /^\.(?:legs\[\]\.flow|actors\.\w+)$/u,
	diff: /^(?:\.suites\[\]\.pairs\[\])?\.moved\[\]\.witness\.(?:uid|gid|source|sourcePort|mark)$/u,
	baseline: /^(?:\.environment\.\w+|\.ruleText\.\w+|\.classes\[\]\.probe\.(?:uid|gid|source|sourcePort|mark)|\.rules\.markRules\[\]\.(?:mask|priority))$/u,
	'batch-answer': /^\.(?:id.*|unsendable)$/u,
};

for (const [schema, title, document] of documents.filter(([name]) => name !== 'scenario')) {
	test(`${schema}: ${title}, spoiled anywhere, is not valid`, t => {
		const validate = schemaFor(schema, {isClosed: true});
		const open = new Set<string>();
		let refused = 0;
		for (const {at, how, document: changed} of spoil(document)) {
			if (complaintOf(validate, changed) === null) {
				open.add(`${how}: ${at}`);
			} else {
				refused++;
			}
		}

		t.true(refused > 5, `${refused}`);
		const unexpected = [...open].filter(each => !openPlaces[schema]!.test(each.replace(/^[\w ]+: /u, '')));
		t.deepEqual(unexpected, []);
	});
}

test('what a later version adds is valid', t => {
	t.is(complaintOf(schemaFor('run'), {...read('report.json') as object, more: 1}), null);
	t.not(complaintOf(schemaFor('run', {isClosed: true}), {...read('report.json') as object, more: 1}), null);
});

for (const [schema, change] of [
	['run', {version: 2}], ['run', {types: [{}]}], ['run', {summary: {passed: -1, failed: 0, inconclusive: 0}}],
] as const) {
	test(`${schema}: ${JSON.stringify(change)} is not valid`, t => {
		t.not(complaintOf(schemaFor(schema), {...read('report.json') as object, ...change}), null);
	});
}

for (const [title, change] of [
	['an unknown key', {prbes: []}], ['version 2', {version: 2}], ['no probe', {probes: []}], ['a port that there is not', {services: {a: {address: '10.0.0.1', port: 0, endpoint: 'pod:80'}}}], ['a back end that there is not', {backends: ['pf']}], ['a role that there is not', {probes: [{name: 'a', from: 'app', to: 'pod:80', expect: {stops: ['app:80'], roles: [['nonsense']]}}]}],
] as const) {
	test(`scenario: ${title} is not valid`, t => {
		const document = parse(readFileSync(path.join(projectRoot, 'scenarios/six-types.yaml'), 'utf8')) as object;
		t.not(complaintOf(schemaFor('scenario'), {...document, ...change}), null);
	});
}
