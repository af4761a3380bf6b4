/** Lessons as a terminal shows them. Goldens are rewritten with UPDATE_GOLDENS=1. */

import test from 'ava';
import {
	advance, startLesson, stepOf, type LessonEvent, type LessonState,
} from '../../../../src/lessons/engine.js';
import {parseLesson} from '../../../../src/lessons/parse.js';
import type {StepEvidence} from '../../../../src/lessons/types.js';
import {
	printEnding, printHint, printIntroduction, printLessonList, printQuestion, printResult, printScore, printShownRules, printStepHead, printWrongTry,
} from '../../../../src/report/lesson/text.js';
import {createPainter} from '../../../../src/report/terminal/colors.js';
import {compareWithGolden} from '../../../helpers/goldens.js';
import {evidenceOf, lessonText} from '../../../helpers/lessons.js';
import {deleteRule} from '../../../helpers/reports.js';

const style = {paint: createPainter(false), verbose: false, width: 80};
const types = '{types: ["1", "2", "3", "4", "5", "6"]}';
const lesson = parseLesson(lessonText({
	body: '# Head\n\nAn introduction with `code`, **strong** words and [a link](https://example.com/).\n\n- one\n- two\n\n1. first\n\n```\n  as it is\n```',
	steps: `  - traffic: ${types}
    text: Before the question.
    show: [ISTIO_OUTPUT, ISTIO_INBOUND]
    question: Which rule of \`ISTIO_OUTPUT\` decides?
    asks: {what: rule, of: "2", chain: ISTIO_OUTPUT}
    writtenFor: 9
    hints: [A hint that is long enough to be wrapped at the end of a line of eighty columns., "- a list\\n- as a hint"]
    ending: An ending.
  - traffic: ${types}
    question: Which fail?
    asks: {what: failing}
    writtenFor: []
    ending: None.
  - traffic: ${types}
    question: What helps?
    asks: {what: fix, choices: [{text: one change}, {text: another change}]}
    writtenFor: [one change]
    ending: One.`,
}), '03-golden.md');

function after(state: LessonState, ...events: readonly LessonEvent[]): LessonState {
	let at = state;
	for (const event of events) {
		at = advance(at, event).state;
	}

	return at;
}

const whole = evidenceOf();
const broken = evidenceOf({mutate: deleteRule('ISTIO_OUTPUT', 4)});
const withFixes: StepEvidence = {...whole, fixes: [{kind: 'ran', connections: whole.connections}, {kind: 'rejected', reason: 'The kernel rejected it.'}]};
const observed = (evidence: StepEvidence): LessonEvent => ({kind: 'observed', evidence});

test('a lesson from the introduction to the score', t => {
	const start = startLesson(lesson);
	const asked = after(start, observed(whole));
	const wrong = after(asked, {kind: 'answer', answer: ['8']});
	const hinted = after(wrong, {kind: 'hint'});
	const right = after(hinted, {kind: 'answer', answer: ['9']});
	const second = after(right, {kind: 'next'}, observed(whole), {kind: 'answer', answer: ['2']});
	const third = after(second, {kind: 'next'}, observed(withFixes), {kind: 'give-up'});
	compareWithGolden(t, 'lesson/whole.txt', `${[
		...printIntroduction(lesson, style),
		...printStepHead(start, style),
		...printShownRules(stepOf(asked), whole, style),
		...printQuestion(asked, style),
		...printWrongTry(wrong, style),
		...printHint(hinted, style),
		...printResult(right, style),
		...printResult(second, style),
		...printResult(third, style),
		...printEnding(lesson, style),
		...printScore(third, style),
	].join('\n')}\n`);
});

test('another answer than the text was written for, and no answer', t => {
	const other = after(startLesson(lesson), observed(whole), {kind: 'give-up'}, {kind: 'next'}, observed(broken), {kind: 'give-up'});
	const gaps = evidenceOf({tamper: observation => ({...observation, gaps: [{kind: 'lost-events', message: 'The trace socket overflowed.'}]})});
	const inconclusive = after(startLesson(lesson), observed(gaps));
	compareWithGolden(t, 'lesson/other-answers.txt', `${[...printResult(other, style), ...printResult(inconclusive, style), ...printScore(inconclusive, style)].join('\n')}\n`);
});

test('a prompt lists the choices, except rules, of which there may be too many', t => {
	const asked = after(startLesson(lesson), observed(whole));
	t.deepEqual(printQuestion(asked, style, {isPrompted: true}), printQuestion(asked, style));
	const list = after(asked, {kind: 'give-up'}, {kind: 'next'}, observed(whole));
	t.deepEqual(printQuestion(list, style, {isPrompted: true}), ['  Which fail?', '']);
	t.true(printQuestion(list, style).length > 6);
});

test('the list of lessons, by parts', t => {
	const lines = printLessonList([lesson, {...lesson, name: 'other', number: undefined, part: 'Another part', minutes: 12}], style, 'testbed lesson NAME');
	t.deepEqual(lines, ['', ' A part', '   3  golden   2 min  A title', '', ' Another part', '      other   12 min  A title', '', '  2 lessons, 14 minutes. One of them: testbed lesson NAME']);
});

test('no line is wider than the terminal', t => {
	const narrow = {...style, width: 50};
	const asked = after(startLesson(lesson), observed(whole));
	const lines = [...printIntroduction(lesson, narrow), ...printQuestion(asked, narrow), ...printShownRules(stepOf(asked), whole, narrow), ...printWrongTry(after(asked, {kind: 'answer', answer: ['1']}), narrow)];
	t.deepEqual(lines.filter(line => line.length > 50), []);
});
