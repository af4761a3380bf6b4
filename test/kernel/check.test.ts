/** `--check` says what the same command then sends, and needs no capability for it. */

import process from 'node:process';
import test from 'ava';
import {execa} from 'execa';
import {testbed} from './_cli.js';

function rowsOf(stdout: string): Readonly<Record<string, string>> {
	return Object.fromEntries([...stdout.matchAll(/^ {2}(?<label>[a-z]+(?: [a-z]+)?) {2,}(?<value>.+)$/gmu)].map(({groups}) => [groups!['label']!, groups!['value']!]));
}

async function plan(given: readonly string[]): Promise<Readonly<Record<string, string>>> {
	const {exitCode, stdout, stderr} = await testbed([...given, '--check']);
	if (exitCode !== 0) {
		throw new Error(stderr);
	}

	return rowsOf(stdout);
}

async function document(given: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
	const {stdout, stderr} = await testbed([...given, '--format', 'json']);
	if (stdout === '') {
		throw new Error(stderr);
	}

	return JSON.parse(stdout) as Readonly<Record<string, unknown>>;
}

test('run: as many cases as the report has', async t => {
	const given = ['run', '--rules', 'release:1.30', '--family', 'both'];
	const {types} = await document(given) as {types: readonly unknown[]};
	const planned = await plan(given);
	t.is(planned['cases'], String(types.length));
});

test('coverage: as many classes and cases as were counted', async t => {
	const given = ['coverage', 'release:1.30', '--cases', 'types'];
	const {classes, cases} = await document(given) as {classes: number; cases: ReadonlyArray<{name: string; probes: number}>};
	const planned = await plan(given);
	t.is(planned['classes'], `${classes} of IPv4`);
	t.is(planned['probes'], `${cases.find(({name}) => name === 'complete')!.probes} through each rule set`);
	t.is(planned['cases'], `types ${cases.find(({name}) => name === 'types')!.probes}`);
});

test('diff: as many classes as were compared', async t => {
	const given = ['diff', 'release:1.24', 'release:1.30', '--family', 'ipv4'];
	const {summary} = await document(given) as {summary: {classes: number; probes: number}};
	const planned = await plan(given);
	t.is(planned['classes'], `${summary.classes} of IPv4`);
	t.is(planned['probes'], `${summary.probes} through each rule set`);
});

test('baseline create: as many connections as were recorded', async t => {
	const given = ['baseline', 'create', 'release:1.30', '--family', 'ipv4', '--scenarios', 'scenarios/dual-stack.yaml'];
	const {stdout, stderr} = await testbed(given);
	t.not(stdout, '', stderr);
	const {cases} = JSON.parse(stdout) as {cases: readonly unknown[]};
	const planned = await plan(given);
	t.is(planned['connections'], String(cases.length));
});

test('no root: in a user namespace without any mapping, which has no capability', async t => {
	const inNamespace = async (given: readonly string[]) => execa('unshare', ['--user', process.execPath, 'scripts/run.cjs', 'testbed', ...given], {reject: false});
	for (const command of [['run'], ['probe', '--to', 'remote:80'], ['diff', 'release:1.29', 'release:1.30'], ['mutate'], ['coverage'], ['baseline', 'create']]) {
		const {exitCode, stdout, stderr} = await inNamespace([...command, '--check']); // eslint-disable-line no-await-in-loop -- One process at a time.
		t.is(exitCode, 0, stderr);
		t.regex(stdout, /no fault found\. Nothing was sent\./u);
	}

	const {exitCode} = await inNamespace(['run']);
	t.is(exitCode, 4);
});
