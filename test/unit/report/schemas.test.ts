/** The published JSON Schemas: what the act would write, true of what the testbed prints, and false of anything less. ajv holds them, which had no part in writing them. */

import {readdirSync, readFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {parse} from 'yaml';
import {meshes} from '../../../src/meshes.js';
import {documentSchemas, printJsonSchema} from '../../../src/report/schemas.js';
import {ProbeFault, readProbe} from '../../../src/scenario/read-probe.js';
import {kernelsToJson} from '../../../src/report/kernels/json.js';
import {runsToJson} from '../../../src/report/run/many.js';
import {baselineText} from '../../helpers/baselines.js';
import {
	complaintOf, holdDocument, printed, projectRoot, schemaFor, type Json,
} from '../../helpers/json-schemas.js';
import {kernelsReport} from '../../helpers/kernels-report.js';
import {mixed} from '../../helpers/runs.js';

const folder = path.join(projectRoot, 'schemas');
const goldens = path.join(projectRoot, 'test/goldens');
const jsonOf = (file: string): Json => JSON.parse(readFileSync(file, 'utf8')) as Json;
const read = (name: string): Json => jsonOf(path.join(goldens, name));

/** Written from the definitions of the command line; test/unit/testbed/cli/config.test.ts compares it. */
const fromCommandLine = 'config.schema.json';

test('the files are what `npm run schemas` writes', t => {
	const written = Object.entries(documentSchemas(meshes)).map(([name, schema]) => [`${name}.schema.json`, printJsonSchema(schema)] as const);
	t.deepEqual(readdirSync(folder).toSorted(), [fromCommandLine, ...written.map(([name]) => name)].toSorted());
	for (const [name, text] of written) {
		t.is(readFileSync(path.join(folder, name), 'utf8'), text, `${name}: npm run schemas`);
	}
});

/** Documents of each kind, most of them goldens. */
const documents: ReadonlyArray<readonly [schema: string, title: string, document: Json]> = [
	['run', 'a report', read('report.json')],
	['run', 'many runs', printed(runsToJson(mixed))],
	['probe', 'an answer', read('probe/answer.json')],
	...readdirSync(path.join(goldens, 'comparison')).filter(name => name.endsWith('.json')).map(name => ['diff', name, read(`comparison/${name}`)] as const),
	['diff', 'suites', {version: 1, suites: [{name: 'a', missing: [{name: '1.20, nftables', reason: 'It writes none.'}], pairs: [read('comparison/moved.json')]}]}],
	...readdirSync(path.join(goldens, 'rules')).filter(name => name.endsWith('.json')).map(name => [name === 'diff.json' ? 'rules-diff' : 'rules', name, read(`rules/${name}`)] as const),
	...(['iptables-nft', 'iptables-legacy', 'nftables'] as const).map(backend => ['baseline', backend, JSON.parse(baselineText(backend)) as Json] as const),
	['kernels', 'each way of ending', printed(kernelsToJson(kernelsReport))],
	['batch-answer', 'an answer', {
		id: {any: ['thing']}, path: ['app', 'OUTPUT#1', 'remote:8080'], stops: ['remote:8080'], outcome: 'delivered', gaps: [],
	}],
	['batch-answer', 'not sent', {
		path: [], stops: [], outcome: 'unreachable', unsendable: {errno: 'ENETUNREACH', message: 'connect: no route'}, gaps: [{kind: 'not-sent', message: 'Nothing was sent.'}],
	}],
	...readdirSync(path.join(projectRoot, 'lessons')).filter(name => name.endsWith('.md')).map(name => ['lesson', name, parse(readFileSync(path.join(projectRoot, 'lessons', name), 'utf8').split(/^---$/mu)[1]!) as Json] as const),
	...readdirSync(path.join(projectRoot, 'scenarios')).map(name => ['scenario', name, parse(readFileSync(path.join(projectRoot, 'scenarios', name), 'utf8')) as Json] as const),
];

for (const [schema, title, document] of documents) {
	test(`${schema}: ${title} is valid, and the schema describes all of its keys`, t => {
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
	rules: /^\.(?:unknownTypes|tables\[\]\.chains\[\]\.rules\[\]\.explanation(?:\.types\.ipv[46])?|routing\.markRules\[\]\.(?:mask|priority))$/u,
	'rules-diff': /^$/u,
	kernels: /^$/u,
	'batch-answer': /^\.(?:id.*|unsendable)$/u,
};

for (const [schema, title, document] of documents.filter(([name]) => name !== 'scenario' && name !== 'lesson')) {
	test(`${schema}: ${title} is not valid if it is damaged anywhere`, t => {
		holdDocument(t, schema, {document, open: openPlaces[schema]!});
	});
}

const questions = readFileSync(path.join(projectRoot, 'test/fixtures/batch/probes.jsonl'), 'utf8').trim().split('\n');

test('batch-question: every line of the batch is valid', t => {
	const validate = schemaFor('batch-question');
	t.true(questions.length > 180);
	t.deepEqual(questions.filter(line => complaintOf(validate, JSON.parse(line)) !== null), []);
});

for (const [title, question] of [
	['no destination', {from: 'app'}], ['an unknown key', {to: 'pod:80', form: 'app'}], ['an actor that there is not', {to: 'pod:80', from: 'ap'}], ['a UID that no process can have', {to: 'pod:80', uid: 4_294_967_295}], ['a port that there is not', {to: 'pod:80', sourcePort: 65_536}], ['a device with a blank', {to: 'pod:80', bindDevice: 'eth 0'}], ['a number in quotes', {to: 'pod:80', mark: '1'}], ['a list', ['pod:80']],
] as const) {
	test(`batch-question: ${title} is not valid, and is refused`, t => {
		t.not(complaintOf(schemaFor('batch-question'), question), null);
		t.throws(() => readProbe(question as Readonly<Record<string, unknown>>), {instanceOf: ProbeFault});
	});
}

test('additions of a later version are valid', t => {
	t.is(complaintOf(schemaFor('run'), {...read('report.json') as object, more: 1}), null);
	t.not(complaintOf(schemaFor('run', {isClosed: true}), {...read('report.json') as object, more: 1}), null);
});

for (const [schema, change] of [
	['run', {version: 3}], ['run', {types: [{}]}], ['run', {summary: {passed: -1, failed: 0, inconclusive: 0}}],
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
