/**
The program that runs the listeners of a kept sandbox. The actors' processes are its children and end with it, even if it is killed. It outlives the command that started it, and ends when something writes to its socket, on a signal, or when its time is up; in the last two cases it also removes the names.
*/

import process from 'node:process';
import {createServer, type Server} from 'node:net';
import {chmodSync} from 'node:fs';
import {ActorGroup} from '../actors/actor-group.js';
import {Netns} from '../sandbox/netns.js';
import {removeKept} from './clean.js';
import {pathOfNamespace, socketOf} from './note.js';
import type {FromKeeper, KeeperTask, ToKeeper} from './keeper-protocol.js';

/** How often the actors' messages are discarded: they are not used here, and must not pile up. */
const forgetEveryMs = 10_000;

class Keeper {
	static async start(task: KeeperTask): Promise<Keeper> {
		const namespaces = new Map(task.kept.namespaces.map(({label, name}) => [label, Netns.open(label, pathOfNamespace(name))] as const));
		const actorGroup = await ActorGroup.start({
			...task, sandbox: {namespace: label => namespaces.get(label)!},
		});
		const keeper = new Keeper(task, actorGroup);
		await keeper.#listen();
		return keeper;
	}

	isStaying = false;
	readonly #task: KeeperTask;
	readonly #actorGroup: ActorGroup;
	readonly #server: Server;
	#ended: Promise<void> | undefined;

	private constructor(task: KeeperTask, actorGroup: ActorGroup) {
		this.#task = task;
		this.#actorGroup = actorGroup;
		// The client learns of the end when its connection closes, which happens when this process exits.
		this.#server = createServer({allowHalfOpen: true}, socket => {
			socket.on('error', () => undefined).once('data', () => {
				void this.end();
			});
		});
		setInterval(() => {
			actorGroup.forget();
		}, forgetEveryMs).unref();
		if (task.keepForMs !== undefined) {
			setTimeout(() => {
				void this.end({removesNames: true});
			}, task.keepForMs);
		}
	}

	/** Ends the listeners and this process. */
	async end({removesNames = false}: {readonly removesNames?: boolean} = {}): Promise<void> {
		this.#ended ??= (async () => {
			await this.#actorGroup[Symbol.asyncDispose]();
			if (removesNames) {
				await removeKept(this.#task.kept);
			}

			process.exit(0); // eslint-disable-line unicorn/no-process-exit -- The exit closes open connections to the socket.
		})();
		return this.#ended;
	}

	async #listen(): Promise<void> {
		const file = socketOf(this.#task.kept.id);
		await new Promise<void>((resolve, reject) => {
			this.#server.once('error', reject);
			this.#server.listen(file, resolve);
		});
		chmodSync(file, 0o600);
	}
}

let keeper: Promise<Keeper> | undefined;

function tell(message: FromKeeper): void {
	process.send!(message);
}

/** The keeper once it has started; undefined if it has not started or failed. */
async function started(): Promise<Keeper | undefined> {
	const [result] = await Promise.allSettled([keeper]);
	return result.status === 'fulfilled' ? result.value : undefined;
}

async function onSignal(): Promise<void> {
	const own = await started();
	await own?.end({removesNames: true});
}

process.on('disconnect', async () => {
	// The parent is gone without having sent `stay`.
	const own = await started();
	if (own?.isStaying !== true) {
		await own?.end();
		process.exit(1);
	}
});
process.on('SIGTERM', onSignal);
process.on('SIGINT', onSignal);
process.on('SIGHUP', onSignal);
process.on('message', async (message: ToKeeper) => {
	if (message.type === 'stay') {
		const own = await started();
		own!.isStaying = true;
		process.disconnect();
		return;
	}

	try {
		keeper = Keeper.start(message.task);
		await keeper;
		tell({type: 'ready'});
	} catch (error) {
		tell({type: 'failed', message: error instanceof Error ? error.message : String(error)});
	}
});
