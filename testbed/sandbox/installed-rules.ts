/**
The rules that a pod holds at the moment, with the routes that go with them: the next set takes their place.
*/

import type {SidecarRouting} from '../../src/mesh/routing.js';
import {restrictToFamilies} from '../../src/netfilter/lookup.js';
import type {
	AddressFamily, Backend, Rule, RuleSet,
} from '../../src/netfilter/types.js';
import {canFollow, driverOf} from './backends/drivers.js';
import {installAndReadBack, type InstalledRules} from './install.js';
import type {Sandbox} from './sandbox.js';

/** A rule set, and how and where to put it. */
export type RulesToHold = {
	readonly ruleSet: RuleSet;
	readonly routing: SidecarRouting;
	readonly backend: Backend;
	readonly families: readonly AddressFamily[];
	/** The lines of the user's text that rules came from, for telling which of them was rejected. */
	readonly lines?: ReadonlyMap<Rule, number> | undefined;
	/** Matches and targets that are not known here and were allowed all the same. */
	readonly allowedModules?: readonly string[] | undefined;
};

type Installed = Omit<RulesToHold, 'lines' | 'allowedModules'>;

/** What the pod of one sandbox holds. */
export class ReplaceableRules {
	readonly #sandbox: Pick<Sandbox, 'pod' | 'applyRouting'>;
	readonly #lockFile: string;
	#installed: Installed | undefined;

	constructor(sandbox: Pick<Sandbox, 'pod' | 'applyRouting'>, lockFile: string) {
		this.#sandbox = sandbox;
		this.#lockFile = lockFile;
	}

	/**
	Puts rules and what goes with them in the place of those of before; returns what the kernel then holds.

	@throws {TestbedError} RULES_REJECTED; nothing of the set is installed then, and another can follow.
	*/
	async replace({ruleSet, routing, backend, families, lines, allowedModules}: RulesToHold): Promise<InstalledRules> {
		const before = this.#installed;
		if (before !== undefined && !canFollow(before.backend, backend)) {
			throw new RangeError(`a sandbox that holds rules of ${before.backend} cannot hold rules of ${backend}`);
		}

		const isSame = before?.backend === backend;
		if (before !== undefined && !isSame) {
			await driverOf(before.backend).removeTables?.(this.#sandbox.pod, before.ruleSet);
		}

		// What an earlier set left in a family that this one does not have goes as well.
		const all = [...new Set([...families, ...(isSame ? before.families : [])])];
		const own = restrictToFamilies(ruleSet, families);
		const left: RuleSet = isSame ? before.ruleSet : {tables: []};
		const [installed, routed] = await Promise.allSettled([
			installAndReadBack(this.#sandbox.pod, {
				ruleSet: own, backend, families: all, lockFile: this.#lockFile, lines, allowedModules, ...(before === undefined || !isSame ? {} : {held: before.ruleSet}),
			}),
			...(JSON.stringify(routing) === JSON.stringify(before?.routing) ? [] : [this.#sandbox.applyRouting(routing, before?.routing)]),
		]);
		this.#installed = {
			// Of what was rejected, empty tables can be left beside the tables of before.
			ruleSet: installed.status === 'fulfilled' ? installed.value.ruleSet : (driverOf(backend).isAtomic ? left : {tables: [...left.tables, ...own.tables]}), backend, families: all, routing,
		};
		for (const result of [installed, routed]) {
			if (result?.status === 'rejected') {
				throw result.reason as Error;
			}
		}

		return (installed as PromiseFulfilledResult<InstalledRules>).value;
	}
}
