/** `testbed mutate` and `testbed coverage`, as processes: which defects the tests detect, and what proves a mutant equivalent. */

import {writeFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {dir} from 'tmp-promise';
import {complaintsAboutJunit, elementsOf, parseXml} from '../helpers/junit.js';
import {testbed} from './_cli.js';
import {defaultDump} from './_run.js';

type JsonMutants = {
	readonly cases: ReadonlyArray<{readonly name: string; readonly count: number; readonly untrusted: readonly string[]}>;
	readonly scores: ReadonlyArray<{readonly cases: string; readonly killed: number; readonly of: number; readonly killedByStops?: number}>;
	readonly mutants: ReadonlyArray<{
		readonly id: number; readonly place: string; readonly text: string; readonly standing: string;
		readonly status: {
			readonly kind: string; readonly byStops?: boolean; readonly classes?: number; readonly reason?: string; readonly replay?: string;
			readonly moved?: ReadonlyArray<{readonly is: readonly string[]}>;
		};
		readonly detections: Readonly<Record<string, {readonly kind: string}>>;
	}>;
	readonly summary: Readonly<Record<string, number>>;
	readonly hints: readonly string[];
};

/** Few rules, of which one is of no use: nothing comes in by docker0. Two redirect, for without any the kernel does not consult nat. */
const small = `*nat
:PREROUTING ACCEPT
:OUTPUT ACCEPT
:ISTIO_REDIRECT -
-A PREROUTING -i docker0 -j RETURN
-A OUTPUT -m owner --uid-owner 1337 -j RETURN
-A OUTPUT -p udp -m udp --dport 53 -j REDIRECT --to-ports 15053
-A OUTPUT -p tcp -j ISTIO_REDIRECT
-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001
COMMIT
`;

async function withFile<T>(text: string, act: (file: string) => Promise<T>, name = 'small.rules'): Promise<T> {
	const folder = await dir({unsafeCleanup: true});
	try {
		const file = path.join(folder.path, name);
		writeFileSync(file, text);
		return await act(file);
	} finally {
		await folder.cleanup();
	}
}

for (const backend of ['iptables-nft', 'iptables-legacy'] as const) {
	test(`each status once: rejected, equivalent, and one that moves traffic, ${backend}`, async t => {
		await withFile(small, async file => {
			const {exitCode, stdout, stderr} = await testbed(['mutate', file, '--backend', backend, '--cases', 'complete', '--format', 'json']);
			const {mutants, scores, summary} = JSON.parse(stdout) as JsonMutants;
			t.is(exitCode, 0, stderr);
			const find = (place: string, text: string) => mutants.find(mutant => mutant.place === place && mutant.text === text)!;
			t.like(find('PREROUTING#1', 'deleted'), {standing: 'left-out', status: {kind: 'equivalent'}});
			t.true(find('PREROUTING#1', 'deleted').status.classes! > 0);
			t.like(find('OUTPUT#1', 'RETURN → DROP'), {standing: 'left-out', status: {kind: 'rejected'}});
			t.regex(find('OUTPUT#1', 'RETURN → DROP').status.reason!, /inhibited/u);
			t.like(find('OUTPUT#1', 'deleted'), {standing: 'killed', status: {kind: 'differs', byStops: true}});
			t.deepEqual(new Set(find('OUTPUT#1', 'uid 1337 → uid 1337-1338').status.moved!.map(({is}) => is.join(' '))), new Set(['direct']));
			// A rule without a role is the same rule, whatever it says; a jump that leads nowhere is another way.
			t.like(find('OUTPUT#1', 'RETURN → ACCEPT'), {standing: 'left-out', status: {kind: 'equivalent'}});
			t.is(scores[0]!.killed, scores[0]!.of);
			t.is(summary['killed']! + summary['equivalent']! + summary['rejected']!, mutants.length);
			t.is(summary['inconclusive'], 0);
		});
	});
}

test('the complete probes kill every mutant of the default set that is not equivalent; the types do not', async t => {
	const {exitCode, stdout, stderr} = await testbed(['mutate', 'release:1.30', '--cases', 'types', '--sample', '40', '--format', 'json']);
	const {mutants, scores, cases, hints} = JSON.parse(stdout) as JsonMutants;
	t.is(exitCode, 1, stderr);
	t.is(mutants.length, 40);
	t.true(hints.some(hint => hint.startsWith('A sample: 40 of ')));
	t.like(cases[0], {name: 'types', count: 6, untrusted: []});
	t.true(scores[0]!.killed > 0 && scores[0]!.killed < scores[0]!.of);
	for (const {status: mutantStatus, standing, detections} of mutants) {
		t.true(mutantStatus.kind !== 'inconclusive');
		t.is(Object.keys(detections).length, standing === 'left-out' ? 0 : 1);
	}

	t.is(mutants.filter(({standing}) => standing === 'survived').every(({status: mutantStatus}) => mutantStatus.replay!.startsWith('testbed mutate release:1.30 ')), true);
});

test('native nftables: every mutant can be installed except those that nft refuses, and none is inconclusive', async t => {
	const {exitCode, stdout, stderr} = await testbed(['mutate', 'release:1.30', '--backend', 'nftables', '--family', 'both', '--cases', 'complete', '--sample', '40', '--format', 'json']);
	const {mutants, summary} = JSON.parse(stdout) as JsonMutants;
	t.is(exitCode, 0, stderr);
	t.is(summary['inconclusive'], 0);
	t.true(summary['killed']! > mutants.length / 2);
});

test('the command printed for a survivor shows the difference: it prints the mutant, and the probe takes another path', async t => {
	const run = async () => testbed(['mutate', 'release:1.30', '--cases', 'types', '--sample', '15', '--format', 'json']);
	const {stdout} = await run();
	const survivor = (JSON.parse(stdout) as JsonMutants).mutants.find(({standing, status: mutantStatus}) => standing === 'survived' && mutantStatus.byStops === true)!;
	const [print, probe] = survivor.status.replay!.split(' | ') as [string, string];
	const {stdout: rules} = await testbed(print.split(' ').slice(1));
	const wordsOf = (command: string) => command.replaceAll('\'', '').split(' ').slice(1);
	const [of, original] = await Promise.all([
		testbed([...wordsOf(probe), '--format', 'json'], {input: rules}),
		testbed([...wordsOf(probe).map(word => word === '-' ? 'release:1.30' : word), '--format', 'json']),
	]);
	const stopsOf = ({stdout: text}: {readonly stdout: string}) => JSON.stringify((JSON.parse(text) as {readonly stops: readonly string[]}).stops);
	t.not(stopsOf(of), stopsOf(original), survivor.status.replay);
});

test('a user\'s scenario as a test case: a mutant of something that it does not test survives, in every format', async t => {
	const scenario = `version: 1
name: mine
about: Only the way out.
rules: release:1.30
families: [ipv4]
probes:
  - name: out
    from: app
    to: remote:8080
    expect: {stops: [proxy:15001, remote:8080]}
  - name: wrong
    from: app
    to: remote:8080
    expect: {stops: [remote:8080]}
`;
	await withFile(scenario, async file => {
		const run = async (format: string) => testbed(['mutate', 'release:1.30', '--cases', file, '--sample', '12', '--format', format]);
		const {exitCode, stdout, stderr} = await run('json');
		const {mutants, cases, summary} = JSON.parse(stdout) as JsonMutants;
		t.is(exitCode, 1, stderr);
		t.is(cases[0]!.count, 1);
		t.regex(cases[0]!.untrusted[0]!, /wrong.* does not pass with the original \(fail\)/u);
		t.true(summary['killed']! > 0 && summary['survived']! > 0);
		const junit = await run('junit');
		t.is(junit.exitCode, 1);
		const document = parseXml(junit.stdout);
		t.deepEqual(complaintsAboutJunit(document), []);
		t.is(elementsOf(document, 'failure').length, summary['survived']!);
		t.is(elementsOf(document, 'skipped').length, mutants.filter(({standing}) => standing === 'left-out').length);
	}, 'mine.yaml');
});

test('a set without rules shows nothing, and the report says so', async t => {
	await withFile('*nat\n:OUTPUT ACCEPT\nCOMMIT\n', async file => {
		const {exitCode, stdout} = await testbed(['mutate', file, '--cases', 'complete', '--format', 'tap']);
		t.is(exitCode, 3);
		t.regex(stdout, /^not ok 1 /mu);
		const covered = await testbed(['coverage', file, '--cases', 'types']);
		t.is(covered.exitCode, 3);
	});
});

for (const [args, status, message] of [
	[['mutate', '--cases', 'nonsense'], 2, /There are no cases named "nonsense"\.\n→ Choose from types, scenarios, complete/u],
	[['mutate', '--cases', ','], 2, /--cases ,: it must name at least one item/u],
	[['mutate', '--cases', 'scenarios/tproxy.yaml'], 2, /No scenario in scenarios\/tproxy\.yaml is written for release:1\.\d+: tproxy is written for /u],
	[['mutate', '--cases', 'nowhere.yaml'], 2, /The scenario cannot be read: nowhere\.yaml: no such file/u],
	[['mutate', '--backend', 'iptables-nft,nftables'], 2, /takes one back end, but --backend names 2\./u],
	[['mutate', '--print', '9999'], 2, /release:\S* has no mutant 9999\.\n→ Its mutants are numbered 1 to \d+/u],
	[['coverage', '--cases', 'types', '--require', 'scenarios'], 2, /--require names scenarios, which is not one of the cases to run\.\n→ Add it: --cases types,scenarios/u],
] as const) {
	test(`refused: ${args.join(' ')}`, async t => {
		const {exitCode, stderr, stdout} = await testbed(args);
		t.is(exitCode, status);
		t.regex(stderr, message);
		t.is(stdout, '');
	});
}

test('rules that the kernel refuses as they are end both commands with an error', async t => {
	await withFile('*nat\n:OUTPUT ACCEPT\n-A OUTPUT -m nosuchmatch -j RETURN\nCOMMIT\n', async file => {
		for (const command of ['mutate', 'coverage']) {
			const {exitCode, stderr} = await testbed([command, file, '--allow-modules', '--cases', 'types']); // eslint-disable-line no-await-in-loop -- One run at a time.
			t.is(exitCode, 2, stderr);
			t.regex(stderr, /rejected line/u);
		}
	});
});

type JsonCoverage = {
	readonly coverage: ReadonlyArray<{
		readonly place: string;
		readonly reach: Readonly<Record<string, {readonly hits: number; readonly decided: number}>>;
		readonly unreached: {readonly kind: string; readonly because: string} | null;
	}>;
	readonly summary: {readonly rules: number; readonly reachable: number};
	readonly gaps: readonly unknown[];
};

test('coverage of the default set: the rules by GID are shadowed by those by UID, on every back end', async t => {
	for (const [backend, chain] of [['iptables-nft', 'ISTIO_OUTPUT#'], ['iptables-legacy', 'ISTIO_OUTPUT#'], ['nftables', 'istio-proxy-nat:istio-output#']] as const) {
		const {exitCode, stdout, stderr} = await testbed(['coverage', 'release:1.30', '--backend', backend, '--cases', 'types', '--format', 'json']); // eslint-disable-line no-await-in-loop -- One run at a time.
		const {coverage, summary, gaps} = JSON.parse(stdout) as JsonCoverage;
		t.is(exitCode, 0, stderr);
		t.deepEqual(gaps, []);
		const dead = coverage.filter(({unreached}) => unreached !== null);
		t.deepEqual(dead.map(({place, unreached}) => `${place} ${unreached!.kind}`), ['5', '6', '8'].map(number => `${chain}${number} shadowed`), backend);
		t.is(summary.reachable, summary.rules - 3);
		t.regex(dead[1]!.unreached!.because, /by \S+#3 loopback-not-proxy-uid \(\d+ packets\)/u);
		t.deepEqual(coverage.find(({place}) => place === `${chain}4`)!.reach['types'], {hits: 5, decided: 5});
	}
});

test('coverage: a rule for a missing interface is reported as such; --require turns that into a failure', async t => {
	await withFile(small, async file => {
		const {exitCode, stdout} = await testbed(['coverage', file, '--cases', 'types', '--require', 'complete']);
		t.is(exitCode, 1);
		t.regex(stdout, /none\s+meets\s+its\s+conditions:\s+-i\s+docker0/u);
		t.true(stdout.split('\n').every(line => line.length <= 80));
		const {exitCode: failed, stdout: github} = await testbed(['coverage', file, '--cases', 'types', '--require', 'types,complete', '--format', 'github']);
		t.is(failed, 1);
		t.regex(github, new RegExp(`^::error file=${file.replaceAll('.', String.raw`\.`)},line=5,`, 'mu'));
	});
});

test('the text of both commands is no wider than 80 columns', async t => {
	await withFile(defaultDump(), async file => {
		for (const args of [['mutate', file, '--cases', 'types,complete', '--sample', '20', '--verbose'], ['coverage', file, '--verbose']]) {
			const {stdout} = await testbed(args); // eslint-disable-line no-await-in-loop -- One run at a time.
			t.true(stdout.length > 500);
			// Commands are meant to be pasted, so they are never wrapped.
			t.deepEqual(stdout.split('\n').filter(line => line.length > 80 && !/^ *\S*testbed (?:mutate|probe) /u.test(line)), []);
		}
	});
});
