/**
A sandbox with its actors. Several rule sets can run in it one after the other, if they need the same actors.
*/

import type {AddressFamily, Backend} from '../../src/netfilter/types.js';
import {dnsServersOf, transparencyOf} from '../../src/mesh/intent.js';
import type {ActorSet} from '../../src/mesh/actor-set.js';
import type {Mesh} from '../../src/mesh/mesh.js';
import {actorsFor, asksDns} from '../../src/mesh/traffic-types.js';
import {noExtension, withServers, type TopologyExtension} from '../../src/scenario/topology-extension.js';
import {defaultTopology, type Topology} from '../../src/mesh/topology.js';
import type {ActorCredentials, Intent, TypeId} from '../../src/mesh/traffic.js';
import {ActorGroup} from '../actors/actor-group.js';
import type {Proxy} from '../actors/proxy.js';
import {refuseMissingUsers} from '../rootless/mapped-ids.js';
import {LockFile} from '../system/lock-file.js';
import {Conntrack} from '../sandbox/conntrack.js';
import {PacketWatch} from '../sandbox/packet-watch.js';
import {ReplaceableRules, type RulesToHold} from '../sandbox/installed-rules.js';
import {dumpKernelState, loadKernelTexts} from '../tracer/counters.js';
import type {KernelReading} from '../tracer/kernel-texts.js';
import {TraceSwitch} from '../tracer/trace-switch.js';
import type {InstalledRules} from '../sandbox/install.js';
import {Sandbox} from '../sandbox/sandbox.js';
import {planOf, type OtherSender} from '../../src/mesh/other-senders.js';
import type {Sysctls} from '../sandbox/sysctls.js';

/** What the actors of a sandbox depend on. */
export type ActorSandboxOptions = {
	/** The mesh of the traffic; its actors are used if there is no `actorSet`. */
	readonly mesh: Mesh;
	readonly intent: Intent;
	readonly types: readonly TypeId[];
	readonly credentials: ActorCredentials;
	/** Further senders. */
	readonly others?: readonly OtherSender[];
	readonly timeoutMs: number;
	/** The actors, and additions to the default topology, if they are not those of the types. */
	readonly actorSet?: ActorSet;
	readonly extension?: TopologyExtension;
	readonly topology?: Topology | undefined;
	/** The program that listens as the proxy; the stub by default. */
	readonly proxy?: Proxy | undefined;
	/** As in {@link SandboxOptions}. */
	readonly presetSysctls?: Sysctls | undefined;
};

/** Equal for options that can share the same processes: same ports, socket options, users, and proxy program. */
export function reuseKey({
	mesh, intent, types, credentials, others = [], timeoutMs, actorSet, extension, topology, presetSysctls, proxy,
}: ActorSandboxOptions): string {
	const {proxyPort, inboundCapturePort, scrapes, dns} = intent;
	// An actor set already contains the mesh's actors and their users.
	const who = actorSet === undefined ? [mesh.name, types, credentials, others] : [actorSet];
	const further = [scrapes ?? null, dns ?? null];
	const place = [extension ?? null, topology?.places.pod ?? null, topology?.podInterface ?? null, presetSysctls ?? null];
	return JSON.stringify([proxyPort, inboundCapturePort, transparencyOf(intent) ?? null, ...further, ...who, ...place, timeoutMs, proxy?.name ?? null]);
}

/** One sandbox with its actors. The creator disposes of it. */
export class ActorSandbox implements AsyncDisposable {
	/**
	Creates the namespaces and starts everything at once, waiting only for the lock file. Failures are thrown on first use.

	@throws {TestbedError} UNMAPPED if an actor's user does not exist in this user namespace; as {@link Sandbox.create} does.
	*/
	static async create(asked: ActorSandboxOptions): Promise<ActorSandbox> {
		const sandboxOptions: ActorSandboxOptions = {...asked, extension: withServers(asked.extension ?? noExtension, dnsServersOf(asked.intent), asked.topology ?? defaultTopology)};
		const actorSet = actorSetOf(sandboxOptions);
		refuseMissingUsers(actorSet.actors);
		const lockFile = await LockFile.create();
		try {
			return new ActorSandbox(lockFile, Sandbox.create(sandboxOptions.extension, sandboxOptions), {...sandboxOptions, actorSet});
		} catch (error) {
			await lockFile[Symbol.asyncDispose]();
			throw error;
		}
	}

	readonly topology: Topology;
	readonly sandbox: Sandbox;
	/** Turns tracing on in the pod. */
	readonly traceSwitch: TraceSwitch;
	readonly #lockFile: LockFile;
	readonly #configured: Promise<readonly [PromiseSettledResult<void>]>;
	readonly #actorGroup: Promise<readonly [PromiseSettledResult<ActorGroup>]>;
	readonly #installed: ReplaceableRules;
	/** Undefined before the first rules. */
	#conntrack: Conntrack | undefined;
	#packetWatch: PacketWatch | undefined;

	private constructor(lockFile: LockFile, sandbox: Sandbox, {topology = defaultTopology, ...sandboxOptions}: ActorSandboxOptions & {readonly actorSet: ActorSet}) {
		this.topology = topology;
		this.#lockFile = lockFile;
		this.sandbox = sandbox;
		this.traceSwitch = new TraceSwitch(sandbox.pod);
		this.#installed = new ReplaceableRules(sandbox, lockFile.path);
		// The actors' processes take longest, and only need the namespaces to start. `allSettled`, so that disposal can wait for everything that is still starting.
		this.#configured = Promise.allSettled([sandbox.configure(this.topology)]);
		this.#actorGroup = Promise.allSettled([ActorGroup.start({
			sandbox,
			topology: this.topology,
			configured: this.#configured,
			...sandboxOptions,
		})]);
	}

	/** The actors, once they listen. */
	async actorGroup(): Promise<ActorGroup> {
		const [result] = await this.#actorGroup;
		return valueOf(result);
	}

	/** What is on its way in the namespaces. They must be configured. */
	packetWatch(): PacketWatch {
		this.#packetWatch ??= new PacketWatch(this.sandbox.namespaces(), this.sandbox.remote);
		return this.#packetWatch;
	}

	/** Resolves once the namespaces have their links, addresses and routes. */
	async configured(): Promise<void> {
		const [configured] = await this.#configured;
		valueOf(configured);
	}

	/**
	Replaces the rules and routes, and forgets earlier connections; returns what the kernel then has.

	@throws {TestbedError} RULES_REJECTED; then nothing of the set is installed.
	*/
	async install(rules: RulesToHold): Promise<InstalledRules> {
		await this.configured();
		// Ports come back after some thousand connections, and the kernel would then take a new connection for an earlier one.
		if (this.#conntrack === undefined) {
			this.#conntrack = new Conntrack(this.sandbox.pod);
		} else {
			this.#conntrack.flush();
		}

		return this.#installed.replace(rules);
	}

	/** The current counters, handles and owners; for a recording, as the tools print them. */
	async loadState({backend, families, isRecorded}: {readonly backend: Backend; readonly families: readonly AddressFamily[]; readonly isRecorded: boolean}): Promise<KernelReading> {
		const request = {backend, families, lockFile: this.#lockFile.path};
		return isRecorded ? loadKernelTexts(this.sandbox.pod, request) : dumpKernelState(this.sandbox.pod, request);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		const [[actorGroup]] = await Promise.all([this.#actorGroup, this.#configured]);
		if (actorGroup.status === 'fulfilled') {
			await actorGroup.value[Symbol.asyncDispose]();
		}

		this.#packetWatch?.[Symbol.dispose]();
		this.#conntrack?.[Symbol.dispose]();
		this.traceSwitch[Symbol.dispose]();
		await this.sandbox[Symbol.asyncDispose]();
		await this.#lockFile[Symbol.asyncDispose]();
	}
}

/** The actors of a sandbox: the given ones, or those of the mesh's types. */
export function actorSetOf({mesh: {traffic}, intent, types, credentials, others = [], actorSet, topology = defaultTopology}: Pick<ActorSandboxOptions, 'mesh' | 'intent' | 'types' | 'credentials' | 'others' | 'actorSet' | 'topology'>): ActorSet {
	return actorSet ?? withOthers(traffic.actors({
		topology, intent, names: actorsFor(traffic, intent, types), credentials, withDns: asksDns(traffic, types),
	}), others);
}

function withOthers({actors, ...rest}: ActorSet, others: readonly OtherSender[]): ActorSet {
	return {...rest, actors: [...actors, ...others.map(other => planOf(other))]};
}

/** The value of a settled promise; throws its error. */
export function valueOf<T>(result: PromiseSettledResult<T>): T {
	if (result.status === 'rejected') {
		throw result.reason as Error;
	}

	return result.value;
}
