import test from 'ava';
import {ruleNotes, type RuleNote} from '../../../src/judge/rule-notes.js';
import {observed} from '../../helpers/observed.js';
import {
	deleteRule, insertRule, moveRule, sketchReport, type RunSketch,
} from '../../helpers/reports.js';
import {ofIstio} from '../../helpers/mesh.js';

const notNeeded = 'no type of this run needs it';
const onLo = 'on lo, rule 3 returns every UID but 1337, and rule 4 returns 1337';

function print({kind, rule, reason}: RuleNote): string {
	return `${kind} ${rule.chain}#${rule.number}: ${reason}`;
}

function notesOf(sketch: RunSketch, kind?: RuleNote['kind']): readonly string[] {
	return sketchReport(sketch).ruleNotes.filter(note => kind === undefined || note.kind === kind).map(note => print(note));
}

test('the rules that the six types do not match, with the shadow if there is one', t => {
	t.deepEqual(notesOf({}), [
		`not-reached ISTIO_INBOUND#1: ${notNeeded}`,
		`not-reached ISTIO_INBOUND#3: ${notNeeded}`,
		`not-reached ISTIO_INBOUND#4: ${notNeeded}`,
		`not-reached ISTIO_OUTPUT#3: ${notNeeded}`,
		`not-reached ISTIO_OUTPUT#5: ${onLo}`,
		`not-reached ISTIO_OUTPUT#6: ${onLo}`,
		`not-reached ISTIO_OUTPUT#7: ${notNeeded}`,
		`not-reached ISTIO_OUTPUT#8: ${onLo}`,
	]);
});

test('type 4b matches one more', t => {
	t.false(notesOf({ids: ['1', '4b']}).includes(`not-reached ISTIO_OUTPUT#3: ${notNeeded}`));
});

test('with a gap no rule is called unmatched', t => {
	t.deepEqual(notesOf({tamper: ({path, loop}, {id}) => observed(path.legs, {loop, gaps: id === '6' ? [{kind: 'lost-events', message: 'One.'}] : []})}), []);
});

test('families have their own notes, and one that was not run has none', t => {
	const {ruleNotes: notes, ruleSet} = sketchReport({families: ['ipv4', 'ipv6']});
	t.deepEqual(notes.map(({family}) => family), [...Array.from({length: 8}, () => 'ipv4' as const), ...Array.from({length: 8}, () => 'ipv6' as const)]);
	const {types} = sketchReport();
	t.deepEqual([...new Set(ruleNotes({ruleSet: ofIstio(ruleSet), reference: undefined, results: types}).map(({family}) => family))], ['ipv4']);
});

for (const [number, expected] of [
	[1, 'needed by types 1, 4'],
	[2, 'needed by type 4'],
	[3, 'none of the types that were run needs it'],
	[4, 'for types 2, 3, 5, 6 covered by ISTIO_OUTPUT#6, which leads to the same stops'],
	[5, 'none of the types that were run needs it'],
	[6, 'none of the types that were run needs it'],
	[7, 'none of the types that were run needs it'],
	[8, 'none of the types that were run needs it'],
	[9, 'needed by types 2, 4'],
] as const) {
	test(`rule ${number} missing`, t => {
		t.deepEqual(notesOf({mutate: deleteRule('ISTIO_OUTPUT', number)}, 'missing'), [`missing ISTIO_OUTPUT#${number}: ${expected}`]);
		t.deepEqual(notesOf({mutate: deleteRule('ISTIO_OUTPUT', number)}, 'moved'), []);
	});
}

test('a missing rule that another one covers: the note names that one', t => {
	const [note] = sketchReport({ids: ['4b'], mutate: deleteRule('ISTIO_OUTPUT', 3)}).ruleNotes;
	t.like(note, {
		kind: 'missing', role: 'loopback-not-proxy-uid', types: ['4b'], coveredBy: {chain: 'ISTIO_OUTPUT', number: 5},
	});
});

test('a rule is not called needed if a gap hides that', t => {
	const gaps = [{kind: 'lost-events', message: 'One.'}] as const;
	t.deepEqual(notesOf({mutate: deleteRule('ISTIO_OUTPUT', 9), tamper: ({path, loop}) => observed(path.legs, {loop, gaps})}), ['missing ISTIO_OUTPUT#9: whether it is needed is not known: the evidence has gaps']);
});

test('one of several equal rules is missing: found by its text, and the others do not count as moved', t => {
	t.deepEqual(notesOf({mutate: deleteRule('ISTIO_INBOUND', 2)}, 'missing'), ['missing ISTIO_INBOUND#2: needed by type 3']);
	t.deepEqual(notesOf({mutate: deleteRule('ISTIO_INBOUND', 2)}, 'moved'), []);
});

for (const [title, sketch, expected] of [
	['nothing', {}, []],
	['the bypass before the hairpin rule', {mutate: moveRule('ISTIO_OUTPUT', {from: 4, to: 2})}, ['moved ISTIO_OUTPUT#2: is number 2 of ISTIO_OUTPUT; in the default set it is 4']],
	['the capture first', {mutate: moveRule('ISTIO_OUTPUT', {from: 9, to: 1})}, ['moved ISTIO_OUTPUT#1: is number 1 of ISTIO_OUTPUT; in the default set it is 9']],
	['the first rule last', {mutate: moveRule('ISTIO_OUTPUT', {from: 1, to: 9})}, ['moved ISTIO_OUTPUT#9: is number 9 of ISTIO_OUTPUT; in the default set it is 1']],
	['rules that foreign ones push back', {mutate: insertRule('ISTIO_OUTPUT', 1, '-j LOG')}, []],
	['several UIDs', {input: 'release:1.30 -u 64535,1337'}, []],
] as ReadonlyArray<readonly [string, RunSketch, readonly string[]]>) {
	test(`moved: ${title}`, t => {
		t.deepEqual(notesOf(sketch, 'moved'), expected);
	});
}

test('a rule that a failed type should have matched is not called unnecessary', t => {
	const notes = notesOf({ids: ['4'], actors: {proxy: {uid: 1338, gid: 1338}}}, 'not-reached');
	t.true(notes.includes('not-reached ISTIO_OUTPUT#2: type 4 should have met a rule of its kind'));
	t.true(notes.includes(`not-reached ISTIO_OUTPUT#4: ${notNeeded}`));
});

test('without a reference nothing is missing or moved', t => {
	const {ruleSet, types} = sketchReport({mutate: deleteRule('ISTIO_OUTPUT', 2)});
	t.true(ruleNotes({ruleSet: ofIstio(ruleSet), reference: undefined, results: types}).every(({kind}) => kind === 'not-reached'));
});
