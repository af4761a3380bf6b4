/**
What a shell can offer as the value of an option, where its parser alone knows: each definition says so of its own.
*/

import type {Option} from 'commander';

/** `words`: one of these. `report`: a file, or one of these formats, an equals sign and a file. */
export type Offer =
	| {readonly kind: 'words'; readonly words: readonly string[]}
	| {readonly kind: 'report'; readonly formats: readonly string[]};

const offers = new WeakMap<Option, Offer>();

/** Says what a shell can offer. */
export function offering(offer: Offer, option: Option): Option {
	offers.set(option, offer);
	return option;
}

/** What a shell can offer for an option, if its definition says so. */
export function offerOf(option: Option): Offer | undefined {
	return offers.get(option);
}
