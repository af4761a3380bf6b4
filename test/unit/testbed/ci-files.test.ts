/** The component and the examples for GitLab, and the action, workflows and issue forms for GitHub, against the schemas that editors and check-jsonschema use. */

import fs from 'node:fs';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {Ajv} from 'ajv';
import {parse, parseAllDocuments} from 'yaml';
import {isLeftOut} from '../../helpers/left-out.js';
import {load, root} from '../scripts/_setup.js';

type Schema = 'gitlab-ci' | 'github-actions' | 'github-workflows' | 'github-issue-forms';

const text = (file: string): string => fs.readFileSync(path.join(root, file), 'utf8');

/** What a schema says against a document; empty if nothing. */
function complaintsOf(schema: Schema, document: unknown): readonly string[] {
	const ajv = new Ajv({
		strict: false, validateFormats: false, allErrors: true, logger: false,
	});
	const validate = ajv.compile(JSON.parse(fs.readFileSync(load('ci-schemas').schemaFile(root, schema), 'utf8')) as object);
	return validate(document) ? [] : (validate.errors ?? []).map(({instancePath, message}) => `${instancePath} ${message ?? ''}`);
}

type Inputs = Readonly<Record<string, {readonly default?: unknown; readonly type?: string}>>;

/** The two documents of a component: what it says of its inputs, and its jobs, with the defaults put in as GitLab does before it reads them (a value that is an input alone keeps its type). */
function component(content: string): {readonly head: unknown; readonly jobs: unknown} {
	const [head, body] = parseAllDocuments(content).map(document => document.toJSON() as unknown);
	const {spec: {inputs}} = head as {readonly spec: {readonly inputs: Inputs}};
	const valueOf = (name: string): unknown => {
		if (inputs[name]?.default === undefined) {
			throw new Error(`There is no input "${name}" with a default.`);
		}

		return inputs[name].default;
	};

	const filled = (value: unknown): unknown => {
		if (typeof value === 'string') {
			const alone = /^\$\[\[ (?<name>\w+\.\w+) \]\]$/u.exec(value)?.groups?.['name'];
			return alone === undefined ? value.replaceAll(/\$\[\[ inputs\.(?<name>\w+) \]\]/gu, (_, name: string) => String(valueOf(name))) : valueOf(alone.replace('inputs.', ''));
		}

		if (Array.isArray(value)) {
			return value.map(item => filled(item));
		}

		return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value).map(([key, item]) => [String(filled(key)), filled(item)])) : value;
	};

	return {head, jobs: filled(body)};
}

function complaintsOfComponent(content: string): readonly string[] {
	const {head, jobs} = component(content);
	return [...complaintsOf('gitlab-ci', head), ...complaintsOf('gitlab-ci', jobs)];
}

const needed = {pinned: 'schemas of CI files'} as const;

const files: ReadonlyArray<readonly [file: string, schema: Schema]> = [
	['examples/gitlab-ci.yml', 'gitlab-ci'],
	['examples/gitlab-ci-shards.yml', 'gitlab-ci'],
	['examples/gitlab-ci-component.yml', 'gitlab-ci'],
	['action.yml', 'github-actions'],
	['.github/workflows/ci.yml', 'github-workflows'],
	['.github/workflows/release.yml', 'github-workflows'],
	...['', '-baseline', '-shards', '-action'].map(name => [`examples/github-actions${name}.yml`, 'github-workflows'] as const),
	...fs.readdirSync(path.join(root, '.github/ISSUE_TEMPLATE')).filter(name => name !== 'config.yml').map(name => [`.github/ISSUE_TEMPLATE/${name}`, 'github-issue-forms'] as const),
];

for (const [file, schema] of files) {
	test(`${file} is what the schema ${schema} describes`, t => {
		if (!isLeftOut(t, needed)) {
			t.deepEqual(complaintsOf(schema, parse(text(file))), []);
		}
	});
}

test('every file for GitLab in examples/ is in the table', t => {
	t.deepEqual(fs.readdirSync(path.join(root, 'examples')).filter(name => name.startsWith('gitlab-')).map(name => `examples/${name}`).toSorted(), files.map(([file]) => file).filter(file => file.startsWith('examples/gitlab-')).toSorted());
});

test('the component is what GitLab\'s schema describes, and so are its jobs with the defaults of its inputs', t => {
	if (isLeftOut(t, needed)) {
		return;
	}

	const content = text('templates/sidecar-traffic.yml');
	t.deepEqual(complaintsOfComponent(content), []);
	const {jobs} = component(content) as {jobs: Readonly<Record<string, {readonly tags: unknown; readonly script: readonly string[]}>>};
	t.deepEqual(Object.keys(jobs), ['sidecar-traffic']);
	t.deepEqual(jobs['sidecar-traffic']!.tags, ['saas-linux-small-amd64']);
	t.deepEqual(jobs['sidecar-traffic']!.script, ['testbed run --output junit=testbed.xml']);
});

test('the example gives the component only inputs that it has', t => {
	const {spec: {inputs}} = parseAllDocuments(text('templates/sidecar-traffic.yml'))[0]!.toJSON() as {readonly spec: {readonly inputs: Inputs}};
	const {include} = parse(text('examples/gitlab-ci-component.yml')) as {readonly include: ReadonlyArray<{readonly inputs: object}>};
	t.true(include.length > 0);
	t.deepEqual(include.flatMap(({inputs: given}) => Object.keys(given)).filter(name => !Object.hasOwn(inputs, name)), []);
});

/** Replaces a part that must be there. */
function broken(t: ExecutionContext, content: string, [from, to]: readonly [from: string, to: string]): string {
	t.true(content.includes(from), from);
	return content.replace(from, to);
}

for (const change of [
	['      default: run', '      defualt: run'],
	['      type: array', '      type: list'],
	['  stage: $[[ inputs.stage ]]', '  stage: [$[[ inputs.stage ]]]'],
	['  before_script:', '  before_scripts:'],
	['    when: always', '    when: ever'],
	['      junit: testbed.xml', '      junit: [1]'],
	['  timeout: 20 minutes', '  timeout: [20]'],
	['  inputs:', '  input:'],
] as const) {
	test(`goes red: the component with "${change[1].trim()}" for "${change[0].trim()}"`, t => {
		if (!isLeftOut(t, needed)) {
			const content = broken(t, text('templates/sidecar-traffic.yml'), change);
			t.true((() => {
				try {
					return complaintsOfComponent(content).length > 0;
				} catch {
					return true; // An input that is used has no default.
				}
			})());
		}
	});
}

for (const [file, schema, change] of [
	['examples/gitlab-ci.yml', 'gitlab-ci', ['  extends: .testbed', '  extend: .testbed']],
	['examples/gitlab-ci-shards.yml', 'gitlab-ci', ['parallel: 8', 'parallel: eight']],
	['examples/gitlab-ci-shards.yml', 'gitlab-ci', ['allow_failure: true', 'allow_failure: maybe']],
	['examples/gitlab-ci-component.yml', 'gitlab-ci', ['  - component: ', '  - componet: ']],
	['action.yml', 'github-actions', ['using: composite', 'using: composit']],
	['examples/github-actions.yml', 'github-workflows', ['runs-on', 'run-on']],
	['.github/workflows/ci.yml', 'github-workflows', ['permissions:', 'permission:']],
	['.github/ISSUE_TEMPLATE/bug.yml', 'github-issue-forms', ['type: textarea', 'type: textfield']],
] as const) {
	test(`goes red: ${file} with "${change[1].trim()}"`, t => {
		if (!isLeftOut(t, needed)) {
			t.not(complaintsOf(schema, parse(broken(t, text(file), change))).length, 0);
		}
	});
}
