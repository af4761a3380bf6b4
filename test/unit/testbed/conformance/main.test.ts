import process from 'node:process';
import {writeFile} from 'node:fs/promises';
import test from 'ava';
import {file as temporaryFile} from 'tmp-promise';
import {parseReleaseInput} from '../../../../src/istio/options/arguments.js';
import {sidecarRuleSet} from '../../../../src/istio/iptables/sidecar.js';
import {printSave} from '../../../../src/netfilter/iptables/save.js';
import {main} from '../../../../testbed/conformance/main.js';
import {
	backendOf, compareRun, printRun, type RealRun,
} from '../../../../src/istio/conformance/real-run.js';
import {readRealRuns} from '../../../helpers/istio-real.js';

async function writeTemporary(text: string): Promise<AsyncDisposable & {readonly path: string}> {
	const {path, cleanup} = await temporaryFile();
	await writeFile(path, text);
	return {path, [Symbol.asyncDispose]: cleanup};
}

/** A run of the newest release that succeeded. */
function plainRun(): RealRun {
	const run = readRealRuns('defaults').find(({release, family, argv}) => release === '1.30.3' && family === 'ipv4' && argv.includes('TPROXY'));
	if (run === undefined) {
		throw new Error('the fixtures have no such run');
	}

	return run;
}

// Each check is seen red: a run that differs in one thing is told to differ there.
for (const [title, change, place] of [
	['a rule is missing', {v4: plainRun().v4.replace('-A ISTIO_OUTPUT -j ISTIO_REDIRECT\n', '')}, 'ip nat ISTIO_OUTPUT'],
	['a value differs', {v4: plainRun().v4.replace('--to-ports 15001', '--to-ports 15002')}, 'ip nat ISTIO_REDIRECT'],
	['two rules change places', {v4: plainRun().v4.replace(/(-A ISTIO_DIVERT .*\n)(-A ISTIO_DIVERT .*\n)/, '$2$1')}, 'ip mangle ISTIO_DIVERT'],
	['a chain too many', {v4: plainRun().v4.replace('*nat', '*filter\n-A INPUT -j DROP\nCOMMIT\n*nat')}, 'ip filter INPUT'],
	['rules of IPv6 that nobody expects', {v6: plainRun().v4.replaceAll(/127\.0\.0\.\d\/32/g, '::1/128').replace('0.0.0.0', '::')}, 'ip6 mangle ISTIO_DIVERT'],
	['no ip rule', {rules4: []}, 'ip rule'],
	['an ip rule of IPv6', {rules6: ['32765:\tfrom all fwmark 0x539 lookup 133']}, 'ip -6 rule'],
	['no route', {routes4: ''}, 'ip route table 133'],
	['the program refused it', {rc: 1, error: 'no'}, 'refusal'],
	['only we refuse it', {argv: ['--nope']}, 'refusal'],
] as ReadonlyArray<readonly [string, Partial<RealRun>, string]>) {
	test(`a run differs: ${title}`, t => {
		const comparison = compareRun({...plainRun(), ...change});
		t.is(comparison.kind, 'different');
		t.is(comparison.kind === 'different' ? comparison.difference.place : '', place);
	});
}

test('a run that both refuse, a table without rules, and a native run', t => {
	t.deepEqual(compareRun({...plainRun(), argv: ['--nope'], rc: 1}), {kind: 'refused', ours: '--nope: unknown flag: --nope', theirs: 'exit status 1'});
	t.deepEqual(compareRun({...plainRun(), v4: `*filter\n:INPUT ACCEPT\nCOMMIT\n${plainRun().v4}`}), {kind: 'equal'});
	const native = {...plainRun(), argv: ['--native-nftables']};
	t.is(backendOf(native), 'nftables');
	t.is(compareRun(native).kind, 'different');
	t.is(backendOf(plainRun()), 'iptables');
	t.is(backendOf({...plainRun(), env: {NATIVE_NFTABLES: 'true'}}), 'nftables');
});

test('a run is printed in the form of the real ones', t => {
	for (const run of [...readRealRuns('defaults'), ...readRealRuns('random')].filter(({rc, v4, v6}) => rc === 0 && !v4.includes('*filter') && !v6.includes('*filter'))) {
		const {v4, v6, nft, rules4, rules6} = run;
		t.deepEqual(printRun(run), {
			v4, v6: v6.split('\n').some(line => line.startsWith('-A')) ? v6 : '', nft, rules4, rules6, error: '',
		});
	}
});

test('policy rules are printed as ip prints them', t => {
	t.deepEqual(printRun({...plainRun(), argv: ['-m', 'TPROXY', '-b', '*', '-t', '5', '-r', '254']}).rules4, ['32765:\tfrom all fwmark 0x5 lookup main']);
	t.deepEqual(printRun({...plainRun(), argv: ['-m', 'TPROXY', '-b', '*', '-t', '0']}).rules4, []);
});

test('a refused run is printed with the reason', t => {
	t.regex(printRun({...plainRun(), release: '1.10.6', argv: ['--capture-all-dns']}).error, /^--capture-all-dns: unknown flag: --capture-all-dns/);
	t.regex(printRun({...plainRun(), argv: ['--native-nftables', '-b', '9000:9010']}).error, /^nft rejects rule 2 of chain istio-inbound/);
	t.is(printRun({...plainRun(), release: '1.4'}).v4, '');
});

async function runMain(argv: readonly string[]): Promise<{readonly status: number; readonly output: string; readonly errors: string}> {
	const written = {output: '', errors: ''};
	const {write: writeOut} = process.stdout;
	const {write: writeError} = process.stderr;
	process.stdout.write = ((text: string, done?: () => void) => {
		written.output += text;
		done?.();
		return true;
	}) as typeof process.stdout.write;

	process.stderr.write = (text: string | Uint8Array) => {
		written.errors += String(text);
		return true;
	};

	try {
		return {status: await main(argv), ...written};
	} finally {
		process.stdout.write = writeOut;
		process.stderr.write = writeError;
	}
}

test.serial('without files it compares the shipped runs, and none differs', async t => {
	const {status, output} = await runMain([]);
	t.is(status, 0);
	t.regex(output, /^release +back end +compared +equal +different +refused alike\n1\.10\.6 +iptables +16 +14 +0 +2\n/);
	t.regex(output, /\n1\.30\.3 +nftables +30 +29 +0 +1\n1\.31\.0 +iptables +28 +28 +0 +0\n1\.31\.0 +nftables +10 +9 +0 +1\ngoldens +cni-iptables +14 +14 +0 +0\ngoldens +cni-nftables +14 +14 +0 +0\ngoldens +iptables +22 +22 +0 +0\ngoldens +nftables +23 +23 +0 +0\nall +497 +493 +0 +4\n\n/);
	// Those that both refuse are named, with both reasons.
	t.is(output.match(/^\S+:\d+ {2}\S+ \S+, refused by both:$/gmu)?.length, 4);
	t.regex(output, /\ndefaults\.jsonl:5 {2}1\.10\.6 ipv4, refused by both:\n {4}ours {2}--capture-all-dns: unknown flag: --capture-all-dns.*\n {4}real {2}Error: unknown flag: --capture-all-dns\n/u);
});

test.serial('a difference is named and makes the status 1', async t => {
	await using file = await writeTemporary(`${JSON.stringify({...plainRun(), v4: plainRun().v4.replace('--to-ports 15001', '--to-ports 15002')})}\n`);
	const {status, output} = await runMain([file.path]);
	t.is(status, 1);
	t.regex(output, /:1 {2}1\.30\.3 ipv4 .*\n {2}ip nat ISTIO_REDIRECT, first difference at 1:\n {4}ours {2}-p tcp -j REDIRECT --to-ports 15001\n {4}real {2}-p tcp -j REDIRECT --to-ports 15002\n/);
});

test.serial('--print writes a line for each line, without results in the input', async t => {
	await using file = await writeTemporary('{"release":"1.30","family":"ipv4","argv":["-b","*","-i","*"]}\n\n{"release":"1.30","family":"dual","argv":["--nope"],"env":{},"resolv":[]}\n');
	const {status, output} = await runMain(['--print', file.path]);
	t.is(status, 0);
	const lines = output.trimEnd().split('\n').map(line => JSON.parse(line) as Readonly<Record<string, unknown>>);
	const {release, options} = parseReleaseInput('release:1.30 -d ""');
	t.deepEqual(lines, [
		{
			v4: printSave(sidecarRuleSet(release, options, ['ipv4']), 'ipv4').trimEnd(), v6: '', nft: '', rules4: [], rules6: [], error: '',
		},
		{
			v4: '', v6: '', nft: '', rules4: [], rules6: [], error: '--nope: unknown flag: --nope',
		},
	]);
});

for (const [title, text, message] of [
	['no JSON', 'nonsense\n', /:1 is not JSON: /],
	['no run', '{"release":"1.30"}\n', /:1 is not a run: it needs release, family/],
	['no result', '{"release":"1.30","family":"ipv4","argv":[]}\n', /:1 has no result to compare with/],
] as const) {
	test.serial(`a file with ${title} is refused`, async t => {
		await using file = await writeTemporary(text);
		const {status, errors} = await runMain([file.path]);
		t.is(status, 2);
		t.regex(errors, message);
	});
}

test.serial('a file that is not there, and a directory', async t => {
	for (const [name, message] of [['/nowhere.jsonl', /The runs in \/nowhere\.jsonl cannot be read: ENOENT/], ['/', /cannot be read: it is a directory/]] as const) {
		const {status, errors} = await runMain([name]); // eslint-disable-line no-await-in-loop -- Both write to the same streams.
		t.is(status, 2);
		t.regex(errors, message);
	}
});

test.serial('an unknown option is a usage error', async t => {
	const {status} = await runMain(['--nope']);
	t.is(status, 2);
});

test.serial('a reader that goes away ends it without a word', async t => {
	const {write: writeOut} = process.stdout;
	process.stdout.write = ((_text: string, done?: (error: Error) => void) => {
		done?.(Object.assign(new Error('write EPIPE'), {code: 'EPIPE'}));
		return true;
	}) as typeof process.stdout.write;
	try {
		t.is(await main(['--print']), 0);
	} finally {
		process.stdout.write = writeOut;
	}
});
