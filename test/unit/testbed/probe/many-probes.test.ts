/** Many probes through one or two sandboxes: answers in order, as soon as they are there, and nothing left behind. */

import {once, setMaxListeners} from 'node:events';
import test, {type ExecutionContext} from 'ava';
import type {ProbeSpec} from '../../../../src/scenario/probe-spec.js';
import {readProbe} from '../../../../src/scenario/read-probe.js';
import {TestbedError} from '../../../../testbed/errors.js';
import {ManyProbes, type ProbeSender, type SentProbes} from '../../../../testbed/probe/many-probes.js';
import type {ProbeOutcome} from '../../../../testbed/probe/prober-sandbox.js';

type Call = {readonly sandbox: number; readonly ids: readonly unknown[]; readonly numbers: ReadonlyArray<number | undefined>; readonly end: () => void; readonly fail: (error: Error) => void};

const noSandbox = -1;

/** Sandboxes that answer when they are told to. Removing one of them may fail. */
class FakeSandboxes {
	readonly brokenSandbox: number;
	readonly calls: Call[] = [];
	readonly disposed: number[] = [];
	opened = 0;
	#heard: (() => void) | undefined;

	constructor(brokenSandbox = noSandbox) {
		this.brokenSandbox = brokenSandbox;
	}

	/** Opens another one. */
	async open(): Promise<ProbeSender> {
		const sandbox = this.opened++;
		const {calls, disposed, brokenSandbox} = this;
		const hear = (): void => {
			this.#heard?.();
		};

		return {
			repeated: 1,
			async send(questions, {numberOf, signal}) {
				return new Promise<readonly ProbeOutcome[]>((resolve, reject) => {
					calls.push({
						sandbox,
						ids: questions.map(({id}) => id),
						numbers: questions.map((_, index) => numberOf?.(index)),
						end() {
							resolve(questions.map(() => ({legs: [], gaps: [], isLoop: false})));
						},
						fail: reject,
					});
					if (signal !== undefined) {
						setMaxListeners(0, signal);
						signal.addEventListener('abort', () => {
							reject(signal.reason as Error);
						});
					}

					hear();
				});
			},
			async [Symbol.asyncDispose]() {
				disposed.push(sandbox);
				if (sandbox === brokenSandbox) {
					throw new Error('not removed');
				}
			},
		};
	}

	/** Resolves when so many calls have begun. */
	async begun(count: number): Promise<void> {
		while (this.calls.length < count) {
			await new Promise<void>(resolve => { // eslint-disable-line no-await-in-loop -- Until there are enough.
				this.#heard = resolve;
			});
		}
	}
}

async function * chunksOf(count: number): AsyncGenerator<readonly ProbeSpec[]> {
	for (let id = 0; id < count; id++) {
		yield [readProbe({id, to: 'pod:80'})];
	}
}

const idsOf = ({questions}: SentProbes): readonly unknown[] => questions.map(({id}) => id);

async function idsOfAll(t: ExecutionContext, sent: AsyncIterable<SentProbes>): Promise<readonly unknown[]> {
	const ids: unknown[] = [];
	for await (const each of sent) {
		t.is(each.probeResults.length, each.questions.length);
		ids.push(...idsOf(each));
	}

	return ids;
}

for (const [max, used] of [[1, [0]], [2, [0, 1]]] as const) {
	test(`${max} at most: the answers come in order, and each sandbox does one chunk at a time`, async t => {
		const fake = new FakeSandboxes();
		const many = await ManyProbes.open(async () => fake.open(), {max, many: 4});
		const all = idsOfAll(t, many.send(() => chunksOf(12), {follow: false}));
		const busy = new Set<number>();
		for (let next = 0; next < 12; next++) {
			await fake.begun(next + 1); // eslint-disable-line no-await-in-loop -- In the order in which they begin.
			const {sandbox, end} = fake.calls[next]!;
			t.false(busy.has(sandbox));
			busy.add(sandbox);
			end();
			busy.delete(sandbox);
		}

		t.deepEqual(await all, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
		t.deepEqual(fake.calls.map(({ids, numbers}) => [ids[0], numbers]), Array.from({length: 12}, (_, id) => [id, [id + 1]]), 'messages number the probes of all chunks');
		t.deepEqual(new Set(fake.calls.map(({sandbox}) => sandbox)), new Set(used));
		t.is(many.repeated, max);
		await many[Symbol.asyncDispose]();
		t.deepEqual(fake.disposed, [...used]);
	});
}

test('few chunks need no second sandbox', async t => {
	const fake = new FakeSandboxes();
	await using many = await ManyProbes.open(async () => fake.open(), {max: 2, many: 4});
	const all = idsOfAll(t, many.send(() => chunksOf(4), {follow: false}));
	for (let next = 0; next < 4; next++) {
		await fake.begun(next + 1); // eslint-disable-line no-await-in-loop -- One after the other.
		fake.calls[next]!.end();
	}

	t.deepEqual(await all, [0, 1, 2, 3]);
	t.is(fake.opened, 1);
});

test('an answer is there before the next chunk is: someone may be typing', async t => {
	const fake = new FakeSandboxes();
	await using many = await ManyProbes.open(async () => fake.open(), {max: 2, many: 4});
	const sent = many.send(signal => typed(signal), {follow: false});
	const first = sent.next();
	await fake.begun(1);
	fake.calls[0]!.end();
	const {value} = await first;
	t.deepEqual(idsOf(value!), [0]);
	await sent.return(); // Nobody wants more: it does not wait for what is typed.

	async function * typed(signal: AbortSignal): AsyncGenerator<readonly ProbeSpec[]> {
		yield [readProbe({id: 0, to: 'pod:80'})];
		await once(signal, 'abort');
	}
});

test('if a chunk cannot be read, what was sent before is answered first', async t => {
	const fake = new FakeSandboxes();
	await using many = await ManyProbes.open(async () => fake.open(), {max: 2, many: 4});
	const seen: unknown[] = [];
	const all = (async () => {
		for await (const each of many.send(() => wrong(), {follow: false})) {
			seen.push(...idsOf(each));
		}
	})();
	await fake.begun(1);
	fake.calls[0]!.end();
	await fake.begun(2);
	fake.calls[1]!.end();
	await t.throwsAsync(all, {message: 'line 3'});
	t.deepEqual(seen, [0, 1]);

	async function * wrong(): AsyncGenerator<readonly ProbeSpec[]> {
		yield * chunksOf(2);
		throw new Error('line 3');
	}
});

test('if a sandbox fails, so does the whole, after what came before', async t => {
	const fake = new FakeSandboxes();
	await using many = await ManyProbes.open(async () => fake.open(), {max: 1});
	const seen: unknown[] = [];
	const all = (async () => {
		for await (const each of many.send(() => chunksOf(9), {follow: false})) {
			seen.push(...idsOf(each));
		}
	})();
	await fake.begun(1);
	fake.calls[0]!.end();
	await fake.begun(2);
	fake.calls[1]!.fail(new Error('lost'));
	await fake.begun(3);
	fake.calls[2]!.end();
	await t.throwsAsync(all, {message: 'lost'});
	t.deepEqual(seen, [0]);
});

for (const [name, error, message] of [
	['the machine has no room for a second sandbox: the first one does all', new TestbedError('MACHINE', {message: 'no room'}), undefined],
	['a thread cannot be started: the first one does all', Object.assign(new Error('EAGAIN'), {code: 'ERR_WORKER_INIT_FAILED'}), undefined],
	['an error of our own is not passed over', new RangeError('ours'), 'ours'],
] as const) {
	test(name, async t => {
		const fake = new FakeSandboxes();
		await using many = await ManyProbes.open(async () => {
			if (fake.opened > 0) {
				throw error;
			}

			return fake.open();
		}, {max: 2, many: 4});
		const all = idsOfAll(t, many.send(() => chunksOf(20), {follow: false}));
		const ending = (async () => {
			for (let next = 0; next < 20; next++) {
				await fake.begun(next + 1); // eslint-disable-line no-await-in-loop -- One after the other.
				fake.calls[next]!.end();
			}
		})();
		if (message === undefined) {
			const ids = await all;
			t.is(ids.length, 20);
			await ending;
		} else {
			await t.throwsAsync(all, {message});
		}

		t.true(fake.calls.every(({sandbox}) => sandbox === 0));
	});
}

test('what waits for a sandbox is not sent any more after an error, or if nobody wants more', async t => {
	for (const isFailing of [true, false]) {
		const fake = new FakeSandboxes();
		const many = await ManyProbes.open(async () => fake.open(), {max: 1}); // eslint-disable-line no-await-in-loop -- One after the other.
		const sent = many.send(() => chunksOf(9), {follow: false});
		const first = sent.next();
		await fake.begun(1); // eslint-disable-line no-await-in-loop -- As above.
		fake.calls[0]!.end();
		await first; // eslint-disable-line no-await-in-loop -- As above.
		await fake.begun(2); // eslint-disable-line no-await-in-loop -- As above.
		if (isFailing) {
			const second = sent.next();
			fake.calls[1]!.fail(new Error('lost'));
			await t.throwsAsync(second, {message: 'lost'}); // eslint-disable-line no-await-in-loop -- As above.
		} else {
			await sent.return(); // eslint-disable-line no-await-in-loop -- As above.
		}

		await many[Symbol.asyncDispose](); // eslint-disable-line no-await-in-loop -- As above.
		t.true(fake.calls.length <= (isFailing ? 3 : 2));
	}
});

test('a signal ends everything with its reason', async t => {
	const fake = new FakeSandboxes();
	await using many = await ManyProbes.open(async () => fake.open(), {max: 2, many: 4});
	const stop = new AbortController();
	const all = idsOfAll(t, many.send(() => chunksOf(9), {follow: false, signal: stop.signal}));
	await fake.begun(1);
	stop.abort(new Error('stopped'));
	await t.throwsAsync(all, {message: 'stopped'});
	t.is(fake.calls.length, 1);
});

test('the second sandbox is removed even if the first one is not', async t => {
	const fake = new FakeSandboxes(0);
	const many = await ManyProbes.open(async () => fake.open(), {max: 2, many: 4});
	const all = idsOfAll(t, many.send(() => chunksOf(9), {follow: false}));
	for (let next = 0; next < 9; next++) {
		await fake.begun(next + 1); // eslint-disable-line no-await-in-loop -- One after the other.
		fake.calls[next]!.end();
	}

	await all;
	await t.throwsAsync(async () => many[Symbol.asyncDispose](), {message: 'not removed'});
	t.deepEqual(fake.disposed, [0, 1]);
});

test('an error of our own is told even if it comes after the last answer', async t => {
	const fake = new FakeSandboxes();
	const second = new AbortController();
	await using many = await ManyProbes.open(async () => {
		if (fake.opened > 0) {
			await once(second.signal, 'abort');
			throw new RangeError('ours');
		}

		return fake.open();
	}, {max: 2, many: 4});
	const all = idsOfAll(t, many.send(() => chunksOf(6), {follow: false}));
	for (let next = 0; next < 6; next++) {
		await fake.begun(next + 1); // eslint-disable-line no-await-in-loop -- One after the other.
		fake.calls[next]!.end();
	}

	second.abort();
	await t.throwsAsync(all, {message: 'ours'});
});
