/**
The checks that a command makes before it sends anything. With `--check` there is nothing else, and all faults are reported at once.
*/

import {TestbedError} from '../../errors.js';
import {faultsIn, ManyFaults} from '../../inputs/many-faults.js';
import {liveNameOf} from '../../inputs/source.js';
import {optionOf} from '../../../src/scenario/probe-spec.js';
import {parsePodName} from '../../kubernetes/cluster-pod.js';
import {targetOfLive} from '../../live/read-live.js';

/** The option. */
export type CheckFlags = {readonly check?: boolean};

/** Collects the faults of several checks. Without `--check`, the first one ends the command. */
export class Checks {
	/** Whether nothing is to be sent. */
	readonly isOnly: boolean;
	readonly #faults: TestbedError[] = [];

	constructor({check = false}: CheckFlags = {}) {
		this.isOnly = check;
	}

	/** Makes a check. Its result is undefined if it failed; {@link end} then throws. */
	do<T>(act: () => T): T | undefined {
		try {
			return act();
		} catch (error) {
			this.#note(error);
			return undefined;
		}
	}

	/** The same for a check that takes time. */
	async wait<T>(act: () => Promise<T>): Promise<T | undefined> {
		try {
			return await act();
		} catch (error) {
			this.#note(error);
			return undefined;
		}
	}

	/**
	Ends the checks.

	@throws {TestbedError} What was found: a single fault as it is, several as one.
	*/
	end(): void {
		const [first] = this.#faults;
		if (first !== undefined) {
			throw this.#faults.length === 1 ? first : new ManyFaults(this.#faults, {heading: `${this.#faults.length} faults:`, areHintsShown: true});
		}
	}

	#note(error: unknown): void {
		if (!this.isOnly || !(error instanceof TestbedError) || error.code === 'INTERRUPTED') {
			throw error;
		}

		this.#faults.push(...faultsIn(error).filter(({message}) => this.#faults.every(known => known.message !== message)));
	}
}

/**
Whether a rule input is a live pod that is not read now: with `--check`, only its name is checked.

@throws {TestbedError} USAGE for a name that no live pod can have.
*/
export function isLeftUnread(source: string, {isOnly}: Pick<Checks, 'isOnly'>): boolean {
	const live = isOnly ? liveNameOf(source) : undefined;
	if (live === undefined) {
		return false;
	}

	if (live.kind === 'kubectl') {
		parsePodName(live.name);
	} else {
		targetOfLive(live.kind, live.name);
	}

	return true;
}

/**
Refuses options that cannot be used with `--check`, because they only say how the work is done elsewhere.

@throws {TestbedError} USAGE.
*/
export function refuseWithCheck({check, ...flags}: CheckFlags & Readonly<Record<string, unknown>>, also: readonly string[] = []): void {
	const wrong = check === true ? ['shard', 'shardOutput', 'shardTimes', 'watch', ...also].find(name => flags[name] !== undefined) : undefined;
	if (wrong !== undefined) {
		throw new TestbedError('USAGE', {message: `--check sends nothing, so ${optionOf(wrong)} cannot be used with it.`, hint: `Omit ${optionOf(wrong)}, or --check.`});
	}
}
