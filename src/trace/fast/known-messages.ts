/**
The kinds of messages seen so far, and which of them is likely to come next: the messages of a packet come in the order of its chains, and thousands of packets take the same path. A message is first compared with those that have followed the last one; only if it is like none of them is it scanned, and its kind looked up by a hash.
*/

import type {TraceEvent} from '../decode/event.js';
import type {MessageLayout} from './message-layout.js';
import type {MessageScan} from './message-scan.js';

/** A message without what differs between packets: the decoder's result for the first one of its kind. */
export type Token = {
	readonly id: number;
	readonly event: TraceEvent;
	/** What a message of the trace table says about its packet, as bits of the word `facts` of its row; undefined for any other. */
	readonly said: number | undefined;
	/** The relevant bytes of the token, to tell it from another with the same hash. */
	readonly words: Int32Array;
};

/** One form of a kind: its attributes may be in other places, or there may be others that nothing reads. */
type Form = {readonly token: Token; readonly layout: MessageLayout; readonly followers: Form[]};

/** Bounds on what is compared before a message is scanned, should a kernel send the same in ever new forms. */
const [followersMax, formsMax] = [8, 4];

/** The kinds of one loaded rule set. */
export class KnownMessages {
	readonly #byHash = new Map<number, Token[]>();
	readonly #forms = new Map<Token, Form[]>();
	readonly #first: Form[] = [];
	/** What may follow the last message, the likeliest last. */
	#followers: Form[] = this.#first;
	#count = 0;

	/** The kind of the message at `start` if it is like one that has followed the message before; then the scan has its values. */
	like(scan: MessageScan, start: number, length: number): Token | undefined {
		const followers = this.#followers;
		for (let index = followers.length - 1; index >= 0; index--) {
			const form = followers[index]!;
			if (scan.readLike(form.layout, start, length)) {
				this.#followers = form.followers;
				return form.token;
			}
		}

		return undefined;
	}

	/** The kind of the message scanned last; undefined if it is the first of its kind. */
	ofKind(scan: MessageScan): Token | undefined {
		return this.#byHash.get(scan.hash)?.find(({words}) => scan.isOf(words));
	}

	/** Adds the kind of the message scanned last. */
	add(scan: MessageScan, event: TraceEvent, said: number | undefined): Token {
		const token: Token = {
			id: this.#count++, event, said, words: scan.words.slice(0, scan.wordCount),
		};
		this.#byHash.set(scan.hash, [...this.#byHash.get(scan.hash) ?? [], token]);
		return token;
	}

	/** Expects a message with this layout the next time that one like the last comes. */
	expect(token: Token, layout: MessageLayout): void {
		const form = this.#formOf(token, layout);
		if (form === undefined) {
			this.#followers = this.#first;
			return;
		}

		if (this.#followers.length === followersMax) {
			this.#followers.shift();
		}

		this.#followers.push(form);
		this.#followers = form.followers;
	}

	#formOf(token: Token, layout: MessageLayout): Form | undefined {
		const forms = this.#forms.get(token) ?? [];
		const known = forms.find(form => isSameLayout(form.layout, layout));
		if (known !== undefined || forms.length === formsMax) {
			return known;
		}

		const form: Form = {token, layout, followers: []};
		this.#forms.set(token, [...forms, form]);
		return form;
	}
}

/** Whether two messages of one kind have the same attributes in the same places. */
function isSameLayout(one: MessageLayout, other: MessageLayout): boolean {
	return one.bytes === other.bytes && one.words.length === other.words.length
		&& one.words.every((word, index) => word === other.words[index] && one.places[index] === other.places[index]);
}
