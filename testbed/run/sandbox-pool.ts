/**
Sandboxes with their actors that wait for further runs of the same key.
*/

import type {Backend} from '../../src/netfilter/types.js';
import {canFollow} from '../sandbox/backends/drivers.js';
import type {ActorSandbox} from './actor-sandbox.js';

/** What a sandbox was used for: the key of its actors, and the back end of its last rules. */
export type SandboxUse = {readonly key: string; readonly backend: Backend};

/** More sandboxes than that do not wait: each has some three processes with 15 MB of their own. */
const longestPool = 8;

/** Sandboxes that nobody uses at the moment. Disposing of it removes them all. */
export class SandboxPool implements AsyncDisposable {
	/** The one that has waited longest first. */
	readonly #waiting: Array<SandboxUse & {readonly sandbox: ActorSandbox}> = [];

	/** Takes a sandbox for rules of a back end; the caller then disposes of it. */
	take({key, backend}: SandboxUse): ActorSandbox | undefined {
		const index = this.#waiting.findIndex(waiting => waiting.key === key && canFollow(waiting.backend, backend));
		return index === -1 ? undefined : this.#waiting.splice(index, 1)[0]!.sandbox;
	}

	/** Keeps a sandbox, which belongs to the pool from then on. */
	async keep(sandbox: ActorSandbox, use: SandboxUse): Promise<void> {
		this.#waiting.push({...use, sandbox});
		while (this.#waiting.length > longestPool) {
			await this.#waiting.shift()!.sandbox[Symbol.asyncDispose](); // eslint-disable-line no-await-in-loop -- One at most.
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await Promise.all(this.#waiting.splice(0).map(async ({sandbox}) => sandbox[Symbol.asyncDispose]()));
	}
}
