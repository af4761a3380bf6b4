/**
Pods of a cluster: the API server is one of the tests, everything else is real. The client library reads the pod, and the debug container's commands run in the namespace of a pod with real rules.
*/

import {readFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import {dir} from 'tmp-promise';
import type {Backend} from '../../src/netfilter/types.js';
import type {LoadedRules} from '../../testbed/library/rules.js';
import {searchPath} from '../../testbed/system/commands.js';
import {partsOf, podScript} from '../../testbed/kubernetes/pod-script.js';
import {
	ApiServer, podOf, entryOf, withoutConfig, type ApiServerSettings,
} from '../helpers/api-server.js';
import {isLeftOut} from '../helpers/left-out.js';
import {testbed, until, WatchedRun, type Ended} from './_cli.js';
import {
	dockerDns, json, LivePodProcess, rulesOfInput, type PodRules,
} from './_live-pod.js';
import {testbedAsUser} from './_user.js';

const name = 'shop/cart-6d9f7c5b44-x2x9k';
const source = `kubectl:${name}`;
const image = 'registry.example/tools:1';

/** A cluster with one pod: its server, and the options that lead to it. */
class Cluster implements AsyncDisposable {
	static async start(settings: ApiServerSettings = {}): Promise<Cluster> {
		const folder = await dir({prefix: 'kubectl-', unsafeCleanup: true});
		const server = await ApiServer.start({pods: [podOf('injected-1.24.yaml', {addresses: ['10.7.7.7', 'fd07::7']})], ...settings});
		server.writeConfig(path.join(folder.path, 'config'));
		return new Cluster(server, folder);
	}

	readonly server: ApiServer;
	readonly #folder: {readonly path: string; readonly cleanup: () => Promise<void>};

	private constructor(server: ApiServer, folder: {readonly path: string; readonly cleanup: () => Promise<void>}) {
		this.server = server;
		this.#folder = folder;
	}

	get config(): string {
		return path.join(this.#folder.path, 'config');
	}

	get options(): readonly string[] {
		return ['--kubeconfig', this.config];
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.server[Symbol.asyncDispose]();
		await this.#folder.cleanup();
	}
}

function needsClient(t: ExecutionContext): boolean {
	return isLeftOut(t, {tree: 'kubernetes'});
}

/** A text as one line. */
function joined({stdout, stderr}: Pick<Ended, 'stdout' | 'stderr'>): string {
	return `${stdout}\n${stderr}`.replaceAll(/\s+/gu, ' ');
}

test.serial('the manifest: the rules that the same file gives, the pod\'s addresses, and what was not looked at', async t => {
	if (needsClient(t)) {
		return;
	}

	await using cluster = await Cluster.start();
	const {exitCode, stdout, stderr} = await testbed(['rules', source, ...cluster.options], {env: withoutConfig});
	t.is(exitCode, 0, stderr);
	const ofFile = await testbed(['rules', 'pod:test/fixtures/pods/injected-1.24.yaml']);
	t.is(stdout, ofFile.stdout.replaceAll('pod:test/fixtures/pods/injected-1.24.yaml', source));
	t.regex(stderr, /Derived from the manifest of pod shop\/cart-6d9f7c5b44-x2x9k \(context kind\)\. Whether the pod has these rules was not looked at/u);
	const run = await testbed(['run', '--rules', source, '--family', 'both', '--types', '1,2', ...cluster.options], {env: withoutConfig});
	t.is(run.exitCode, 0, run.stderr);
	t.regex(run.stdout, /10\.244\.1\.20 → 10\.7\.7\.7:8080/u);
	t.regex(run.stdout, /→ \[fd07::7\]:8080/u);
	const probe = await testbed(['probe', '--rules', source, '--from', 'remote', '--to', '10.7.7.7:8080', ...cluster.options], {env: withoutConfig});
	t.is(probe.exitCode, 0, probe.stderr);
	t.regex(probe.stdout, /proxy:15006/u);
	t.deepEqual([...new Set(cluster.server.calls)], [`get pods ${name}`]);
});

test.serial('KUBECONFIG, a chosen context, a manifest without a sign of Istio, and options that go with nothing', async t => {
	if (needsClient(t)) {
		return;
	}

	const plain = podOf('injected-1.24.yaml', {addresses: ['10.7.7.7']});
	plain.spec = {containers: [{name: 'cart', image: 'cart:7'}]};
	plain.metadata = {name: 'plain', namespace: 'shop'};
	await using cluster = await Cluster.start({pods: [podOf('injected-1.24.yaml'), plain]});
	const env = {...withoutConfig, KUBECONFIG: cluster.config};
	const right = await testbed(['rules', source], {env});
	t.is(right.exitCode, 0, right.stderr);
	for (const [given, status, message] of [
		[['rules', source, '--context', 'other'], 3, /Nothing listens at the API server's address/u],
		[['rules', source, '--context', 'prod'], 3, /has no context prod/u],
		[['rules', 'kubectl:shop/plain'], 2, /has no sign of Istio/u],
		[['rules', 'kubectl:shop'], 2, /kubectl:shop is not the name of a pod/u],
		[['rules', 'kubectl:'], 2, /kubectl: names nothing/u],
		[['rules', 'release:1.24', '--context', 'kind'], 2, /--context works only with kubectl:NAMESPACE\/POD/u],
		[['rules', source, '--rules6', 'x'], 2, /works only with a dump/u],
		[['run', '--rules', source, '--watch'], 2, /is a live pod/u],
		[['diff', 'release:1.24', 'kubectl:shop/none'], 3, /There is no pod none in namespace shop/u],
	] as const) {
		const ended = await testbed(given, {env}); // eslint-disable-line no-await-in-loop -- One after the other.
		t.is(ended.exitCode, status, `${given.join(' ')}: ${ended.stderr}`);
		t.regex(ended.stderr, message);
		t.is(ended.stdout, '');
	}

	const without = await testbed(['rules', source], {env: {...env, KUBECONFIG: ''}});
	t.is(without.exitCode, 3);
	t.regex(without.stderr, /There is no kubeconfig: neither --kubeconfig nor KUBECONFIG is set/u);
	const unread = await testbed(['run', '--check', '--rules', 'kubectl:shop/none'], {env});
	t.is(unread.exitCode, 0, unread.stderr);
	t.regex(joined(unread), /kubectl:shop\/none holds: a live pod is read when the command runs/u);
});

for (const [input, backend] of [
	['release:1.24', 'iptables-nft'],
	['release:1.30 --redirect-dns', 'iptables-legacy'],
	['release:1.30', 'nftables'],
] as ReadonlyArray<readonly [string, Backend]>) {
	test.serial(`a debug container reads ${input} by ${backend} as a reader on the node does`, async t => {
		if (needsClient(t)) {
			return;
		}

		await using pod = await LivePodProcess.start({rules: rulesOfInput(input, backend), isDual: true, commands: ['ip rule add fwmark 1337 lookup 133', 'ip route add local default dev lo table 133']});
		await using cluster = await Cluster.start({enter: entryOf(pod.pid), protocols: backend === 'nftables' ? ['v4.channel.k8s.io'] : ['v5.channel.k8s.io']});
		const read = await loadElsewhere(source, {kubeconfig: cluster.config, debugImage: image});
		t.is(read.backend, backend);
		const onNode = await loadElsewhere(`pid:${pod.pid}`);
		t.regex(JSON.stringify(read.ruleSet), /istio.output/iu);
		t.deepEqual(read.ruleSet, onNode.ruleSet);
		t.deepEqual(read.routing, onNode.routing);
		t.deepEqual(read.families, onNode.families);
		t.deepEqual(read.topology, onNode.topology);
		t.deepEqual(read.live!.filled, [backend]);
		// The kernel is still checking the link's own address.
		const lastingOf = (from: typeof read) => from.live!.addresses.filter(({scope}) => scope !== 'link');
		t.deepEqual(lastingOf(read), lastingOf(onNode));
		t.deepEqual(read.live!.devices, onNode.live!.devices);
		t.deepEqual(read.live!.nameservers, ['10.96.0.10']);
		t.deepEqual(read.proxy, {uid: 1337, gid: 1337});
		const socketsOf = (from: typeof read) => from.live!.listeners.map(({protocol, address, port, uid}) => `${protocol} ${address} ${port} ${uid}`).toSorted();
		t.deepEqual(socketsOf(read), socketsOf(onNode));
		t.true(read.notes.some(note => /The debug container testbed-[\da-f]{8} stays in the pod's status until the pod is deleted/u.test(note)));
		t.deepEqual(cluster.server.containers.map(container => container['image']), [image]);
	});
}

/** Loads rules by the library in another process: loading waits, and the server of this one must answer meanwhile. */
async function loadElsewhere(input: string, choices: object = {}): Promise<Pick<LoadedRules, 'backend' | 'ruleSet' | 'routing' | 'families' | 'topology' | 'live' | 'proxy' | 'notes'>> {
	const program = 'const {loadRules} = await import(process.argv[1]); const {backend, ruleSet, routing, families, topology, live, proxy, notes} = loadRules(process.argv[2], JSON.parse(process.argv[3])); console.log(JSON.stringify({backend, ruleSet, routing, families, topology, live, proxy, notes}));';
	const {stdout} = await execa(process.execPath, ['--input-type=module', '--eval', program, path.resolve('dist/testbed/index.js'), input, JSON.stringify(choices)]);
	return JSON.parse(stdout) as LoadedRules;
}

/** Rules with counters, the network, and the modules. */
async function stateOf(pod: LivePodProcess): Promise<Readonly<Record<string, string>>> {
	return {
		nft: await pod.shell('nft -a list ruleset'),
		names: await pod.shell('cat /proc/net/ip_tables_names /proc/net/ip6_tables_names'),
		legacy: await pod.shell('for table in $(cat /proc/net/ip_tables_names); do iptables-legacy-save -c -t $table | grep -v "^#"; done; for table in $(cat /proc/net/ip6_tables_names); do ip6tables-legacy-save -c -t $table | grep -v "^#"; done'),
		network: await pod.shell('ip address; ip rule; ip -6 rule; ip route show table all; ip -6 route show table all'),
	};
}

test.serial('a debug container changes nothing, in any back end', async t => {
	if (needsClient(t)) {
		return;
	}

	await using pod = await LivePodProcess.start({rules: [...rulesOfInput('release:1.30', 'iptables-nft', ['ipv4']), ...rulesOfInput('release:1.30', 'nftables'), ...dockerDns]});
	await using cluster = await Cluster.start({enter: entryOf(pod.pid)});
	const before = await stateOf(pod);
	const {exitCode, stderr} = await testbed(['rules', source, '--backend', 'nftables', '--debug-image', image, ...cluster.options]);
	t.is(exitCode, 0, stderr);
	t.deepEqual(await stateOf(pod), before);
});

test.serial('a pod without rules: no table is made by looking, and the drift is named', async t => {
	if (needsClient(t)) {
		return;
	}

	await using pod = await LivePodProcess.start();
	await using cluster = await Cluster.start({enter: entryOf(pod.pid)});
	const before = await stateOf(pod);
	t.is(before['nft'], '');
	const {exitCode, report, stderr} = await json<{readonly drift: {readonly causes: ReadonlyArray<Readonly<Record<string, string>>>} | null}>(['diff', 'release:1.24', source, '--debug-image', image, ...cluster.options]);
	t.is(exitCode, 1, stderr);
	t.truthy(report.drift);
	t.deepEqual(await stateOf(pod), before);
});

test.serial('diff with what the manifest promises, two back ends, and rules of another release', async t => {
	if (needsClient(t)) {
		return;
	}

	const rules: readonly PodRules[] = rulesOfInput('release:1.24', 'iptables-nft', ['ipv4']);
	await using pod = await LivePodProcess.start({rules});
	await using cluster = await Cluster.start({enter: entryOf(pod.pid), pods: [podOf('injected-1.24.yaml', {addresses: ['10.7.7.7']})]});
	const given = [source, '--debug-image', image, ...cluster.options];
	const equal = await testbed(['diff', 'release:1.24', ...given]);
	t.is(equal.exitCode, 0, equal.stdout);
	t.regex(equal.stdout, /drift {3}None: the pod does with every packet what release:1\.24 does/u);
	const other = await testbed(['diff', 'pod:test/fixtures/pods/injected-1.24.yaml', ...given]);
	t.is(other.exitCode, 1, other.stderr);
	t.regex(joined(other), /drift DNS queries that the sidecar should get pass it by/u);
	await using two = await LivePodProcess.start({rules: [...rules, ...dockerDns]});
	await using beside = await Cluster.start({enter: entryOf(two.pid)});
	const {exitCode, stderr} = await testbed(['rules', source, '--debug-image', image, ...beside.options]);
	t.is(exitCode, 3);
	const mixed = await testbed(['rules', ...given, '--cni']);
	t.is(mixed.exitCode, 2);
	t.regex(mixed.stderr, /--cni is about rules that are derived from a manifest, and with --debug-image they are read from the pod/u);
	t.regex(stderr, /2 back ends have rules there.*iptables-nft has 18 rules.*iptables-legacy has 2 rules/u);
});

test.serial('an image without a program, and a namespace that does not let it look', async t => {
	if (needsClient(t)) {
		return;
	}

	await using pod = await LivePodProcess.start({rules: rulesOfInput('release:1.24', 'iptables-nft')});
	// The programs of an image without nft: links to the others.
	const poor = ['nsenter', `--target=${pod.pid}`, '--net', '--mount', 'unshare', '--mount', '--propagation', 'private', 'sh', '-c', 'mount -t tmpfs tmpfs /tmp && mkdir /tmp/bin && for p in sh cat grep ip uname iptables-nft-save ip6tables-nft-save; do ln -s "$(command -v $p)" /tmp/bin/$p; done && PATH=/tmp/bin exec "$@"', 'sh'];
	await using cluster = await Cluster.start({enter: poor});
	const {exitCode, stdout, stderr} = await testbed(['rules', source, '--debug-image', image, ...cluster.options]);
	t.is(exitCode, 3);
	t.is(stdout, '');
	t.regex(stderr, /the image registry\.example\/tools:1 has no program for nft: .*nft: .*not found/u);
	t.regex(stderr, /→ The image must have a shell, uname, and cat, grep, ip, nft, iptables-nft-save, ip6tables-nft-save/u);
	const powerless = ['setpriv', '--bounding-set=-net_admin', '--inh-caps=-net_admin', ...entryOf(pod.pid).slice(0, 1), `--target=${pod.pid}`, '--net', '--mount'];
	await using denied = await Cluster.start({enter: powerless});
	const refused = await testbed(['rules', source, '--debug-image', image, ...denied.options]);
	t.is(refused.exitCode, 3);
	t.regex(refused.stderr, /nft failed in the debug container with status \d+: .*Operation not permitted/u);
});

test.serial('an ordinary user: the pod is read before the user namespace is entered', async t => {
	if (needsClient(t) || isLeftOut(t, {program: 'newuidmap'})) {
		return;
	}

	await using pod = await LivePodProcess.start({rules: rulesOfInput('release:1.24', 'iptables-nft'), isDual: true});
	await using cluster = await Cluster.start({enter: entryOf(pod.pid)});
	const before = `mkdir "$d/home/.kube"\ncat >"$d/home/.kube/config" <<'END'\n${readFileSync(cluster.config, 'utf8')}END\n`;
	for (const given of [
		['run', '--types', '1,2', '--rules', source],
		['run', '--types', '1,2', '--rules', source, '--debug-image', image],
		['diff', 'release:1.24', source, '--debug-image', image],
		['probe', '--to', 'remote:8080', '--rules', source],
	]) {
		const {exitCode, stdout, stderr} = await testbedAsUser(given, {before}); // eslint-disable-line no-await-in-loop -- One after the other.
		t.is(exitCode, 0, `${given.join(' ')}: ${stdout}${stderr}`);
	}
});

test.serial('a signal ends a reading at once, and its program with it', async t => {
	if (needsClient(t)) {
		return;
	}

	await using cluster = await Cluster.start({refused: {'get pods': 'hang'}});
	for (const signal of ['SIGINT', 'SIGTERM'] as const) {
		await using run = await WatchedRun.start(['rules', source, ...cluster.options]); // eslint-disable-line no-await-in-loop -- One after the other.
		const {length} = cluster.server.calls;
		await until('the server was asked', () => cluster.server.calls.length > length ? true : undefined); // eslint-disable-line no-await-in-loop -- That is the point.
		run.process.kill(signal);
		const {signal: ended} = await run.process; // eslint-disable-line no-await-in-loop -- That is the point.
		t.is(ended, signal);
		await run.nothingLeft(); // eslint-disable-line no-await-in-loop -- That is the point.
	}
});

test.serial('the script runs in every shell here, and shellcheck has nothing to say', async t => {
	await using pod = await LivePodProcess.start({rules: rulesOfInput('release:1.24', 'iptables-nft'), isDual: true});
	const [program, ...words] = entryOf(pod.pid);
	for (const shell of ['dash', 'bash', 'busybox sh'].map(text => text.split(' '))) {
		const has = await execa('sh', ['-c', `command -v ${shell[0]!}`], {reject: false}); // eslint-disable-line no-await-in-loop -- One after the other.
		if (has.exitCode === 0) {
			const {stdout, stderr} = await execa(program!, [...words, ...shell, '-c', podScript, 'sh', 'mark', '/tmp/end'], {stripFinalNewline: false, env: {PATH: searchPath}}); // eslint-disable-line no-await-in-loop -- One after the other.
			const parts = partsOf({stdout, stderr}, 'mark');
			t.truthy(parts, `${shell.join(' ')}: ${stdout.slice(-200)}`);
			t.regex(parts!.get('iptables-nft-save')!.output, /ISTIO_OUTPUT/u);
			t.is(partsOf({stdout: stdout.slice(0, -10), stderr}, 'mark'), undefined);
		}
	}

	if (isLeftOut(t, {program: 'shellcheck'})) {
		return;
	}

	const {exitCode, stdout} = await execa('shellcheck', ['--shell=sh', '--enable=all', '--exclude=SC2250,SC2312', '-'], {input: podScript, reject: false});
	t.is(exitCode, 0, stdout);
});
