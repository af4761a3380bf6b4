/** Every lesson that comes with the testbed, on the kernel: to its end with right answers and with wrong ones, and its texts held against what the kernel did. */

import {isDeepStrictEqual} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import {questionOf, type Question} from '../../src/lessons/asks.js';
import {
	advance, exitStatusOfLesson, isAsWritten, startLesson, stepOf, type LessonState,
} from '../../src/lessons/engine.js';
import {parseLesson} from '../../src/lessons/parse.js';
import type {Lesson, StepEvidence} from '../../src/lessons/types.js';
import {TestbedError} from '../../testbed/errors.js';
import {lessonFolder, loadLessons} from '../../testbed/lessons/lesson-files.js';
import {observeStep} from '../../testbed/lessons/observe-step.js';
import {defaultBufferBytes} from '../../testbed/tracer/trace-source.js';
import {lessonText} from '../helpers/lessons.js';

const options = {
	folder: lessonFolder, timeoutMs: 5000, traceBufferBytes: defaultBufferBytes, signal: new AbortController().signal, onProgress: () => undefined,
};

type Ready = Extract<Question, {kind: 'ready'}>;

/** Answers other than the right one: every single choice, and for a list also none and all. */
function wrongAnswers({choices, isList, right}: Ready): ReadonlyArray<readonly string[]> {
	const values = choices.map(({value}) => value);
	const all = [...values.map(value => [value]), ...(isList ? [[], values] : [])];
	return all.filter(answer => answer.length !== right.length || answer.some(value => !right.includes(value)));
}

/** Plays a lesson to its end by the answers that are chosen for each question. */
function play(t: ExecutionContext, lesson: Lesson, {evidence, answer}: {
	readonly evidence: readonly StepEvidence[]; readonly answer: (question: Ready, tries: number) => readonly string[];
}): LessonState {
	let state = startLesson(lesson);
	const go = (event: Parameters<typeof advance>[1]): void => {
		const {state: next, refused} = advance(state, event);
		t.is(refused, undefined);
		state = next;
	};

	while (state.phase !== 'ended') {
		go({kind: 'observed', evidence: evidence[state.index]!});
		t.is(state.question!.kind, 'ready', `${lesson.name}, step ${state.index + 1}: ${state.question!.kind === 'ready' ? '' : state.question!.reasons.join(' ')}`);
		t.true(isAsWritten(state), `${lesson.name}, step ${state.index + 1}: the texts speak of ${stepOf(state).writtenFor.join(', ')}, and the kernel says ${(state.question as Ready).right.join(', ')}`);
		while (state.phase === 'ask') {
			go({kind: 'answer', answer: answer(state.question as Ready, state.wrong.length)});
		}

		go({kind: 'next'});
	}

	return state;
}

const lessons = loadLessons();

for (const {lesson, folder} of lessons) {
	test.serial(`${lesson.name}: correct answers, wrong answers, and texts that are true`, async t => {
		const evidence: StepEvidence[] = [];
		for (const step of lesson.steps) {
			const same = lesson.steps.findIndex(other => isDeepStrictEqual([other.setup, other.traffic], [step.setup, step.traffic]) && step.asks.what !== 'fix');
			// What was asked of the kernel once it need not be asked again.
			evidence.push(evidence[same] ?? await observeStep(step, {...options, folder})); // eslint-disable-line no-await-in-loop -- One sandbox after the other.
		}

		const right = play(t, lesson, {evidence, answer: question => question.right});
		t.is(exitStatusOfLesson(right), 0);
		t.deepEqual(right.results.map(({kind}) => kind), lesson.steps.map(() => 'right'));

		const wrong = play(t, lesson, {
			evidence,
			answer(question, tries) {
				const others = wrongAnswers(question);
				return others[tries % others.length]!;
			},
		});
		t.is(exitStatusOfLesson(wrong), 1);
		t.deepEqual(wrong.results.map(({kind}) => kind), lesson.steps.map(() => 'wrong'));
		for (const [index, step] of lesson.steps.entries()) {
			for (const answer of wrongAnswers(questionOf(step.asks, evidence[index]!) as Ready)) {
				const asked = advance(startLesson({...lesson, steps: [step]}, {triesMax: 1}), {kind: 'observed', evidence: evidence[index]!}).state;
				t.is(advance(asked, {kind: 'answer', answer}).state.results[0]!.kind, 'wrong', `${lesson.name}, step ${index + 1}: ${answer.join(', ')}`);
			}
		}
	});
}

test('the course takes 30 minutes, and covers every topic', t => {
	t.is(lessons.reduce((sum, {lesson: {minutes}}) => sum + minutes, 0), 30);
	t.deepEqual(lessons.map(({lesson}) => lesson.number), lessons.map((_, index) => index + 1));
	const parts = [...new Set(lessons.map(({lesson}) => lesson.part))];
	t.deepEqual(parts.map(part => [part, lessons.filter(({lesson}) => lesson.part === part).length]), [['The six types', 6], ['What the kernel does', 4], ['Options', 4], ['Find the fault', 5]]);
});

test.serial('a trace that lost events makes a step inconclusive, without a question', async t => {
	const [first] = lessons;
	// The least that the kernel allows for a socket: one message, and the next is lost.
	const evidence = await observeStep(first!.lesson.steps[0]!, {...options, traceBufferBytes: 1});
	const {state} = advance(startLesson(first!.lesson), {kind: 'observed', evidence});
	t.is(state.phase, 'told');
	t.is(state.results[0]!.kind, 'inconclusive');
	t.is(exitStatusOfLesson(state), 3);
});

test.serial('with other rules the kernel disagrees with the file, and no answer is judged by the file', async t => {
	const [step] = parseLesson(lessonText({setup: '{rules: "release:1.31", insert: ["-t nat -I OUTPUT 1 -m owner --uid-owner 1000 -j RETURN"]}'}), 'x.md').steps;
	const lesson = {...lessons[0]!.lesson, steps: [step!]};
	const {state} = advance(startLesson(lesson), {kind: 'observed', evidence: await observeStep(step!, options)});
	t.deepEqual((state.question as Ready).right, ['not-entered']);
	t.false(isAsWritten(state));
	t.is(advance(state, {kind: 'answer', answer: step!.writtenFor}).state.phase, 'ask');
});

for (const [title, setup, traffic, code, message] of [
	['rules that are elsewhere', '{rules: "../package.json"}', '{types: ["2"]}', 'INPUT', /^"\.\.\/package\.json" is outside the folder of the lesson that names it\.$/u],
	['rules that are not there', '{rules: nothing.save}', '{types: ["2"]}', 'INPUT', /nothing\.save/u],
	['a release that there is not', '{rules: "release:0.9"}', '{types: ["2"]}', 'INPUT', /0\.9/u],
	['an inserted rule that is none', '{rules: "release:1.31", insert: [nonsense]}', '{types: ["2"]}', 'INPUT', /nonsense/u],
	['a rule that is inserted into nftables', '{rules: "release:1.31", backend: nftables, insert: ["-t nat -A OUTPUT -j RETURN"]}', '{types: ["2"]}', 'INPUT', /written for iptables/u],
	['a type that there is not', '{rules: "release:1.31"}', '{types: ["9"]}', 'USAGE', /There is no type 9\./u],
	['a place that there is not', '{rules: "release:1.31"}', '{connections: [{name: x, to: "nowhere:1"}]}', 'INPUT', /^the connection "x": "to" is "nowhere:1"/u],
	['a source that the pod does not have', '{rules: "release:1.31"}', '{connections: [{name: x, to: "remote:1", source: 1.2.3.4}]}', 'USAGE', /1\.2\.3\.4/u],
] as const) {
	test.serial(`refused before anything is sent: ${title}`, async t => {
		const [step] = parseLesson(lessonText({setup, steps: `  - traffic: ${traffic}\n    question: Q?\n    asks: {what: rule, chain: ISTIO_OUTPUT}\n    writtenFor: 9\n    ending: E.`}), 'x.md').steps;
		const error = await t.throwsAsync(observeStep(step!, options), {instanceOf: TestbedError});
		t.is(error.code, code);
		t.regex(error.message, message);
	});
}

test.serial('a change that the kernel refuses fixes nothing', async t => {
	const [step] = parseLesson(lessonText({
		steps: `  - traffic: {types: ["2"]}
    question: Q?
    asks: {what: fix, choices: [{text: nothing}, {text: a device that a sent packet does not have yet, insert: ["-t nat -I OUTPUT 1 -i eth0 -j RETURN"]}]}
    writtenFor: [nothing]
    ending: E.`,
	}), 'x.md').steps;
	const evidence = await observeStep(step!, options);
	t.deepEqual(evidence.fixes!.map(({kind}) => kind), ['ran', 'rejected']);
	t.deepEqual((questionOf(step!.asks, evidence) as Ready).right, ['nothing']);
});
