/** `testbed probe --batch`: the same paths as single probes, in the order of the lines, on all back ends; mistakes and losses. */

import {writeFile} from 'node:fs/promises';
import process from 'node:process';
import {createInterface} from 'node:readline';
import test from 'ava';
import {execa} from 'execa';
import {file as temporaryFile} from 'tmp-promise';
import {backends} from '../../src/netfilter/types.js';
import {testbed} from './_cli.js';

type Answer = {
	readonly id?: unknown;
	readonly path: readonly string[];
	readonly stops: readonly string[];
	readonly outcome: string;
	readonly unsendable?: {readonly message: string};
	readonly gaps: ReadonlyArray<{readonly kind: string}>;
};

async function batch(lines: readonly object[], ...given: readonly string[]) {
	const ended = await testbed(['probe', '--batch', '-', ...given], {input: lines.map(line => `${JSON.stringify(line)}\n`).join('')});
	return {...ended, answers: ended.stdout.split('\n').filter(line => line !== '').map(line => JSON.parse(line) as Answer)};
}

/** Lines with the arguments of the single probe that asks the same. */
const questions: ReadonlyArray<readonly [line: Readonly<Record<string, string | number>>, outcome: string]> = [
	[{from: 'app', to: '10.96.0.1:443'}, 'refused'],
	[{from: 'app', to: 'vip:8080'}, 'delivered'],
	[{from: 'app', to: 'remote:8080', uid: 1337}, 'delivered'],
	[{from: 'app', to: 'remote:8080', uid: 1000, gid: 1337}, 'delivered'],
	[{from: 'app', to: 'localhost:8080'}, 'delivered'],
	[{from: 'app', to: 'remote:8080', family: 'ipv6'}, 'delivered'],
	[{from: 'app', to: 'vip:8080', family: 'ipv6'}, 'delivered'],
	[{from: 'remote', to: 'pod:8080', family: 'ipv6'}, 'delivered'],
	[{from: 'remote', to: 'pod:8080'}, 'delivered'],
	[{from: 'remote', to: 'pod:9090'}, 'refused'],
	[{from: 'prometheus', to: 'pod:15090'}, 'delivered'],
	[{from: 'proxy', to: 'pod:8080'}, 'delivered'],
	[{from: 'app', to: 'resolver:53', proto: 'udp'}, 'delivered'],
	[{from: 'app', to: 'remote:9999', proto: 'udp'}, 'refused'],
	// Only the name server's own addresses have sockets for datagrams.
	[{from: 'app', to: '198.51.100.7:53', proto: 'udp'}, 'refused'],
	[{from: 'app', to: '[2001:db8:99::7]:53', proto: 'udp', family: 'ipv6'}, 'refused'],
	// The agent answers queries over TCP as well.
	[{from: 'app', to: 'localhost:15053'}, 'delivered'],
	// Whoever sends as another user forwards as that user.
	[{from: 'proxy', to: 'remote:8080', uid: 1000}, 'loop'],
];

for (const backend of backends) {
	for (const family of ['ipv4', 'ipv6']) {
		test(`the same paths as single probes, ${backend}, ${family}`, async t => {
			// The rules of one family alone: those of native nft have other numbers beside the other's.
			const input = ['--backend', backend, '--rules', 'release:1.30 --redirect-dns', '--family', family];
			const own = questions.filter(([line]) => (line['family'] ?? 'ipv4') === family);
			const {exitCode, stderr, answers} = await batch(own.map(([line], id) => ({...line, family, id})), '--follow', ...input);
			t.is(exitCode, 0, stderr);
			t.deepEqual(answers.map(({id}) => id), own.map((_, id) => id));
			for (const [index, [{family: _, ...line}, outcome]] of own.entries()) {
				const single = await testbed(['probe', ...Object.entries(line).flatMap(([name, value]) => [`--${name}`, String(value)]), '--format', 'json', ...input]); // eslint-disable-line no-await-in-loop -- One after the other.
				const {path, stops} = JSON.parse(single.stdout) as Answer;
				const title = JSON.stringify(line);
				t.deepEqual(answers[index]!.path, path, title);
				t.deepEqual(answers[index]!.stops, stops, title);
				t.deepEqual([answers[index]!.outcome, answers[index]!.gaps], [outcome, []], title);
			}
		});
	}
}

test('without --follow only the first leg; with it, a loop is reported as one', async t => {
	const lines = [{from: 'app', to: 'pod:15001'}, {from: 'app', to: 'vip:8080'}];
	const [first, all] = await Promise.all([batch(lines), batch(lines, '--follow')]);
	t.deepEqual(first.answers.map(({stops, outcome}) => [stops.length, outcome]), [[1, 'closed'], [1, 'delivered']]);
	t.deepEqual(all.answers.map(({outcome}) => outcome), ['closed', 'delivered']);
	const loop = await batch([{from: 'app', to: 'remote:8080'}], '--follow', '--rules', 'release:1.30 -u 2000 -g 2000', '--proxy-uid', '1337');
	t.is(loop.answers[0]!.outcome, 'loop');
	t.true(loop.answers[0]!.stops.length > 8);
});

test('thousands of lines from three users: each has its own answer', async t => {
	const owners = [[0, 'proxy:15001'], [1337, 'remote:8080'], [1000, 'proxy:15001']] as const;
	const {exitCode, stderr, answers} = await batch(Array.from({length: 20_000}, (_, id) => ({id, uid: owners[id % 3]![0], to: 'remote:8080'})));
	t.is(exitCode, 0, stderr);
	t.is(answers.length, 20_000);
	t.true(answers.every(({id, stops, outcome, gaps}, index) => id === index && stops[0] === owners[index % 3]![1] && outcome === 'delivered' && gaps.length === 0));
});

test('rules that remember packets see those of the whole batch, however long it is', async t => {
	const {path: rules, cleanup} = await temporaryFile();
	await writeFile(rules, ['*filter', ':INPUT ACCEPT', ':FORWARD ACCEPT', ':OUTPUT ACCEPT', '-A OUTPUT -p tcp -m tcp --dport 15012 -m recent --set --name seen --rdest', '-A OUTPUT -p tcp -m tcp --dport 8080 -m recent --rcheck --name seen --rdest -j REJECT --reject-with tcp-reset', 'COMMIT', ''].join('\n'));
	const {exitCode, stderr, answers} = await batch([{to: 'remote:15012'}, ...Array.from({length: 30_000}, () => ({to: 'remote:8080'}))], '--rules', rules);
	t.is(exitCode, 0, stderr);
	t.deepEqual(answers.slice(1).filter(({outcome}) => outcome !== 'dropped'), []);
	await cleanup();
});

test('someone who asks one question after the other gets each answer before the next', async t => {
	const run = execa(process.execPath, ['scripts/run.cjs', 'testbed', 'probe', '--batch', '-'], {stdin: 'pipe', reject: false});
	const answers: AsyncIterator<string> = createInterface({input: run.stdout})[Symbol.asyncIterator]();
	for (const id of [1, 2, 3]) {
		run.stdin.write(`${JSON.stringify({id, to: 'remote:8080'})}\n`);
		const answer = await answers.next(); // eslint-disable-line no-await-in-loop -- One after the other.
		t.like(JSON.parse(answer.value as string) as object, {id, outcome: 'delivered'});
	}

	run.stdin.end();
	const {exitCode} = await run;
	t.is(exitCode, 0);
});

test('messages number the probes of the whole batch', async t => {
	const {exitCode, answers} = await batch(Array.from({length: 2100}, (_, id) => id === 2099 ? {id, to: '255.0.0.1:80', source: '127.0.0.6'} : {id, to: 'remote:8080'}));
	t.is(exitCode, 0);
	t.regex(answers[2099]!.unsendable!.message, /^Probe 2100 to 255\.0\.0\.1:80 from 127\.0\.0\.6 was not sent: connect failed with EINVAL\.$/u);
});

test('the app with the proxy\'s UID takes another path: the batch uses the sender\'s user', async t => {
	const {answers} = await batch([{uid: 1000, to: 'remote:8080'}, {uid: 1337, to: 'remote:8080'}]);
	t.deepEqual(answers.map(({stops}) => stops), [['proxy:15001'], ['remote:8080']]);
});

for (const [rules, stops] of [['release:1.30 -m TPROXY', ['proxy:15006', 'app:8080']], ['ambient:1.30', ['proxy:15006', 'app:8080']]] as const) {
	test(`${rules}: a batch accepts transparent proxies`, async t => {
		const {exitCode, stderr, answers} = await batch([{from: 'remote', to: 'pod:8080'}], '--follow', '--rules', rules);
		t.is(exitCode, 0, stderr);
		t.deepEqual(answers.map(answer => [answer.stops, answer.outcome]), [[stops, 'delivered']]);
	});
}

test('lost events: inconclusive, status 3', async t => {
	const {exitCode, answers} = await batch([{to: 'remote:8080'}], '--trace-buffer', '1');
	t.is(exitCode, 3);
	t.deepEqual(answers.map(({outcome}) => outcome), ['inconclusive']);
	t.true(answers[0]!.gaps.length > 0);
});

/** Input, arguments, and what the message must say. */
const mistakes: ReadonlyArray<readonly [input: string, given: readonly string[], message: RegExp]> = [
	['', [], /stdin contains no probes/u],
	['{"to": "pod:80"}\n\n{"to": 1}\n', [], /stdin, line 3: "to" is 1: it must be ADDRESS:PORT/u],
	['{"to": "pod:80"}\n{"to": "10.0.0.1:80", "from": "remote"}\n', [], /stdin, line 2: a connection from remote to 10\.0\.0\.1:80 does not enter the pod[\s\S]*"to": "pod:80"/u],
	['{"to": "[::1]:80"}\n', ['--family', 'ipv4'], /line 1: "to" is \[::1\]:80 \(ipv6\), but the rules are for ipv4/u],
	['{"to": "pod:80"}\n', ['--uid', '1'], /--uid cannot be used with --batch/u],
	['{"to": "pod:80"}\n', ['--format', 'json'], /--first-leg, --format, --json, --brief, --output, --pcap and --verbose are for single probes/u],
	['{"to": "pod:80"}\n', ['--backend', 'all'], /A probe runs on one back end/u],
];

test('wrong uses: status 2, the message on stderr, no answer', async t => {
	for (const [input, given, message] of mistakes) {
		const {exitCode, stdout, stderr} = await testbed(['probe', '--batch', '-', ...given], {input}); // eslint-disable-line no-await-in-loop -- One after the other.
		t.is(exitCode, 2, stderr);
		t.is(stdout, '');
		t.regex(stderr, message);
		t.notRegex(stderr, /^\s+at /mu);
	}

	const missing = await testbed(['probe', '--batch', '/nowhere.jsonl']);
	t.is(missing.exitCode, 2);
	t.regex(missing.stderr, /The batch cannot be read: \/nowhere\.jsonl: no such file\./u);
	const follow = await testbed(['probe', '--to', 'pod:80', '--follow']);
	t.is(follow.exitCode, 2);
	t.regex(follow.stderr, /--follow works only with --batch/u);
});

test('a batch with a dump has the dump\'s family, for its rules and its places', async t => {
	const rules = await testbed(['rules', 'release:1.30', '--family', 'ipv6']);
	const {path: file, cleanup} = await temporaryFile();
	await writeFile(file, rules.stdout);
	const {exitCode, stderr, answers} = await batch([{to: 'remote:8080'}, {to: '[2001:db8::5]:80', uid: 1337}], '--rules', file);
	t.is(exitCode, 0, stderr);
	t.deepEqual(answers.map(({stops, outcome}) => [...stops, outcome]), [['proxy:15001', 'delivered'], ['refused']]);
	const wrong = await testbed(['probe', '--batch', '-', '--rules', file], {input: '{"to": "10.0.0.1:80"}\n'});
	t.is(wrong.exitCode, 2);
	t.regex(wrong.stderr, /line 1: "to" is 10\.0\.0\.1:80.*ipv6/u);
	await cleanup();
});
