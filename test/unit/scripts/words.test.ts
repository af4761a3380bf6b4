import path from 'node:path';
import test from 'ava';
import {isolated, root, writeTree} from './_setup.js';

type Exception = {readonly word: string; readonly place: string; readonly because: string};
type Words = {
	banned: ReadonlyMap<string, string>;
	exceptions: readonly Exception[];
	notYetRenamed: readonly string[];
	wordsOf: (name: string) => string[];
	bannedIn: (name: string) => ReadonlyArray<{word: string; say: string}>;
	namesIn: (text: string, file: string) => Promise<ReadonlyArray<{name: string; line: number}>>;
	complaintsAboutWords: (root: string, options?: {readonly skipped?: readonly string[]; readonly kept?: readonly Exception[]}) => Promise<string[]>;
};

const {banned, exceptions, notYetRenamed, wordsOf, bannedIn, namesIn, complaintsAboutWords} = await import(path.join(root, 'scripts/lint/words.mjs')) as Words;

for (const [name, words] of [
	['switchTable', ['switch', 'table']],
	['XMLText2', ['xml', 'text']],
	['by-protocol_id', ['by', 'protocol', 'id']],
	['#wave', ['wave']],
	['UIDs', ['ui', 'ds']],
	['display', ['display']],
] as const) {
	test(`the words of ${name}`, t => {
		t.deepEqual(wordsOf(name), [...words]);
	});
}

for (const [name, word] of [
	['standardCompany', 'company'], ['Casting', 'casting'], ['onStage', 'stage'], ['FlownLeg', 'flown'], ['wayOf', 'way'], ['World', 'world'], ['switchTable', 'switch table'],
	['twinChain', 'twin'], ['ForetoldPath', 'foretold'], ['laneCount', 'lane'], ['gist', 'gist'], ['wantsColour', 'colour'], ['normalise', 'normalise'],
] as const) {
	test(`${name} is banned, with a word to say instead`, t => {
		const [found] = bannedIn(name);
		t.is(found?.word, word);
		t.true((found?.say.length ?? 0) > 2);
	});
}

for (const name of ['display', 'always', 'broadcast', 'gateway', 'isSwitch', 'tableSwitch', 'shield', 'planet', 'residue', 'actorSet', 'normalize']) {
	test(`${name} is fine`, t => {
		t.deepEqual(bannedIn(name), []);
	});
}

test('every banned word is one that a name can have, and every exception is of a banned word in a folder of this project', t => {
	for (const word of banned.keys()) {
		t.is(wordsOf(word).join(' '), word);
	}

	for (const {word, place, because} of exceptions) {
		t.true(banned.has(word) && /^(?:src|testbed|test|scripts)\//u.test(place) && because.length > 10, word);
	}
});

test('what is declared is found: names of every kind, not those that are only used', async t => {
	const names = await namesIn(`import other, {given as own} from 'x';
export type Shape = {readonly member: string; method(): void};
class Thing { #secret = 1; get value() { return other.notOurs; } }
function act(parameter, {destructured: renamed, kept}) { const {inner} = parameter; return {key: own, renamed, kept}; }
enum Kind { one }
`, 'file.ts');
	t.deepEqual(names.map(({name}) => name).toSorted(), ['#secret', 'Kind', 'Shape', 'Thing', 'act', 'destructured', 'inner', 'kept', 'kept', 'key', 'member', 'method', 'one', 'other', 'own', 'parameter', 'renamed', 'renamed', 'value'].filter(name => name !== 'destructured').toSorted());
	t.is(names.find(({name}) => name === 'act')?.line, 4);
});

test('goes red: a file, a variable and a member with banned words, but not what is skipped or kept', async t => {
	await using context = await isolated();
	writeTree(context.root, {
		'src/wave.ts': 'export const a = 1;\n',
		'src/other.ts': 'export const b = 1;\nexport type Lane = {readonly witness: number};\n',
		'src/report/json.ts': 'export const made = {witness: 1};\n',
		'testbed/stage.ts': 'export const play = 1;\n',
		'src/node_modules/x/fly.js': 'export const fly = 1;\n',
	});
	const kept = [{word: 'witness', place: 'src/report/', because: 'the key of a document'}];
	const complaints = await complaintsAboutWords(context.root, {skipped: ['testbed/'], kept});
	t.deepEqual(complaints.toSorted(), [
		'src/other.ts:2: Lane has the word "lane"; say job.',
		'src/other.ts:2: witness has the word "witness"; say counter check, example.',
		'src/wave.ts:1: wave has the word "wave"; say batch.',
	]);
	const all = await complaintsAboutWords(context.root, {skipped: []});
	t.is(all.length, 6);
});

test('no name of this project has a banned word, but in folders that have not been renamed yet', async t => {
	t.deepEqual(await complaintsAboutWords(root), []);
	for (const folder of notYetRenamed) {
		t.true(folder.endsWith('/'));
	}
});
