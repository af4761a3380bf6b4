/** The campaign's own parts: what it calls a fault, what it spoils, and the table that it writes. */

import {Buffer} from 'node:buffer';
import path from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import {root} from './_setup.js';

type Random = {readonly next: () => number; readonly below: (limit: number) => number};
type Ended = {readonly status: number | null; readonly signal: string | null; readonly stdout: string; readonly stderr: string; readonly left: readonly string[]};
type Row = Readonly<Record<'part' | 'tried' | 'faults' | 'note' | 'seed' | 'machine' | 'date' | 'commit', string>>;
type Result = {
	readonly name: string; readonly tried: number; readonly faults: readonly string[]; readonly notTried?: readonly string[]; readonly note: string;
	readonly seed: number; readonly machine: string; readonly date: string; readonly commit: string;
};

const load = async (name: string): Promise<unknown> => import(path.join(root, 'scripts/soak', `${name}.mjs`));
const {readSeeds, spoil, tryInputs} = await load('inputs') as {
	readSeeds: () => Map<string, readonly Buffer[]>;
	spoil: (seed: Buffer, random: Random) => Buffer;
	tryInputs: (task: {count: number; random: Random; say: (text: string) => void}, seeds: ReadonlyMap<string, readonly Buffer[]>) => Promise<{tried: number; faults: readonly string[]}>;
};
const {faultsOf} = await load('parts') as {faultsOf: (name: string, ended: Ended, expected: {reference?: string; mayFail: boolean}) => readonly string[]};
const {createRandom} = await load('random') as {createRandom: (seed: number) => Random};
const {mergeRows, parseRows, replaceBlock} = await load('table') as {
	mergeRows: (old: readonly Row[], results: readonly Result[]) => readonly Row[]; parseRows: (text: string) => readonly Row[]; replaceBlock: (text: string, rows: readonly Row[]) => string;
};
const {hasStack, resultsOf} = await load('watch') as {hasStack: (text: string) => boolean; resultsOf: (json: string) => string | undefined};

const passed = {
	status: 0,
	signal: null,
	stdout: JSON.stringify({
		types: [{
			id: '1', family: 'ipv4', outcome: 'pass', stops: ['app'], path: ['a'], durationMs: 3,
		}],
	}),
	stderr: '',
	left: [],
};
const reference = resultsOf(passed.stdout)!;

test('a run like the first, and an honest status, are no faults', t => {
	t.deepEqual(faultsOf('run 1', passed, {reference, mayFail: false}), []);
	for (const status of [3, 4]) {
		t.deepEqual(faultsOf('run 1', {...passed, status, stdout: ''}, {reference, mayFail: true}), []);
	}
});

test('each kind of fault is told in a sentence', t => {
	const other = passed.stdout.replace('"path":["a"]', '"path":["b"]');
	t.deepEqual(faultsOf('run 1', {...passed, stdout: other}, {reference, mayFail: true}), ['run 1: it passed with another result.']);
	t.deepEqual(faultsOf('run 1', {...passed, stdout: ''}, {reference, mayFail: true}), ['run 1: it passed with another result.']);
	t.deepEqual(faultsOf('run 1', {...passed, left: ['process 7 is left.']}, {reference, mayFail: true}), ['run 1: process 7 is left.']);
	t.deepEqual(faultsOf('run 1', {...passed, status: 3, stdout: '', stderr: 'testbed: lost events'}, {reference, mayFail: false}), ['run 1: it ended with status 3: testbed: lost events']);
	t.deepEqual(faultsOf('run 1', {...passed, status: 1, stdout: ''}, {reference, mayFail: true}), ['run 1: it ended with status 1: ']);
	t.deepEqual(faultsOf('run 1', {...passed, status: null, signal: 'SIGSEGV'}, {reference, mayFail: true}), ['run 1: it was ended by SIGSEGV.']);
	t.deepEqual(faultsOf('run 1', {...passed, stderr: 'TypeError: x\n    at f (/a/b.js:1:2)'}, {reference, mayFail: true}), ['run 1: it printed a stack trace: TypeError: x']);
});

test('a sentence with a place in a file is no stack trace', t => {
	t.false(hasStack('testbed: a.rules: line 3: at 10:20 nothing matched'));
	t.true(hasStack('Error\n    at async main (file:///x/y.mjs:10:20)'));
});

test('the same seed spoils in the same way, and the seed itself stays as it is', t => {
	fc.assert(fc.property(fc.integer({min: 0}), fc.uint8Array({minLength: 1, maxLength: 300}), (seed, bytes) => {
		const original = Buffer.from(bytes);
		t.deepEqual(spoil(original, createRandom(seed)), spoil(original, createRandom(seed)));
		t.deepEqual(original, Buffer.from(bytes));
	}));
});

test('random numbers below a limit reach all of them, and no other', t => {
	const random = createRandom(1);
	t.deepEqual([...new Set(Array.from({length: 200}, () => random.below(5)))].toSorted((one, other) => one - other), [0, 1, 2, 3, 4]);
});

test('there are seeds of every kind but baselines, and real datagrams among them', t => {
	const seeds = readSeeds();
	t.deepEqual([...seeds.keys()], ['rules', 'scenario', 'pod', 'lesson', 'recording', 'evidence', 'datagram']);
	t.true(seeds.get('datagram')!.length > 20);
});

test('spoiled inputs are read or refused; a reader that throws something else is a fault with its name', async t => {
	const small = new Map([...readSeeds()].filter(([kind]) => ['rules', 'scenario', 'datagram'].includes(kind)));
	const {tried, faults} = await tryInputs({count: 90, random: createRandom(3), say: t.log}, small);
	t.deepEqual({tried, faults}, {tried: 90, faults: []});
	// There is no reader of this kind, so calling it is a TypeError.
	const broken = await tryInputs({count: 1, random: createRandom(3), say: t.log}, new Map([['no such kind', [Buffer.from('a')]]]));
	t.is(broken.faults.length, 1);
	t.regex(broken.faults[0]!, /^A spoiled no such kind \(number 0\): TypeError: /u);
});

const document = 'Head\n<!-- soak: begin -->\n<!-- soak: end -->\nTail\n';
const place = {seed: 7, machine: 'Linux 6.18, 2 cores', date: '2026-11-29', commit: 'abcdef0'};

test('rows come back as they were written, and a part that is run again replaces its own', t => {
	const first = mergeRows(parseRows(document), [{
		name: 'runs', tried: 5, faults: ['a', 'b'], note: String.raw`a | b \ <c>`, ...place,
	}, {
		name: 'faults', tried: 3, faults: [], notTried: ['a clock'], note: '', ...place,
	}]);
	const written = replaceBlock(document, first);
	t.deepEqual(parseRows(written), first);
	t.true(written.startsWith('Head\n') && written.endsWith('\nTail\n'));
	t.is(first[0]!.note, 'not tried: a clock');
	const second = mergeRows(first, [{
		name: 'runs', tried: 9, faults: [], note: '', ...place,
	}]);
	t.deepEqual(second.map(({part, tried, faults}) => [part, tried, faults]), [['faults', '3', '0'], ['runs', '9', '0']]);
});

test('a document without the marks is refused: rows would be lost', t => {
	t.throws(() => parseRows('Head\n'), {message: /needs the lines <!-- soak: begin -->/u});
});
