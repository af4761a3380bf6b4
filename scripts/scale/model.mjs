/**
A model of work on many machines: `node scripts/scale/model.mjs` prints the table of docs/scale.md. The parts were measured (measure.mjs) with up to 8 shards; what it says of more shards is computed, not measured.
*/

import path from 'node:path';
import process from 'node:process';
import {fileURLToPath} from 'node:url';

/**
The measured parts, in seconds of one processor. `start`: what a shard takes beyond its pieces (starting Node, reading the rules, the plan, sandboxes). `read`: what each shard takes for each piece of all, to read them, because it cuts the work by itself. `piece` and `longest`: the mean and the longest piece. `mergeStart`, `mergePiece`, `mergeFile`: what merge takes at all, for each piece and for each file.
*/
export const works = [
	{
		// Of `run` with 1, 8 and 24 copies of `scenarios/`: 92 pieces take 14.9 s whole and 25.8 s in eight shards, 736 take 78.5 and 93.2 s, 2,208 take 194 and 212.5 s. A shard with one piece takes 1.04 s of 92 pieces, 1.36 s of 736, and 2.02 s of 2,208. Merge: 3.2, 15.8 and 32.9 s, nearly all of it to judge the runs. The longest piece by the clock.
		name: 'run, 10,000 scenarios', pieces: 10_000, start: 1.57, read: 0.000_46, piece: 0.087, longest: 1.1, mergeStart: 1.9, mergePiece: 0.014, mergeFile: 0.0123,
	},
	{
		// On another day, when everything took 0.4 of the time. Of `mutate release:1.30 --sample 60`: 9.9 s in one shard, 25.1 s in eight. The longest piece of an earlier, slower build. Of merge, files that repeat one result: 8 and 64 of them, with 1,000 and 8,000 mutants.
		name: 'mutate, 10,000 mutants', pieces: 10_000, start: 2.2, read: 0, piece: 0.128, longest: 0.35, mergeStart: 0.25, mergePiece: 0.000_08, mergeFile: 0.0123,
	},
];

/** Numbers of shards in the table. */
const counts = [1, 8, 64, 256, 1000];

/** What a number of shards comes to. The longest shard has its share and, at worst, one longest piece more (the bound of the cut). */
export function model({pieces, start: ownStart, read, piece, longest, mergeStart, mergePiece, mergeFile}, count) {
	const start = ownStart + (read * pieces);
	const share = pieces * piece / count;
	const slowest = start + share + (count === 1 ? 0 : (1 - (1 / count)) * longest);
	const merge = mergeStart + (pieces * mergePiece) + (count * mergeFile);
	const whole = start + (pieces * piece);
	return {slowest, merge, sum: (count * start) + (pieces * piece), done: slowest + merge, gain: whole / (slowest + merge)};
}

/** The table in Markdown. */
export function printModel() {
	const second = value => value < 10 ? value.toFixed(1) : String(Math.round(value));
	const rows = works.flatMap(work => counts.map(count => {
		const {slowest, merge, sum, done, gain} = model(work, count);
		return `| ${work.name} | ${count} | ${second(slowest)} | ${second(merge)} | ${second(done)} | ${second(sum)} | ${second(gain)} × |`;
	}));
	return `${['| work | shards | longest shard (s) | merge (s) | report after (s) | sum of all shards (s) | sooner by |', '|---|---|---|---|---|---|---|', ...rows].join('\n')}\n`;
}

if (process.argv[1] !== undefined && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
	process.stdout.write(printModel());
}
