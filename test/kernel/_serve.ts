/** A server of `testbed serve` as a process of its own, and requests of any kind to it: what a browser would never send, too. */

import {request, type IncomingHttpHeaders, type OutgoingHttpHeaders} from 'node:http';
import {setTimeout as wait} from 'node:timers/promises';
import type {Action, Snapshot} from '../../src/workshop/protocol.js';
import {until, WatchedRun} from './_cli.js';

/** An answer. */
export type Reply = {readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: string};

/** A running server. */
export class RunningServer implements AsyncDisposable {
	/** Starts it and waits for its URLs, not for its first packets. */
	static async start(given: readonly string[] = []): Promise<RunningServer> {
		const run = await WatchedRun.start(['serve', ...given], {stdin: 'pipe'});
		let said = '';
		run.process.stdout!.on('data', (text: unknown) => {
			said += String(text);
		});
		await until('the server prints its URL', () => run.process.exitCode !== null || said.includes('Ctrl-C ends') ? true : undefined);
		const url = /Open this page: (?<url>\S+)/u.exec(said)?.groups?.['url'];
		if (url === undefined) {
			const {stderr} = await run.process;
			await run[Symbol.asyncDispose]();
			throw new Error(`The server did not start: ${String(stderr)}`);
		}

		return new RunningServer(run, url, /To watch: +(?<url>\S+)/u.exec(said)?.groups?.['url']);
	}

	readonly run: WatchedRun;
	readonly url: string;
	readonly watchUrl: string | undefined;
	readonly port: number;
	readonly token: string;

	private constructor(run: WatchedRun, url: string, watchUrl: string | undefined) {
		this.run = run;
		this.url = url;
		this.watchUrl = watchUrl;
		const {port, searchParams} = new URL(url);
		this.port = Number(port);
		this.token = searchParams.get('token')!;
	}

	/** Sends a request with these headers and no others. */
	async send(path: string, {method = 'GET', headers = {}, body}: {readonly method?: string; readonly headers?: OutgoingHttpHeaders; readonly body?: string | undefined} = {}): Promise<Reply> {
		return new Promise((resolve, reject) => {
			const sent = request({
				host: '127.0.0.1', port: this.port, path, method, headers, agent: false,
			}, response => {
				let text = '';
				response.setEncoding('utf8');
				response.on('data', (part: string) => {
					text += part;
				});
				response.on('end', () => {
					resolve({status: response.statusCode!, headers: response.headers, body: text});
				});
				response.on('error', reject);
			});
			sent.on('error', reject);
			sent.end(body);
		});
	}

	/** The headers that the page of a token sends. */
	headers(token = this.token, page = 'test'): OutgoingHttpHeaders {
		return {
			host: `127.0.0.1:${this.port}`, origin: `http://127.0.0.1:${this.port}`, 'content-type': 'application/json', 'x-testbed-page': page, cookie: `testbed-${this.port}=${token}`,
		};
	}

	/** Asks for an action, as the page does. */
	async act(action: Action | Readonly<Record<string, unknown>>, headers: OutgoingHttpHeaders = {}): Promise<Reply> {
		return this.send('/api/act', {method: 'POST', headers: {...this.headers(), ...headers}, body: JSON.stringify(action)});
	}

	/** The status of a request. */
	async statusOf(path: string, options: Parameters<RunningServer['send']>[1]): Promise<number> {
		const {status} = await this.send(path, options);
		return status;
	}

	/** The status of an action. */
	async actStatus(action: Action | Readonly<Record<string, unknown>>, headers: OutgoingHttpHeaders = {}): Promise<number> {
		const {status} = await this.act(action, headers);
		return status;
	}

	/** Something of what the page shows. */
	async shown<T>(what: (state: Snapshot) => T): Promise<T> {
		return what(await this.state());
	}

	/** What the page shows. */
	async state(): Promise<Snapshot> {
		const {body} = await this.send('/api/state', {headers: this.headers()});
		return JSON.parse(body) as Snapshot;
	}

	/** What it shows once the first packets have arrived. */
	async ready(): Promise<Snapshot> {
		return this.stateWhen('the first packets have arrived', ({rules, busy}) => rules !== null && busy === null);
	}

	/** What it shows as soon as something is so. Ends a test that would hang, and decides nothing else. */
	async stateWhen(what: string, isSo: (state: Snapshot) => boolean): Promise<Snapshot> {
		for (let tries = 0; tries < 300; tries++) {
			const state = await this.state(); // eslint-disable-line no-await-in-loop -- That is the point.
			if (isSo(state)) {
				return state;
			}

			await wait(100); // eslint-disable-line no-await-in-loop -- Others have requests of their own.
		}

		throw new Error(`Waited 30 seconds in vain until ${what}.`);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.run[Symbol.asyncDispose]();
	}
}
