import test from 'ava';
import fc from 'fast-check';
import {OwnViews} from '../../../page/own-views.js';
import type {NumberedView, View} from '../../../src/workshop/protocol.js';

const at = (step: number | null): View => ({step, panel: 'send', example: 0});

/** A server that takes views, one after the other, and tells of them whenever the test says so. */
class Server {
	view: NumberedView = {view: at(null), viewNumber: 0};
	readonly arrived: Array<number | null> = [];
	readonly #waiting: Array<() => void> = [];

	readonly send = async (view: View): Promise<number> => {
		await new Promise<void>(resolve => {
			this.#waiting.push(resolve);
		});
		this.arrived.push(view.step);
		return this.look(view);
	};

	look(view: View): number {
		this.view = {view, viewNumber: this.view.viewNumber + 1};
		return this.view.viewNumber;
	}

	/** Answers the request that waits longest, if there is one. */
	async answer(): Promise<boolean> {
		const answer = this.#waiting.shift();
		answer?.();
		await new Promise(resolve => {
			setImmediate(resolve);
		});
		return answer !== undefined;
	}
}

test('an older view from the server does not take the page back', async t => {
	const server = new Server();
	const own = new OwnViews();
	const first = server.view;
	own.heard(first);
	void own.send(at(0), server.send);
	void own.send(at(1), server.send);
	void own.send(at(2), server.send);
	t.is(own.heard(first).step, 2);
	await server.answer();
	const afterFirst = server.view;
	t.is(own.heard(afterFirst).step, 2);
	await server.answer();
	// The server knows of the last one now; what was told before that is still on its way.
	t.is(own.heard(afterFirst).step, 2);
	t.is(own.heard(server.view).step, 2);
	t.deepEqual(server.arrived, [0, 2]);
	server.look(at(null));
	t.is(own.heard(server.view).step, null);
});

test('a view that the server refuses is taken back', async t => {
	const own = new OwnViews();
	own.heard({view: at(4), viewNumber: 7});
	const taken = own.send(at(5), async () => undefined);
	t.is(own.shown?.step, 5);
	t.false(await taken);
	t.is(own.shown?.step, 4);
});

test('what the server chose after an own view is shown once the request is answered', async t => {
	const server = new Server();
	const own = new OwnViews();
	own.heard(server.view);
	const taken = own.send(at(3), async view => {
		const number = await server.send(view);
		// An answer of the server's own comes before that of the request.
		server.look(at(null));
		t.is(own.heard(server.view).step, 3);
		return number;
	});
	await server.answer();
	t.true(await taken);
	t.is(own.shown?.step, null);
});

test('whatever the order: nothing goes back while keys are pressed, and in the end all see the same', async t => {
	await fc.assert(fc.asyncProperty(fc.array(fc.constantFrom('key', 'answer', 'hear', 'choose'), {maxLength: 40}), async acts => {
		const server = new Server();
		const own = new OwnViews();
		const told: NumberedView[] = [server.view];
		own.heard(server.view);
		let keys = 0;
		let hasChosen = false;
		for (const act of acts) {
			switch (act) {
				case 'key': {
					void own.send(at(keys++), server.send);
					break;
				}

				case 'answer': {
					await server.answer(); // eslint-disable-line no-await-in-loop -- One act after the other.
					told.push(server.view);
					break;
				}

				case 'choose': {
					hasChosen = true;
					server.look(at(null));
					told.push(server.view);
					break;
				}

				case 'hear': {
					const news = told.shift();
					if (news !== undefined) {
						own.heard(news);
					}

					break;
				}
			}

			if (keys > 0 && !hasChosen && own.shown?.step !== keys - 1) {
				return false;
			}
		}

		while (await server.answer()) { // eslint-disable-line no-await-in-loop -- As above.
			told.push(server.view);
		}

		for (const news of [...told, server.view]) {
			own.heard(news);
		}

		return JSON.stringify(own.shown) === JSON.stringify(server.view.view);
	}));
	t.pass();
});
