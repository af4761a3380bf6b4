/**
`testbed diff` on the kernel: pairs with a known difference (Istio's own history, back ends, edited dumps), equal pairs and how they are reported, doubts, mistakes, and the commands that it prints.
*/

import {readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {dir} from 'tmp-promise';
import {testbed} from './_cli.js';
import {
	diffJson, replay, sentenceOf, type JsonDiff,
} from './_diff.js';

const hairpin = 'TCP from user 1337 with source any address but 127.0.0.6 to the pod\'s own address, any loopback address but 127.0.0.1';
const hairpin6 = 'TCP from user 1337 with source any address but ::6 to the pod\'s own address, ::6';

/** Two inputs, what moved, and the roles of the rules that are the reason. */
const history: ReadonlyArray<{readonly given: readonly string[]; readonly moved: readonly string[]; readonly roles: readonly string[]}> = [
	{
		given: ['release:1.12', 'release:1.13'],
		moved: ['elsewhere ipv4+ipv6 TCP into the pod, port 22: direct → proxy:15006 > direct'],
		roles: ['inbound-ssh'],
	},
	{
		given: ['release:1.13', 'release:1.12'],
		moved: ['bypass ipv4+ipv6 TCP into the pod, port 22: proxy:15006 > direct → direct'],
		roles: ['inbound-ssh'],
	},
	{
		given: ['release:1.17', 'release:1.18'],
		moved: [`bypass ipv4 ${hairpin}, port 15008: proxy:15006 > direct → direct`, `bypass ipv6 ${hairpin6}, port 15008: proxy:15006 > direct → direct`],
		roles: ['hairpin-by-uid', 'hairpin-by-uid'],
	},
	{
		given: ['release:1.6', 'release:1.7'],
		moved: ['bypass ipv4+ipv6 TCP into the pod, port 15008: proxy:15006 > direct → direct'],
		roles: ['inbound-tunnel-port'],
	},
	{
		given: ['release:1.5', 'release:1.6'],
		moved: ['bypass ipv4+ipv6 TCP into the pod, port 15021: proxy:15006 > direct > direct → direct > direct'],
		roles: ['inbound-port-exclude'],
	},
	{given: ['release:1.24', 'release:1.25'], moved: [], roles: []},
	{
		given: ['release:1.24', 'release:1.25', '--paths'],
		moved: ['path ipv4+ipv6 UDP: direct → direct'],
		roles: ['outbound-jump'],
	},
	{given: ['release:1.22 --redirect-dns', 'release:1.23 --redirect-dns'], moved: [], roles: []},
	{given: ['release:1.24 --redirect-dns', 'release:1.25 --redirect-dns'], moved: [], roles: []},
	{given: ['release:1.19 --redirect-dns', 'release:1.20 --redirect-dns'], moved: [], roles: []},
	{
		// The zone of answers; stops are the same, because the answer is told by its connection.
		given: ['release:1.19 --redirect-dns', 'release:1.20 --redirect-dns', '--paths'],
		moved: ['path ipv4 UDP into the pod with source 10.96.0.10, source port 53: direct → direct'],
		roles: ['dns-zone-answer'],
	},
	{
		given: ['release:1.30 -u 1337', 'release:1.30 -u 64535,1337', '--family', 'ipv4'],
		moved: [
			`bypass ipv4 ${hairpin}, any port but 15008: proxy:15006 > direct → direct`,
			'bypass ipv4 TCP from user 64535 and any group but 1337 to any other host: proxy:15001 > direct → direct',
			'bypass ipv4 TCP from any user but 1337, 64535 and group 64535 to any other host: proxy:15001 > direct → direct',
			`elsewhere ipv4 ${hairpin.replace('1337', '64535')}, any port but 15008: direct → proxy:15006 > direct`,
		],
		roles: ['loopback-not-proxy-uid', 'proxy-uid-bypass', 'proxy-gid-bypass', 'hairpin-by-uid'],
	},
];

/** Rule sets of which both back ends of a pair must do the same. */
const counterparts: ReadonlyArray<readonly [source: string, backends: string]> = [
	...['release:1.12', 'release:1.17', 'release:1.24', 'release:1.30', 'release:1.30 --redirect-dns', 'release:1.30 -m TPROXY'].map(source => [source, 'iptables-nft,iptables-legacy'] as const),
	...['1.27', '1.28', '1.29', '1.30', '1.31'].flatMap(version => ['', ' --redirect-dns', ' -m TPROXY'].map(options => [`release:${version}${options}`, 'iptables-nft,nftables'] as const)),
];

/** Two at a time: a comparison already has two jobs, and spends most of its time starting programs. */
async function each<Item>(items: readonly Item[], act: (item: Item) => Promise<void>): Promise<void> {
	const queue = [...items];
	const worker = async (): Promise<void> => {
		for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
			await act(item); // eslint-disable-line no-await-in-loop -- A lane does one after the other.
		}
	};

	await Promise.all([worker(), worker()]);
}

function isAbout(t: ExecutionContext, diff: JsonDiff, title: string): void {
	t.deepEqual(diff.gaps, [], title);
	t.true(diff.summary.classes > 10 && diff.summary.probes >= diff.summary.classes, title);
}

test('history: the traffic that moved from release to release, and the rule that caused it', async t => {
	await each(history, async ({given, moved, roles}) => {
		const {exitCode, diff} = await diffJson(given);
		const title = given.join(' ');
		t.deepEqual(diff.moved.map(move => sentenceOf(move)), moved, title);
		t.deepEqual(diff.moved.map(({because: {text}}) => text.split(' ')[1]), roles, title);
		t.is(exitCode, moved.length === 0 ? 0 : 1, title);
		t.is(diff.outcome, moved.length === 0 ? 'equal' : 'moved', title);
		isAbout(t, diff, title);
	});
});

test('DNS capture: UDP and TCP queries to the resolver reach the agent', async t => {
	const {exitCode, diff} = await diffJson(['release:1.30', 'release:1.30 --redirect-dns']);
	const sentences = diff.moved.map(move => sentenceOf(move));
	const app = 'from any user but 1337 and any group but 1337 to 10.96.0.10, port 53';
	t.true(sentences.includes(`elsewhere ipv4 UDP ${app}: direct → agent:15053 > direct`), sentences.join('\n'));
	t.true(sentences.includes(`elsewhere ipv4 TCP ${app}: proxy:15001 > direct → agent:15053 > direct`), sentences.join('\n'));
	// Two classes, one of them from the agent's port: the other is the example, with a plain command.
	t.true(diff.moved.every(({replay: {from, to}}) => !from.includes('--batch') && !to.includes('--batch')));
	t.true(sentences.every(sentence => sentence.includes('port 53')), sentences.join('\n'));
	t.true(diff.compared.some(({fields}) => fields.includes('source-port')));
	t.is(exitCode, 1);
	isAbout(t, diff, 'DNS');
});

test('back ends: the same rules send the same traffic to the same places', async t => {
	await each(counterparts, async ([source, backends]) => {
		const {exitCode, diff} = await diffJson([source, source, '--backend', backends]);
		const title = `${source} on ${backends}`;
		t.deepEqual([exitCode, diff.outcome, diff.moved.map(move => sentenceOf(move))], [0, 'equal', []], title);
		t.deepEqual([diff.from['backend'], diff.to['backend']], backends.split(','), title);
		isAbout(t, diff, title);
	});
});

test('every command that is printed shows the difference that it is printed for', async t => {
	const pairs = [
		['release:1.12', 'release:1.13'],
		['release:1.17', 'release:1.18', '--backend', 'iptables-legacy,iptables-nft'],
		['release:1.24', 'release:1.25', '--paths'],
		['release:1.19 --redirect-dns', 'release:1.20 --redirect-dns', '--paths'],
		['release:1.30', 'release:1.30 --redirect-dns', '--family', 'ipv4'],
		['release:1.30 -u 1337', 'release:1.30 -u 64535,1337', '--family', 'ipv6'],
		// A different proxy than these rules would have by default, and other servers.
		['release:1.22', 'release:1.22 -m TPROXY', '--family', 'ipv4'],
		['release:1.30', 'release:1.30 --redirect-dns', '--family', 'ipv4', '--dns-servers', '10.96.0.53,10.96.0.54'],
	];
	const moves: Array<{readonly command: string; readonly port: number; readonly wanted: readonly string[]}> = [];
	await each(pairs, async given => {
		const {diff} = await diffJson(given);
		t.true(diff.moved.length > 0, given.join(' '));
		// A single probe cannot be invalid; and one whose answer is lost times out, which proves nothing.
		moves.push(...diff.moved.filter(({witness: {packet}, was, is}) => packet === 'first' && [...was, ...is].every(arrival => !arrival.endsWith('does not come back'))).slice(0, 5).flatMap(({replay: {from, to}, was, is, witness: {destination: {port}}}) => [{command: from, port, wanted: was}, {command: to, port, wanted: is}]));
	});
	await each(moves, async ({command, port, wanted}) => {
		t.deepEqual(await replay(command, port), wanted, command);
	});
});

/** The dump of a default sidecar, with some lines edited. */
async function edited(folder: string, edit: (lines: readonly string[]) => readonly string[]): Promise<readonly [before: string, after: string]> {
	const {stdout} = await testbed(['rules', 'release:1.30', '--family', 'ipv4']);
	const [before, after] = [path.join(folder, 'before.rules'), path.join(folder, 'after.rules')];
	writeFileSync(before, stdout);
	writeFileSync(after, edit(stdout.split('\n')).join('\n'));
	return [before, after];
}

async function inFolder(act: (folder: string) => Promise<void>): Promise<void> {
	const folder = await dir({prefix: 'testbed-diff-', unsafeCleanup: true});
	try {
		await act(folder.path);
	} finally {
		await folder.cleanup();
	}
}

/** The place of the only line that holds a text. */
function placeOf(lines: readonly string[], text: string): number {
	const places = lines.flatMap((line, place) => line.includes(text) ? [place] : []);
	if (places.length !== 1) {
		throw new Error(`${places.length} lines hold ${text}:\n${lines.join('\n')}`);
	}

	return places[0]!;
}

test('a rule moved without effect: equal, with the number of things compared', async t => {
	await inFolder(async folder => {
		const [before, after] = await edited(folder, lines => {
			const [first, second] = [placeOf(lines, '--dport 15090 -j RETURN'), placeOf(lines, '--dport 15021 -j RETURN')];
			return lines.with(first, lines[second]!).with(second, lines[first]!);
		});
		t.not(readFileSync(before, 'utf8'), readFileSync(after, 'utf8'));
		const {exitCode, stdout} = await testbed(['diff', before, after, '--family', 'ipv4']);
		t.is(exitCode, 0, stdout);
		const {diff} = await diffJson([before, after, '--family', 'ipv4']);
		const said = stdout.replaceAll(/\s+/gu, ' ');
		const {classes, probes} = diff.summary;
		t.true(said.includes(`✔ Equal: every packet class takes the same path. Compared: ${classes} packet classes in IPv4, ${probes} probes on each side, over every field that a rule looks at (protocol, source address, destination address, destination port, user, group).`), said);
	});
});

test('connections that the proxy opens to its own ports are classes of their own and can move, even if no rule names these ports', async t => {
	await inFolder(async folder => {
		const [plain, after] = await edited(folder, lines => {
			const bare = lines.filter(line => !/--dport 150(?:90|21|20) -j RETURN/u.test(line));
			return bare.with(placeOf(bare, '-s 127.0.0.6/32 -o lo'), `-A ISTIO_OUTPUT -d 127.0.0.1/32 -p tcp -m tcp --dport 15000 -m owner --uid-owner 1337 -j REDIRECT --to-ports 9\n${bare[placeOf(bare, '-s 127.0.0.6/32 -o lo')]!}`);
		});
		const before = path.join(folder, 'bare.rules');
		writeFileSync(before, readFileSync(plain, 'utf8').split('\n').filter(line => !/--dport 150(?:90|21|20) -j RETURN/u.test(line)).join('\n'));
		t.false(readFileSync(after, 'utf8').includes('15090'));
		const {diff} = await diffJson([before, after]);
		t.deepEqual(diff.moved.map(move => sentenceOf(move)), ['127.0.0.6', 'any address but 127.0.0.6'].map(source => `lost ipv4 TCP from user 1337 with source ${source} to 127.0.0.1, port 15000: direct → port 9, where nobody listens`));
		t.deepEqual(diff.gaps, []);
	});
});

test('a deleted rule is reported as deleted, with its traffic', async t => {
	await inFolder(async folder => {
		const [before, after] = await edited(folder, lines => lines.filter(line => !line.includes('--dport 15021 -j RETURN')));
		const {exitCode, diff} = await diffJson([before, after, '--family', 'ipv4']);
		t.is(exitCode, 1);
		t.deepEqual(diff.moved.map(move => [sentenceOf(move), move.because.kind]), [['elsewhere ipv4 TCP into the pod, port 15021: direct > direct → proxy:15006 > direct > direct', 'removed']]);
		t.regex(diff.moved[0]!.because.text, /^ISTIO_INBOUND#\d+ inbound-port-exclude is gone$/u);
		for (const side of ['from', 'to'] as const) {
			t.deepEqual(await replay(diff.moved[0]!.replay[side], 15_021), side === 'from' ? diff.moved[0]!.was : diff.moved[0]!.is); // eslint-disable-line no-await-in-loop -- Two.
		}
	});
});

test('- is standard input, on either side', async t => {
	await inFolder(async folder => {
		const [before, after] = await edited(folder, lines => lines.filter(line => !line.includes('--dport 15021 -j RETURN')));
		const input = readFileSync(after, 'utf8');
		const [second, first] = await Promise.all([
			diffJson([before, '-', '--family', 'ipv4'], {input}),
			diffJson(['-', before, '--family', 'ipv4'], {input}),
		]);
		t.is(second.diff.to['source'], '-');
		t.deepEqual(second.diff.moved.map(move => sentenceOf(move)), ['elsewhere ipv4 TCP into the pod, port 15021: direct > direct → proxy:15006 > direct > direct']);
		t.deepEqual(first.diff.moved.map(move => sentenceOf(move)), ['bypass ipv4 TCP into the pod, port 15021: proxy:15006 > direct > direct → direct > direct']);
	});
});

test('a condition that is not understood: inconclusive, with the rule', async t => {
	await inFolder(async folder => {
		const opaque = '-A ISTIO_INBOUND -p tcp -m string --string "GET" --algo bm --to 65535 -j RETURN';
		const [, after] = await edited(folder, lines => lines.toSpliced(placeOf(lines, '-A ISTIO_INBOUND -p tcp -m tcp --dport 15008'), 0, opaque));
		const {exitCode, diff} = await diffJson([after, after, '--family', 'ipv4']);
		t.deepEqual([exitCode, diff.outcome, diff.moved], [3, 'inconclusive', []]);
		t.true(diff.gaps.some(({kind, message}) => kind === 'not-sent' && message.includes('nat ISTIO_INBOUND#1') && message.includes('string')), JSON.stringify(diff.gaps));
		const {stdout} = await testbed(['diff', after, after, '--family', 'ipv4']);
		t.regex(stdout, /\? Inconclusive: nothing moved in what could be compared, but there is a gap/u);
	});
});

test('a lost trace is inconclusive, and never reported as moved', async t => {
	const pairs = [
		['release:1.12', 'release:1.13', '--trace-buffer', '1'],
		['release:1.24', 'release:1.25', '--paths', '--trace-buffer', '1'],
		// Enough for part of the trace: one side may have what the other lost.
		['release:1.30', 'release:1.30', '--backend', 'iptables-nft,iptables-legacy', '--paths', '--trace-buffer', '4000'],
		['release:1.24', 'release:1.30', '--trace-buffer', '4000'],
	];
	for (const given of pairs) {
		const {exitCode, diff} = await diffJson(given); // eslint-disable-line no-await-in-loop -- Each fills its own buffer.
		t.deepEqual([exitCode, diff.outcome, diff.moved.map(move => sentenceOf(move))], [3, 'inconclusive', []], given.join(' '));
		t.true(diff.gaps.some(({kind}) => kind === 'lost-events'), given.join(' '));
	}
});

/** Arguments and what the message must say. All end with status 2. */
const mistakes: ReadonlyArray<{readonly given: readonly string[]; readonly message: RegExp}> = [
	{given: ['release:1.30', 'release:1.30', '--backend', 'all'], message: /diff compares two rule sets, but --backend names 3 back ends[\s\S]*Name one for both sides/u},
	{given: ['-', '-'], message: /Both sides cannot be read from standard input[\s\S]*Save one of them to a file/u},
	{given: ['release:1.30', '/nowhere/at/all.rules'], message: /The rules cannot be read: \/nowhere\/at\/all\.rules: no such file/u},
	{given: ['release:1.30', 'release:0.99'], message: /^testbed: release:0\.99: release 0\.99 is older than 1\.5/u},
	{given: ['release:1.30', 'release:1.26', '--backend', 'nftables'], message: /It writes no native nftables rules; the first release that does is 1\.27/u},
	{given: ['release:1.30', 'release:all'], message: /names \d+ rule sets, but only one can be used here/u},
	{given: ['release:1.30'], message: /diff compares two rule sets, but one was given\./u},
	{given: ['release:1.30', 'release:1.30', '--format', 'jnit'], message: /junit/u},
];

test('wrong uses: status 2, the message on stderr, nothing on stdout', async t => {
	await each(mistakes, async ({given, message}) => {
		const {exitCode, stdout, stderr} = await testbed(['diff', ...given], {input: ''});
		const title = given.join(' ');
		t.is(exitCode, 2, `${title}\n${stderr}`);
		t.is(stdout, '', title);
		t.regex(stderr, message, title);
	});
});

test('of a dump that cannot be read, the error is its own, whatever the family of the other', async t => {
	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	const [right, wrong] = [path.join(folder, 'right.rules'), path.join(folder, 'wrong.rules')];
	writeFileSync(right, '*nat\n:OUTPUT ACCEPT\n-A OUTPUT -d 10.0.0.1/32 -p tcp -j REDIRECT --to-ports 15001\nCOMMIT\n');
	writeFileSync(wrong, '*nat\n:OUTPUT ACCEPT\n-A OUTPUT -j NOWHERE\nCOMMIT\n');
	for (const sources of [[right, wrong], [wrong, right]]) {
		const {exitCode, stderr} = await testbed(['diff', ...sources]); // eslint-disable-line no-await-in-loop -- One after the other.
		t.is(exitCode, 2);
		t.regex(stderr, /wrong\.rules.*NOWHERE/u);
		t.notRegex(stderr, /IPv6/u);
	}

	await cleanup();
});

test('JSON: every documented key', async t => {
	const {diff} = await diffJson(['release:1.12', 'release:1.13', '--family', 'ipv4']);
	t.deepEqual(Object.keys(diff), ['version', 'environment', 'from', 'to', 'outcome', 'compared', 'moved', 'gaps', 'hints', 'summary', 'durationMs']);
	t.is(diff.version, 1);
	t.like(diff.from, {source: 'release:1.12', release: '1.12', backend: 'iptables-nft'});
	t.deepEqual(Object.keys(diff.moved[0]!), ['severity', 'families', 'traffic', 'was', 'is', 'because', 'classes', 'witness', 'replay']);
	t.like(diff.moved[0]!.witness, {
		kind: 'inner', origin: 'remote', family: 'ipv4', protocol: 'tcp', destination: {address: '10.244.1.10', port: 22},
	});
	t.like(diff.compared[0]!, {family: 'ipv4', classes: diff.summary.classes, probes: diff.summary.probes});
	t.deepEqual(diff.summary.moved, 1);
	t.true(diff.compared[0]!.leftOut.length > 0);
});

test('text: within the width, with the reason and both commands below each change; what is left out only with --verbose', async t => {
	const {exitCode, stdout} = await testbed(['diff', 'release:1.12', 'release:1.13']);
	t.is(exitCode, 1);
	t.true(stdout.split('\n').every(line => line.length <= 80 || line.startsWith('    bin/testbed probe ')));
	t.regex(stdout, /✖ TCP into the pod, port 22: was direct, is proxy:15006 > direct[\s\S]*because ISTIO_INBOUND#2 inbound-ssh is gone\n {2}count {3}2 packet classes\n {4}bin\/testbed probe --rules release:1\.12 [\s\S]*bin\/testbed probe --rules release:1\.13 /u);
	t.false(stdout.includes('left out'));
	const verbose = await testbed(['diff', 'release:1.12', 'release:1.13', '--verbose']);
	t.regex(verbose.stdout, /left out \d+ cannot occur: /u);
});
