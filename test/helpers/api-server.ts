/**
An API server with the calls that the testbed makes: pods, ephemeral containers, exec over WebSocket (Kubernetes' v5.channel.k8s.io, or v4). Objects and errors have the API's form. It runs the commands of an exec for real, in front of which a test puts what enters a namespace, so their output is that of the programs.
*/

import {Buffer} from 'node:buffer';
import {spawn} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import {createServer as createTlsServer} from 'node:https';
import {createRequire} from 'node:module';
import type {AddressInfo} from 'node:net';
import path from 'node:path';
import type {Duplex} from 'node:stream';
import {parse, stringify} from 'yaml';
import {searchPath} from '../../testbed/system/commands.js';

/** An object of the API. */
export type ApiObject = Record<string, unknown> & {metadata: {name: string; namespace: string}; status: Record<string, unknown>; spec: Record<string, unknown>};

/** The state of the ephemeral container after a number of questions. */
export type States = (asked: number) => object | undefined;

/** How a server behaves. */
export type ApiServerSettings = {
	readonly pods?: readonly ApiObject[];
	/** Calls that are refused, by `VERB RESOURCE`: the status and the Status object's message. `hang` never answers. */
	readonly refused?: Readonly<Record<string, {readonly code: number; readonly message: string} | 'hang'>>;
	/** The state of an ephemeral container; by default it runs from the second question on. */
	readonly states?: States;
	/** What stands in front of the commands of an exec: it enters the pod. Without it, exec answers 404. */
	readonly enter?: readonly string[];
	/** The protocols of exec that the server has, the best first. */
	readonly protocols?: readonly string[];
	readonly isPlain?: boolean;
	/** The bearer token that is accepted; any by default. */
	readonly token?: string;
};

type Socket = {send: (data: Buffer) => void; close: () => void; on: (event: 'close', listener: () => void) => void};
type SocketServer = {handleUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer, done: (socket: Socket) => void) => void};

/** The `ws` that the client library brings. */
function socketServerOf(protocols: readonly string[]): SocketServer {
	const {WebSocketServer} = createRequire(path.resolve('scripts/kubernetes/package.json'))('ws') as {readonly WebSocketServer: new (options: object) => SocketServer};
	return new WebSocketServer({noServer: true, handleProtocols: (offered: ReadonlySet<string>) => protocols.find(protocol => offered.has(protocol)) ?? false});
}

/** A pod of the fixtures with addresses of its own. */
export function podOf(fixture: string, {addresses = [], ...status}: {readonly addresses?: readonly string[]; readonly phase?: string} = {}): ApiObject {
	const pod = parse(readFileSync(path.resolve('test/fixtures/pods', fixture), 'utf8')) as ApiObject;
	pod.status = {phase: 'Running', podIP: addresses[0], podIPs: addresses.map(ip => ({ip})), ...status};
	return pod;
}

/** An API server on 127.0.0.1. */
export class ApiServer implements AsyncDisposable {
	static async start(settings: ApiServerSettings = {}): Promise<ApiServer> {
		const folder = path.resolve('test/fixtures/api-server');
		const server = settings.isPlain === true ? createServer() : createTlsServer({key: readFileSync(path.join(folder, 'key.pem')), cert: readFileSync(path.join(folder, 'certificate.pem'))});
		const api = new ApiServer(server, settings);
		await new Promise<void>(resolve => {
			server.listen(0, '127.0.0.1', resolve);
		});
		return api;
	}

	/** Every call, in order: `get pods shop/cart`. */
	readonly calls: string[] = [];
	/** The ephemeral containers that were made. */
	readonly containers: Array<Readonly<Record<string, unknown>>> = [];
	readonly #server: Server;
	readonly #settings: ApiServerSettings;
	readonly #sockets = new Set<Duplex>();
	#asked = 0;

	private constructor(server: Server, settings: ApiServerSettings) {
		this.#server = server;
		this.#settings = settings;
		server.on('connection', (socket: Duplex) => {
			this.#sockets.add(socket);
		});
		server.on('request', (request, response) => {
			void this.#answer(request, response);
		});
		server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
			this.#upgrade(request, socket, head);
		});
	}

	get url(): string {
		return `${this.#settings.isPlain === true ? 'http' : 'https'}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
	}

	/** Writes a kubeconfig for it. `trusted`: whether it has the server's certificate. */
	writeConfig(file: string, {isTrusted = true, user = {token: 'secret'}}: {readonly isTrusted?: boolean; readonly user?: object} = {}): void {
		writeFileSync(file, configOf(this.url, {certificate: isTrusted && this.#settings.isPlain !== true ? readFileSync(path.resolve('test/fixtures/api-server/certificate.pem'), 'base64') : undefined, user}));
	}

	async [Symbol.asyncDispose](): Promise<void> {
		const closed = new Promise(resolve => {
			this.#server.close(resolve);
		});
		for (const socket of this.#sockets) {
			socket.destroy();
		}

		await closed;
	}

	async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const chunks: Buffer[] = [];
		for await (const chunk of request) {
			chunks.push(chunk as Buffer);
		}

		const verb = request.method === 'GET' ? 'get' : 'patch';
		const {namespace, name, resource} = targetOf(request);
		this.calls.push(`${verb} ${resource} ${namespace}/${name}`);
		const refused = this.#refusalOf(`${verb} ${resource}`, request);
		if (refused === 'hang') {
			return;
		}

		const pod = this.#podOf(namespace, name);
		if (refused !== undefined || pod === undefined) {
			const {code, message} = refused ?? {code: 404, message: `pods "${name}" not found`};
			send(response, code, statusObject(code, message));
			return;
		}

		if (verb === 'patch') {
			const {spec: {ephemeralContainers: [container]}} = JSON.parse(Buffer.concat(chunks).toString('utf8')) as {readonly spec: {readonly ephemeralContainers: ReadonlyArray<Readonly<Record<string, unknown>>>}};
			this.containers.push({...container!, contentType: request.headers['content-type']});
			this.#asked = 0;
		} else if (this.containers.length > 0) {
			this.#asked++;
		}

		send(response, 200, this.#withContainers(pod));
	}

	/** The pod with its ephemeral containers, in spec and status, as the API shows them. */
	#withContainers(pod: ApiObject): ApiObject {
		const {states = asked => asked < 2 ? {waiting: {reason: 'ContainerCreating'}} : {running: {startedAt: '2026-11-29T12:00:00Z'}}} = this.#settings;
		const state = states(this.#asked);
		return {
			...pod,
			spec: {...pod.spec, ...(this.containers.length === 0 ? {} : {ephemeralContainers: this.containers.map(({contentType: _, ...container}) => container)})},
			status: {...pod.status, ...(this.containers.length === 0 || state === undefined ? {} : {ephemeralContainerStatuses: this.containers.map(({name}) => ({name, state, ready: false, restartCount: 0, image: 'x', imageID: ''}))})},
		};
	}

	#podOf(namespace: string, name: string): ApiObject | undefined {
		return this.#settings.pods?.find(({metadata}) => metadata.name === name && metadata.namespace === namespace);
	}

	#refusalOf(call: string, {headers}: IncomingMessage): {readonly code: number; readonly message: string} | 'hang' | undefined {
		const {token, refused} = this.#settings;
		return token !== undefined && headers.authorization !== `Bearer ${token}` ? {code: 401, message: 'Unauthorized'} : refused?.[call];
	}

	#upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
		const {namespace, name, resource, query} = targetOf(request);
		this.calls.push(`create ${resource} ${namespace}/${name}`);
		const refused = this.#refusalOf('create pods/exec', request);
		const {enter, protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io']} = this.#settings;
		if (refused === 'hang') {
			return;
		}

		if (refused !== undefined || enter === undefined || !this.containers.some(container => container['name'] === query.get('container'))) {
			const {code, message} = refused ?? {code: 404, message: 'container not found'};
			const body = JSON.stringify(statusObject(code, message));
			socket.end(`HTTP/1.1 ${code} Refused\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
			return;
		}

		socketServerOf(protocols).handleUpgrade(request, socket, head, accepted => {
			runIn([...enter, ...query.getAll('command')], accepted);
		});
	}
}

/** Runs a command and sends its output by channels: 1 and 2 for its streams, 3 for how it ended (staging/src/k8s.io/apimachinery, pkg/util/remotecommand). */
function runIn([program, ...words]: readonly string[], socket: Socket): void {
	const child = spawn(program!, words, {stdio: ['ignore', 'pipe', 'pipe'], env: {PATH: searchPath, LC_ALL: 'C'}});
	const sendTo = (channel: number, data: Buffer): void => {
		socket.send(Buffer.concat([Buffer.from([channel]), data]));
	};

	child.stdout.on('data', (data: Buffer) => {
		sendTo(1, data);
	});
	child.stderr.on('data', (data: Buffer) => {
		sendTo(2, data);
	});
	socket.on('close', () => {
		child.kill('SIGKILL');
	});
	child.on('close', code => {
		sendTo(3, Buffer.from(JSON.stringify(code === 0
			? {metadata: {}, status: 'Success'}
			: {
				metadata: {}, status: 'Failure', message: `command terminated with non-zero exit code: exit status ${code}`, reason: 'NonZeroExitCode', details: {causes: [{reason: 'ExitCode', message: String(code)}]},
			})));
		socket.close();
	});
}

function targetOf({url = ''}: IncomingMessage): {readonly namespace: string; readonly name: string; readonly resource: string; readonly query: URLSearchParams} {
	const {pathname, searchParams} = new URL(url, 'http://server');
	const {namespace = '', name = '', below} = /^\/api\/v1\/namespaces\/(?<namespace>[^/]+)\/pods\/(?<name>[^/]+)(?:\/(?<below>[^/]+))?$/u.exec(pathname)?.groups ?? {};
	return {
		namespace, name, resource: below === undefined ? 'pods' : `pods/${below}`, query: searchParams,
	};
}

const reasons: Readonly<Record<number, string>> = {401: 'Unauthorized', 403: 'Forbidden', 404: 'NotFound'};

/** The API's own form of an error (meta/v1, Status). */
function statusObject(code: number, message: string): object {
	return {
		kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason: reasons[code] ?? 'InternalError', code,
	};
}

function send(response: ServerResponse, code: number, body: object): void {
	response.writeHead(code, {'Content-Type': 'application/json'});
	response.end(JSON.stringify(body));
}

/** A kubeconfig with the contexts `kind` (the server) and `other` (one that nobody answers). */
export function configOf(server: string, {certificate, user = {token: 'secret'}, current = 'kind'}: {readonly certificate?: string | undefined; readonly user?: object; readonly current?: string | null} = {}): string {
	return stringify({
		apiVersion: 'v1',
		kind: 'Config',
		clusters: [{name: 'here', cluster: {server, ...(certificate === undefined ? {} : {'certificate-authority-data': certificate})}}, {name: 'nowhere', cluster: {server: 'https://127.0.0.1:1'}}],
		users: [{name: 'me', user}],
		contexts: [{name: 'kind', context: {cluster: 'here', user: 'me'}}, {name: 'other', context: {cluster: 'nowhere', user: 'me'}}, {name: 'lost', context: {cluster: 'gone', user: 'me'}}],
		...(current === null ? {} : {'current-context': current}),
	});
}

/** The environment of a run that has no kubeconfig but the one that it is given. Nothing can be written in such a home. */
export const withoutConfig = {KUBECONFIG: '', HOME: '/dev/null', TESTBED_KUBERNETES_CLIENT: ''} as const;

/** What enters the pod of a process, in front of a command: its network and mounts, with a /tmp of the command's own. */
export function entryOf(pid: number): readonly string[] {
	return ['nsenter', `--target=${pid}`, '--net', '--mount', 'unshare', '--mount', '--propagation', 'private', 'sh', '-c', 'mount -t tmpfs tmpfs /tmp && exec "$@"', 'sh'];
}

/** A token program for a kubeconfig, in a file. */
export function writeTokenProgram(file: string, token: string): void {
	writeFileSync(file, `#!/bin/sh\necho '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "${token}"}}'\n`, {mode: 0o755});
}
