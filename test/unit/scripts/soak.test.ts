/** The campaign's own parts: what it calls a fault, what it spoils, and the table that it writes. */

import {Buffer} from 'node:buffer';
import {once} from 'node:events';
import {readFileSync} from 'node:fs';
import path from 'node:path';
import {Worker} from 'node:worker_threads';
import test from 'ava';
import fc from 'fast-check';
import {root} from './_setup.js';

type Random = {readonly next: () => number; readonly below: (limit: number) => number};
type Ended = {readonly status: number | null; readonly signal: string | null; readonly hung?: boolean; readonly stdout: string; readonly stderr: string; readonly left: readonly string[]};
type Row = Readonly<Record<'part' | 'tried' | 'survived' | 'faults' | 'note' | 'seed' | 'machine' | 'date' | 'commit', string>>;
type Result = {
	readonly name: string; readonly tried: number; readonly survived: number; readonly faults: readonly string[]; readonly notTried?: readonly string[]; readonly note: string;
	readonly seed: number; readonly machine: string; readonly date: string; readonly commit: string;
};
type Expected = {readonly reference?: string; readonly mayFail: boolean; readonly failsWith?: ReadonlySet<number>; readonly endsBy?: ReadonlySet<string>};
type Spoil = (seed: Buffer, random: Random) => Buffer;
type Task = {readonly count: number; readonly random: Random; readonly say: (text: string) => void; readonly isOver: () => boolean};
type Census = ReadonlyMap<string, string>;

const load = async (name: string): Promise<unknown> => import(path.join(root, 'scripts/soak', `${name}.mjs`));
const {newSince, takeCensus} = await load('census') as {newSince: (before: Census, after: Census) => readonly string[]; takeCensus: (folders: readonly string[]) => Census};
const {readSeeds, readSpoiled} = await load('inputs') as {
	readSeeds: () => Map<string, readonly Buffer[]>;
	readSpoiled: (task: Task, seeds: ReadonlyMap<string, readonly Buffer[]>) => Promise<{tried: number; survived: number; faults: readonly string[]}>;
};
const {datagramsIn, spoil, spoilTrace} = await load('spoil') as {datagramsIn: (body: Buffer) => readonly Buffer[]; spoil: Spoil; spoilTrace: Spoil};
const {mustReadAgain, WrongAnswer} = await load('laws') as {
	mustReadAgain: (print: (what: string) => string, parse: (text: string) => string, what: string) => void; WrongAnswer: new (message: string) => Error;
};
const {faultsOf} = await load('runs') as {faultsOf: (name: string, ended: Ended, expected: Expected) => readonly string[]};
const {createRandom} = await load('random') as {createRandom: (seed: number) => Random};
const {fixed} = await load('fixed') as {fixed: ReadonlyArray<Readonly<Record<'part' | 'fault' | 'cause' | 'test' | 'title', string>>>};
const {parts} = await load('parts') as {parts: ReadonlyArray<{readonly name: string}>};
const {
	mergeRows, parseRows, replaceBlock, replaceFixed,
} = await load('table') as {
	replaceFixed: (text: string, list: typeof fixed) => string;
	mergeRows: (old: readonly Row[], results: readonly Result[]) => readonly Row[]; parseRows: (text: string) => readonly Row[]; replaceBlock: (text: string, rows: readonly Row[]) => string;
};
const {hasStack, resultsOf} = await load('watch') as {hasStack: (text: string) => boolean; resultsOf: (json: string) => string | undefined};
const never = (): boolean => false;

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
	t.deepEqual(faultsOf('run 1', {...passed, status: null, signal: 'SIGKILL', hung: true, stderr: 'testbed: sending …'}, {reference, mayFail: true}), ['run 1: it hung: testbed: sending …']);
	t.deepEqual(faultsOf('run 1', {...passed, status: 3, stdout: '', stderr: 'testbed: Internal error: EMFILE'}, {reference, mayFail: true}), ['run 1: it blamed itself for it: testbed: Internal error: EMFILE']);
	t.deepEqual(faultsOf('run 1', {...passed, stderr: 'TypeError: x\n    at f (/a/b.js:1:2)'}, {reference, mayFail: true}), ['run 1: it printed a stack trace: TypeError: x']);
});

test('a status or a signal that is expected is no fault, but what is left then is', t => {
	const expected = {reference, mayFail: true, failsWith: new Set([2]), endsBy: new Set(['SIGABRT'])};
	t.deepEqual(faultsOf('run 1', {...passed, status: 2, stdout: ''}, expected), []);
	t.deepEqual(faultsOf('run 1', {...passed, status: 3, stdout: ''}, expected), ['run 1: it ended with status 3: ']);
	t.deepEqual(faultsOf('run 1', {...passed, status: null, signal: 'SIGABRT', stderr: 'Fatal\n    at f (/a/b.js:1:2)'}, expected), []);
	t.deepEqual(faultsOf('run 1', {...passed, status: null, signal: 'SIGABRT', left: ['process 7 is left.']}, expected), ['run 1: process 7 is left.']);
	t.deepEqual(faultsOf('run 1', {...passed, status: null, signal: 'SIGSEGV'}, expected), ['run 1: it was ended by SIGSEGV.']);
});

test('a comparison is the same but for its time', t => {
	t.is(resultsOf('{"moved":[1],"durationMs":3}'), resultsOf('{"moved":[1],"durationMs":4}'));
	t.not(resultsOf('{"moved":[1],"durationMs":3}'), resultsOf('{"moved":[2],"durationMs":3}'));
	t.is(resultsOf('no JSON'), undefined);
});

test('a census tells what is new, and nothing else', t => {
	const before = takeCensus([path.join(root, 'scripts/soak')]);
	t.deepEqual(newSince(before, before), []);
	t.deepEqual(newSince(new Map([['a', 'A is left.']]), new Map([['a', 'A is left.'], ['b', 'B is left.']])), ['B is left.']);
	const kinds = new Set([...before.keys()].map(key => key.split(' ')[0]));
	t.deepEqual(kinds, new Set(['process', 'namespace', 'mount', 'file', 'socket']));
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
	t.deepEqual([...seeds.keys()], ['rules', 'scenario', 'pod', 'lesson', 'recording', 'evidence', 'trace', 'datagram']);
	t.true(seeds.get('datagram')!.length > 20);
});

test('a spoiled trace differs from its seed in one datagram at most, and stays a recording', t => {
	const body = readSeeds().get('trace')![0]!;
	const before = datagramsIn(body);
	const random = createRandom(9);
	const differences = new Set<number>();
	for (let turn = 0; turn < 60; turn++) {
		const spoiled = spoilTrace(body, random);
		t.notThrows(() => spoiled.toString('utf8').trim().split('\n').map(line => JSON.parse(line) as unknown));
		const after = datagramsIn(spoiled);
		differences.add(after.length - before.length);
		const kept = after.filter(one => before.some(other => one.equals(other)));
		t.true(kept.length >= before.length - 1);
	}

	t.deepEqual([...differences].toSorted((one, other) => one - other), [-1, 0, 1], 'lost, changed, twice');
});

test('spoiled inputs are read or refused; a reader that throws something else is a fault with its name', async t => {
	const small = new Map([...readSeeds()].filter(([kind]) => ['rules', 'scenario', 'trace', 'datagram'].includes(kind)));
	const {tried, survived, faults} = await readSpoiled({
		count: 90, random: createRandom(3), say: t.log, isOver: never,
	}, small);
	t.deepEqual({tried, survived, faults}, {tried: 90, survived: 90, faults: []});
	// There is no reader of this kind, so calling it is a TypeError.
	const broken = await readSpoiled({
		count: 2, random: createRandom(3), say: t.log, isOver: never,
	}, new Map([['no such kind', [Buffer.from('a')]]]));
	t.deepEqual([broken.tried, broken.survived, broken.faults.length], [2, 0, 2]);
	t.regex(broken.faults[0]!, /^A spoiled no such kind \(number 0\): TypeError: /u);
});

test('goes red: evidence that passes by another path, and what reads differently once it is printed', async t => {
	const [one, other] = [readSeeds().get('trace')![0]!, readSeeds().get('trace')!.at(-1)!];
	const worker = new Worker(path.join(root, 'scripts/soak/read-input.mjs'));
	try {
		await once(worker, 'message');
		const ask = async (bytes: Buffer): Promise<{outcome: string; message: string}> => {
			worker.postMessage({kind: 'trace', bytes, original: one});
			const [answer] = await once(worker, 'message') as [{outcome: string; message: string}];
			return answer;
		};

		t.deepEqual(await ask(one), {outcome: 'read', message: ''});
		const {outcome, message} = await ask(other);
		t.is(outcome, 'wrong');
		t.regex(message, /^0 \S+ ipv4 passes by another path than its evidence says: /u);
	} finally {
		await worker.terminate();
	}

	const same = (text: string): string => text;
	t.notThrows(() => {
		mustReadAgain(same, same, 'a');
	});
	t.throws(() => {
		mustReadAgain(same, printed => `${printed}b`, 'a');
	}, {instanceOf: WrongAnswer, message: 'what was read is printed as something that reads differently'});
	t.throws(() => {
		mustReadAgain(same, () => {
			throw new Error('no');
		}, 'a');
	}, {instanceOf: WrongAnswer, message: 'what was read is printed as something that is refused: no'});
});

test('a campaign that is to end reads no further input', async t => {
	const {tried} = await readSpoiled({
		count: 90, random: createRandom(3), say: t.log, isOver: () => true,
	}, readSeeds());
	t.is(tried, 0);
});

const document = 'Head\n<!-- soak: begin -->\n<!-- soak: end -->\nTail\n';
const place = {seed: 7, machine: 'Linux 6.18, 2 cores', date: '2026-11-29', commit: 'abcdef0'};

test('rows come back as they were written, and a part that is run again with the same commit replaces its own', t => {
	const first = mergeRows(parseRows(document), [{
		name: 'runs', tried: 5, survived: 4, faults: ['a', 'b'], note: String.raw`a | b \ <c>`, ...place,
	}, {
		name: 'faults', tried: 3, survived: 3, faults: [], notTried: ['a clock'], note: '', ...place,
	}]);
	const written = replaceBlock(document, first);
	t.deepEqual(parseRows(written), first);
	t.true(written.startsWith('Head\n') && written.endsWith('\nTail\n'));
	t.is(first[0]!.note, 'not tried: a clock');
	const second = mergeRows(first, [{
		name: 'runs', tried: 9, survived: 9, faults: [], note: '', ...place,
	}]);
	t.deepEqual(second.map(({part, tried, survived, faults}) => [part, tried, survived, faults]), [['faults', '3', '3', '0'], ['runs', '9', '9', '0']]);
	const third = mergeRows(second, [{
		name: 'runs', tried: 4, survived: 4, faults: [], note: '', ...place, commit: '1234567',
	}]);
	t.deepEqual(third.map(({part, tried, commit}) => [part, tried, commit]), [['faults', '3', 'abcdef0'], ['runs', '9', 'abcdef0'], ['runs', '4', '1234567']], 'with another commit it has a row of its own');
});

test('a document without the marks is refused: rows would be lost', t => {
	t.throws(() => parseRows('Head\n'), {message: /needs the lines <!-- soak: begin -->/u});
});

test('docs/reliability.md has the faults that were fixed, each with a test that exists, and rows of parts that exist', t => {
	const text = readFileSync(path.join(root, 'docs/reliability.md'), 'utf8');
	t.is(replaceFixed(text, fixed), text, 'npm run soak writes it');
	for (const {part, test: file, title} of fixed) {
		t.true(parts.some(({name}) => name === part), part);
		t.true(readFileSync(path.join(root, file), 'utf8').includes(title), `${file}: ${title}`);
	}

	const rows = parseRows(text);
	t.is(replaceBlock(text, rows), text);
	for (const {part, tried, survived} of rows) {
		t.true(parts.some(({name}) => name === part), part);
		t.true(Number(tried) > 0 && Number(survived) <= Number(tried), part);
	}

	t.throws(() => replaceFixed('Head\n', fixed), {message: /needs the lines <!-- soak-fixed: begin -->/u});
});
