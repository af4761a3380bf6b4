/** The laws of gathering: the order of files changes nothing, nothing that is missing is forgotten, and files that do not belong together are refused with the reason. */

import test from 'ava';
import fc from 'fast-check';
import {cutInto} from '../../../src/sharding/cut.js';
import {
	describeMissing, gather, piecesOfShard, type Gathered, type ShardFile,
} from '../../../src/sharding/gather.js';

const keyOf = (result: unknown): string => JSON.stringify(result);

/** The files of all shards of some pieces. */
function filesOf(pieces: number, count: number): readonly ShardFile[] {
	const shards = cutInto(count, Array.from({length: pieces}, () => 1));
	const plan = shards.map((shard, place) => ({id: `piece ${place}`, shard, about: {place}}));
	return Array.from({length: count}, (_, place): ShardFile => {
		const shard = {index: place + 1, count};
		return {
			name: `${shard.index}.shard`,
			sha256: String(shard.index).padStart(64, '0'),
			header: {
				program: '1.0.0', command: 'run', operands: ['a'], options: {'--family': ['ipv4']}, question: 'a'.repeat(64), shard, plan, frame: null, durationMs: 10 * shard.index,
			},
			pieces: piecesOfShard(plan, shard).map(piece => ({piece, ms: 1, result: {of: piece}})),
		};
	});
}

function gathered(files: readonly ShardFile[]): Gathered {
	const gathering = gather(files, keyOf);
	if ('complaint' in gathering) {
		throw new Error(gathering.complaint);
	}

	return gathering.gathered;
}

const sizes = fc.record({pieces: fc.integer({min: 1, max: 20}), count: fc.integer({min: 1, max: 8})});

test('all files make the whole, in any order', t => {
	fc.assert(fc.property(sizes.chain(({pieces, count}) => fc.shuffledSubarray([...filesOf(pieces, count)], {minLength: count}).map(files => ({pieces, count, files}))), ({pieces, count, files}) => {
		const whole = gathered(files);
		t.deepEqual(whole, gathered(filesOf(pieces, count)));
		t.deepEqual(whole.question.plan.map(({id}) => whole.results.get(id)?.result), Array.from({length: pieces}, (_, place) => ({of: `piece ${place}`})));
		t.deepEqual([whole.missing, whole.missingShards, describeMissing(whole), whole.durationMs], [[], [], [], 10 * count]);
	}));
});

test('of some files, the rest is missing, each piece with its shard', t => {
	fc.assert(fc.property(sizes.chain(({pieces, count}) => fc.subarray([...filesOf(pieces, count)], {minLength: 1}).map(files => ({pieces, count, files}))), ({pieces, count, files}) => {
		const some = gathered(files);
		t.is(some.results.size + some.missing.length, pieces);
		t.is(some.missingShards.length, count - files.length);
		t.true(some.missing.every(({shard, reason}) => some.missingShards.includes(shard) && reason === `The file of shard ${shard}/${count} is missing.`));
		t.is(describeMissing(some).length, files.length === count ? 0 : 1);
	}));
});

const [one, two, three] = filesOf(5, 3) as [ShardFile, ShardFile, ShardFile];

test('what is missing is named', t => {
	t.deepEqual(describeMissing(gathered([two])), ['Missing: shards 1, 3 of 3, with 4 of 5 pieces. They are inconclusive.']);
	t.deepEqual(describeMissing(gathered([one, {...two, pieces: []}, three])), ['The file of shard 2/3 lacks this piece. (piece 2) It is inconclusive.']);
});

test('a file that is there twice counts once', t => {
	const again = gathered([one, two, three, {...two, name: 'copy.shard'}]);
	t.is(again.results.size, 5);
	t.deepEqual(again.notes, ['copy.shard is left out: 2.shard is the same shard 2/3, with the same results.']);
	t.deepEqual(gathered([one, two, three, {...two, name: 'again.shard', sha256: 'f'.repeat(64)}]).results, gathered([one, two, three]).results);
});

const changed = (file: ShardFile, header: Partial<ShardFile['header']>): ShardFile => ({...file, name: 'odd.shard', header: {...file.header, ...header}});
const refusals: ReadonlyArray<readonly [title: string, files: readonly ShardFile[], complaint: string]> = [
	['no files', [], 'There is no file to merge.'],
	['another version', [one, changed(two, {program: '2.0.0'})], 'odd.shard does not belong to 1.shard: the version of the testbed is "1.0.0" there and "2.0.0" here.'],
	['another command', [one, changed(two, {command: 'diff'})], 'odd.shard does not belong to 1.shard: the command is "run" there and "diff" here.'],
	['other operands', [one, changed(two, {operands: ['b']})], 'odd.shard does not belong to 1.shard: what the command was given is "a" there and "b" here.'],
	['another option', [one, changed(two, {options: {'--family': ['ipv6']}})], 'odd.shard does not belong to 1.shard: --family is ["ipv4"] there and ["ipv6"] here.'],
	['an option more', [one, changed(two, {options: {...two.header.options, '--cni': true}})], 'odd.shard does not belong to 1.shard: --cni is not given there and true here.'],
	['another number of shards', [one, changed(two, {shard: {index: 2, count: 4}})], 'odd.shard does not belong to 1.shard: the number of shards is 3 there and 4 here.'],
	['one file of another cut among several, whatever its place and its checksum', [{...changed(one, {shard: {index: 1, count: 2}}), sha256: '0'.repeat(64)}, two, three], 'odd.shard does not belong to 2.shard: the number of shards is 3 there and 2 here.'],
	['another cut', [one, changed(two, {question: 'b'.repeat(64), plan: two.header.plan.map(piece => ({...piece, shard: 1}))})], 'odd.shard does not belong to 1.shard: their work was cut differently, by other times.'],
	['other files were read', [one, changed(two, {question: 'b'.repeat(64)})], 'odd.shard does not belong to 1.shard: their command lines are the same, but the files that they read (rules, scenarios, probes) are not.'],
	['a piece of another shard', [one, {...two, pieces: three.pieces}], '2.shard is shard 2/3, but "piece 3" is not a piece of that shard, or occurs twice.'],
	['a piece twice', [{...one, pieces: [one.pieces[0]!, one.pieces[0]!]}], '1.shard is shard 1/3, but "piece 0" is not a piece of that shard, or occurs twice.'],
	['two files of a shard that differ', [one, {...one, name: 'z.shard', sha256: 'f'.repeat(64), pieces: one.pieces.map(piece => ({...piece, result: 'other'}))}], '1.shard and z.shard are both shard 1/3, but contradict each other about "piece 0".'],
	['two files of a shard, one of which has less', [one, {...one, name: 'z.shard', sha256: 'f'.repeat(64), pieces: []}], '1.shard and z.shard are both shard 1/3, but contradict each other about "piece 0".'],
];
for (const [title, files, complaint] of refusals) {
	test(`refused: ${title}`, t => {
		t.deepEqual(gather(files, keyOf), {complaint});
	});
}
