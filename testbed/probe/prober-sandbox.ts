/**
A sandbox with a prober, kept for one rule set after the other: namespaces, threads and sockets stay, the rules change. What it is asked, it answers by what the kernel did, with all legs if they are wanted.
*/

import type {AddressFamily, Backend, RuleSet} from '../../src/netfilter/types.js';
import type {ProbedLeg} from '../../src/comparison/moves.js';
import {StubModel, type NextLeg} from '../../src/model/stub.js';
import {noExtension} from '../../src/scenario/topology-extension.js';
import {defaultTopology} from '../../src/scenario/topology.js';
import type {ProbeRequest, ProbeSpec} from '../../src/scenario/probe-spec.js';
import type {ActorCredentials} from '../../src/scenario/types.js';
import type {Gap} from '../../src/trace/gap.js';
import {isLedAway} from '../../src/trace/tproxy-socket.js';
import {loopStops} from '../../src/trace/sockets.js';
import {LockFile} from '../system/lock-file.js';
import type {RuleInput} from '../inputs/types.js';
import {Prober, type ProbeAnswer} from '../prober/prober.js';
import type {Unsendable} from '../prober/encode.js';
import {ReplaceableRules} from '../sandbox/installed-rules.js';
import {loadKernelState} from '../tracer/counters.js';
import type {KernelState} from '../tracer/kernel-texts.js';
import {Sandbox} from '../sandbox/sandbox.js';
import type {Sysctls} from '../sandbox/sysctls.js';
import {answerElsewhere} from '../sandbox/remote-routes.js';
import {refuseOutside} from './participants.js';

/** What does not change from rule set to rule set. */
export type ProberSandboxOptions = {
	readonly backend: Backend;
	/** Of the rules; a probe can be of no other. */
	readonly families: readonly AddressFamily[];
	readonly timeoutMs: number;
	readonly traceBufferBytes: number;
	/** As {@link SandboxOptions} has it. */
	readonly presetSysctls?: Sysctls | undefined;
	/** For tests: see `ProberOptions`. */
	readonly beforeRead?: (() => Promise<void>) | undefined;
};

/** What is known of one rule set: as much of a {@link RuleInput} as is installed, and what the proxy is meant to do. */
export type SandboxRules = Pick<RuleInput, 'ruleSet' | 'routing' | 'intent' | 'lines' | 'allowedModules'>;

/** What was seen of one probe: its legs, and what is missing to trust them. `unsendable` says why the kernel sent no packet for the last leg. */
export type ProbeOutcome = {readonly legs: readonly ProbedLeg[]; readonly gaps: readonly Gap[]; readonly isLoop: boolean; readonly unsendable?: Unsendable};
type OpenProbeResult = {readonly legs: ProbedLeg[]; readonly gaps: Gap[]; isLoop: boolean; unsendable?: Unsendable};
type LoadedProber = {readonly prober: Prober; readonly ruleSet: RuleSet; readonly model: StubModel};
type Bound = ReadonlyArray<readonly [index: number, request: ProbeRequest]>;

/** One sandbox, one prober, one rule set at a time. Who creates it disposes of it. */
export class ProberSandbox implements AsyncDisposable {
	/**
	Builds the sandbox. It holds no rules yet.

	@throws {TestbedError} when the machine cannot do it.
	*/
	static async create(options: ProberSandboxOptions): Promise<ProberSandbox> {
		const lockFile = await LockFile.create();
		let sandbox: Sandbox | undefined;
		try {
			sandbox = Sandbox.create(noExtension, options);
			await sandbox.configure(defaultTopology);
			return new ProberSandbox(options, sandbox, lockFile);
		} catch (error) {
			await sandbox?.[Symbol.asyncDispose]();
			await lockFile[Symbol.asyncDispose]();
			throw error;
		}
	}

	/**
	Builds the sandbox and installs rules.

	@throws {TestbedError} as {@link create} and {@link install}; nothing is left behind then.
	*/
	static async createWith(rules: RuleInput, credentials: ActorCredentials, options: Omit<ProberSandboxOptions, 'backend'>): Promise<ProberSandbox> {
		const ownSandbox = await ProberSandbox.create({...options, backend: rules.backend});
		try {
			await ownSandbox.install(rules, credentials);
			return ownSandbox;
		} catch (error) {
			await ownSandbox[Symbol.asyncDispose]();
			throw error;
		}
	}

	readonly #options: ProberSandboxOptions;
	readonly #sandbox: Sandbox;
	readonly #lockFile: LockFile;
	readonly #rules: ReplaceableRules;
	readonly #known = new Set<string>();
	#prober: Prober | undefined;
	#loaded: LoadedProber | undefined;

	private constructor(options: ProberSandboxOptions, sandbox: Sandbox, lockFile: LockFile) {
		this.#options = options;
		this.#sandbox = sandbox;
		this.#lockFile = lockFile;
		this.#rules = new ReplaceableRules(sandbox, lockFile.path);
	}

	/**
	The rules as the kernel holds them.

	@throws {RangeError} when none are installed.
	*/
	get ruleSet(): RuleSet {
		return this.#installed().ruleSet;
	}

	/** Probes that were sent more than once, because their evidence was not whole. */
	get repeated(): number {
		return this.#prober?.repeated ?? 0;
	}

	/** Probes whose answer was waited for in vain. */
	get unanswered(): number {
		return this.#prober?.unanswered ?? 0;
	}

	/**
	Puts rules in the place of those of before, and gets everything ready that they need; returns what the kernel then holds. `hasInvalid`: questions may be invalid packets, for which conntrack is turned on whatever the rules do.

	@throws {TestbedError} RULES_REJECTED: the stage holds none then, and takes others; and when the machine cannot do it.
	*/
	async install({ruleSet: asked, routing, intent, lines, allowedModules}: SandboxRules, credentials: ActorCredentials, {hasInvalid = false}: {readonly hasInvalid?: boolean} = {}): Promise<RuleSet> {
		const {
			backend, families, timeoutMs, traceBufferBytes, beforeRead,
		} = this.#options;
		this.#loaded = undefined;
		const {ruleSet} = await this.#rules.replace({
			ruleSet: asked, routing, backend, families, lines, allowedModules,
		});
		const model = new StubModel(intent, credentials);
		const {listening} = model;
		if (this.#prober === undefined) {
			this.#prober = await Prober.create({
				sandbox: this.#sandbox, backend, families, ruleSet, listening, hasInvalid, timeoutMs, bufferBytes: traceBufferBytes, beforeRead,
			});
		} else {
			await this.#prober.renew({ruleSet, listening, hasInvalid});
		}

		this.#loaded = {prober: this.#prober, ruleSet, model};
		return ruleSet;
	}

	/** Counters, handles and owners, as they are now. */
	async loadState(): Promise<KernelState> {
		const {backend, families} = this.#options;
		return loadKernelState(this.#sandbox.pod, {backend, families, lockFile: this.#lockFile.path});
	}

	/**
	Sends probes and says what was seen of each, in the order of the questions; with `follow` also what the proxy or the agent would send on.

	@throws {TestbedError} USAGE for a probe that never comes into the pod; INPUT for one that makes no sense; SYSCALL_FAILED when a thread fails. {RangeError} without rules.
	*/
	async send(questions: readonly ProbeSpec[], {follow}: {readonly follow: boolean}): Promise<readonly ProbeOutcome[]> {
		const run = this.#installed();
		const bound = questions.map((question, index) => {
			refuseOutside(question, defaultTopology);
			return [index, run.model.requestOf(question, String(index + 1))] as const;
		});
		await this.#makeReachable(questions.map(({to}) => to.address));
		const probeResults = questions.map((): OpenProbeResult => ({legs: [], gaps: [], isLoop: false}));
		let left: Bound = bound;
		while (left.length > 0) {
			const answers = await run.prober.probe(left.map(([, request]) => request)); // eslint-disable-line no-await-in-loop -- One leg after the other.
			left = left.flatMap(([index, request], position) => {
				const next = land(probeResults[index]!, {request, answer: answers[position]!, play: run});
				return next === undefined || !follow ? [] : [[index, {id: request.id, ...next}] as const];
			});
		}

		return probeResults;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#prober?.[Symbol.asyncDispose]();
		await this.#sandbox[Symbol.asyncDispose]();
		await this.#lockFile[Symbol.asyncDispose]();
	}

	#installed(): LoadedProber {
		if (this.#loaded === undefined) {
			throw new RangeError('the sandbox holds no rules');
		}

		return this.#loaded;
	}

	async #makeReachable(addresses: readonly string[]): Promise<void> {
		const fresh = [...new Set(addresses)].filter(address => !this.#known.has(address));
		for (const address of fresh) {
			this.#known.add(address);
		}

		await answerElsewhere(this.#sandbox.remote, defaultTopology, fresh);
	}
}

/** Notes a leg; returns the next one, if somebody carries it on. */
function land(probeResult: OpenProbeResult, {request, answer: {leg, gaps, unsendable}, play: {model, ruleSet}}: {
	readonly request: ProbeRequest; readonly answer: ProbeAnswer; readonly play: LoadedProber;
}): NextLeg | undefined {
	probeResult.gaps.push(...gaps);
	if (unsendable !== undefined) {
		probeResult.unsendable = unsendable;
		probeResult.legs.push(legNeverSent(request, unsendable));
	}

	if (leg === undefined) {
		return undefined;
	}

	// A connection of the pod whose answer does not come back is never made, so nobody carries it on.
	const isHalf = leg.protocol === 'tcp' && leg.end.kind === 'unknown' && request.from === 'pod';
	const {end, next} = isHalf ? {end: leg.end, next: undefined} : model.receive(leg);
	probeResult.legs.push({...asProbed(leg, ruleSet), end});
	if (probeResult.gaps.length > 0) {
		return undefined;
	}

	if (next !== undefined && probeResult.legs.length > loopStops) {
		probeResult.isLoop = true;
		return undefined;
	}

	return next;
}

/** By which hook it was delivered, its end says. */
function asProbed({arrivedBy: _, ...leg}: ProbedLeg & {readonly arrivedBy: unknown}, ruleSet: RuleSet): ProbedLeg {
	const isWhereAsked = leg.deliveredTo?.address === leg.to.address && leg.deliveredTo.port === leg.to.port;
	return isWhereAsked ? {...leg, isLedAway: isLedAway(leg.traversals, ruleSet)} : leg;
}

/** A leg of which no packet ever was, as that of an actor: the kernel told the one who wanted it why. */
function legNeverSent({from, actor = from, protocol, source, sourcePort = 0, to}: ProbeRequest, {message}: Unsendable): ProbedLeg {
	const family = to.address.includes(':') ? 'ipv6' : 'ipv4';
	return {
		actor, family, protocol, from: {address: source ?? (family === 'ipv4' ? '0.0.0.0' : '::'), port: sourcePort}, to, socket: undefined, traversals: [], end: {kind: 'unreachable', reason: message}, deliveredTo: undefined,
	};
}
