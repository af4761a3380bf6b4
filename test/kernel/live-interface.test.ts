/**
The interface of a live pod has its own name in the sandbox, so rules that name an interface do there what they do in the pod. The pod of these tests has net1.
*/

import {writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import test from 'ava';
import {execa} from 'execa';
import {dir} from 'tmp-promise';
import type {Backend} from '../../src/netfilter/types.js';
import {searchPath} from '../../testbed/system/commands.js';
import {testbed} from './_cli.js';
import {json, LivePodProcess, rulesOfInput, type PodRules} from './_live-pod.js';

/** The parts of a probe's JSON that these tests use. */
type JsonProbe = {readonly probe: {readonly bindDevice: string | null}};

/** Rules that redirect what comes in over one interface, with the rules of a release behind them. */
function rulesFor(backend: Backend, device: string): readonly PodRules[] {
	if (backend === 'nftables') {
		return [{
			program: ['nft', '-f', '-'], input: `table inet capture {
	chain prerouting {
		type nat hook prerouting priority -100; policy accept;
		iifname "${device}" meta l4proto tcp counter redirect to :15006
	}
	chain output {
		type nat hook output priority -100; policy accept;
		oifname != "lo" meta l4proto tcp meta skuid != 1337 counter redirect to :15001
	}
}
`,
		}];
	}

	return [{
		program: [`${backend}-restore`], input: `*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -i ${device} -p tcp -j REDIRECT --to-ports 15006
-A OUTPUT ! -o lo -p tcp -m owner ! --uid-owner 1337 -j REDIRECT --to-ports 15001
COMMIT
`,
	}];
}

/** What the pod's own kernel does with a connection that reaches it over its interface: how often the rule for incoming ones matched. The other end of the interface goes into a namespace of its own, from where the connection comes. */
async function matchesInPod(pod: LivePodProcess, backend: Backend): Promise<number> {
	const outside = execa('unshare', ['--net', 'sh', '-c', 'echo ready; exec sleep 60'], {reject: false});
	try {
		await new Promise(resolve => {
			outside.stdout.once('data', resolve);
		});
		await pod.shell(`ip link set peer1 netns ${outside.pid!}`);
		const connect = 'require("node:net").connect(8080, "10.7.7.7").on("connect", function () { this.destroy(); })';
		await execa('nsenter', [`--net=/proc/${outside.pid!}/ns/net`, 'sh', '-c', 'ip link set lo up; ip address add 10.7.7.8/24 dev peer1; ip link set peer1 up; exec "$@"', 'sh', process.execPath, '-e', connect], {env: {PATH: searchPath}});
	} finally {
		outside.kill();
		await outside;
	}

	return countIn(await listingOf(pod, backend));
}

async function listingOf(pod: LivePodProcess, backend: Backend): Promise<string> {
	return pod.shell(backend === 'iptables-legacy' ? 'iptables-legacy-save -c -t nat' : 'nft list ruleset');
}

/** The packets that the rule for incoming connections has counted. */
function countIn(listing: string): number {
	const {legacy, nft} = /^\[(?<legacy>\d+):\d+\] -A PREROUTING|iifname "[^"]+".* packets (?<nft>\d+)/mu.exec(listing)!.groups!;
	return Number(legacy ?? nft);
}

for (const backend of ['iptables-nft', 'iptables-legacy', 'nftables'] as const) {
	test.serial(`${backend}: rules that name the pod's interface, and rules that name eth0, which it does not have`, async t => {
		for (const [device, isCaptured] of [['net1', true], ['eth0', false]] as const) {
			await using pod = await LivePodProcess.start({rules: rulesFor(backend, device)}); // eslint-disable-line no-await-in-loop -- One after the other.
			const {exitCode, stdout, stderr} = await testbed(['probe', '--rules', `pid:${pod.pid}`, '--from', 'remote', '--to', 'pod:8080']); // eslint-disable-line no-await-in-loop -- One after the other.
			t.is(exitCode, 0, stderr);
			t.is(stdout.includes('✔ remote → proxy:15006 → app:8080'), isCaptured, stdout);
			t.is(stdout.includes('✔ remote → app:8080'), !isCaptured, stdout);
			const out = await testbed(['probe', '--rules', `pid:${pod.pid}`, '--to', 'remote:8080', '--verbose']); // eslint-disable-line no-await-in-loop -- One after the other.
			t.is(out.exitCode, 0, out.stderr);
			t.regex(out.stdout, /✔ app → proxy:15001 → remote:8080/u);
			t.is(countIn(await listingOf(pod, backend)), 0, 'nothing was sent in the pod'); // eslint-disable-line no-await-in-loop -- One after the other.
			t.is(await matchesInPod(pod, backend), isCaptured ? 1 : 0); // eslint-disable-line no-await-in-loop -- One after the other.
		}
	});
}

test.serial('rules that exclude the pod\'s interface capture nothing that crosses it, and rules that exclude another one do', async t => {
	await using pod = await LivePodProcess.start({rules: rulesOfInput('release:1.24 -c net1', 'iptables-nft'), isDual: true});
	const excluded = await testbed(['run', '--rules', `pid:${pod.pid}`, '--family', 'both', '--types', '1,2']);
	t.is(excluded.exitCode, 1, 'the intent of a sidecar is to capture it');
	t.regex(excluded.stdout, /remote → app:8080/u);
	t.regex(excluded.stdout, /-o net1 -j RETURN/u);
	await using other = await LivePodProcess.start({rules: rulesOfInput('release:1.24 -c eth0', 'iptables-nft'), isDual: true});
	const captured = await testbed(['run', '--rules', `pid:${other.pid}`, '--family', 'both', '--types', '1,2']);
	t.is(captured.exitCode, 0, `${captured.stdout}${captured.stderr}`);
	t.regex(captured.stdout, /remote → proxy:15006 → app:8080/u);
});

test.serial('eth0 as the device of a socket means the pod\'s interface, whatever its name', async t => {
	await using pod = await LivePodProcess.start({rules: rulesOfInput('release:1.24', 'iptables-nft'), isDual: true});
	const {exitCode, report, stderr} = await json<JsonProbe>(['probe', '--rules', `pid:${pod.pid}`, '--to', 'remote:8080', '--bind-device', 'eth0']);
	t.is(exitCode, 0, stderr);
	t.is(report.probe.bindDevice, 'net1');
	const {stdout} = await testbed(['probe', '--rules', `pid:${pod.pid}`, '--to', 'remote:8080', '--verbose']);
	t.regex(stdout, /out net1/u);
	t.notRegex(stdout, /eth0/u);
});

test.serial('a recording of such a run replays', async t => {
	const folder = await dir({prefix: 'interface-', unsafeCleanup: true});
	t.teardown(folder.cleanup);
	await using pod = await LivePodProcess.start({rules: rulesOfInput('release:1.24 -c net1', 'iptables-nft')});
	const file = path.join(folder.path, 'run.testbed');
	const run = await testbed(['run', '--rules', `pid:${pod.pid}`, '--record', file]);
	t.is(run.exitCode, 1, run.stderr);
	const replayed = await testbed(['replay', file]);
	t.is(replayed.exitCode, 1, replayed.stderr);
	const withoutTime = (text: string): string => text.replaceAll(/in \d+ ms|\(\d+ ms\)/gu, '');
	t.is(withoutTime(replayed.stdout).split('\n').filter(line => line.includes('→')).join('\n'), withoutTime(run.stdout).split('\n').filter(line => line.includes('→')).join('\n'));
});

test.serial('a scenario whose further interface has the name of the pod\'s own', async t => {
	const folder = await dir({prefix: 'interface-', unsafeCleanup: true});
	t.teardown(folder.cleanup);
	await using pod = await LivePodProcess.start({rules: rulesOfInput('release:1.24', 'iptables-nft')});
	const scenario = (name: string): string => `version: 1\nname: live\nabout: A further interface.\nrules: pid:${pod.pid}\ninterfaces:\n  ${name}:\n    namespace: lan\n    ipv4: {pod: 192.168.7.1/24, peer: 192.168.7.2}\nprobes:\n  - name: out\n    from: app\n    to: remote:8080\n    expect: {stops: [proxy:15001, remote:8080]}\n`;
	const file = path.join(folder.path, 'live.yaml');
	writeFileSync(file, scenario('net1'));
	const refused = await testbed(['run', file, '--allow-outside', '--backend', 'iptables-nft']);
	t.is(refused.exitCode, 2, refused.stderr);
	t.regex(refused.stderr, /net1 is the name of the live pod's own interface/u);
	writeFileSync(file, scenario('net2'));
	const accepted = await testbed(['run', file, '--allow-outside', '--backend', 'iptables-nft']);
	t.is(accepted.exitCode, 0, `${accepted.stdout}${accepted.stderr}`);
});
