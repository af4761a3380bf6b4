/**
The rules and routes that are currently installed in a pod, to be replaced by the next set.
*/

import {isDeepStrictEqual} from 'node:util';
import type {SidecarRouting} from '../../src/mesh/routing.js';
import {restrictToFamilies} from '../../src/netfilter/lookup.js';
import type {
	AddressFamily, Backend, Rule, RuleSet,
} from '../../src/netfilter/types.js';
import {canFollow, driverOf} from './backends/drivers.js';
import {installAndReadBack, type InstalledRules} from './install.js';
import type {Sandbox} from './sandbox.js';

/** A rule set, and how to install it. */
export type RulesToHold = {
	readonly ruleSet: RuleSet;
	readonly routing: SidecarRouting;
	readonly backend: Backend;
	readonly families: readonly AddressFamily[];
	/** The lines in the user's text that rules came from, to name a rejected one. */
	readonly lines?: ReadonlyMap<Rule, number> | undefined;
	/** Unknown matches and targets that were allowed. */
	readonly allowedModules?: readonly string[] | undefined;
	/** As `Installation` in install.ts has it. */
	readonly onLoaded?: (() => void) | undefined;
};

/** `asked` is what was to be installed; undefined if that failed. */
type Installed = Omit<RulesToHold, 'lines' | 'allowedModules' | 'onLoaded'> & {readonly asked: RuleSet | undefined};

/** The replaceable rules in the pod of one sandbox. */
export class ReplaceableRules {
	readonly #sandbox: Pick<Sandbox, 'pod' | 'applyRouting'>;
	readonly #lockFile: string;
	#installed: Installed | undefined;

	constructor(sandbox: Pick<Sandbox, 'pod' | 'applyRouting'>, lockFile: string) {
		this.#sandbox = sandbox;
		this.#lockFile = lockFile;
	}

	/**
	Replaces the current rules and routes; returns what the kernel then has.

	@throws {TestbedError} RULES_REJECTED; then nothing of the set is installed, and another can follow.
	*/
	async replace({ruleSet, routing, backend, families, lines, allowedModules, onLoaded}: RulesToHold): Promise<InstalledRules> {
		const before = this.#installed;
		const isSame = before?.backend === backend;
		if (before !== undefined && !isSame) {
			await this.#removeTables(before, backend);
		}

		// Also replace what an earlier set left in a family that this one does not have.
		const all = [...new Set([...families, ...(isSame ? before.families : [])])];
		const own = restrictToFamilies(ruleSet, families);
		const unchanged = isSame ? unchangedFamilies(all, {before, own}) : [];
		const left: RuleSet = isSame ? before.ruleSet : {tables: []};
		const [installed, routed] = await Promise.allSettled([
			installAndReadBack(this.#sandbox.pod, {
				ruleSet: own, backend, families: all, lockFile: this.#lockFile, lines, allowedModules, onLoaded, ...(before === undefined || !isSame ? {} : {held: before.ruleSet, unchanged}),
			}),
			...(JSON.stringify(routing) === JSON.stringify(before?.routing) ? [] : [this.#sandbox.applyRouting(routing, before?.routing)]),
		]);
		this.#installed = {
			asked: installed.status === 'fulfilled' ? own : undefined,
			// A rejected set can leave empty tables next to the earlier ones.
			ruleSet: installed.status === 'fulfilled' ? installed.value.ruleSet : (driverOf(backend).isAtomic ? left : {tables: [...left.tables, ...own.tables]}), backend, families: all, routing,
		};
		for (const result of [installed, routed]) {
			if (result?.status === 'rejected') {
				throw result.reason as Error;
			}
		}

		return (installed as PromiseFulfilledResult<InstalledRules>).value;
	}

	/** Removes the tables of another back end, so that the next one can follow. */
	async #removeTables(before: Installed, next: Backend): Promise<void> {
		if (!canFollow(before.backend, next)) {
			throw new RangeError(`a sandbox with rules of ${before.backend} cannot get rules of ${next}`);
		}

		await driverOf(before.backend).removeTables?.(this.#sandbox.pod, before.ruleSet);
	}
}

/** The families in which the set asks for exactly what was installed before. Mutants share what they do not change, so most of this compares references. */
function unchangedFamilies(families: readonly AddressFamily[], {before: {asked}, own}: {readonly before: Installed; readonly own: RuleSet}): readonly AddressFamily[] {
	return asked === undefined ? [] : families.filter(family => isDeepStrictEqual(restrictToFamilies(own, [family]), restrictToFamilies(asked, [family])));
}
