/**
What this page looks at, between the key that was pressed and the server that knows of it. Own views are shown at once. What the server tells meanwhile may be older, and must not take the page a step back: the next key would start from there.
*/

import type {NumberedView, View} from '../src/workshop/protocol.js';

/** Sends a view; resolves with its number, or undefined where the server refused it. */
type Send = (view: View) => Promise<number | undefined>;

/** The views of this page that are on their way, and the newest one the server told of. */
export class OwnViews {
	/** The newest view the server told of. */
	#heard: NumberedView | undefined;
	/** The newest own view, until the server is known to have it. */
	#own: View | undefined;
	/** The number of the last own view that the server took. */
	#taken = 0;
	/** Whether a request is on its way. The next one waits for it: requests sent at once may arrive in another order. */
	#isSending = false;

	/** What is to be shown; undefined before the server told of anything. */
	get shown(): View | undefined {
		return this.#own ?? this.#heard?.view;
	}

	/** Notes what the server tells, and returns what is to be shown. */
	heard(news: NumberedView): View {
		if (this.#heard === undefined || news.viewNumber >= this.#heard.viewNumber) {
			this.#heard = news;
		}

		this.#letGo();
		return this.#own ?? this.#heard.view;
	}

	/** Shows a view of this page, and sends it. Of those that come while a request is on its way, only the last is sent. Resolves with whether the server took it; `false` also for one that a later view replaced. */
	async send(view: View, send: Send): Promise<boolean> {
		this.#own = view;
		if (this.#isSending) {
			return false;
		}

		this.#isSending = true;
		try {
			for (;;) {
				const sent: View = this.#own;
				const number = await send(sent); // eslint-disable-line no-await-in-loop -- One after the other, so that they arrive in order.
				this.#taken = number ?? 0;
				if (this.#own !== sent) {
					continue;
				}

				if (number === undefined) {
					this.#own = undefined;
				}

				return number !== undefined;
			}
		} finally {
			this.#isSending = false;
			this.#letGo();
		}
	}

	/** What the server told is as new as the own view, or newer. */
	#letGo(): void {
		if (!this.#isSending && this.#heard !== undefined && this.#heard.viewNumber >= this.#taken) {
			this.#own = undefined;
		}
	}
}
