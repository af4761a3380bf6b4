/** `testbed probe` as a process: answers, formats, exit statuses, messages, and what is left behind. */

import test from 'ava';
import {testbed, WatchedRun} from './_cli.js';
import {defaultDump, waitingDump} from './_run.js';

type Answer = {
	readonly outcome: string;
	readonly stops: readonly string[];
	readonly path: readonly string[];
	readonly legs: ReadonlyArray<{readonly from: {readonly address: string}; readonly asked: ReadonlyArray<{readonly rules: ReadonlyArray<Readonly<Record<string, unknown>>>}>}>;
	readonly contradictions: readonly unknown[];
	readonly gaps: readonly unknown[];
};

async function ask(...given: readonly string[]): Promise<Answer> {
	const {exitCode, stdout, stderr} = await testbed(['probe', ...given, '--format', 'json']);
	if (exitCode !== 0) {
		throw new Error(`status ${exitCode}: ${stderr}${stdout}`);
	}

	return JSON.parse(stdout) as Answer;
}

/** Questions and the stops of their answers. */
const questions: ReadonlyArray<readonly [given: readonly string[], stops: readonly string[], last?: string]> = [
	[['--from', 'app', '--to', '10.96.0.1:443'], ['proxy:15001'], 'refused'],
	[['--from', 'app', '--to', '1.2.3.4:80'], ['proxy:15001'], 'refused'],
	[['--from', 'app', '--to', 'vip:8080'], ['proxy:15001', 'proxy:15006', 'app:8080']],
	[['--from', 'app', '--to', 'remote:8080', '--uid', '1337'], ['remote:8080']],
	[['--from', 'app', '--to', 'remote:8080', '--uid', '1000', '--gid', '1337'], ['remote:8080']],
	[['--from', 'app', '--to', 'localhost:8080'], ['app:8080']],
	[['--from', 'app', '--to', '[::1]:8080'], ['app:8080']],
	[['--from', 'app', '--to', 'remote:8080', '--family', 'ipv6', '--backend', 'nftables'], ['proxy:15001', 'remote:8080']],
	[['--from', 'remote', '--to', 'pod:8080', '--backend', 'iptables-legacy'], ['proxy:15006', 'app:8080']],
	[['--from', 'prometheus', '--to', 'pod:15090'], ['proxy:15090', 'proxy:15000']],
	[['--from', 'prometheus', '--to', 'pod:15021'], ['proxy:15021', 'agent:15020']],
	[['--from', 'app', '--to', 'remote:15090'], ['proxy:15001', 'proxy:15000']],
	[['--from', 'remote', '--to', 'pod:15000'], ['proxy:15006'], 'refused'],
	[['--from', 'agent', '--to', 'istiod:15012', '--agent-uid', '0', '--agent-gid', '1337'], ['istiod:15012']],
	[['--from', 'proxy', '--to', 'pod:8080'], ['proxy:15006', 'app:8080']],
	[['--from', 'istiod', '--to', 'pod:8080', '--rules', 'release:1.30 -m TPROXY'], ['proxy:15006', 'app:8080']],
	[['--to', 'resolver:53', '--rules', 'release:1.30 --redirect-dns'], ['agent:15053', 'dns:53']],
	[['--to', 'resolver:53', '--proto', 'udp', '--rules', 'release:1.30 --redirect-dns'], ['agent:15053', 'dns:53']],
	[['--to', 'resolver:53', '--proto', 'udp'], ['dns:53']],
	[['--from', 'agent', '--to', 'resolver:53', '--proto', 'udp', '--rules', 'release:1.30 --redirect-dns'], ['dns:53']],
	[['--to', 'remote:9999', '--proto', 'udp'], [], 'refused'],
];

test('--brief answers in one line, and only that', async t => {
	const brief = await testbed(['probe', '--to', 'remote:8080', '--uid', '1337', '--brief', '--quiet']);
	t.deepEqual([brief.exitCode, brief.stderr], [0, '']);
	t.regex(brief.stdout, /^answered: app > OUTPUT#1 > ISTIO_OUTPUT#\d > POSTROUTING > remote:8080\n$/u);
	for (const [more, message] of [
		[['--verbose'], /^testbed: --brief prints one line of text, so --verbose cannot be used with it\./u],
		[['--format', 'html'], /^testbed: --brief prints one line of text, so the format html cannot be used with it\./u],
		[['--json', 'outcome'], /^testbed: --brief prints one line of text, so the format json cannot be used with it\./u],
		[['--batch', '-'], /^testbed: --to cannot be used with --batch/u],
	] as const) {
		const refused = await testbed(['probe', '--to', 'remote:8080', '--brief', ...more]); // eslint-disable-line no-await-in-loop -- One after the other.
		t.deepEqual([refused.exitCode, refused.stdout], [2, '']);
		t.regex(refused.stderr, message);
	}

	const keys = await testbed(['probe', '--to', 'remote:8080', '--json=outcome,stops']);
	t.deepEqual(JSON.parse(keys.stdout), {outcome: 'answered', stops: ['proxy:15001', 'remote:8080']});
});

test('probes and where they arrive', async t => {
	const queue = [...questions];
	const work = async (): Promise<void> => {
		for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
			const [given, stops, last] = next;
			const answer = await ask(...given); // eslint-disable-line no-await-in-loop -- One after the other.
			const title = given.join(' ');
			t.deepEqual(answer.stops, stops, title);
			t.deepEqual([answer.outcome, answer.contradictions, answer.gaps], ['answered', [], []], title);
			t.is(answer.path.at(-1), last ?? stops.at(-1), title);
		}
	};

	await Promise.all([work(), work()]);
});

test('JSON: why the other rules did not match, with both values', async t => {
	const {legs} = await ask('--from', 'app', '--to', '10.96.0.1:443', '--uid', '1000', '--gid', '2000', '--first-leg');
	t.is(legs.length, 1);
	const rules = legs[0]!.asked.flatMap(chain => chain.rules);
	t.like(rules.find(({chain, number}) => chain === 'ISTIO_OUTPUT' && number === 4), {
		role: 'proxy-uid-bypass', matched: false, decided: false, failed: {match: '--uid-owner 1337', packet: 'the socket\'s UID is 1000'}, notUnderstood: null,
	});
	t.like(rules.find(({chain, number}) => chain === 'ISTIO_OUTPUT' && number === 7), {failed: {match: '--gid-owner 1337', packet: 'the socket\'s GID is 2000'}});
	t.like(rules.at(-1), {
		chain: 'ISTIO_REDIRECT', role: 'outbound-redirect', matched: true, decided: true, failed: null, does: 'redirects to port 15001',
	});
});

test('--source: another address of the sender', async t => {
	const {legs, path} = await ask('--from', 'app', '--to', 'localhost:8080', '--source', '127.0.0.6');
	t.is(legs[0]!.from.address, '127.0.0.6');
	t.deepEqual(path, ['app', 'OUTPUT#1', 'ISTIO_OUTPUT#1', 'POSTROUTING', 'app:8080']);
});

test('text: the answer on stdout and nothing on stderr', async t => {
	const {exitCode, stdout, stderr} = await testbed(['probe', '--from', 'app', '--to', 'remote:8080', '--verbose']);
	t.is(exitCode, 0, stdout);
	t.regex(stderr, /^(?:testbed: .*\n)*$/u);
	t.regex(stdout, /✔ app → proxy:15001 → remote:8080/u);
	t.regex(stdout, /ISTIO_OUTPUT#4 +✗ --uid-owner 1337: the socket's UID is 1000/u);
	t.regex(stdout, /output +ip nat OUTPUT, out eth0,/u);
	t.true(stdout.split('\n').every(line => line.length <= 80));
});

/** Arguments and what the message must say. All end with status 2. */
const mistakes: ReadonlyArray<{readonly given: readonly string[]; readonly message: RegExp}> = [
	{given: [], message: /No destination: use --to for one probe, or --batch for a file of them/u},
	{given: ['--from', 'waypoint', '--to', 'pod:80'], message: /--from waypoint: it must be app, proxy, agent, remote, istiod or prometheus/u},
	...['pod', 'pod:', 'pod:0', 'pod:65536', 'pod:http', '2001:db8::1:80', ''].map(to => ({given: ['--from', 'app', `--to=${to}`], message: /ADDRESS:PORT, \[ADDRESS\]:PORT or PLACE:PORT/u})),
	...['nowhere:80', '10.0.0.256:80', '[10.0.0.1]:80', '[pod]:80', '[::g]:80'].map(to => ({given: ['--from', 'app', '--to', to], message: /is neither an address nor a place[\s\S]*Places are pod, remote/u})),
	{given: ['--from', 'app', '--to', '10.0.0.1:80', '--family', 'ipv6'], message: /an address of ipv4, but --family asks for ipv6[\s\S]*Leave --family out/u},
	{given: ['--from', 'app', '--to', 'pod:80', '--family', 'both'], message: /--family both: it must be ipv4 or ipv6/u},
	{given: ['--from', 'app', '--to', 'pod:80', '--source', '::1'], message: /--source ::1: it must be an address of ipv4/u},
	{given: ['--from', 'app', '--to', 'pod:80', '--proto', 'sctp'], message: /--proto sctp: it must be tcp or udp/u},
	{given: ['--from', 'remote', '--to', 'istiod:15012'], message: /from remote to istiod:15012 does not enter the pod[\s\S]*--to pod:15012/u},
	{given: ['--from', 'prometheus', '--to', 'localhost:80'], message: /does not enter the pod/u},
	{given: ['--from', 'app', '--to', 'pod:80', '--uid', 'root'], message: /--uid.*whole number from 0/u},
	{given: ['--from', 'proxy', '--to', 'pod:80', '--uid', '1', '--proxy-uid', '2'], message: /The sender is the proxy, so --uid or --gid conflicts with --proxy-uid[\s\S]*Use one or the other/u},
	{given: ['--from', 'app', '--to', 'pod:80', '--backend', 'all'], message: /A probe runs on one back end, but --backend names 3/u},
	{given: ['--from', 'app', '--to', 'pod:80', '--rules', 'release:all'], message: /names \d+ rule sets, but only one can be used here/u},
	{given: ['--from', 'app', '--to', 'pod:80', '--mark', '0x1ffffffff'], message: /--mark.*whole number from 0/u},
	{given: ['--from', 'app', '--to', 'pod:80', '--bind-device', 'a b'], message: /--bind-device a b: it must be lo or eth0/u},
	{given: ['--from', 'app', '--to', 'remote:80', '--bind-device', 'nowhere0'], message: /--bind-device nowhere0: it must be lo or eth0/u},
	{given: ['--from', 'app', '--to', 'remote:80', '--source', '192.0.2.1'], message: /--source 192\.0\.2\.1: app has no such address\. Its IPv4 addresses are 10\.244\.1\.10, 127\.0\.0\.0\/8\./u},
];

test('wrong uses: status 2, the message on stderr, nothing on stdout', async t => {
	const queue = [...mistakes];
	const work = async (): Promise<void> => {
		for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
			const {given, message} = next;
			const {exitCode, stdout, stderr} = await testbed(['probe', ...given]); // eslint-disable-line no-await-in-loop -- One after the other.
			const title = given.join(' ');
			t.is(exitCode, 2, `${title}\n${stderr}`);
			t.is(stdout, '', title);
			t.regex(stderr, message, title);
			t.notRegex(stderr, /^\s+at /mu, `${title}: a stack is no message`);
		}
	};

	await Promise.all([work(), work()]);
});

/** Rules that ask for a mark and for the device by which a packet leaves. */
const marked = `*nat
:OUTPUT ACCEPT [0:0]
-A OUTPUT -m mark --mark 0x539 -j RETURN
-A OUTPUT -o lo -j RETURN
-A OUTPUT -p tcp -j REDIRECT --to-ports 15001
COMMIT
`;

test('--mark and --bind-device: the rules for these decide, and the explanation has both values', async t => {
	const input = {input: marked};
	const ends = await Promise.all([[], ['--mark', '1337'], ['--mark', '0x538'], ['--mark', '1337', '--bind-device', 'eth0']].map(async given => {
		const {exitCode, stdout, stderr} = await testbed(['probe', '--to', 'remote:8080', '--rules', '-', '--format', 'json', ...given], input);
		t.is(exitCode, 0, stderr);
		return JSON.parse(stdout) as Answer;
	}));
	t.deepEqual(ends.map(({stops, contradictions, gaps}) => [stops[0], contradictions, gaps]), ['proxy:15001', 'remote:8080', 'proxy:15001', 'remote:8080'].map(stop => [stop, [], []]));
	const [first] = ends[2]!.legs[0]!.asked.flatMap(({rules}) => rules);
	t.deepEqual(first?.['failed'], {match: '--mark 0x539', packet: 'the mark is 0x538'});
	const bound = await testbed(['probe', '--to', 'localhost:8080', '--rules', '-', '--bind-device', 'lo'], input);
	t.is(bound.exitCode, 0, bound.stdout);
	t.regex(bound.stdout, /bound to lo/u);
	t.regex(bound.stdout, /OUTPUT#2 +✓ -o lo -j RETURN/u);
});

test('status 3 for lost events; a packet from an address of another host is answered', async t => {
	const [lost, foreign] = await Promise.all([
		testbed(['probe', '--from', 'app', '--to', 'remote:8080', '--trace-buffer', '1']),
		testbed(['probe', '--from', 'remote', '--to', 'pod:8080', '--source', '192.0.2.1', '--format', 'json']),
	]);
	t.is(lost.exitCode, 3, lost.stdout);
	t.regex(lost.stdout, /gap +lost-events:[\s\S]*Exit status 3/u);
	t.is(foreign.exitCode, 0, foreign.stdout);
	t.like(JSON.parse(foreign.stdout), {outcome: 'answered', stops: ['proxy:15006', 'app:8080']});
});

test('interrupted while it waits: status 130, and nothing is left', async t => {
	await using running = await WatchedRun.start(['probe', '--from', 'agent', '--to', 'istiod:15012', '--rules', '-', '--timeout', '120000'], {input: waitingDump()});
	await running.says(/sending 1 probe /u);
	t.is(running.noteNamespaces(), 2);
	running.process.kill('SIGINT');
	const {exitCode, stderr} = await running.process;
	t.is(exitCode, 130, String(stderr));
	await t.notThrowsAsync(running.nothingLeft());
});

test('dropped: the answer names the rule', async t => {
	const dump = `${defaultDump()}*filter\n:OUTPUT ACCEPT\n-A OUTPUT -p tcp -m tcp --dport 9 -j RETURN\n-A OUTPUT -p tcp -m tcp --dport 15012 -j DROP\nCOMMIT\n`;
	const {exitCode, stdout} = await testbed(['probe', '--from', 'agent', '--to', 'istiod:15012', '--rules', '-', '--timeout', '500'], {input: dump});
	t.is(exitCode, 0, stdout);
	t.regex(stdout, /filter:OUTPUT#1 +✗ --dport 9: the port is 15012/u);
	t.regex(stdout, /filter:OUTPUT#2 +✓ -p tcp -m tcp --dport 15012 -j DROP\n +Decides\. It drops it\./u);
	t.regex(stdout, /→ dropped by filter:OUTPUT#2/u);
});
