/**
Which event can follow which while a packet is in one base chain of nftables (`nft_do_chain` in net/netfilter/nf_tables_core.c). nft's messages have no count, so a lost one shows only if the next cannot follow the last.
*/

import type {Verdict} from '../netfilter/types.js';
import type {NftTraceEvent} from './decode/event.js';

/** Verdicts that end a packet's path through a base chain; the others continue within it. */
export const finalVerdicts: ReadonlySet<Verdict | undefined> = new Set(['accept', 'drop', 'queue', 'stolen', 'repeat']);

/** One packet's path through one base chain and the chains reached from it. */
export class ChainWalk {
	readonly #baseChain: string;
	/** Where a return leads, innermost last. */
	readonly #returns: string[] = [];
	/** Where the next event must be; undefined if only the policy, or nothing, can follow. */
	#chain: string | undefined;
	#isOver = false;

	constructor(baseChain: string) {
		this.#baseChain = baseChain;
		this.#chain = baseChain;
	}

	/** Adds an event, and returns whether it can follow those before it. */
	follows({kind, chain, verdict, target}: NftTraceEvent): boolean {
		if (this.#isOver) {
			return false;
		}

		if (kind === 'policy') {
			// Whether a base chain reports its end before its policy depends on the kernel, and adds nothing to the policy.
			this.#isOver = true;
			return chain === this.#baseChain && this.#returns.length === 0 && (this.#chain === undefined || this.#chain === chain);
		}

		if (chain !== this.#chain) {
			return false;
		}

		if (kind === 'return' || verdict === 'return') {
			this.#chain = this.#returns.pop();
		} else if (verdict === 'jump' || verdict === 'goto') {
			if (verdict === 'jump') {
				this.#returns.push(chain);
			}

			this.#chain = target;
		} else {
			this.#isOver = finalVerdicts.has(verdict);
		}

		return true;
	}
}
