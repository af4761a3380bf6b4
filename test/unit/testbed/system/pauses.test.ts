/** Pauses in what is read: told once each, and nothing is lost by them. */

import {PassThrough} from 'node:stream';
import test from 'ava';
import {withPauses} from '../../../../testbed/system/pauses.js';

async function all<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
	const found: Item[] = [];
	for await (const item of items) {
		found.push(item);
	}

	return found;
}

async function * given(items: readonly string[], error?: Error): AsyncGenerator<string> {
	yield * items;
	if (error !== undefined) {
		throw error;
	}
}

test('without a pause, everything comes as it is', async t => {
	t.deepEqual(await all(withPauses(given(['a', 'b']))), ['a', 'b']);
	t.deepEqual(await all(withPauses(given([]))), []);
});

test('a pause is told once, and only after something has come', async t => {
	const typed = new PassThrough({objectMode: true});
	const read = withPauses(typed as AsyncIterable<string>);
	const first = read.next();
	typed.write('a');
	t.is((await first).value, 'a'); // eslint-disable-line unicorn/no-await-expression-member -- Nothing else is needed of it.
	t.deepEqual(await read.next(), {done: false, value: undefined});
	const next = read.next();
	await new Promise(resolve => {
		setTimeout(resolve, 150);
	});
	typed.write('b');
	t.deepEqual(await next, {done: false, value: 'b'});
	typed.end();
	t.deepEqual(await read.next(), {done: true, value: undefined});
});

test('an error comes after what was before it, and whoever reads no more ends the source', async t => {
	await t.throwsAsync(all(withPauses(given(['a'], new Error('line 2')))), {message: 'line 2'});
	let isEnded = false;
	const endless = (async function * (): AsyncGenerator<string> {
		try {
			for (;;) {
				yield 'a';
			}
		} finally {
			isEnded = true;
		}
	})();
	const read = withPauses(endless);
	t.deepEqual(await read.next(), {done: false, value: 'a'});
	await read.return();
	t.true(isEnded);
});
