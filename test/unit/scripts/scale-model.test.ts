/** The model of many machines: docs/scale.md shows what it prints, and it is what its parts say. */

import {readFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import test from 'ava';

type Work = Readonly<Record<'pieces' | 'start' | 'read' | 'piece' | 'longest' | 'mergeStart' | 'mergePiece' | 'mergeFile', number>>;
type Model = {
	readonly works: readonly Work[];
	readonly printModel: () => string;
	readonly model: (work: Work, count: number) => Readonly<Record<'slowest' | 'merge' | 'sum' | 'done' | 'gain', number>>;
};
const {model, printModel, works} = await import(path.join(process.cwd(), 'scripts/scale/model.mjs')) as Model;

test('docs/scale.md has the table that the model prints', t => {
	t.true(works.length > 0);
	t.true(readFileSync('docs/scale.md', 'utf8').includes(printModel()));
});

const work = {
	pieces: 100, start: 2, read: 0, piece: 1, longest: 3, mergeStart: 0.5, mergePiece: 0.01, mergeFile: 0.1,
};

test('one shard is the work and a start, and is never longer than that', t => {
	t.deepEqual(model(work, 1), {
		slowest: 102, merge: 1.6, sum: 102, done: 103.6, gain: 102 / 103.6,
	});
});

test('more shards make the longest one shorter, at least one start and one piece, and the sum longer by one start each', t => {
	const [ten, many] = [model(work, 10), model(work, 100)];
	t.is(ten.slowest, 2 + 10 + (0.9 * 3));
	t.is(ten.sum, 120);
	t.true(many.slowest < ten.slowest && many.slowest > work.start + work.piece);
	t.true(many.merge > ten.merge);
});

test('what each shard reads of all pieces is part of its start', t => {
	const reading = {...work, read: 0.01};
	t.is(model(reading, 1).sum, 103);
	t.is(model(reading, 10).sum, 130);
	t.is(model(reading, 10).slowest, model(work, 10).slowest + 1);
});
