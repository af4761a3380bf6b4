/**
Many probes through one rule set by the prober: each question's way on the kernel, without a process per probe. With `follow` the next legs are sent as the proxy stub would send them.

The prober has no listeners: the trace shows where a packet was delivered, and the company of the default topology says who would listen there.
*/

import {isLoopback} from '../src/netfilter/address.js';
import {rulesOf} from '../src/netfilter/lookup.js';
import {stepsOfPath, stopsOfPath, type Endpoint, type Leg, type LegEnd} from '../src/netfilter/path.js';
import type {AddressFamily, RuleSet} from '../src/netfilter/types.js';
import {standardCompany, type Company, type ListenerPlan} from '../src/scenario/company.js';
import {livesInPod} from '../src/scenario/expectation.js';
import {transparencyOf} from '../src/scenario/intent.js';
import {defaultTopology} from '../src/scenario/topology.js';
import type {ActorCredentials, ActorName} from '../src/scenario/types.js';
import type {DeliveredLeg} from '../src/trace/first-leg.js';
import type {Gap} from '../src/trace/gap.js';
import {loopStops} from '../src/trace/sockets.js';
import {TestbedError} from './errors.js';
import {LockFile} from './lock-file.js';
import {answerElsewhere, refuseOutside, withDns} from './neighbourhood.js';
import type {RuleInput} from './options.js';
import {Prober, type ProbeAnswer, type ProbeRequest} from './prober/prober.js';
import {loadKernelState, type KernelState} from './sandbox/kernel-state.js';
import {installRules} from './sandbox/rules.js';
import {Sandbox} from './sandbox/sandbox.js';

/** One probe of a batch. What is undefined is as in `run`, the route's or the kernel's choice. */
export type BatchQuestion = {
	/** Given back with the answer, as it is. */
	readonly id: unknown;
	readonly from: ActorName;
	/** The destination as the user named it, and what it is. */
	readonly asked: string;
	readonly to: Endpoint;
	readonly family: AddressFamily;
	readonly uid: number | undefined;
	readonly gid: number | undefined;
	readonly protocol: 'tcp' | 'udp';
	readonly source: string | undefined;
	readonly sourcePort: number | undefined;
	readonly device: string | undefined;
	readonly mark: number | undefined;
};

/** What decides a batch. */
export type BatchOptions = {
	readonly rules: RuleInput;
	/** Of the rules; a probe can be of no other. */
	readonly families: readonly AddressFamily[];
	readonly credentials: ActorCredentials;
	/** Send the next legs as well. */
	readonly follow: boolean;
	readonly timeoutMs: number;
	readonly traceBufferBytes: number;
};

/** How a probe ended. `delivered`: somebody of the default topology listens where it came to; `refused`: nobody does. */
export type BatchOutcome = 'delivered' | 'refused' | 'dropped' | 'unreachable' | 'unknown' | 'loop' | 'inconclusive';

/** The answer to one line. Where `gaps` is not empty, the outcome is inconclusive and the path what was seen of it. */
export type BatchAnswer = {readonly id?: unknown; readonly path: readonly string[]; readonly stops: readonly string[]; readonly outcome: BatchOutcome; readonly gaps: readonly Gap[]};

/** Everybody who can listen: of these the stops are named. */
const everybody: readonly ActorName[] = ['proxy', 'app', 'agent', 'remote', 'istiod', 'prometheus'];

/** A sandbox with rules and a prober, which answers lines until it is disposed of. */
export class ProbeBatch implements AsyncDisposable {
	/**
	Builds the sandbox, installs the rules and starts the prober.

	@throws {TestbedError} USAGE for rules with TPROXY, which needs a listener; RULES_REJECTED; and when the machine cannot do it.
	*/
	static async create(options: BatchOptions): Promise<ProbeBatch> {
		const {
			rules, families, timeoutMs, traceBufferBytes,
		} = options;
		const {backend} = rules;
		if (transparencyOf(rules.intent) !== undefined || hasTproxy(rules.ruleSet)) {
			throw new TestbedError('USAGE', {
				message: 'TPROXY hands a packet to a socket that listens, and the prober of --batch has none.',
				hint: 'Ask one at a time (testbed probe --to …), or write a scenario file.',
			});
		}

		const undo = new Undo();
		try {
			const sandbox = Sandbox.create();
			undo.add(sandbox);
			await sandbox.configure(defaultTopology);
			const lockFile = await LockFile.create();
			undo.add(lockFile);
			const [ruleSet] = await Promise.all([
				installRules(sandbox.pod, {
					ruleSet: rules.ruleSet, backend, families, lockFile: lockFile.path, ...(rules.lines === undefined ? {} : {lines: rules.lines}),
				}),
				sandbox.applyRouting(rules.routing),
			]);
			const prober = await Prober.create({
				sandbox, backend, families, ruleSet, timeoutMs, bufferBytes: traceBufferBytes,
			});
			undo.add(prober);
			return new ProbeBatch(options, {
				sandbox, prober, undo, ruleSet, lockFile: lockFile.path,
			});
		} catch (error) {
			await undo[Symbol.asyncDispose]();
			throw error;
		}
	}

	readonly #options: BatchOptions;
	readonly #sandbox: Sandbox;
	readonly #prober: Prober;
	readonly #undo: Undo;
	readonly #ruleSet: RuleSet;
	readonly #lockFile: string;
	readonly #company: Company;
	readonly #listeners: ReadonlyMap<string, ListenerPlan>;
	readonly #known = new Set<string>();

	private constructor(options: BatchOptions, {sandbox, prober, undo, ruleSet, lockFile}: {
		readonly sandbox: Sandbox; readonly prober: Prober; readonly undo: Undo; readonly ruleSet: RuleSet; readonly lockFile: string;
	}) {
		this.#ruleSet = ruleSet;
		this.#lockFile = lockFile;
		this.#options = options;
		this.#sandbox = sandbox;
		this.#prober = prober;
		this.#undo = undo;
		this.#company = withDns(standardCompany({
			topology: defaultTopology, intent: options.rules.intent, names: everybody, credentials: options.credentials,
		}), defaultTopology);
		this.#listeners = new Map(this.#company.actors.flatMap(({namespace, listeners}) => listeners.map(listener => [listenerKey(namespace, listener.protocol, listener.port), listener] as const)));
	}

	/** Probes that were sent more than once, because their evidence was not whole. */
	get repeated(): number {
		return this.#prober.repeated;
	}

	/** The rules as the kernel holds them. */
	get ruleSet(): RuleSet {
		return this.#ruleSet;
	}

	/** Counters, handles and owners, as they are now. */
	async loadState(): Promise<KernelState> {
		const {rules: {backend}, families} = this.#options;
		return loadKernelState(this.#sandbox.pod, {backend, families, lockFile: this.#lockFile});
	}

	/**
	Sends probes and says what came of each, in the order of the lines.

	@throws {TestbedError} USAGE for a probe that never comes into the pod; INPUT for one that cannot be sent; SYSCALL_FAILED when a thread fails.
	*/
	async ask(lines: readonly BatchQuestion[]): Promise<readonly BatchAnswer[]> {
		const flights = await this.fly(lines);
		return lines.map(({id}, index) => answerOf(id, flights[index]!));
	}

	/**
	The same with all that was seen of each.

	@throws {TestbedError} as {@link ask}.
	*/
	async fly(lines: readonly BatchQuestion[]): Promise<readonly Flight[]> {
		const requests = lines.map((line, index) => this.#requestOf(line, index));
		await this.#makeReachable(lines.map(({to}) => to.address));
		const flights = lines.map((): OpenFlight => ({legs: [], gaps: [], isLoop: false}));
		await this.#fly(requests.map((request, index) => [index, request]), flights);
		return flights;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#undo[Symbol.asyncDispose]();
	}

	async #makeReachable(addresses: readonly string[]): Promise<void> {
		const fresh = [...new Set(addresses)].filter(address => !this.#known.has(address));
		for (const address of fresh) {
			this.#known.add(address);
		}

		await answerElsewhere(this.#sandbox.remote, defaultTopology, fresh);
	}

	async #fly(wave: ReadonlyArray<readonly [index: number, request: ProbeRequest]>, flights: readonly OpenFlight[]): Promise<void> {
		const answers = await this.#prober.probe(wave.map(([, request]) => request));
		const next: Array<readonly [index: number, request: ProbeRequest]> = [];
		for (const [position, [index]] of wave.entries()) {
			const flight = flights[index]!;
			const request = this.#land(flight, answers[position]!);
			if (request !== undefined) {
				next.push([index, request]);
			}
		}

		if (next.length > 0) {
			await this.#fly(next, flights);
		}
	}

	/** Notes a leg; returns the next one, if somebody carries it on. */
	#land(flight: OpenFlight, {id, leg, gaps}: ProbeAnswer): ProbeRequest | undefined {
		flight.gaps.push(...gaps);
		if (leg === undefined) {
			return undefined;
		}

		const listener = this.#listenerAt(leg);
		flight.legs.push({...leg, end: endOf(leg, listener)});
		if (!this.#options.follow || listener === undefined || listener.duty === 'answer' || flight.gaps.length > 0) {
			return undefined;
		}

		if (flight.legs.length > loopStops) {
			flight.isLoop = true;
			return undefined;
		}

		return {id, from: 'pod', ...this.#carriedOn(listener, leg)};
	}

	/** What the stub behind a listener would send: the proxy to the endpoint or to the app, the agent to the server that it asks. */
	#carriedOn({duty, forwardTo}: ListenerPlan, {to, family, protocol}: Leg): Omit<ProbeRequest, 'id' | 'from'> {
		const {proxy, agent} = this.#options.credentials;
		if (forwardTo !== undefined) {
			return {
				actor: 'agent', ...agent, protocol, to: {address: forwardTo.addresses[family], port: forwardTo.port},
			};
		}

		return {
			actor: 'proxy',
			...proxy,
			protocol,
			...(duty === 'outbound'
				? {to: this.#company.services[`${to.address} ${to.port}`] ?? to}
				: {to, source: defaultTopology.passthroughSource[family]}),
		};
	}

	#listenerAt({deliveredTo, protocol, family}: DeliveredLeg): ListenerPlan | undefined {
		return deliveredTo === undefined ? undefined : this.#listeners.get(listenerKey(isOfPod(deliveredTo, family) ? 'pod' : 'remote', protocol, deliveredTo.port));
	}

	#requestOf({from, uid, gid, to, family, asked, protocol, source, sourcePort, device, mark}: BatchQuestion, index: number): ProbeRequest {
		refuseOutside({
			from, to, family, asked,
		}, defaultTopology);
		const usual = this.#options.credentials[from];
		const own = source ?? this.#company.actors.find(({name}) => name === from)?.ownSource[family];
		return {
			id: String(index + 1),
			from: livesInPod[from] ? 'pod' : 'remote',
			actor: from,
			uid: uid ?? usual.uid,
			gid: gid ?? uid ?? usual.gid,
			protocol,
			to,
			...(own === undefined ? {} : {source: own}),
			...(sourcePort === undefined ? {} : {sourcePort}),
			...(device === undefined ? {} : {device}),
			...(mark === undefined ? {} : {mark}),
		};
	}
}

/** What was seen of one probe: its legs, and what is missing to trust them. */
export type Flight = {readonly legs: readonly DeliveredLeg[]; readonly gaps: readonly Gap[]; readonly isLoop: boolean};
type OpenFlight = {readonly legs: DeliveredLeg[]; readonly gaps: Gap[]; isLoop: boolean};

function answerOf(id: unknown, {legs, gaps, isLoop}: Flight): BatchAnswer {
	return {
		...(id === undefined ? {} : {id}),
		path: stepsOfPath({legs}),
		stops: stopsOfPath({legs}),
		outcome: gaps.length > 0 || legs.length === 0 ? 'inconclusive' : (isLoop ? 'loop' : outcomeOf(legs.at(-1)!.end)),
		gaps,
	};
}

/** The trace tells where it was delivered; who listens there is known. */
function endOf({deliveredTo, end}: DeliveredLeg, listener: ListenerPlan | undefined): LegEnd {
	if (deliveredTo === undefined) {
		return end;
	}

	return listener === undefined ? {kind: 'refused'} : {kind: 'accepted', stop: listener.stopsByAddress?.[deliveredTo.address] ?? listener.stop};
}

function outcomeOf({kind}: LegEnd): BatchOutcome {
	return kind === 'accepted' ? 'delivered' : kind;
}

function isOfPod({address}: Endpoint, family: AddressFamily): boolean {
	return address === defaultTopology.places.pod[family] || isLoopback(address);
}

function listenerKey(...parts: readonly [namespace: string, protocol: string, port: number]): string {
	return parts.join(' ');
}

function hasTproxy(ruleSet: RuleSet): boolean {
	return [...rulesOf(ruleSet)].some(({rule}) => rule.target.kind === 'tproxy');
}

/** What was made, undone last first. (Node 20 has no `AsyncDisposableStack`.) */
class Undo implements AsyncDisposable {
	readonly #made: AsyncDisposable[] = [];

	add(one: AsyncDisposable): void {
		this.#made.push(one);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		for (let one = this.#made.pop(); one !== undefined; one = this.#made.pop()) {
			await one[Symbol.asyncDispose](); // eslint-disable-line no-await-in-loop -- In order.
		}
	}
}
