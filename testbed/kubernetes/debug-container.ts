/**
Reads a pod's network namespace by an ephemeral container. It ends by itself, but the API cannot remove it from the pod.
*/

import {Buffer} from 'node:buffer';
import {randomBytes} from 'node:crypto';
import {Writable} from 'node:stream';
import {setTimeout as wait} from 'node:timers/promises';
import {TestbedError} from '../errors.js';
import type {LivePod} from '../live/live-pod.js';
import type {
	ApiPod, ClientModule, CommandStatus, ContainerState, CoreApi,
} from './client.js';
import {printPodName, type PodName} from './cluster-pod.js';
import type {Connection} from './connect.js';
import {asked, type Asked, type Asking} from './faults.js';
import {
	failureIn, imagePrograms, livePodOf, partsOf, podScript,
} from './pod-script.js';

/** How long to wait: for an answer of the API, for the container to run (its image may have to be pulled), for the commands in it. */
export type DebugLimits = {readonly answerMs: number; readonly startMs: number; readonly commandMs: number};

/** How often to ask whether the container runs. */
const askAgainMs = 500;

/** How long the container runs if nothing ends it. */
const containerSeconds = 120;

/** The pod, how it is reached, and the image. */
export type Debugging = {readonly client: ClientModule; readonly api: CoreApi; readonly connection: Connection; readonly name: PodName; readonly image: string; readonly limits: DebugLimits};

/** Reasons for which a container that waits will not run (kubelet, pkg/kubelet/images and container). */
const isHopeless = /^(?:ErrImage|ImagePull|InvalidImageName|ImageInspectError|RegistryUnavailable|CreateContainer|RunContainer|StartError|PreCreateHook)/u;

/** The container, as the API wants it: root with the two capabilities that reading rules needs (net/netfilter: nfnetlink_rcv, CAP_NET_ADMIN; iptables-legacy opens a raw socket). It waits for `file`. */
function containerOf({name, image, file}: {readonly name: string; readonly image: string; readonly file: string}): object {
	return {
		name,
		image,
		command: ['sh', '-c', `i=0; while [ "$i" -lt ${containerSeconds} ] && [ ! -e ${file} ]; do sleep 1; i=$((i + 1)); done`],
		securityContext: {
			runAsUser: 0, runAsGroup: 0, runAsNonRoot: false, allowPrivilegeEscalation: false, capabilities: {drop: ['ALL'], add: ['NET_ADMIN', 'NET_RAW']},
		},
	};
}

function fault({name}: Pick<Debugging, 'name'>, message: string, {state, hint}: {readonly state: string; readonly hint?: string}): TestbedError {
	return new TestbedError('UNREADABLE', {message: `kubectl:${printPodName(name)}: ${message}`, state, ...(hint === undefined ? {} : {hint})});
}

/** What a user must know afterwards. */
export function remains(container: string): string {
	return `The debug container ${container} stays in the pod's status until the pod is deleted: the API cannot remove it. It has ended, or ends within ${containerSeconds} s.`;
}

/**
Reads a pod.

@throws {TestbedError} UNREADABLE for everything that is in the way.
*/
export async function readByContainer(debugging: Debugging, pod: ApiPod): Promise<{readonly live: LivePod; readonly note: string}> {
	const {client, api, connection, name, image, limits} = debugging;
	const phase = pod.status?.phase;
	if (phase !== 'Running') {
		throw fault(debugging, `the pod is ${phase ?? 'in an unknown phase'}, so it has no network namespace to read.`, {state: 'Nothing was changed.', hint: 'Without --debug-image, its rules are derived from the manifest.'});
	}

	const container = `testbed-${randomBytes(4).toString('hex')}`;
	const file = `/tmp/${container}`;
	const object = {namespace: name.namespace, name: name.pod};
	const ask = async <T>(what: Asked, call: () => Promise<T>, state?: string): Promise<T> => asked(call, {
		...what, name, connection, state, limitMs: limits.answerMs,
	});
	await ask({verb: 'patch', resource: 'pods/ephemeralcontainers'}, async () => api.patchNamespacedPodEphemeralcontainers(
		{...object, body: {spec: {ephemeralContainers: [containerOf({name: container, image, file})]}}},
		client.setHeaderOptions('Content-Type', client.PatchStrategy.StrategicMergePatch),
	));
	await untilRunning(debugging, container, async () => ask({verb: 'get', resource: 'pods'}, async () => api.readNamespacedPod(object), remains(container)));
	const mark = `testbed-${randomBytes(8).toString('hex')}`;
	const ended = await runCommand(debugging, {container, command: ['sh', '-c', podScript, 'sh', mark, file]});
	const parts = partsOf(ended, mark);
	const failed = parts === undefined ? undefined : failureIn(parts);
	if (parts === undefined || failed !== undefined) {
		const missing = failed?.status === 127;
		throw fault(debugging, failed === undefined
			? `the commands in the debug container did not come to their end: ${ended.said || ended.stderr.trim().slice(-500) || 'they printed nothing'}`
			: (missing ? `the image ${image} has no program for ${failed.name}: ${failed.stderr}` : `${failed.name} failed in the debug container with status ${failed.status}: ${failed.stderr}`), {
			state: remains(container), hint: `The image must have a shell, uname, and ${imagePrograms.join(', ')}.`,
		});
	}

	return {live: livePodOf(parts, `pod ${name.namespace}/${name.pod} (context ${connection.context}), by debug container ${container}`), note: remains(container)};
}

/** @throws {TestbedError} UNREADABLE if the container will not run. */
async function untilRunning({name, image, limits}: Debugging, container: string, ask: () => Promise<ApiPod>): Promise<void> {
	const deadline = performance.now() + limits.startMs;
	for (;;) {
		const pod = await ask(); // eslint-disable-line no-await-in-loop -- One answer after the other.
		const state: ContainerState | undefined = pod.status?.ephemeralContainerStatuses?.find(status => status.name === container)?.state;
		if (state?.running !== undefined) {
			return;
		}

		const {waiting, terminated} = state ?? {};
		if (terminated !== undefined) {
			throw fault({name}, `the debug container ended at once (${[terminated.reason, terminated.message].filter(Boolean).join(': ')}, status ${terminated.exitCode ?? 'unknown'}).`, {state: remains(container), hint: `Does the image ${image} have sh and sleep?`});
		}

		if (waiting?.reason !== undefined && isHopeless.test(waiting.reason)) {
			const isPull = waiting.reason.includes('Image');
			throw fault({name}, `${isPull ? `the image ${image} of the debug container cannot be had` : 'the debug container cannot be started'} (${[waiting.reason, waiting.message].filter(Boolean).join(': ')}).`, {
				state: remains(container), hint: isPull ? 'The node pulls the image: it needs its full name, a tag that exists, and access to the registry.' : `kubectl describe pod --namespace ${name.namespace} ${name.pod}`,
			});
		}

		if (performance.now() > deadline) {
			throw fault({name}, `the debug container did not run within ${limits.startMs / 1000} s${waiting?.reason === undefined ? '' : ` (${waiting.reason})`}.`, {state: remains(container), hint: `kubectl describe pod --namespace ${name.namespace} ${name.pod}`});
		}

		await wait(askAgainMs); // eslint-disable-line no-await-in-loop -- That is the point.
	}
}

/** How a command ended. `said`: why, if it failed. */
type EndedCommand = {readonly stdout: string; readonly stderr: string; readonly said: string};

class Collected extends Writable {
	readonly #chunks: Buffer[] = [];

	get text(): string {
		return Buffer.concat(this.#chunks).toString('utf8');
	}

	override _write(chunk: Buffer, _: string, done: () => void): void {
		this.#chunks.push(chunk);
		done();
	}
}

async function runCommand({client, connection, name, limits}: Debugging, {container, command}: {readonly container: string; readonly command: readonly string[]}): Promise<EndedCommand> {
	const [stdout, stderr] = [new Collected(), new Collected()];
	const asking: Asking = {
		verb: 'create', resource: 'pods/exec', name, connection, state: remains(container),
	};
	const exec = new client.Exec(connection.config);
	let end: (status: CommandStatus) => void = () => undefined;
	const status = new Promise<CommandStatus>(resolve => {
		end = resolve;
	});
	const socket = await asked(async () => exec.exec(name.namespace, name.pod, container, command, stdout, stderr, null, false, end), {...asking, limitMs: limits.answerMs});
	socket.on('close', () => {
		end({status: 'Failure', message: 'the connection was closed before the commands ended'});
	});
	const timer = setTimeout(() => {
		end({status: 'Failure', message: `they took longer than ${limits.commandMs / 1000} s`});
	}, limits.commandMs);
	try {
		const {status: result, message = ''} = await status;
		return {stdout: stdout.text, stderr: stderr.text, said: result === 'Success' ? '' : message};
	} finally {
		clearTimeout(timer);
		socket.close();
	}
}
