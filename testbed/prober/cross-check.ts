/**
Checks the trace of a batch against the kernel's counts: counters of rules, and packets counted by nftables per socket owner.
*/

import {languageOfRules, isNatTable} from '../../src/netfilter/lookup.js';
import type {
	AddressFamily, Backend, RuleLanguage, RuleSet,
} from '../../src/netfilter/types.js';
import type {Gap} from '../../src/trace/gap.js';
import type {LoadedRule} from '../../src/trace/loaded-rules.js';
import {compareHits} from '../../src/trace/counter-check.js';
import type {Netns} from '../sandbox/netns.js';
import {flushSets} from '../sandbox/flush-set.js';
import {openNetfilterSocket} from '../syscalls/netlink-socket.js';
import {closeDescriptor} from '../syscalls/netns.js';
import {loadCounts, type KernelCounts} from './counters.js';
import {ownersMax, ownersSet} from './trace-table.js';

type Input = {readonly netns: Netns; readonly backend: Backend; readonly families: readonly AddressFamily[]; readonly ruleSet: RuleSet; readonly lockFile: string};

const answerBytes = 65_536;

/** The counts before and after a batch. */
export type KernelCountsRead = {readonly before: KernelCounts; readonly after: KernelCounts};

/** Compares counts from batch to batch: each batch starts from the counts at the end of the last one. */
export class CrossCheck {
	/** Reads the first counts. */
	static async create(input: Input): Promise<CrossCheck> {
		return new CrossCheck(input, await loadCounts(input.netns, input));
	}

	readonly #input: Input;
	readonly #natTables: ReadonlySet<string>;
	readonly #language: RuleLanguage;
	/** Gaps about rules that have changed since the beginning: rule numbers are then meaningless, however often a probe is repeated. */
	readonly #changed = new Map<string, Gap>();
	#before: KernelCounts;
	#lastOwner = {uid: -1, gid: -1, name: ''};

	private constructor(input: Input, before: KernelCounts) {
		const {tables} = input.ruleSet;
		this.#input = input;
		this.#before = before;
		this.#natTables = new Set(tables.filter(table => isNatTable(table)).map(({family, name}) => `${family} ${name}`));
		this.#language = languageOfRules({tables});
	}

	/** The rules with their latest counters. */
	get rules(): readonly LoadedRule[] {
		return this.#before.rules;
	}

	/** Makes room in the set of owners for a batch: each of its owners may be new. */
	prepare(probes: number): void {
		const {owners} = this.#before;
		if (owners.size > 0 && owners.size + probes > ownersMax) {
			const fd = this.#input.netns.enter(() => openNetfilterSocket(answerBytes));
			try {
				flushSets(fd, [ownersSet]);
			} finally {
				closeDescriptor(fd);
			}

			this.#before = {...this.#before, owners: new Map()};
		}
	}

	/** Reads the counts after a batch. */
	async read(): Promise<KernelCountsRead> {
		const before = this.#before;
		this.#before = await loadCounts(this.#input.netns, this.#input);
		return {before, after: this.#before};
	}

	/** The name of an owner in the counts. */
	nameOfOwner({uid, gid}: {readonly uid: number; readonly gid: number}): string {
		const last = this.#lastOwner;
		if (last.uid !== uid || last.gid !== gid) {
			this.#lastOwner = {uid, gid, name: `${uid}:${gid}`};
		}

		return this.#lastOwner.name;
	}

	/**
	Compares what the kernel counted with what the trace shows: hits by rule (`ruleKey`), and the owner of each packet that probes sent from the pod. `strangers` is the number of traced packets that no probe sent.
	*/
	compare({before, after}: KernelCountsRead, {hits, owners: sent, strangers}: {
		readonly hits: ReadonlyMap<string, number>; readonly owners: Iterable<string>; readonly strangers: number;
	}): readonly Gap[] {
		const owners = countedBy(sent);
		const counted = compareHits({
			before: before.rules, after: after.rules, hits, isNat: ({family, table}) => this.#natTables.has(`${family} ${table}`), language: this.#language,
		});
		for (const gap of counted.filter(({kind}) => kind === 'rules-differ')) {
			this.#changed.set(gap.message, gap);
		}

		const gaps = [...this.#changed.values(), ...counted.filter(({kind}) => kind !== 'rules-differ')];
		let surplus = 0;
		for (const [owner, packets] of after.owners) {
			const gained = packets - (before.owners.get(owner) ?? 0);
			const traced = owners.get(owner) ?? 0;
			surplus += Math.max(0, gained - traced);
			if (gained < traced) {
				gaps.push({kind: 'credentials', message: `The kernel counted ${gained} packets of ${owner}, but sockets of that owner sent ${traced}.`});
			}
		}

		for (const [owner, traced] of owners) {
			if (!after.owners.has(owner) && traced > 0) {
				gaps.push({kind: 'credentials', message: `The kernel counted no packet of ${owner}, but sockets of that owner sent ${traced}.`});
			}
		}

		if (surplus > strangers) {
			gaps.push({kind: 'credentials', message: `The kernel counted ${surplus} packets more than the probes sent, but the trace shows only ${strangers} of them.`});
		}

		return gaps;
	}
}

function countedBy(names: Iterable<string>): ReadonlyMap<string, number> {
	const counts = new Map<string, number>();
	for (const name of names) {
		counts.set(name, (counts.get(name) ?? 0) + 1);
	}

	return counts;
}
