/**
Everybody who looks at the page, as event streams. Each gets the newest state and never an old one: who reads slowly misses what was in between, and nothing piles up for them.
*/

import type {Context} from 'hono';
import {streamSSE} from 'hono/streaming';
import type {Session} from './session.js';

/** So many pages can look on at once. */
export const viewersMax = 200;

/** A sign of life, so that a page knows that the server is there. */
const pulseMs = 15_000;

/** Who looks on. */
export class Viewers {
	readonly #session: Session;
	readonly #wakes = new Set<() => void>();
	/** The state as JSON, printed once for all. */
	#printed: {readonly revision: number; readonly text: string} | undefined;

	constructor(session: Session) {
		this.#session = session;
		session.onChange(() => {
			for (const wake of this.#wakes) {
				wake();
			}
		});
	}

	/** Whether there is no room for another one. */
	get isFull(): boolean {
		return this.#wakes.size >= viewersMax;
	}

	/** How many look on. */
	get count(): number {
		return this.#wakes.size;
	}

	/** The state as JSON, and what it is the state of. */
	print(): {readonly revision: number; readonly text: string} {
		const {revision} = this.#session;
		if (this.#printed?.revision !== revision) {
			this.#printed = {revision, text: JSON.stringify(this.#session.snapshot)};
		}

		return this.#printed;
	}

	/** One more, whom `wake` tells that something is new. Returns what ends it. */
	add(wake: () => void): () => void {
		this.#wakes.add(wake);
		this.#session.noteWatchers(this.#wakes.size);
		return () => {
			this.#wakes.delete(wake);
			this.#session.noteWatchers(this.#wakes.size);
		};
	}
}

/** Streams the state to one page until it is gone. `page` is the name of one that can act: when it is gone, it acts no longer. */
export function streamSession(context: Context, {session, viewers, page}: {readonly session: Session; readonly viewers: Viewers; readonly page: string | undefined}): Response {
	return streamSSE(context, async stream => {
		const mailbox = new Mailbox();
		const remove = viewers.add(() => {
			mailbox.wake();
		});
		stream.onAbort(() => {
			mailbox.close();
		});
		let told = {revision: -1, view: ''};
		try {
			while (!mailbox.isClosed && !stream.aborted) {
				const {revision, text} = viewers.print();
				const view = JSON.stringify(session.view);
				const news = revision === told.revision ? {event: view === told.view ? 'pulse' : 'view', data: view} : {event: 'state', data: text};
				told = {revision, view};
				await stream.writeSSE(news); // eslint-disable-line no-await-in-loop -- One after the other, as fast as the page reads.
				if (viewers.print().revision === revision && JSON.stringify(session.view) === view) {
					await mailbox.news(pulseMs); // eslint-disable-line no-await-in-loop -- As above.
				}
			}
		} finally {
			remove();
			if (page !== undefined) {
				session.release(page);
			}
		}
	});
}

/** Waits for news. */
class Mailbox {
	isClosed = false;
	#wake: (() => void) | undefined;

	/** Ends the waiting for good. */
	close(): void {
		this.isClosed = true;
		this.wake();
	}

	/** Ends the wait for news. */
	wake(): void {
		this.#wake?.();
	}

	/** Resolves with the next news, or after a while without. */
	async news(whileMs: number): Promise<void> {
		await new Promise<void>(resolve => {
			const timer = setTimeout(resolve, whileMs);
			this.#wake = () => {
				clearTimeout(timer);
				resolve();
			};
		});
	}
}
