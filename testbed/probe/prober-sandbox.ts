/**
A sandbox with a prober that is reused for one rule set after another: namespaces, threads and sockets stay, the rules change. It reports what the kernel did with each probe, optionally with all legs.
*/

import {unspecified} from '../../src/netfilter/address.js';
import type {LegEnd} from '../../src/netfilter/path.js';
import type {AddressFamily, Backend, RuleSet} from '../../src/netfilter/types.js';
import type {ProbedLeg} from '../../src/comparison/moves.js';
import {isRoundRepeated, treatsAlike, type FlowLeg} from '../../src/model/loop.js';
import {StubModel, type NextLeg} from '../../src/model/stub.js';
import {noExtension} from '../../src/scenario/topology-extension.js';
import {defaultTopology, type Topology} from '../../src/mesh/topology.js';
import type {ProbeRequest, ProbeSpec} from '../../src/scenario/probe-spec.js';
import type {ActorCredentials} from '../../src/mesh/traffic.js';
import type {DeliveredLeg} from '../../src/trace/fast/first-leg.js';
import type {Gap} from '../../src/trace/gap.js';
import {isLedAway} from '../../src/trace/tproxy-socket.js';
import {dnsServersOf} from '../../src/mesh/intent.js';
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
import {refuseOutside} from './participants.js';

/** Options that stay the same from rule set to rule set. */
export type ProberSandboxOptions = {
	readonly backend: Backend;
	/** The families of the rules, and so of all probes. */
	readonly families: readonly AddressFamily[];
	readonly timeoutMs: number;
	readonly traceBufferBytes: number;
	/** As {@link SandboxOptions} has it. */
	readonly presetSysctls?: Sysctls | undefined;
	/** The default one unless given. */
	readonly topology?: Topology | undefined;
	/** For tests: see `ProberOptions`. */
	readonly beforeRead?: (() => Promise<void>) | undefined;
};

/** One rule set: the parts of a {@link RuleInput} that are installed, and the intent of the proxy. */
export type SandboxRules = Pick<RuleInput, 'mesh' | 'ruleSet' | 'routing' | 'intent' | 'lines' | 'allowedModules'>;

/** `follow`: also send what the proxy or the agent would forward; `once-around` ends a loop when its second round was the same as the first, as far as equal packets have equal paths under the rules, instead of after as many stops as a flow may have. `onSent` is called now and then with the number of probes sent, not counting forwarded ones. `numberOf` is how messages number a probe, for the caller that sends only some of its probes by this call. */
export type SendOptions = {
	readonly follow: boolean | 'once-around';
	readonly signal?: AbortSignal | undefined;
	readonly onSent?: ((probes: number) => void) | undefined;
	readonly numberOf?: ((index: number) => number) | undefined;
};

/** How often `onSent` is called. */
const tellMs = 250;

/** What was seen of one probe: its legs, and what is missing before they can be trusted. `unsendable` says why the kernel sent no packet for the last leg. */
export type ProbeOutcome = {readonly legs: readonly ProbedLeg[]; readonly gaps: readonly Gap[]; readonly isLoop: boolean; readonly unsendable?: Unsendable};
type OpenProbeResult = {readonly legs: ProbedLeg[]; readonly gaps: Gap[]; isLoop: boolean; unsendable?: Unsendable};
type LoadedProber = {readonly prober: Prober; readonly ruleSet: RuleSet; readonly model: StubModel};
type Bound = ReadonlyArray<readonly [index: number, request: ProbeRequest, flow: FlowLeg[]]>;

/** One sandbox, one prober, one rule set at a time. The creator disposes of it. */
export class ProberSandbox implements AsyncDisposable {
	/**
	Builds the sandbox, without rules.

	@throws {TestbedError} if the machine cannot do it.
	*/
	static async create(options: ProberSandboxOptions): Promise<ProberSandbox> {
		const lockFile = await LockFile.create();
		let sandbox: Sandbox | undefined;
		try {
			sandbox = Sandbox.create(noExtension, options);
			await sandbox.configure(options.topology ?? defaultTopology);
			return new ProberSandbox(options, sandbox, lockFile);
		} catch (error) {
			await sandbox?.[Symbol.asyncDispose]();
			await lockFile[Symbol.asyncDispose]();
			throw error;
		}
	}

	/**
	Builds the sandbox and installs rules.

	@throws {TestbedError} as {@link create} and {@link install}, leaving nothing behind.
	*/
	static async createWith(rules: RuleInput, credentials: ActorCredentials, options: Omit<ProberSandboxOptions, 'backend'>): Promise<ProberSandbox> {
		const ownSandbox = await ProberSandbox.create({topology: rules.topology, ...options, backend: rules.backend});
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
	The rules as installed in the kernel.

	@throws {RangeError} if none are installed.
	*/
	get ruleSet(): RuleSet {
		return this.#installed().ruleSet;
	}

	/** The addresses of the pod and of the hosts around it. */
	get topology(): Topology {
		return this.#options.topology ?? defaultTopology;
	}

	/** The number of probes that were sent again because their evidence was incomplete. */
	get repeated(): number {
		return this.#prober?.repeated ?? 0;
	}

	/** The number of probes that timed out without an answer. */
	get unanswered(): number {
		return this.#prober?.unanswered ?? 0;
	}

	/**
	Replaces the rules and prepares everything they need; returns what the kernel then has installed. `hasInvalid`: probes may be invalid packets, for which conntrack is turned on whatever the rules do; this need not be known before the rules are installed.

	@throws {TestbedError} RULES_REJECTED: the sandbox then has no rules, and accepts others; also if the machine cannot do it.
	*/
	async install(rules: SandboxRules, credentials: ActorCredentials, {hasInvalid: asksForInvalid = false}: {readonly hasInvalid?: boolean | Promise<boolean>} = {}): Promise<RuleSet> {
		const {mesh, ruleSet: asked, routing, intent, lines, allowedModules} = rules;
		const {
			backend, families, timeoutMs, traceBufferBytes, beforeRead,
		} = this.#options;
		this.#loaded = undefined;
		const {ruleSet} = await this.#rules.replace({
			ruleSet: asked, routing, backend, families, lines, allowedModules,
		});
		const model = new StubModel(mesh, intent, credentials, this.topology);
		await this.#makeReachable(dnsServersOf(intent));
		const {listening} = model;
		const hasInvalid = await asksForInvalid;
		if (this.#prober === undefined) {
			this.#prober = await Prober.create({
				sandbox: this.#sandbox, backend, families, ruleSet, listening, hasInvalid, timeoutMs, bufferBytes: traceBufferBytes, beforeRead, isSandboxRemoved: true,
			});
		} else {
			await this.#prober.renew({ruleSet, listening, hasInvalid});
		}

		this.#loaded = {prober: this.#prober, ruleSet, model};
		return ruleSet;
	}

	/** The current counters, handles and owners. */
	async loadState(): Promise<KernelState> {
		const {backend, families} = this.#options;
		return loadKernelState(this.#sandbox.pod, {backend, families, lockFile: this.#lockFile.path});
	}

	/**
	Sends probes and returns what was seen of each, in the order of the questions.

	@throws {TestbedError} USAGE for a probe that never enters the pod; INPUT for an invalid one; SYSCALL_FAILED if a thread fails. {RangeError} without rules. The signal's reason.
	*/
	async send(questions: readonly ProbeSpec[], {follow, signal, onSent, numberOf = index => index + 1}: SendOptions): Promise<readonly ProbeOutcome[]> {
		const run = this.#installed();
		const bound = questions.map((question, index) => {
			refuseOutside(question, this.topology);
			return [index, run.model.requestOf(question, String(numberOf(index))), [] as FlowLeg[]] as const;
		});
		await this.#makeReachable(questions.map(({to}) => to.address));
		const probeResults = questions.map((): OpenProbeResult => ({legs: [], gaps: [], isLoop: false}));
		const isCut = follow === 'once-around' && treatsAlike(run.ruleSet) ? isRoundRepeated : () => false;
		let left: Bound = bound;
		while (left.length > 0) {
			const isFirst = left === bound;
			const reporting = isFirst && onSent !== undefined
				? setInterval(() => {
					onSent(run.prober.sent);
				}, tellMs)
				: undefined;
			let answers: readonly ProbeAnswer[];
			try {
				answers = await run.prober.probe(left.map(([, request]) => request), signal); // eslint-disable-line no-await-in-loop -- One leg after the other.
			} finally {
				clearInterval(reporting);
			}

			if (isFirst) {
				onSent?.(questions.length);
			}

			left = left.flatMap(([index, request, flow], position) => {
				const next = land(probeResults[index]!, {
					request, answer: answers[position]!, play: run, flow, isCut,
				});
				return next === undefined || follow === false ? [] : [[index, asSender({id: request.id, ...next}, bound[index]![1]), flow] as const];
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
			throw new RangeError('the sandbox has no rules');
		}

		return this.#loaded;
	}

	async #makeReachable(addresses: readonly string[]): Promise<void> {
		const fresh = [...new Set(addresses)].filter(address => !this.#known.has(address));
		for (const address of fresh) {
			this.#known.add(address);
		}

		await this.#sandbox.answerElsewhere(this.topology, fresh);
	}
}

/** The next leg of a probe whose sender opens it: as the user that the probe gives this sender, as a process would. */
function asSender(next: ProbeRequest, {actor, uid, gid}: ProbeRequest): ProbeRequest {
	return next.actor === actor && (next.uid !== uid || next.gid !== gid) ? {...next, uid, gid} : next;
}

/** Adds a leg to a result and its flow; returns the next leg, if the connection is forwarded. */
function land(probeResult: OpenProbeResult, {request, answer: {leg, gaps, unsendable}, play: {model, ruleSet}, flow, isCut}: {
	readonly request: ProbeRequest; readonly answer: ProbeAnswer; readonly play: LoadedProber; readonly flow: FlowLeg[]; readonly isCut: (flow: readonly FlowLeg[]) => boolean;
}): NextLeg | undefined {
	probeResult.gaps.push(...gaps);
	if (unsendable !== undefined) {
		probeResult.unsendable = unsendable;
		probeResult.legs.push(legNeverSent(request, unsendable));
	}

	if (leg === undefined) {
		return undefined;
	}

	// A connection from the pod whose answer does not come back is never established, so it is not forwarded.
	const isHalf = leg.protocol === 'tcp' && leg.end.kind === 'unknown' && request.from === 'pod';
	const {end, next} = isHalf ? {end: leg.end, next: undefined} : model.receive(leg);
	const probed = asProbed(leg, end, ruleSet);
	probeResult.legs.push(probed);
	if (probeResult.gaps.length > 0) {
		return undefined;
	}

	flow.push({sent: request, leg: probed});
	if (next !== undefined && (probeResult.legs.length > loopStops || isCut(flow))) {
		probeResult.isLoop = true;
		return undefined;
	}

	return next;
}

/** Drops `arrivedBy`, which is implied by the leg's end, and marks legs that the rules led away from a listener. Field by field, because copying the rest of an object takes V8 long. */
function asProbed({actor, family, protocol, from, to, socket, traversals, deliveredTo}: Omit<DeliveredLeg, 'flow'>, end: LegEnd, ruleSet: RuleSet): ProbedLeg {
	const isWhereAsked = deliveredTo?.address === to.address && deliveredTo.port === to.port;
	const leg = {
		actor, family, protocol, from, to, socket, traversals, end, deliveredTo,
	} satisfies {[Name in keyof Required<Omit<ProbedLeg, 'flow' | 'isLedAway'>>]: ProbedLeg[Name]};
	return isWhereAsked ? {...leg, isLedAway: isLedAway(traversals, ruleSet)} : leg;
}

/** A leg without a packet, in the form of an actor's leg: the kernel told the sender why it would not send it. */
function legNeverSent({from, actor = from, protocol, source, sourcePort = 0, to}: ProbeRequest, {message}: Unsendable): ProbedLeg {
	const family = to.address.includes(':') ? 'ipv6' : 'ipv4';
	return {
		actor, family, protocol, from: {address: source ?? unspecified[family], port: sourcePort}, to, socket: undefined, traversals: [], end: {kind: 'unreachable', reason: message}, deliveredTo: undefined,
	};
}
