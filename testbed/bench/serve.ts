/**
Measures `testbed serve` as a page uses it, for `npm run bench`: from its start to the first drawing, sends and edits of one rule over HTTP, and a comparison. The server runs in this process; the start of Node and the launcher come on top (see the run's figures).
*/

import {performance} from 'node:perf_hooks';
import {setTimeout as wait} from 'node:timers/promises';
import type {Action, Snapshot} from '../../src/workshop/protocol.js';
import {loadRuleInput} from '../inputs/rules.js';
import {WorkshopServer} from '../serve/server.js';
import {defaultBufferBytes} from '../tracer/trace-source.js';

const source = 'release:1.30';
const families = ['ipv4', 'ipv6'] as const;
const sends = 200;
const edits = 100;

/** The least time between two actions: the server takes 15 a second of one page, and answers faster than that. */
const leastMs = 70;

/** One page of a running server. */
class BenchPage {
	readonly #origin: string;
	readonly #headers: Readonly<Record<string, string>>;

	constructor(url: string) {
		const {origin, port, searchParams} = new URL(url);
		this.#origin = origin;
		this.#headers = {
			origin, 'content-type': 'application/json', 'x-testbed-page': 'bench', cookie: `testbed-${port}=${searchParams.get('token') ?? ''}`,
		};
	}

	/** The milliseconds that an action takes. It comes back later if that was less than the server asks for between two. */
	async act(action: Action): Promise<number> {
		const start = performance.now();
		const response = await fetch(`${this.#origin}/api/act`, {method: 'POST', headers: this.#headers, body: JSON.stringify(action)});
		const text = await response.text();
		if (!response.ok) {
			throw new Error(`${JSON.stringify(action)}: ${text}`);
		}

		const tookMs = performance.now() - start;
		await wait(Math.max(0, leastMs - tookMs));
		return tookMs;
	}

	/** Waits until the page shows something. */
	async until(isSo: (state: Snapshot) => boolean): Promise<void> {
		for (;;) {
			const response = await fetch(`${this.#origin}/api/state`, {headers: this.#headers}); // eslint-disable-line no-await-in-loop -- That is the point.
			const state = await response.json() as Snapshot; // eslint-disable-line no-await-in-loop -- As above.
			if (isSo(state)) {
				return;
			}

			await wait(50); // eslint-disable-line no-await-in-loop -- Fewer than the server lets through.
		}
	}
}

function at(values: readonly number[], part: number): string {
	const sorted = values.toSorted((one, other) => one - other);
	return `${(sorted[Math.floor(sorted.length * part)] ?? Number.NaN).toFixed(0).padStart(6)} ms`;
}

/** Measures; returns what is to be printed. */
export async function measureServe(): Promise<readonly string[]> {
	const start = performance.now();
	const chosen = {rules: loadRuleInput({source, families}), families};
	await using server = await WorkshopServer.start({
		choice: {kind: 'generated', input: source}, chosen, family: 'ipv4', allowModules: false, dnsServers: undefined, listen: undefined, port: 0, idleMs: 3_600_000, timeoutMs: 5000, traceBufferBytes: defaultBufferBytes, signal: new AbortController().signal,
	});
	const page = new BenchPage(server.urls.act);
	await server.session.begin();
	const first = performance.now() - start;
	const sending: number[] = [];
	const editing: number[] = [];
	for (let index = 0; index < sends; index++) {
		sending.push(await page.act({kind: 'send', question: {kind: 'type', type: String(1 + (index % 6))}})); // eslint-disable-line no-await-in-loop -- One after the other, as on a page.
	}

	for (let index = 0; index < edits; index++) {
		const number = 1 + (index % 9);
		editing.push(
			await page.act({kind: 'edit', edit: {kind: 'delete', at: {family: 'ip', table: 'nat', chain: 'ISTIO_OUTPUT', number}}}), // eslint-disable-line no-await-in-loop -- As above.
			await page.act({kind: 'undo'}), // eslint-disable-line no-await-in-loop -- As above.
		);
	}

	const compareFrom = performance.now();
	const rulesTold = await page.act({kind: 'compare', from: {kind: 'generated', input: source}, to: {kind: 'generated', input: `${source} -o 5432`}});
	await page.until(({comparison}) => comparison?.state !== 'sending');
	return [
		`\ntestbed serve, ${source}, the server in this process\n`,
		`  from its start to the first drawing (target: 1000 ms)      ${first.toFixed(0).padStart(6)} ms\n`,
		`  a send, median of ${sends} (target: 300 ms)                    ${at(sending, 0.5)}   p95 (target: 600 ms)${at(sending, 0.95)}\n`,
		`  an edit of one rule with all types, median of ${editing.length}         ${at(editing, 0.5)}   p95                 ${at(editing, 0.95)}\n`,
		`  a comparison: what the rules differ in (target: 1000 ms)   ${rulesTold.toFixed(0).padStart(6)} ms   whole (target: 3000 ms)${(performance.now() - compareFrom).toFixed(0).padStart(6)} ms\n`,
	];
}
