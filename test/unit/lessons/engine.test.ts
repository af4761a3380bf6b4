/** The engine of lessons: what each kind of question takes for right, and what no sequence of answers can do. */

import test from 'ava';
import fc from 'fast-check';
import {questionOf, type Question} from '../../../src/lessons/asks.js';
import {
	advance, exitStatusOfLesson, isAsWritten, shownHints, startLesson, stepOf, tallyOfLesson, type LessonEvent, type LessonState,
} from '../../../src/lessons/engine.js';
import type {StepEvidence} from '../../../src/lessons/types.js';
import {evidenceOf, lessonAsking, stepAsking} from '../../helpers/lessons.js';
import {deleteRule, insertRule} from '../../helpers/reports.js';

const evidence = evidenceOf();
const gap = {kind: 'lost-events', message: 'The trace socket overflowed.'} as const;
const doubtful = evidenceOf({tamper: (observation, {id}) => id === '2' ? {...observation, gaps: [gap]} : observation});

function ready(asks: string, writtenFor: string, seen: StepEvidence = evidence): Extract<Question, {kind: 'ready'}> {
	const question = questionOf(stepAsking(asks, writtenFor).asks, seen);
	if (question.kind !== 'ready') {
		throw new Error(question.reasons.join(' '));
	}

	return question;
}

for (const [asks, right] of [
	['{what: rule, of: "2", chain: ISTIO_OUTPUT}', '9'],
	['{what: rule, of: "2", leg: 2, chain: ISTIO_OUTPUT}', '4'],
	['{what: rule, of: "2", chain: OUTPUT}', '1'],
	['{what: rule, of: "3", chain: ISTIO_OUTPUT}', 'not-entered'],
	['{what: rule, of: "3", chain: ISTIO_INBOUND, table: nat}', '2'],
	['{what: listener, of: "2", choices: ["proxy:15001", "remote:8080"]}', 'proxy:15001'],
	['{what: listener, of: "2", leg: 2, choices: ["proxy:15001", "remote:8080"]}', 'remote:8080'],
	['{what: stops, of: "4", choices: ["proxy:15001 → app:8080", "proxy:15001 → proxy:15006 → app:8080"]}', 'proxy:15001 → proxy:15006 → app:8080'],
	['{what: end, of: "1", choices: [accepted, refused]}', 'accepted'],
	['{what: source, of: "1", leg: 2, choices: ["127.0.0.6", "10.244.1.20"]}', '127.0.0.6'],
] as const) {
	test(`correct: ${asks}`, t => {
		t.deepEqual(ready(asks, asks.includes('rule') ? '1' : JSON.stringify(right)).right, [right]);
	});
}

test('a chain that is tested without a match differs from one that is not tested', t => {
	const seen = evidenceOf({mutate: insertRule('OUTPUT', 1, '-p tcp -j ISTIO_IN_REDIRECT'), ids: ['2']});
	t.deepEqual(ready('{what: rule, of: "2", chain: ISTIO_OUTPUT}', '9', seen).right, ['not-entered']);
	const none = evidenceOf({mutate: deleteRule('ISTIO_OUTPUT', 9), ids: ['2']});
	t.deepEqual(ready('{what: rule, of: "2", chain: ISTIO_OUTPUT}', '9', none).right, ['no-match']);
});

test('which types fail, which bypass the proxy, which rules no packet matched', t => {
	t.deepEqual(ready('{what: failing}', '[]').right, []);
	const without4 = evidenceOf({mutate: deleteRule('ISTIO_OUTPUT', 4)});
	t.deepEqual(ready('{what: failing}', '[]', without4).right, without4.connections.filter(({outcome}) => outcome!.kind === 'fail').map(({id}) => id));
	t.true(ready('{what: failing}', '[]', without4).right.length > 0);
	t.deepEqual(ready('{what: bypassing}', '[]').right, ['6']);
	t.deepEqual(ready('{what: unmatched, chain: ISTIO_OUTPUT}', '[]').right, ['3', '5', '6', '7', '8']);
});

test('which change helps: one that the kernel refuses does not', t => {
	const asks = '{what: fix, choices: [{text: a, rules: r}, {text: b}, {text: c}]}';
	const ran = {kind: 'ran', connections: evidence.connections} as const;
	const bad = {kind: 'ran', connections: evidenceOf({mutate: deleteRule('ISTIO_OUTPUT', 4)}).connections} as const;
	const question = ready(asks, '[a]', {...evidence, fixes: [ran, bad, {kind: 'rejected', reason: 'no'}]});
	t.deepEqual(question.right, ['a']);
	t.true(question.isList);
	t.deepEqual(questionOf(stepAsking(asks, '[a]').asks, {...evidence, fixes: [ran]}), {kind: 'inconclusive', reasons: ['The question offers 3 changes, but 1 were tried.']});
	t.deepEqual(questionOf(stepAsking(asks, '[a]').asks, {...evidence, fixes: [ran, ran, {kind: 'ran', connections: doubtful.connections}]}), {kind: 'inconclusive', reasons: [gap.message]});
});

for (const [title, asks, seen, reason] of [
	['a gap in what is asked about', '{what: rule, of: "2", chain: ISTIO_OUTPUT}', doubtful, gap.message],
	['a gap in one of all', '{what: failing}', doubtful, gap.message],
	['a gap in one that may have met a rule', '{what: unmatched, chain: ISTIO_OUTPUT}', doubtful, gap.message],
	['a gap in one that may have passed by', '{what: bypassing}', doubtful, gap.message],
	['nothing seen', '{what: rule, of: "2", chain: ISTIO_OUTPUT}', {...evidence, connections: evidence.connections.map(each => ({...each, legs: []}))}, 'The connection was not observed at all: it has no leg.'],
	['nothing sent', '{what: rule, of: "2", chain: ISTIO_OUTPUT}', {...evidence, connections: []}, '2 was not sent.'],
	['a chain that is not there', '{what: rule, of: "2", chain: ISTIO_OUTPU}', evidence, 'The rules have no chain ISTIO_OUTPU.'],
	['a chain of another table', '{what: rule, of: "2", chain: ISTIO_OUTPUT, table: mangle}', evidence, 'The rules have no chain ISTIO_OUTPUT in table mangle.'],
	['a connection that is not there', '{what: rule, of: "2", leg: 3, chain: ISTIO_OUTPUT}', evidence, 'The flow of local-to-remote has 2 connections, and the question is about number 3.'],
	['an answer that is not offered', '{what: listener, of: "2", choices: ["app:1", nobody]}', evidence, 'The kernel\'s answer, "proxy:15001", is not among the choices.'],
] as const) {
	test(`inconclusive: ${title}`, t => {
		t.deepEqual(questionOf(stepAsking(asks, asks.includes('choices') ? 'nobody' : (asks.includes('rule') ? '9' : '[]')).asks, seen), {kind: 'inconclusive', reasons: [reason]});
	});
}

test('types without a result are inconclusive', t => {
	const seen = {...evidence, connections: evidence.connections.map(({outcome: _, ...rest}) => rest)};
	t.deepEqual(questionOf(stepAsking('{what: failing}', '[]').asks, seen), {kind: 'inconclusive', reasons: ['The result of type 1 is not known.']});
});

test('a chain that exists in two tables', t => {
	const [table] = evidence.rules.tables;
	const seen = {...evidence, rules: {...evidence.rules, tables: [...evidence.rules.tables, {...table!, name: 'other'}]}};
	t.deepEqual(questionOf(stepAsking('{what: rule, of: "2", chain: ISTIO_OUTPUT}', '9').asks, seen), {kind: 'inconclusive', reasons: ['The rules have 2 chains ISTIO_OUTPUT, in the tables nat, other.']});
});

const rule9 = {asks: '{what: rule, of: "2", chain: ISTIO_OUTPUT}', writtenFor: '9'};
const unmatched = {asks: '{what: unmatched, chain: ISTIO_OUTPUT}', writtenFor: '[3, 5, 6, 7, 8]', hints: 0};

function after(state: LessonState, ...events: readonly LessonEvent[]): LessonState {
	let at = state;
	for (const event of events) {
		at = advance(at, event).state;
	}

	return at;
}

const observed: LessonEvent = {kind: 'observed', evidence};
const answer = (...words: readonly string[]): LessonEvent => ({kind: 'answer', answer: words});

test('a lesson from beginning to end', t => {
	let state = startLesson(lessonAsking(rule9, unmatched));
	t.is(state.phase, 'show');
	state = after(state, observed);
	t.is(state.phase, 'ask');
	t.true(isAsWritten(state));
	state = after(state, answer('4'));
	t.is(state.phase, 'ask');
	t.is(shownHints(state).length, 1);
	state = after(state, answer('9'));
	t.is(state.phase, 'told');
	t.deepEqual(state.results, [{kind: 'right', tries: 2, hints: 1}]);
	state = after(state, {kind: 'next'});
	t.is(state.index, 1);
	t.deepEqual(state.wrong, []);
	state = after(state, observed, answer('8', '7', '6', '5', '3', '3'), {kind: 'next'});
	t.is(state.phase, 'ended');
	t.is(exitStatusOfLesson(state), 0);
	t.deepEqual(tallyOfLesson(state), {passed: 2, failed: 0, inconclusive: 0});
});

test('every hint is given before an answer counts as wrong', t => {
	const state = after(startLesson(lessonAsking(rule9)), observed, answer('1'), answer('2'));
	t.is(state.phase, 'ask');
	t.is(shownHints(state).length, 2);
	const last = after(state, answer('3'));
	t.deepEqual(last.results, [{kind: 'wrong', tries: 3, hints: 2}]);
	t.is(exitStatusOfLesson(last), 1);
});

test('one try if only one is allowed', t => {
	const state = after(startLesson(lessonAsking(rule9), {triesMax: 1}), observed, answer('1'));
	t.deepEqual(state.results, [{kind: 'wrong', tries: 1, hints: 0}]);
});

test('giving up is a result of its own, and the status is 1', t => {
	const state = after(startLesson(lessonAsking(rule9)), observed, {kind: 'hint'}, {kind: 'give-up'});
	t.deepEqual(state.results, [{kind: 'given-up', tries: 0, hints: 1}]);
	t.is(exitStatusOfLesson(state), 1);
});

test('a step with incomplete evidence has no question and is inconclusive', t => {
	const state = after(startLesson(lessonAsking(rule9)), {kind: 'observed', evidence: doubtful});
	t.is(state.phase, 'told');
	t.deepEqual(state.results, [{kind: 'inconclusive', reasons: [gap.message]}]);
	t.false(isAsWritten(state));
	t.is(exitStatusOfLesson(after(state, {kind: 'next'})), 3);
});

test('no answer is judged by the file, and its texts are left out where the kernel disagrees', t => {
	const state = after(startLesson(lessonAsking({...rule9, writtenFor: '4'})), observed, answer('4'));
	t.is(state.phase, 'ask', 'the answer that the file was written for is wrong');
	t.false(isAsWritten(state));
	t.deepEqual(shownHints(state), []);
	t.is(after(state, answer('9')).results[0]!.kind, 'right');
});

for (const [title, state, event, refused] of [
	['an answer before the kernel has spoken', startLesson(lessonAsking(rule9)), answer('9'), 'The packets of this step are still on their way. The question follows.'],
	['evidence twice', after(startLesson(lessonAsking(rule9)), observed), observed, 'This step waits for an answer, a hint or "give up".'],
	['a second answer', after(startLesson(lessonAsking(rule9)), observed, answer('9')), answer('9'), 'This question is finished. Continue with the next one.'],
	['anything at the end', after(startLesson(lessonAsking(rule9)), observed, answer('9'), {kind: 'next'}), {kind: 'next'}, 'The lesson is over.'],
	['a choice that there is not', after(startLesson(lessonAsking(rule9)), observed), answer('12'), '"12" is not one of the choices, which are 1 to 11.'],
	['no choice', after(startLesson(lessonAsking(rule9)), observed), answer(), 'This question takes one answer, not 0. The choices are 1 to 11.'],
	['two choices for one', after(startLesson(lessonAsking(rule9)), observed), answer('8', '9'), 'This question takes one answer, not 2. The choices are 1 to 11.'],
	['a hint where there is none', after(startLesson(lessonAsking(unmatched)), observed), {kind: 'hint'}, 'This question has no hint.'],
	['a hint too many', after(startLesson(lessonAsking(rule9)), observed, {kind: 'hint'}, {kind: 'hint'}), {kind: 'hint'}, 'There are no more hints.'],
] as const satisfies ReadonlyArray<readonly [string, LessonState, LessonEvent, string]>) {
	test(`refused, without any change: ${title}`, t => {
		t.deepEqual(advance(state, event), {state, refused});
	});
}

test('a type is chosen by its id, whatever its place', t => {
	const seen = evidenceOf({ids: ['4', '2'], mutate: deleteRule('ISTIO_OUTPUT', 4)});
	const {choices} = ready('{what: failing}', '[]', seen);
	t.deepEqual(choices.map(({key, value}) => [key, value]), [['4', '4'], ['2', '2']]);
});

const words = fc.oneof(fc.constantFrom('1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', 'no-match', 'not-entered', '', 'x', '__proto__'), fc.string());
const events: fc.Arbitrary<LessonEvent> = fc.oneof(
	fc.record({kind: fc.constant('answer' as const), answer: fc.array(words, {maxLength: 6})}),
	fc.record({kind: fc.constantFrom('hint' as const, 'give-up' as const, 'next' as const)}),
	fc.constantFrom<LessonEvent>(observed, {kind: 'observed', evidence: doubtful}, {kind: 'observed', evidence: evidenceOf({mutate: deleteRule('ISTIO_OUTPUT', 4)})}),
);

/** The second opinion: what the kernel's answer is, read off the legs without the engine. */
function isRight({index, evidence: seen}: LessonState, given: readonly string[]): boolean {
	const {connections} = seen!;
	const hits = connections.flatMap(({legs}) => legs.flatMap(({traversals}) => traversals.flatMap(each => each.hits))).filter(({chain}) => chain === 'ISTIO_OUTPUT');
	const {rules: {length}} = seen!.rules.tables.flatMap(({chains}) => chains).find(({name}) => name === 'ISTIO_OUTPUT')!;
	const right = index === 0
		? [String(connections.find(({id}) => id === '2')!.legs[0]!.traversals.flatMap(each => each.hits).findLast(({chain}) => chain === 'ISTIO_OUTPUT')!.number)]
		: Array.from({length}, (_, place) => place + 1).filter(number => hits.every(hit => hit.number !== number)).map(String);
	return [...new Set(given)].toSorted().join(' ') === right.toSorted().join(' ');
}

test('no sequence of events blocks it, or scores a wrong answer as correct', t => {
	fc.assert(fc.property(fc.array(events, {maxLength: 40}), fc.constantFrom(undefined, 1, 2), (sequence, triesMax) => {
		let state = startLesson(lessonAsking(rule9, unmatched), triesMax === undefined ? {} : {triesMax});
		for (const event of sequence) {
			const before = state;
			const {state: next, refused} = advance(before, event);
			state = next;
			t.is(refused === undefined, before !== next);
			const result = next.results[before.results.length];
			if (result?.kind === 'right') {
				t.is(event.kind, 'answer');
				t.true(isRight(before, (event as Extract<LessonEvent, {kind: 'answer'}>).answer));
			}

			if (event.kind === 'answer' && before.phase === 'ask' && refused === undefined && result?.kind !== 'right') {
				t.false(isRight(before, event.answer));
			}

			if (before.phase === 'show' && event.kind === 'observed' && event.evidence === doubtful) {
				t.is(result!.kind, 'inconclusive');
			}
		}

		// From wherever it is, it can be brought to its end, and every step has one result.
		for (let count = 0; state.phase !== 'ended'; count++) {
			t.true(count < 10);
			state = after(state, ({show: observed, ask: {kind: 'give-up'}, told: {kind: 'next'}} as const)[state.phase]);
		}

		t.is(state.results.length, state.lesson.steps.length);
		t.is(stepOf(state), state.lesson.steps.at(-1)!);
	}), {numRuns: 300});
});
