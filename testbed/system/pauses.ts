/**
Pauses in what is read: someone who types, or a program that asks one question and waits for its answer, expects that what is there is used, however much more may come.
*/

import {setTimeout as delay} from 'node:timers/promises';

/** How often to look for a pause. What comes without a pause may be interrupted by one as often: what is done then must cost little compared to that. */
const pauseMs = 50;

/** What `items` yields, and undefined if nothing has come for a while since the last item, at most once after each. */
export async function * withPauses<Item extends object | string>(items: AsyncIterable<Item>): AsyncGenerator<Item | undefined, void> {
	const iterator = items[Symbol.asyncIterator]();
	let [isNews, tick]: [boolean, Promise<undefined> | undefined] = [false, undefined];
	try {
		for (let next: Promise<IteratorResult<Item>> | undefined; ;) {
			if (next === undefined) {
				next = iterator.next();
				void Promise.allSettled([next]); // A failure is noticed when it is awaited.
			}

			tick = isNews ? tick ?? delay(pauseMs, undefined) : undefined; // One timer for all that comes before it ends.
			const read = await (tick === undefined ? next : Promise.race([next, tick])); // eslint-disable-line no-await-in-loop -- One after the other.
			if (read === undefined) {
				[isNews, tick] = [false, undefined];
				yield undefined;
				continue;
			}

			if (read.done === true) {
				return;
			}

			[isNews, next] = [true, undefined];
			yield read.value;
		}
	} finally {
		await iterator.return?.();
	}
}
