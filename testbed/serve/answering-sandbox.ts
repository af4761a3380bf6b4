/**
A sandbox that stays, with actors that really listen: rules go in, connections are opened, and what the kernel did comes back, judged. It is the engine of `testbed run` over and over again.
*/

import {standingActors, type PlannedConnection} from '../../src/workshop/connections.js';
import type {TypeResult, Report} from '../../src/report/run/types.js';
import type {Environment} from '../../src/report/shared-types.js';
import type {AddressFamily} from '../../src/netfilter/types.js';
import {defaultTopology} from '../../src/mesh/topology.js';
import {asksDns} from '../../src/mesh/traffic-types.js';
import type {ActorCredentials, TypeId} from '../../src/mesh/traffic.js';
import {loadEnvironment} from '../confinement/environment.js';
import {TestbedError} from '../errors.js';
import type {RuleInput} from '../inputs/types.js';
import {canFollow} from '../sandbox/backends/drivers.js';
import {ActorSandbox, reuseKey, type ActorSandboxOptions} from '../run/actor-sandbox.js';
import {buildReport, casesOf, questionOf} from '../run/report.js';
import type {RunOptions} from '../run/options.js';
import {sendProbes} from '../run/send.js';

/** What does not change from question to question. */
export type AnsweringOptions = {readonly timeoutMs: number; readonly traceBufferBytes: number; readonly signal: AbortSignal};

/** What is asked: types of the mesh, and one connection more. */
export type Asked = {
	readonly rules: RuleInput;
	readonly credentials: ActorCredentials;
	readonly family: AddressFamily;
	readonly types: readonly TypeId[];
	readonly connection?: PlannedConnection | undefined;
};

/** The result. `loaded` are the rules as installed in the kernel. */
export type Answered = Pick<Report, 'hints' | 'ruleNotes'> & {readonly types: readonly TypeResult[]; readonly connection: TypeResult | undefined; readonly loaded: NonNullable<Report['loaded']>; readonly durationMs: number};

/** So many senders with users of their own are kept. */
const sendersMax = 8;

/** The most additional addresses that are answered for; beyond them, the sandbox is created again. */
const addressesMax = 1000;

/** One sandbox at a time, created again if other actors are needed. One question after the other. The caller that creates it disposes of it. */
export class AnsweringSandbox implements AsyncDisposable {
	readonly #options: AnsweringOptions;
	#sandbox: ActorSandbox | undefined;
	#key = '';
	#backend: RuleInput['backend'] | undefined;
	#senders: string[] = [];
	readonly #addresses = new Set<string>();
	#environment: Promise<Environment> | undefined;

	constructor(options: AnsweringOptions) {
		this.#options = options;
	}

	/**
	Puts the rules in, sends everything at once, and judges it.

	@throws {TestbedError} RULES_REJECTED when the kernel refuses the rules; none are loaded then, and the next question loads its own. What else a run throws; the sandbox is then created again.
	*/
	async ask(asked: Asked): Promise<Answered> {
		const startedAt = performance.now();
		const {rules, family, types, credentials, connection} = asked;
		const sandbox = await this.#sandboxFor(asked);
		try {
			if (connection !== undefined) {
				await this.#prepare(sandbox, connection);
			}

			const options: RunOptions = {
				...this.#options, rules, families: [family], types, credentials, onProgress: () => undefined,
			};
			const question = questionOf(options, defaultTopology);
			const cases = [...casesOf(question), ...(connection === undefined ? [] : [connection.traffic])];
			this.#environment ??= loadEnvironment(rules.backend);
			const [seen, environment] = await Promise.all([
				sendProbes(sandbox, {...options, sendings: cases.map(({id, name, probe}) => ({id, label: name, probe}))}),
				this.#environment,
			]);
			const {types: results, ruleNotes, hints, loaded} = buildReport(question, {cases, seen, environment});
			return {
				types: connection === undefined ? results : results.slice(0, -1),
				connection: connection === undefined ? undefined : results.at(-1),
				ruleNotes,
				hints,
				loaded: loaded!,
				durationMs: Math.round(performance.now() - startedAt),
			};
		} catch (error) {
			if (!isOfRules(error)) {
				await this.#close();
			}

			throw error;
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#close();
	}

	async #sandboxFor({rules: {mesh, intent, backend}, types, credentials, connection}: Asked): Promise<ActorSandbox> {
		const optionsWith = (withDns: boolean): ActorSandboxOptions => ({
			mesh, intent, types: [], credentials, timeoutMs: this.#options.timeoutMs, actorSet: standingActors({mesh, intent, credentials, withDns}),
		});
		const needsDns = connection?.needsDns === true || asksDns(mesh.traffic, types);
		const [needed, withDns] = [optionsWith(needsDns), optionsWith(true)];
		// Name servers that are there already are in nobody's way.
		const options = this.#key === reuseKey(withDns) ? withDns : needed;
		const key = reuseKey(options);
		if (this.#sandbox !== undefined && (key !== this.#key || !canFollow(this.#backend!, backend) || this.#addresses.size >= addressesMax)) {
			await this.#close();
		}

		this.#backend = backend;
		if (this.#sandbox === undefined) {
			this.#sandbox = await ActorSandbox.create(options);
			this.#key = key;
		}

		return this.#sandbox;
	}

	async #prepare(ownSandbox: ActorSandbox, {traffic: {probe: {destination}}, sender}: PlannedConnection): Promise<void> {
		const {sandbox, topology} = ownSandbox;
		await ownSandbox.configured();
		if (!this.#addresses.has(destination.address)) {
			this.#addresses.add(destination.address);
			await sandbox.answerElsewhere(topology, [destination.address]);
		}

		if (sender === undefined || this.#senders.includes(sender.name)) {
			return;
		}

		const actorGroup = await ownSandbox.actorGroup();
		await actorGroup.addSender(sender, {sandbox, topology, timeoutMs: this.#options.timeoutMs});
		this.#senders.push(sender.name);
		if (this.#senders.length > sendersMax) {
			await actorGroup.removeSender(this.#senders.shift()!);
		}
	}

	async #close(): Promise<void> {
		const sandbox = this.#sandbox;
		this.#sandbox = undefined;
		this.#senders = [];
		this.#addresses.clear();
		await sandbox?.[Symbol.asyncDispose]();
	}
}

function isOfRules(error: unknown): boolean {
	return error instanceof TestbedError && error.code === 'RULES_REJECTED';
}
