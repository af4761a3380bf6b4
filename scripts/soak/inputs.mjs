/**
Spoiled inputs by the thousand: files of the repository with bytes, lines and words changed, given to the readers that a user's files come to. Each must be read or refused with an error of the testbed's own. They run in a worker, so that a reader that never comes back can be seen and ended.
*/

import {Buffer} from 'node:buffer';
import {readdirSync, readFileSync} from 'node:fs';
import {once} from 'node:events';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {gunzipSync} from 'node:zlib';
import {Worker} from 'node:worker_threads';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A reader that takes longer for one input is tried again by itself, because a busy machine is slow as well; what then takes ten times as long is reported. */
const slowMs = 1000;
const tooSlowMs = 10 * slowMs;

/** Only files of at most so many bytes are spoiled: longer ones say nothing more, and take long. */
const bytesMax = 60_000;

const recordingBytesMax = 10_000;

function filesIn(folder, pattern) {
	return readdirSync(path.join(root, folder), {recursive: true}).map(String).filter(name => pattern.test(name)).map(name => path.join(root, folder, name));
}

/**
Seeds by the kind of input. A recording is spoiled as a file (`recording`), and below its checksum (`evidence`), which is made again; its datagrams (`datagram`) are those that a kernel sent.

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
		['datagram', recordings.flatMap(bytes => datagramsIn(bodyOf(bytes)))],
	].filter(([, seeds]) => seeds.length > 0));
}

/** The lines of a recording without the checksum. */
function bodyOf(bytes) {
	const text = gunzipSync(bytes).toString('utf8');
	return Buffer.from(text.slice(0, text.lastIndexOf('\n', text.length - 2) + 1));
}

function datagramsIn(body) {
	return [...body.toString('utf8').matchAll(/\["(?:nft|nflog)[^"]*","(?<hex>[\da-f]+)"\]/gu)].map(({groups}) => Buffer.from(groups.hex, 'hex'));
}

const spoilers = [
	(bytes, random) => {
		bytes[random.below(bytes.length)] = random.below(256);
		return bytes;
	},
	(bytes, random) => bytes.subarray(0, random.below(bytes.length)),
	(bytes, random) => {
		const [from, to] = [random.below(bytes.length), random.below(bytes.length)].toSorted((one, other) => one - other);
		return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
	},
	(bytes, random) => {
		const at = random.below(bytes.length);
		const piece = bytes.subarray(at, at + random.below(200));
		return Buffer.concat([bytes.subarray(0, at), piece, piece, bytes.subarray(at)]);
	},
	(bytes, random) => {
		const lines = bytes.toString('latin1').split('\n');
		const [one, other] = [random.below(lines.length), random.below(lines.length)];
		[lines[one], lines[other]] = [lines[other], lines[one]];
		return Buffer.from(lines.join('\n'), 'latin1');
	},
	(bytes, random) => {
		const words = bytes.toString('latin1').split(/(\s+)/u);
		words[random.below(words.length)] = random.pick(['-1', '99999999999999999999', '0x', '""', '!', '{', '}', '[', ':', '--', '\0', '&a', '*a', '1.2.3.4/33', '::/129', 'NaN', '-A', 'COMMIT', '\u00E9']);
		return Buffer.from(words.join(''), 'latin1');
	},
];

/** A copy of a seed with one to four changes. */
export function spoil(seed, random) {
	let bytes = Buffer.from(seed);
	for (let left = 1 + random.below(4); left > 0 && bytes.length > 0; left--) {
		bytes = random.pick(spoilers)(bytes, random);
	}

	return bytes;
}

/** A worker that reads inputs, one after another. */
class Reader {
	#worker;
	#ready;

	constructor() {
		this.#start();
	}

	/** @returns {Promise<{outcome: 'read' | 'refused' | 'crashed' | 'slow', message: string}>} */
	async read(kind, bytes, limitMs) {
		await this.#ready;
		let timer;
		try {
			return await new Promise((resolve, reject) => {
				timer = setTimeout(() => {
					resolve({outcome: 'slow', message: `no end within ${limitMs} ms`});
				}, limitMs);
				this.#worker.once('message', resolve);
				this.#worker.once('error', reject);
				this.#worker.postMessage({kind, bytes});
			});
		} catch (error) {
			return {outcome: 'crashed', message: `the worker ended: ${error.message}`};
		} finally {
			clearTimeout(timer);
			this.#worker.removeAllListeners();
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

/**
Reads so many spoiled inputs, of each kind in turn.

@param {Pick<import('./parts.mjs').Task, 'count' | 'random' | 'say'>} task
@returns {Promise<import('./parts.mjs').PartResult>}
*/
export async function tryInputs({count, random, say}, seeds = readSeeds()) {
	// To judge evidence takes a hundred times as long as to read any other input.
	const kinds = [...seeds.keys()].flatMap(kind => kind === 'recording' || kind === 'evidence' ? [kind] : Array.from({length: 9}, () => kind));
	const counts = new Map([...seeds.keys()].map(kind => [kind, {read: 0, refused: 0}]));
	const faults = [];
	const reader = new Reader();
	try {
		for (let index = 0; index < count; index++) {
			const kind = kinds[index % kinds.length];
			const bytes = spoil(random.pick(seeds.get(kind)), random);
			let {outcome, message} = await reader.read(kind, bytes, slowMs); // eslint-disable-line no-await-in-loop -- One after another, so that the one at fault is known.
			if (outcome === 'slow') {
				await reader.restart(); // eslint-disable-line no-await-in-loop
				({outcome, message} = await reader.read(kind, bytes, tooSlowMs)); // eslint-disable-line no-await-in-loop
			}

			if (outcome === 'read' || outcome === 'refused') {
				counts.get(kind)[outcome]++;
			} else {
				faults.push(`A spoiled ${kind} (number ${index}): ${message}.`);
				await reader.restart(); // eslint-disable-line no-await-in-loop
			}

			if ((index + 1) % 10_000 === 0) {
				say(`${index + 1} of ${count}, ${faults.length} faults`);
			}
		}
	} finally {
		await reader.end();
	}

	return {tried: count, faults, note: [...counts].map(([kind, {read, refused}]) => `${kind}: ${read} read, ${refused} refused`).join('; ')};
}
