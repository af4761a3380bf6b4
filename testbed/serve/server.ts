/**
`testbed serve`: a session, its page, and the sockets. Ends when it is told to, or when nobody has used it for a while; the sandbox goes with it, also when the process is killed.
*/

import {createServer, type Server} from 'node:http';
import type {AddressInfo, Socket} from 'node:net';
import {getRequestListener} from '@hono/node-server';
import {cannotListen} from '../rootless/listen.js';
import {listeningSocket} from '../rootless/note.js';
import {createApp} from './app.js';
import {createTokens, hostOf, type GuardContext} from './guard.js';
import {loadPageFiles} from './page-files.js';
import {Session, type SessionOptions} from './session.js';
import {Viewers} from './viewers.js';

/** What decides a server. */
export type ServeOptions = SessionOptions & {
	/** 0 lets the kernel choose. */
	readonly port: number;
	/** An address of this machine on which others can watch; undefined: nobody can. */
	readonly listen: string | undefined;
	/** Ends after so long without a request. */
	readonly idleMs: number;
};

/** What a server is reached by. */
export type Urls = {readonly act: string; readonly watch: string | undefined};

/** So many connections can be open that have not shown a token yet. Of more, the oldest goes: however many there are, a page gets through. */
const strangersMax = 64;

/** How long a connection may take for its head, and a request for all of it. */
const headersMs = 5000;
const requestMs = 20_000;

/** A running server. Who creates it disposes of it. */
export class WorkshopServer implements AsyncDisposable {
	/**
	Listens. The session has not asked anything yet.

	@throws {TestbedError} USAGE for an address or a port that is not to be had; MACHINE where the page was not built.
	*/
	static async start(options: ServeOptions): Promise<WorkshopServer> {
		const server = new WorkshopServer(options);
		try {
			await server.#listen();
			return server;
		} catch (error) {
			await server[Symbol.asyncDispose]();
			throw error;
		}
	}

	readonly session: Session;
	/** Resolves when nobody has used it for as long as was said. */
	readonly idle: Promise<void>;
	readonly #options: ServeOptions;
	readonly #tokens = createTokens();
	readonly #viewers: Viewers;
	readonly #servers: Server[] = [];
	/** Connections that have not shown a token, the oldest first. */
	readonly #strangers = new Set<Socket>();
	#port = 0;
	#lastUse = performance.now();
	#timer: NodeJS.Timeout | undefined;

	private constructor(options: ServeOptions) {
		this.#options = options;
		this.session = new Session(options);
		this.#viewers = new Viewers(this.session);
		this.idle = new Promise(resolve => {
			const look = (): void => {
				const left = options.idleMs - (performance.now() - this.#lastUse);
				if (left <= 0) {
					resolve();
					return;
				}

				this.#timer = setTimeout(look, left);
			};

			look();
		});
	}

	/** Where it is. */
	get urls(): Urls {
		const {listen} = this.#options;
		const url = (host: string, token: string): string => `http://${host}:${this.#port}/?token=${token}`;
		return {act: url('127.0.0.1', this.#tokens.act), watch: listen === undefined ? undefined : url(hostOf(listen), this.#tokens.watch)};
	}

	async [Symbol.asyncDispose](): Promise<void> {
		clearTimeout(this.#timer);
		for (const server of this.#servers) {
			server.close();
			server.closeAllConnections();
		}

		await this.session[Symbol.asyncDispose]();
	}

	async #listen(): Promise<void> {
		const {port, listen} = this.#options;
		const app = createApp({
			session: this.session,
			files: loadPageFiles(),
			viewers: this.#viewers,
			guard: () => this.#guard,
			onUse: socket => {
				this.#strangers.delete(socket);
				this.#lastUse = performance.now();
			},
		});
		const listener = getRequestListener(app.fetch);
		this.#port = await this.#open(listener, {host: '127.0.0.1', port});
		if (listen !== undefined && listen !== '127.0.0.1') {
			await this.#open(listener, {host: listen, port: this.#port});
		}
	}

	get #guard(): GuardContext {
		const {listen} = this.#options;
		return {tokens: this.#tokens, port: this.#port, addresses: listen === undefined ? [] : [listen], hasWatchers: listen !== undefined};
	}

	async #open(listener: ReturnType<typeof getRequestListener>, {host, port}: {readonly host: string; readonly port: number}): Promise<number> {
		const server = createServer({
			headersTimeout: headersMs, requestTimeout: requestMs, keepAliveTimeout: headersMs, connectionsCheckingInterval: 1000, maxHeaderSize: 16_384,
		}, (request, response) => {
			void listener(request, response);
		});
		server.on('connection', socket => {
			this.#admit(socket);
		});
		this.#servers.push(server);
		return new Promise((resolve, reject) => {
			server.once('error', (error: NodeJS.ErrnoException) => {
				reject(cannotListen({
					host, port, code: error.code, message: error.message,
				}));
			});
			const fd = listeningSocket(host);
			server.listen(fd === undefined ? {port, host} : {fd}, () => {
				resolve((server.address() as AddressInfo).port);
			});
		});
	}

	#admit(socket: Socket): void {
		this.#strangers.add(socket);
		socket.once('close', () => {
			this.#strangers.delete(socket);
		});
		if (this.#strangers.size > strangersMax) {
			const [oldest] = this.#strangers;
			oldest?.destroy();
		}
	}
}
