/**
Many probes through one rule set by the prober: each question's way on the kernel, without a process per probe. With `follow` the next legs are sent as the proxy stub would send them.
*/

import {stepsOfPath, stopsOfPath} from '../../src/netfilter/path.js';
import type {AddressFamily, RuleSet} from '../../src/netfilter/types.js';
import type {ActorCredentials} from '../../src/scenario/types.js';
import type {Gap} from '../../src/trace/gap.js';
import type {RuleInput} from '../inputs/types.js';
import type {Unsendable} from '../prober/encode.js';
import type {KernelState} from '../tracer/kernel-texts.js';
import type {Sysctls} from '../sandbox/sysctls.js';
import type {BatchQuestion} from '../inputs/probe-question.js';
import {ProbeStage, type Flight} from './prober-sandbox.js';

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
	/** As `ProbeStageOptions` has it. */
	readonly presetSysctls?: Sysctls | undefined;
	/** For tests: see `ProberOptions`. */
	readonly beforeRead?: (() => Promise<void>) | undefined;
};

/** How a probe ended. `delivered`: somebody of the default topology listens where it came to; `refused`: nobody does; `unreachable`: the network or the sender's own kernel said so. */
export type BatchOutcome = 'delivered' | 'refused' | 'dropped' | 'unreachable' | 'unknown' | 'loop' | 'inconclusive';

/** The answer to one line. Where `gaps` is not empty, the outcome is inconclusive and the path what was seen of it. `unsendable` is there where the kernel sent no packet, and says why. */
export type BatchAnswer = {
	readonly id?: unknown;
	readonly path: readonly string[];
	readonly stops: readonly string[];
	readonly outcome: BatchOutcome;
	readonly unsendable?: Unsendable;
	readonly gaps: readonly Gap[];
};

/** A sandbox with rules and a prober, which answers lines until it is disposed of. */
export class ProbeBatch implements AsyncDisposable {
	/**
	Builds the sandbox, installs the rules and starts the prober.

	@throws {TestbedError} RULES_REJECTED; and when the machine cannot do it.
	*/
	static async create({rules, families, credentials, follow, timeoutMs, traceBufferBytes, presetSysctls, beforeRead}: BatchOptions): Promise<ProbeBatch> {
		const stage = await ProbeStage.create({
			backend: rules.backend, families, timeoutMs, traceBufferBytes, presetSysctls, beforeRead,
		});
		try {
			return new ProbeBatch(stage, {ruleSet: await stage.install(rules, credentials), follow});
		} catch (error) {
			await stage[Symbol.asyncDispose]();
			throw error;
		}
	}

	/** The rules as the kernel holds them. */
	readonly ruleSet: RuleSet;
	readonly #stage: ProbeStage;
	readonly #follow: boolean;

	private constructor(stage: ProbeStage, {ruleSet, follow}: {readonly ruleSet: RuleSet; readonly follow: boolean}) {
		this.#stage = stage;
		this.ruleSet = ruleSet;
		this.#follow = follow;
	}

	/** Probes that were sent more than once, because their evidence was not whole. */
	get repeated(): number {
		return this.#stage.repeated;
	}

	/** Counters, handles and owners, as they are now. */
	async loadState(): Promise<KernelState> {
		return this.#stage.loadState();
	}

	/**
	Sends probes and says what came of each, in the order of the lines.

	@throws {TestbedError} as {@link ProbeStage.fly}.
	*/
	async ask(lines: readonly BatchQuestion[]): Promise<readonly BatchAnswer[]> {
		const flights = await this.fly(lines);
		return lines.map(({id}, index) => answerOf(id, flights[index]!));
	}

	/**
	The same with all that was seen of each.

	@throws {TestbedError} as {@link ProbeStage.fly}.
	*/
	async fly(lines: readonly BatchQuestion[]): Promise<readonly Flight[]> {
		return this.#stage.fly(lines, {follow: this.#follow});
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#stage[Symbol.asyncDispose]();
	}
}

/** The gist of what was seen. */
export function answerOf(id: unknown, {legs, gaps, isLoop, unsendable}: Flight): BatchAnswer {
	return {
		...(id === undefined ? {} : {id}),
		path: stepsOfPath({legs}),
		stops: stopsOfPath({legs}),
		outcome: gaps.length > 0 || legs.length === 0 ? 'inconclusive' : (isLoop ? 'loop' : outcomeOf(legs.at(-1)!.end.kind)),
		...(unsendable === undefined ? {} : {unsendable}),
		gaps,
	};
}

function outcomeOf(kind: Flight['legs'][number]['end']['kind']): BatchOutcome {
	return kind === 'accepted' ? 'delivered' : kind;
}
