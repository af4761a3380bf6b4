/**
Which event can follow which while a packet is in one base chain of nftables (`nft_do_chain` in net/netfilter/nf_tables_core.c). Nft's messages carry no count, so a lost one shows only where the next cannot follow the last.
*/

import type {Verdict} from '../netfilter/types.js';
import type {NftTraceEvent} from './decode/event.js';

/** Verdicts that end a packet's way through a base chain; the others only lead on within it. */
export const finalVerdicts: ReadonlySet<Verdict | undefined> = new Set(['accept', 'drop', 'queue', 'stolen', 'repeat']);

/** One packet's way through one base chain and the chains that it leads to. */
export class ChainWalk {
	readonly #baseChain: string;
	/** Where a return leads, innermost last. */
	readonly #returns: string[] = [];
	/** Where the next event must be; undefined when only the policy is left, or nothing. */
	#chain: string | undefined;
	#isOver = false;

	constructor(baseChain: string) {
		this.#baseChain = baseChain;
		this.#chain = baseChain;
	}

	/** Takes an event in, and tells whether it can follow those before it. */
	follows({kind, chain, verdict, target}: NftTraceEvent): boolean {
		if (this.#isOver) {
			return false;
		}

		if (kind === 'policy') {
			// Whether a base chain announces its end before its policy depends on the kernel, and says nothing more than the policy.
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
