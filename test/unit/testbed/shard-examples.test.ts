/** The examples for job engines: parsed, held against Kubernetes' own schemas, and their commands against the command line. test/kernel/shards.test.ts runs them. */

import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';
import process from 'node:process';
import test from 'ava';
import {parseAllDocuments} from 'yaml';
import {knownToCommandLine} from '../../../testbed/cli/main.js';
import {isLeftOut} from '../../helpers/left-out.js';
import {commandsOf, complaintsAboutPins, readYaml} from '../../helpers/workflows.js';

type Mapping = Readonly<Record<string, unknown>>;
type Model = new (data: unknown) => {readonly validate: () => void};

const root = process.cwd();
const manifest = parseAllDocuments(readFileSync('examples/kubernetes-shards.yml', 'utf8')).map(document => document.toJS() as Mapping);

/** The model of a document's kind, by Kubernetes' schemas. */
function modelOf({apiVersion, kind}: Mapping): Model {
	const require = createRequire(path.join(root, 'examples/'));
	return (require(`kubernetes-models/${String(apiVersion)}`) as Readonly<Record<string, Model>>)[String(kind)]!;
}

function isValid(document: Mapping, given: unknown = document): boolean {
	const model = modelOf(document);
	try {
		new model(given).validate(); // eslint-disable-line new-cap -- The class of the document's kind.
		return true;
	} catch {
		return false;
	}
}

/** The keys that lead to each of the values that have no parts. */
function leavesOf(value: unknown, keys: ReadonlyArray<string | number> = []): ReadonlyArray<ReadonlyArray<string | number>> {
	return typeof value === 'object' && value !== null ? Object.entries(value).flatMap(([key, part]) => leavesOf(part, [...keys, Array.isArray(value) ? Number(key) : key])) : [keys];
}

function withValue(value: unknown, [key, ...rest]: ReadonlyArray<string | number>, other: unknown): unknown {
	if (key === undefined) {
		return other;
	}

	return Array.isArray(value)
		? value.with(Number(key), withValue(value[Number(key)], rest, other))
		: {...value as Mapping, [key]: withValue((value as Mapping)[key], rest, other)};
}

test('kubernetes: the manifest is valid, and so is no manifest with another kind of value anywhere', t => {
	if (isLeftOut(t, {tree: 'examples'})) {
		return;
	}

	t.deepEqual(manifest.map(({kind}) => kind), ['PersistentVolumeClaim', 'Job', 'Job']);
	for (const document of manifest) {
		t.true(isValid(document));
		// Kubernetes' schemas say nothing of keys that they do not know, but the values of those they know have a type: so every key is known.
		for (const keys of leavesOf(document).filter(([first]) => first !== 'apiVersion' && first !== 'kind')) {
			t.false(isValid(document, withValue(document, keys, [{}])), keys.join('.'));
		}
	}
});

type Container = {
	readonly name: string;
	readonly command: readonly string[];
	readonly env?: ReadonlyArray<{readonly name: string; readonly value: string}>;
	readonly securityContext: Mapping;
	readonly volumeMounts: ReadonlyArray<{readonly name: string; readonly mountPath: string}>;
};
type FailureRule = {readonly action: string; readonly onExitCodes?: {readonly containerName: string; readonly values: readonly number[]}};
type PodSpec = {
	readonly containers: readonly [Container];
	readonly volumes: ReadonlyArray<{readonly name: string; readonly persistentVolumeClaim: {readonly claimName: string}}>;
};
type Job = {readonly spec: Mapping & {readonly podFailurePolicy?: {readonly rules: readonly FailureRule[]}; readonly template: {readonly spec: PodSpec}}};
const [claim, shards, merge] = manifest as [Mapping & {readonly metadata: {readonly name: string}}, Job & Mapping, Job & Mapping];

test('kubernetes: the number of shards is the same everywhere, results go to the volume, and what failed is not tried again', t => {
	const {completionMode, completions, parallelism, podFailurePolicy, template: {spec: {containers: [container], volumes}}} = shards.spec;
	t.is(completionMode, 'Indexed');
	t.deepEqual(container.env, [{name: 'JOB_COMPLETIONS', value: String(completions)}]);
	t.is(parallelism, completions);
	t.is(container.securityContext['privileged'], true);
	t.is(container.securityContext['runAsUser'], 0);
	const exits = podFailurePolicy!.rules.find(({action}) => action === 'FailIndex')!.onExitCodes!;
	t.is(exits.containerName, container.name);
	t.deepEqual(exits.values, [1, 2, 3]);
	for (const {spec: {template: {spec}}} of [shards, merge]) {
		t.is(spec.volumes[0]!.persistentVolumeClaim.claimName, claim.metadata.name);
		t.is(spec.containers[0].volumeMounts[0]!.mountPath, '/results');
		t.is(spec.containers[0].volumeMounts[0]!.name, spec.volumes[0]!.name);
	}

	t.is(container.command.at(-1), '/results/');
	t.true(merge.spec.template.spec.containers[0].command.includes('/results/'));
	t.is(volumes.length, 1);
});

test('github: as many shards as the matrix has, each uploaded, and merged even if one failed', t => {
	const file = 'examples/github-actions-shards.yml';
	t.deepEqual(complaintsAboutPins(readFileSync(file, 'utf8')), []);
	const {jobs, permissions} = readYaml(file) as {jobs: Record<string, Mapping & {strategy: {'fail-fast': boolean; matrix: {shard: readonly number[]}}}>; permissions: Mapping};
	t.deepEqual(permissions, {contents: 'read'});
	const {strategy} = jobs['shard']!;
	t.false(strategy['fail-fast']);
	t.deepEqual(strategy.matrix.shard, Array.from({length: strategy.matrix.shard.length}, (_, place) => place + 1));
	t.true(commandsOf(jobs['shard']).some(command => command.endsWith(`--shard \${{ matrix.shard }}/${strategy.matrix.shard.length} --shard-output results/`)));
	t.is(jobs['merge']!['needs'], 'shard');
	t.regex(String(jobs['merge']!['if']), /^\$\{\{ !cancelled\(\) \}\}$/u);
});

test('gitlab: the shards are kept whatever they show, and merged', t => {
	const {shard, merge: report} = readYaml('examples/gitlab-ci-shards.yml') as Record<string, Mapping & {artifacts: {when: string; paths: readonly string[]}}>;
	t.is(shard!['parallel'], 8);
	t.is(shard!.artifacts.when, 'always');
	t.deepEqual(shard!.artifacts.paths, ['results/']);
	t.true(shard!['allow_failure']);
	t.false('allow_failure' in report!);
	t.false(commandsOf(shard).some(command => command.includes('--shard ')));
});

test('every command has options that exist, and docs/scale.md links every example', t => {
	const {options, commands} = knownToCommandLine();
	const known = new Set(options.map(({long}) => long));
	const page = readFileSync('docs/scale.md', 'utf8');
	for (const file of ['examples/kubernetes-shards.yml', 'examples/github-actions-shards.yml', 'examples/gitlab-ci-shards.yml']) {
		t.true(page.includes(`(../${file})`), file);
		const lines = file.includes('kubernetes') ? [shards, merge].map(({spec}) => spec.template.spec.containers[0].command.join(' ')) : commandsOf(readYaml(file));
		const testbeds = lines.flatMap(line => /bin\/testbed (?<words>.*)$/u.exec(line)?.groups?.['words'] ?? []);
		t.is(testbeds.length, 2, file);
		for (const words of testbeds.map(line => line.split(' '))) {
			t.true(commands.has(words[0]!));
			t.deepEqual(words.filter(word => word.startsWith('--') && !known.has(word)), []);
		}
	}
});
