/** Pods read by the real client library from an API server of the tests: what stands in the way is named, with what fixes it. */

import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import test, {type ExecutionContext} from 'ava';
import {loadClient} from '../../../../testbed/kubernetes/client.js';
import {parsePodName} from '../../../../testbed/kubernetes/cluster-pod.js';
import {connect} from '../../../../testbed/kubernetes/connect.js';
import {readPod, type PodRequest} from '../../../../testbed/kubernetes/read-pod.js';
import {TestbedError} from '../../../../testbed/errors.js';
import {
	ApiServer, configOf, podOf, writeTokenProgram, type ApiServerSettings,
} from '../../../helpers/api-server.js';
import {isLeftOut} from '../../../helpers/left-out.js';

const podName = 'shop/cart-6d9f7c5b44-x2x9k';
const limits = {answerMs: 10_000, startMs: 10_000, commandMs: 10_000};

function folderOf(t: ExecutionContext): string {
	const folder = mkdtempSync(path.join(tmpdir(), 'kubectl-test-'));
	t.teardown(() => {
		rmSync(folder, {recursive: true});
	});
	return folder;
}

type Given = Partial<Omit<PodRequest, 'name'>> & {readonly name?: string; readonly user?: object; readonly isTrusted?: boolean};

async function read(t: ExecutionContext, server: ApiServer, {name = podName, choices = {}, user, isTrusted, ...others}: Given = {}): ReturnType<typeof readPod> {
	const file = path.join(folderOf(t), 'config');
	server.writeConfig(file, {...(user === undefined ? {} : {user}), ...(isTrusted === undefined ? {} : {isTrusted})});
	return readPod({
		name: parsePodName(name), choices: {kubeconfig: file, ...choices}, limits, ...others,
	});
}

test('a pod with its manifest and its addresses', async t => {
	if (isLeftOut(t, {tree: 'kubernetes'})) {
		return;
	}

	const pod = podOf('injected-1.24.yaml', {addresses: ['10.7.7.7', 'fd07::7']});
	await using server = await ApiServer.start({pods: [pod], token: 'secret'});
	for (const name of [podName, `${podName}/istio-proxy`, `${podName}/istio-init`]) {
		const {manifest, ...found} = await read(t, server, {name}); // eslint-disable-line no-await-in-loop -- One after the other.
		t.deepEqual(found, {
			place: `pod ${podName} (context kind)`, addresses: ['10.7.7.7', 'fd07::7'], live: null, notes: [],
		});
		const {kind, spec} = JSON.parse(manifest) as {readonly kind: string; readonly spec: unknown};
		t.is(kind, 'Pod');
		t.deepEqual(spec, pod.spec);
	}

	t.deepEqual([...new Set(server.calls)], [`get pods ${podName}`]);
});

test('a server that knows one address only', async t => {
	if (isLeftOut(t, {tree: 'kubernetes'})) {
		return;
	}

	const pod = podOf('injected-1.24.yaml');
	pod.status = {phase: 'Running', podIP: '10.7.7.7'};
	await using server = await ApiServer.start({pods: [pod]});
	const {addresses} = await read(t, server);
	t.deepEqual(addresses, ['10.7.7.7']);
});

test('credentials from a program that the kubeconfig names', async t => {
	if (isLeftOut(t, {tree: 'kubernetes'})) {
		return;
	}

	const program = path.join(folderOf(t), 'token');
	writeTokenProgram(program, 'by-program');
	await using server = await ApiServer.start({pods: [podOf('injected-1.24.yaml')], token: 'by-program'});
	const exec = {apiVersion: 'client.authentication.k8s.io/v1', command: program, interactiveMode: 'Never'};
	const {place} = await read(t, server, {user: {exec}});
	t.is(place, `pod ${podName} (context kind)`);
	const missing = await t.throwsAsync(read(t, server, {user: {exec: {...exec, command: '/no/such/program'}}}), {instanceOf: TestbedError});
	t.regex(missing.message, /The credentials of context kind come from a program that cannot be started: spawn \/no\/such\/program ENOENT/u);
	t.is(missing.code, 'UNREADABLE');
});

type Wrong = {readonly what: string; readonly settings?: ApiServerSettings; readonly given?: Given; readonly message: RegExp; readonly hint?: RegExp; readonly state?: RegExp};

const pods = [podOf('injected-1.24.yaml')];
const debugImage = 'registry.example/tools:1';

const wrong: readonly Wrong[] = [
	{
		what: 'no such pod', given: {name: 'shop/web'}, message: /^kubectl:shop\/web: There is no pod web in namespace shop of context kind \(404\): pods "web" not found\.$/u, hint: /kubectl get pods --namespace shop --context kind/u,
	},
	{what: 'no such namespace', given: {name: 'nowhere/web'}, message: /There is no pod web in namespace nowhere of context kind \(404\)/u},
	{
		what: 'no such container', given: {name: `${podName}/proxy`}, message: /the pod has no container proxy\./u, hint: /It has: cart, istio-proxy, istio-init\./u,
	},
	{
		what: 'may not get pods', settings: {pods, refused: {'get pods': {code: 403, message: 'pods "cart" is forbidden: User "me" cannot get resource "pods"'}}},
		message: /Context kind may not get pods in namespace shop \(403\): pods "cart" is forbidden: User "me" cannot get resource "pods"\.$/u, hint: /kubectl auth can-i get pods --namespace shop/u,
	},
	{
		what: 'expired credentials', settings: {pods, token: 'other'}, message: /The API server does not accept the credentials of context kind \(401\)\.$/u, hint: /expired/u,
	},
	{what: 'a fault of the server', settings: {pods, refused: {'get pods': {code: 500, message: 'etcdserver: leader changed'}}}, message: /The API server answered get pods with status 500: etcdserver: leader changed\./u},
	{
		what: 'nobody listens', given: {choices: {context: 'other'}}, message: /Nothing listens at the API server's address https?:\/\/127\.0\.0\.1:1 \(context other\): connection refused/u, hint: /--context NAME/u,
	},
	{
		what: 'a certificate that is not known', given: {isTrusted: false}, message: /The certificate of the API server https:\/\/127\.0\.0\.1:\d+ \(context kind\) is not accepted: .*self-signed certificate.* \(DEPTH_ZERO_SELF_SIGNED_CERT\)/u, hint: /certificate-authority/u,
	},
	{what: 'plain HTTP', settings: {pods, isPlain: true}, message: /is plain HTTP, which the client library allows only where the cluster says insecure-skip-tls-verify: true/u},
	{
		what: 'a server that does not answer', settings: {pods, refused: {'get pods': 'hang'}}, given: {limits: {...limits, answerMs: 200}}, message: /the API server https:\/\/127\.0\.0\.1:\d+ \(context kind\) did not answer get pods within 0\.2 s/u, state: /Nothing was read, and nothing was changed/u,
	},
	{
		what: 'a debug container for a pod that does not run', settings: {pods: [podOf('injected-1.24.yaml', {phase: 'Pending'})]}, given: {choices: {debugImage}}, message: /the pod is Pending, so it has no network namespace to read/u, state: /Nothing was changed/u,
	},
	{
		what: 'may not patch pods/ephemeralcontainers', settings: {pods, refused: {'patch pods/ephemeralcontainers': {code: 403, message: 'pods "cart" is forbidden: User "me" cannot patch resource "pods/ephemeralcontainers"'}}}, given: {choices: {debugImage}},
		message: /Context kind may not patch pods\/ephemeralcontainers in namespace shop \(403\)/u, hint: /kubectl auth can-i patch pods\/ephemeralcontainers/u,
	},
	{
		what: 'pod security that forbids it', settings: {pods, refused: {'patch pods/ephemeralcontainers': {code: 403, message: 'pods "cart" is forbidden: violates PodSecurity "baseline:latest": non-default capabilities'}}}, given: {choices: {debugImage}},
		message: /The cluster does not allow the debug container \(403\): .*violates PodSecurity/u, hint: /Without --debug-image/u,
	},
	{
		what: 'an image that cannot be pulled', settings: {pods, states: () => ({waiting: {reason: 'ErrImagePull', message: 'not found'}})}, given: {choices: {debugImage}},
		message: /the image registry\.example\/tools:1 of the debug container cannot be had \(ErrImagePull: not found\)/u, state: /The debug container testbed-[\da-f]{8} stays in the pod's status/u,
	},
	{
		what: 'a container that cannot be created', settings: {pods, states: () => ({waiting: {reason: 'CreateContainerError', message: 'no space left'}})}, given: {choices: {debugImage}}, message: /the debug container cannot be started \(CreateContainerError: no space left\)/u, hint: /kubectl describe pod/u,
	},
	{
		what: 'an image without a shell', settings: {pods, states: () => ({terminated: {reason: 'StartError', exitCode: 128, message: 'exec: "sh": not found'}})}, given: {choices: {debugImage}}, message: /the debug container ended at once \(StartError: exec: "sh": not found, status 128\)/u, hint: /have sh and sleep/u,
	},
	{
		what: 'a container that does not start in time', settings: {pods, states: () => ({waiting: {reason: 'ContainerCreating'}})}, given: {choices: {debugImage}, limits: {...limits, startMs: 300}}, message: /the debug container did not run within 0\.3 s \(ContainerCreating\)/u, state: /stays in the pod's status/u,
	},
	{
		what: 'may not create pods/exec', settings: {pods, refused: {'create pods/exec': {code: 403, message: 'forbidden'}}}, given: {choices: {debugImage}}, message: /Context kind may not create pods\/exec in namespace shop \(403\)/u, state: /stays in the pod's status/u,
	},
	{
		what: 'an exec that does not begin', settings: {pods, refused: {'create pods/exec': 'hang'}}, given: {choices: {debugImage}, limits: {...limits, answerMs: 3000}}, message: /did not answer create pods\/exec within 3 s/u, state: /stays in the pod's status/u,
	},
	{
		what: 'commands that do not end', settings: {pods, enter: ['sh', '-c', 'exec sleep 5', 'sh']}, given: {choices: {debugImage}, limits: {...limits, commandMs: 300}}, message: /the commands in the debug container did not come to their end: they took longer than 0\.3 s/u, state: /stays in the pod's status/u,
	},
	{
		what: 'commands that fail', settings: {pods, enter: ['sh', '-c', 'echo broken >&2; exit 3', 'sh']}, given: {choices: {debugImage}}, message: /the commands in the debug container did not come to their end: command terminated with non-zero exit code: exit status 3/u, hint: /The image must have a shell, uname, and cat, grep, ip, nft, iptables-nft-save/u,
	},
];

for (const {what, settings = {pods}, given = {}, message, hint, state} of wrong) {
	test.serial(`wrong: ${what}`, async t => {
		if (isLeftOut(t, {tree: 'kubernetes'})) {
			return;
		}

		await using server = await ApiServer.start(settings);
		const error = await t.throwsAsync(read(t, server, given), {instanceOf: TestbedError});
		t.is(error.code, 'UNREADABLE');
		t.regex(error.message, message);
		t.regex(error.hint ?? '', hint ?? /^/u);
		t.regex(error.state ?? '', state ?? /./u);
	});
}

test('the debug container is root with two capabilities, and ends by itself', async t => {
	if (isLeftOut(t, {tree: 'kubernetes'})) {
		return;
	}

	await using server = await ApiServer.start({pods, refused: {'create pods/exec': {code: 403, message: 'forbidden'}}});
	await t.throwsAsync(read(t, server, {choices: {debugImage}}));
	const [{name, command, ...container}, ...others] = server.containers as [Readonly<Record<string, unknown>>];
	t.deepEqual(others, []);
	t.regex(String(name), /^testbed-[\da-f]{8}$/u);
	t.regex((command as readonly string[]).join(' '), /^sh -c i=0; while \[ "\$i" -lt 120 \] && \[ ! -e \/tmp\/testbed-[\da-f]{8} \]/u);
	t.deepEqual(container, {
		image: debugImage,
		securityContext: {
			runAsUser: 0, runAsGroup: 0, runAsNonRoot: false, allowPrivilegeEscalation: false, capabilities: {drop: ['ALL'], add: ['NET_ADMIN', 'NET_RAW']},
		},
		contentType: 'application/strategic-merge-patch+json',
	});
});

/** Each with its files, and the environment. */
const configs: ReadonlyArray<{
	readonly what: string;
	readonly files?: Readonly<Record<string, string>>;
	readonly choices?: Readonly<Record<string, string>>;
	readonly env?: Readonly<Record<string, string>>;
	readonly message: RegExp;
	readonly hint?: RegExp;
}> = [
	{what: 'no kubeconfig at all', message: /^There is no kubeconfig: neither --kubeconfig nor KUBECONFIG is set, and .*\/home\/\.kube\/config does not exist\.$/u, hint: /--kubeconfig FILE/u},
	{what: 'a variable that names nothing', env: {KUBECONFIG: 'FOLDER/none:FOLDER/never'}, message: /KUBECONFIG names .*none, .*never, which do not exist/u},
	{what: 'a file that is not there', choices: {kubeconfig: 'FOLDER/none'}, message: /There is no kubeconfig file .*none \(--kubeconfig\)/u},
	{what: 'a file that is none', files: {config: 'a: [\n'}, choices: {kubeconfig: 'FOLDER/config'}, message: /config is not a kubeconfig: /u},
	{
		what: 'no such context', files: {config: configOf('https://127.0.0.1:6443')}, choices: {kubeconfig: 'FOLDER/config', context: 'prod'}, message: /config has no context prod\.$/u, hint: /^It has: kind, other, lost\. Choose one: --context NAME\.$/u,
	},
	{
		what: 'no current context', files: {config: configOf('https://127.0.0.1:6443', {current: null})}, choices: {kubeconfig: 'FOLDER/config'}, message: /config has no current context\.$/u,
	},
	{
		what: 'a context without a cluster', files: {config: configOf('https://127.0.0.1:6443')}, choices: {kubeconfig: 'FOLDER/config', context: 'lost'}, message: /the context lost names a cluster that is not in it/u,
	},
];

for (const {what, files = {}, choices = {}, env = {}, message, hint} of configs) {
	test.serial(`wrong kubeconfig: ${what}`, async t => {
		if (isLeftOut(t, {tree: 'kubernetes'})) {
			return;
		}

		const folder = folderOf(t);
		for (const [name, text] of Object.entries(files)) {
			writeFileSync(path.join(folder, name), text);
		}

		const placed = (values: Readonly<Record<string, string>>): Record<string, string> => Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.replaceAll('FOLDER', folder)]));
		const client = await loadClient();
		const error = t.throws(() => connect(client, placed(choices), {HOME: path.join(folder, 'home'), ...placed(env)}), {instanceOf: TestbedError});
		t.is(error.code, 'UNREADABLE');
		t.regex(error.message, message);
		t.regex(error.hint ?? '', hint ?? /./u);
	});
}

test.serial('several kubeconfig files are one, as for kubectl, and files that do not exist are passed over', async t => {
	if (isLeftOut(t, {tree: 'kubernetes'})) {
		return;
	}

	const folder = folderOf(t);
	writeFileSync(path.join(folder, 'one'), configOf('https://127.0.0.1:6443'));
	writeFileSync(path.join(folder, 'two'), configOf('https://127.0.0.1:7443').replaceAll('kind', 'minikube').replaceAll('other', 'second').replaceAll('lost', 'third').replaceAll('here', 'there').replaceAll('nowthere', 'nowhere2').replaceAll('name: me', 'name: you').replaceAll('user: me', 'user: you'));
	const client = await loadClient();
	const before = process.env['KUBECONFIG'];
	t.teardown(() => {
		if (before === undefined) {
			delete process.env['KUBECONFIG'];
		} else {
			process.env['KUBECONFIG'] = before;
		}
	});
	const environment = {KUBECONFIG: `${folder}/none:${folder}/one:${folder}/two`};
	t.is(connect(client, {}, environment).context, 'kind');
	t.is(connect(client, {context: 'minikube'}, environment).server, 'https://127.0.0.1:7443');
});
