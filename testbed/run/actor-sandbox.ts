/**
The world in which rules are put to the kernel: a sandbox with its actors. Several rule sets can be played on one stage, one after the other, as long as they need the same actors.
*/

import type {AddressFamily, Backend} from '../../src/netfilter/types.js';
import {transparencyOf} from '../../src/mesh/intent.js';
import {type ActorSet, actorsFor} from '../../src/scenario/actor-set.js';
import type {TopologyExtension} from '../../src/scenario/topology-extension.js';
import {defaultTopology, type Topology} from '../../src/scenario/topology.js';
import type {ActorCredentials, Intent, TypeId} from '../../src/scenario/types.js';
import {ActorGroup} from '../actors/actor-group.js';
import type {KernelTexts} from '../../src/trace/loaded-rules.js';
import {LockFile} from '../system/lock-file.js';
import {ReplaceableRules, type RulesToHold} from '../sandbox/installed-rules.js';
import {loadKernelTexts} from '../tracer/counters.js';
import type {InstalledRules} from '../sandbox/install.js';
import {Sandbox} from '../sandbox/sandbox.js';
import type {Sysctls} from '../sandbox/sysctls.js';

/** What the actors of a stage depend on. */
export type ActorSandboxOptions = {
	readonly intent: Intent;
	readonly types: readonly TypeId[];
	readonly credentials: ActorCredentials;
	readonly timeoutMs: number;
	/** Who plays, and in which world, where it is not those of the types. */
	readonly actorSet?: ActorSet;
	readonly extension?: TopologyExtension;
	/** As {@link SandboxOptions} has it. */
	readonly presetSysctls?: Sysctls | undefined;
};

/** What two castings have in common when the same processes can play both: ports, ways of opening sockets, users. */
export function reuseKey({
	intent, types, credentials, timeoutMs, actorSet, extension, presetSysctls,
}: ActorSandboxOptions): string {
	const {proxyPort, inboundCapturePort} = intent;
	// A company says itself who plays which part.
	const who = actorSet === undefined ? [types, credentials] : [actorSet];
	return JSON.stringify([proxyPort, inboundCapturePort, transparencyOf(intent) ?? null, ...who, extension ?? null, timeoutMs, presetSysctls ?? null]);
}

/** One sandbox with its actors. Who creates it disposes of it. */
export class ActorSandbox implements AsyncDisposable {
	/** Makes the namespaces and starts everything at once; nothing is waited for but the lock file. The first use tells what failed. */
	static async create(sandboxOptions: ActorSandboxOptions): Promise<ActorSandbox> {
		const lockFile = await LockFile.create();
		try {
			return new ActorSandbox(lockFile, Sandbox.create(sandboxOptions.extension, sandboxOptions), sandboxOptions);
		} catch (error) {
			await lockFile[Symbol.asyncDispose]();
			throw error;
		}
	}

	readonly topology: Topology = defaultTopology;
	readonly sandbox: Sandbox;
	readonly #lockFile: LockFile;
	readonly #configured: Promise<readonly [PromiseSettledResult<void>]>;
	readonly #actorGroup: Promise<readonly [PromiseSettledResult<ActorGroup>]>;
	readonly #installed: ReplaceableRules;

	private constructor(lockFile: LockFile, sandbox: Sandbox, {types, ...sandboxOptions}: ActorSandboxOptions) {
		this.#lockFile = lockFile;
		this.sandbox = sandbox;
		this.#installed = new ReplaceableRules(sandbox, lockFile.path);
		// The actors' processes take longest, and need nothing but the namespaces to start. Settled: nobody may dispose of what is still starting.
		this.#configured = Promise.allSettled([sandbox.configure(this.topology)]);
		this.#actorGroup = Promise.allSettled([ActorGroup.start({
			sandbox, topology: this.topology, names: actorsFor(types), configured: this.#configured, ...sandboxOptions,
		})]);
	}

	/** The actors, once they listen. */
	async actorGroup(): Promise<ActorGroup> {
		const [result] = await this.#actorGroup;
		return valueOf(result);
	}

	/** Resolves when the namespaces have their links, addresses and routes. */
	async configured(): Promise<void> {
		const [configured] = await this.#configured;
		valueOf(configured);
	}

	/**
	Puts rules and what goes with them in the place of those of before; returns what the kernel then holds.

	@throws {TestbedError} RULES_REJECTED; nothing of the set is installed then.
	*/
	async install(rules: RulesToHold): Promise<InstalledRules> {
		await this.configured();
		return this.#installed.replace(rules);
	}

	/** Counters, handles and owners as they are now, in the words of the tools. */
	async loadState(backend: Backend, families: readonly AddressFamily[]): Promise<KernelTexts> {
		return loadKernelTexts(this.sandbox.pod, {backend, families, lockFile: this.#lockFile.path});
	}

	async [Symbol.asyncDispose](): Promise<void> {
		const [[actorGroup]] = await Promise.all([this.#actorGroup, this.#configured]);
		if (actorGroup.status === 'fulfilled') {
			await actorGroup.value[Symbol.asyncDispose]();
		}

		await this.sandbox[Symbol.asyncDispose]();
		await this.#lockFile[Symbol.asyncDispose]();
	}
}

/** The value of a promise that was settled, or its error. */
export function valueOf<T>(result: PromiseSettledResult<T>): T {
	if (result.status === 'rejected') {
		throw result.reason as Error;
	}

	return result.value;
}
