/**
Spoiled inputs by the thousand: files of the repository with bytes, lines and words changed, given to the readers that a user's files come to. Each must be read or refused with an error of the testbed's own. They run in a worker, so that a reader that never comes back can be seen and ended.
*/

import {Buffer} from 'node:buffer';
import {readdirSync, readFileSync} from 'node:fs';
import {once} from 'node:events';
import path from 'node:path';
import process from 'node:process';
import {fileURLToPath} from 'node:url';
import {gunzipSync} from 'node:zlib';
import {Worker} from 'node:worker_threads';
import {Tally} from './runs.mjs';
import {datagramsIn, spoil, spoilTrace} from './spoil.mjs';
import {runToEnd} from './watch.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** How long a reader may take for one input, in milliseconds of processor time: a busy machine makes nobody slow. Nothing else uses this process's processor time meanwhile. */
const slowMs = 1000;

/** A reader that does not come back although it needs no processor. */
const hangsMs = 120_000;

/** Only files of at most so many bytes are spoiled: longer ones say nothing more, and take long. */
const bytesMax = 60_000;

const recordingBytesMax = 10_000;

function filesIn(folder, pattern) {
	return readdirSync(path.join(root, folder), {recursive: true}).map(String).filter(name => pattern.test(name)).map(name => path.join(root, folder, name));
}

/**
Seeds by the kind of input. A recording is spoiled as a file (`recording`), and below its checksum, which is made again: anywhere (`evidence`), and in its datagrams alone (`trace`). Its datagrams (`datagram`) are those that a kernel sent.

@param {{baselines?: readonly Buffer[]}} further seeds that are no file of the repository
@returns {ReadonlyMap<string, readonly Buffer[]>}
*/
export function readSeeds(further = {}) {
	// Those of single runs: a recording of all scenarios takes seconds to judge.
	const recordings = filesIn('test/recordings', /\.testbed$/u).map(file => readFileSync(file)).filter(({length}) => length < recordingBytesMax);
	const read = files => files.map(file => readFileSync(file)).filter(({length}) => length > 0 && length <= bytesMax);
	return new Map([
		['rules', read([...filesIn('test/fixtures/dumps', /\.\w+$/u), ...filesIn('test/fixtures/cases', /\.(?:txt|save|rules|nft|log)$/u), ...filesIn('test/fixtures/nft', /\.\w+$/u)])],
		['scenario', read(filesIn('scenarios', /\.ya?ml$/u))],
		['pod', read(filesIn('test/fixtures/pods', /\.ya?ml$/u))],
		['lesson', read(filesIn('lessons', /\.md$/u))],
		['baseline', [...further.baselines ?? []]],
		['recording', recordings],
		['evidence', recordings.map(bytes => bodyOf(bytes))],
		['trace', recordings.map(bytes => bodyOf(bytes))],
		['datagram', recordings.flatMap(bytes => datagramsIn(bodyOf(bytes)))],
	].filter(([, seeds]) => seeds.length > 0));
}

/** The lines of a recording without the checksum. */
function bodyOf(bytes) {
	const text = gunzipSync(bytes).toString('utf8');
	return Buffer.from(text.slice(0, text.lastIndexOf('\n', text.length - 2) + 1));
}

/** A worker that reads inputs, one after another. */
class Reader {
	#worker;
	#ready;

	constructor() {
		this.#start();
	}

	/** @returns {Promise<{outcome: 'read' | 'refused' | 'wrong' | 'crashed' | 'slow', message: string}>} */
	async read(task) {
		await this.#ready;
		let timer;
		const over = new AbortController();
		try {
			return await new Promise((resolve, reject) => {
				const [begun, before] = [performance.now(), process.cpuUsage()];
				timer = setInterval(() => {
					const {user, system} = process.cpuUsage(before);
					if ((user + system) / 1000 > slowMs || performance.now() - begun > hangsMs) {
						resolve({outcome: 'slow', message: `no end after ${Math.round((user + system) / 1000)} ms of processor time`});
					}
				}, 100);
				this.#listen(resolve, reject, over.signal);
				this.#worker.postMessage(task);
			});
		} catch (error) {
			return {outcome: 'crashed', message: `the worker ended: ${error.message}`};
		} finally {
			clearInterval(timer);
			over.abort();
		}
	}

	/** Not by `removeAllListeners`, which takes away the worker's own listeners as well: it then answers no more. */
	async #listen(resolve, reject, signal) {
		try {
			const [answer] = await once(this.#worker, 'message', {signal});
			resolve(answer);
		} catch (error) {
			reject(error); // After the abort this is too late to count.
		}
	}

	async restart() {
		await this.#worker.terminate();
		this.#start();
	}

	async end() {
		await this.#worker.terminate();
	}

	/** Loading the readers is not part of any input's time. */
	#start() {
		this.#worker = new Worker(new URL('read-input.mjs', import.meta.url));
		this.#ready = once(this.#worker, 'message');
	}
}

/** A baseline of these rules, to be spoiled. @throws {Error} if it cannot be made */
async function makeBaseline(rules) {
	const {status, stdout, stderr} = await runToEnd(['baseline', 'create', rules]);
	if (status !== 0) {
		throw new Error(`There is no baseline to spoil: status ${status}: ${stderr.trim()}`);
	}

	return Buffer.from(stdout);
}

/** To judge evidence takes a hundred times as long as to read any other input. */
const slowKinds = new Set(['recording', 'evidence', 'trace']);

/**
Reads so many spoiled inputs, of each kind in turn.

@param {Pick<import('./runs.mjs').Task, 'count' | 'random' | 'say' | 'isOver'>} task
@returns {Promise<import('./runs.mjs').PartResult>}
*/
export async function readSpoiled({count, random, say, isOver}, seeds) {
	const kinds = [...seeds.keys()].flatMap(kind => slowKinds.has(kind) ? [kind] : Array.from({length: 9}, () => kind));
	const counts = new Map([...seeds.keys()].map(kind => [kind, {read: 0, refused: 0}]));
	const tally = new Tally();
	const reader = new Reader();
	try {
		for (let index = 0; index < count && !isOver(); index++) {
			const kind = kinds[index % kinds.length];
			const original = random.pick(seeds.get(kind));
			const task = {kind, original, bytes: (kind === 'trace' ? spoilTrace : spoil)(original, random)};
			const {outcome, message} = await reader.read(task); // eslint-disable-line no-await-in-loop -- One after another, so that the one at fault is known.

			const isRight = outcome === 'read' || outcome === 'refused';
			tally.add(isRight ? [] : [`A spoiled ${kind} (number ${index}): ${message}.`]);
			if (isRight) {
				counts.get(kind)[outcome]++;
			} else {
				say(tally.faults.at(-1));
				await reader.restart(); // eslint-disable-line no-await-in-loop
			}

			if ((index + 1) % 5000 === 0) {
				say(`${index + 1} of ${count}, ${tally.faults.length} faults`);
			}
		}
	} finally {
		await reader.end();
	}

	return tally.result({note: [...counts].map(([kind, {read, refused}]) => `${kind}: ${read} read, ${refused} refused`).join('; ')});
}

/** Spoiled inputs of every kind. @param {import('./runs.mjs').Task} task @returns {Promise<import('./runs.mjs').PartResult>} */
export async function tryInputs(task) {
	const baselines = [];
	for (const rules of ['release:1.24', 'release:1.31']) {
		baselines.push(await makeBaseline(rules)); // eslint-disable-line no-await-in-loop -- One sandbox at a time.
	}

	return readSpoiled(task, readSeeds({baselines}));
}
