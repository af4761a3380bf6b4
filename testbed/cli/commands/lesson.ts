/**
`testbed lesson`: one lesson, step by step, at a terminal or with answers from lines.
*/

import {
	advance, exitStatusOfLesson, isAsWritten, startLesson, stepOf, type LessonEvent, type LessonState,
} from '../../../src/lessons/engine.js';
import {
	printEnding, printHint, printIntroduction, printLessonList, printQuestion, printResult, printScore, printShownRules, printStepHead, printWrongTry,
} from '../../../src/report/lesson/text.js';
import type {Style} from '../../../src/report/run/text-path.js';
import {createPainter} from '../../../src/report/terminal/colors.js';
import {TestbedError} from '../../errors.js';
import {findLesson, loadLessons, type LessonFile} from '../../lessons/lesson-files.js';
import {observeStep} from '../../lessons/observe-step.js';
import {commandLine} from '../../system/program-name.js';
import {writeOut} from '../../system/streams.js';
import {answersFromLines, noAnswers, type Answerer} from '../lesson/answers.js';
import {isInteractive} from '../lesson/is-interactive.js';
import {readerOf} from '../output/terminal.js';
import {untilSignal} from '../signals.js';
import {supervise} from '../supervise.js';

/** The options as the command line gives them. */
export type LessonFlags = {
	readonly list?: boolean;
	readonly show?: boolean;
	readonly answers?: string;
	readonly timeout: number;
	readonly traceBuffer: number;
};

/**
Goes through a lesson; returns the exit status.

@throws {TestbedError} USAGE for an unknown lesson, missing or surplus answers, and options that do not go together; INPUT for a file that is not a lesson; and all that a run throws.
*/
export async function lessonCommand(name: string | undefined, flags: LessonFlags): Promise<number> {
	if (flags.list === true) {
		await printLines(printLessonList(loadLessons().map(({lesson}) => lesson), styleOf(), commandLine('lesson NAME')));
		return 0;
	}

	if (flags.show === true && flags.answers !== undefined) {
		throw new TestbedError('USAGE', {message: '--show gives the answers itself, so it does not go together with --answers.'});
	}

	const isForPerson = flags.show !== true && flags.answers === undefined && isInteractive();
	if (isForPerson) {
		const {answersFromPerson, choose} = await import('../lesson/prompts.js');
		return teachPerson(name === undefined ? await chooseLesson(choose) : findLesson(name), {flags, choose, answerer: answersFromPerson()});
	}

	if (name === undefined) {
		throw new TestbedError('USAGE', {message: 'Which lesson?', hint: `All of them: ${commandLine('lesson --list')}`});
	}

	const file = findLesson(name);
	if (flags.show === true) {
		const state = await teach(file, {flags, answerer: noAnswers()});
		return statusOfShown(state);
	}

	return untilSignal(async signal => {
		await using answerer = answersFromLines(flags.answers ?? '-', {questions: file.lesson.steps.length, signal});
		const state = await teach(file, {flags, answerer});
		return exitStatusOfLesson(state);
	});
}

/** A lesson that is only shown has no wrong answers; but its texts can be wrong, or its evidence missing. */
function statusOfShown({results, isAllAsWritten}: LessonState & {readonly isAllAsWritten: boolean}): number {
	return results.some(({kind}) => kind === 'inconclusive') ? 3 : (isAllAsWritten ? 0 : 1);
}

type Choose = (message: string, items: ReadonlyArray<{readonly key: string; readonly value: string; readonly label: string}>) => Promise<string>;

async function chooseLesson(choose: Choose): Promise<LessonFile> {
	const lessons = loadLessons();
	return findLesson(await choose('Which lesson?', lessons.map(({lesson: {number, name, title, minutes}}) => ({key: String(number), value: name, label: `${title} (${minutes} min)`}))));
}

/** One lesson after the other, as long as the person wants. The status is that of the last one. */
async function teachPerson(first: LessonFile, {flags, choose, answerer}: {readonly flags: LessonFlags; readonly choose: Choose; readonly answerer: Answerer}): Promise<number> {
	let file = first;
	for (;;) {
		const state = await teach(file, {flags, answerer}); // eslint-disable-line no-await-in-loop -- One after the other.
		const {number} = file.lesson;
		const following = number === undefined ? undefined : loadLessons().find(({lesson}) => lesson.number === number + 1);
		if (following === undefined) {
			return exitStatusOfLesson(state);
		}

		await printLines(['']); // eslint-disable-line no-await-in-loop
		// eslint-disable-next-line no-await-in-loop
		if (await choose('And now?', [{key: 'n', value: 'next', label: `next: ${following.lesson.title}`}, {key: 'q', value: 'stop', label: 'stop here'}]) === 'stop') {
			return exitStatusOfLesson(state);
		}

		file = following;
	}
}

async function teach({lesson, folder}: LessonFile, {flags, answerer}: {readonly flags: LessonFlags; readonly answerer: Answerer}): Promise<LessonState & {readonly isAllAsWritten: boolean}> {
	const style = styleOf();
	let isAllAsWritten = true;
	let state = startLesson(lesson, answerer.triesMax === undefined ? {} : {triesMax: answerer.triesMax});
	await printLines(printIntroduction(lesson, style));
	while (state.phase !== 'ended') {
		/* eslint-disable no-await-in-loop -- A lesson is one thing after the other. */
		const step = stepOf(state);
		await printLines(printStepHead(state, style));
		const evidence = await supervise(async supervision => observeStep(step, {
			...supervision, folder, timeoutMs: flags.timeout, traceBufferBytes: flags.traceBuffer,
		}));
		state = advance(state, {kind: 'observed', evidence}).state;
		await printLines([...printShownRules(step, evidence, style), ...printQuestion(state, style, answerer)]);
		isAllAsWritten &&= isAsWritten(state);
		state = await untilTold(state, {answerer, style});
		await printLines(printResult(state, style));
		state = advance(state, {kind: 'next'}).state;
		/* eslint-enable no-await-in-loop */
	}

	await answerer.end();
	await printLines([...printEnding(lesson, style), ...(flags.show === true ? [] : printScore(state, style))]);
	return {...state, isAllAsWritten};
}

/** Takes answers until the question has a result. */
async function untilTold(asked: LessonState, {answerer, style}: {readonly answerer: Answerer; readonly style: Style}): Promise<LessonState> {
	let state = asked;
	while (state.phase === 'ask') {
		if (state.question?.kind !== 'ready') {
			throw new TypeError('a question is asked that is not ready');
		}

		// eslint-disable-next-line no-await-in-loop -- One answer after the other.
		const event: LessonEvent = await answerer.next({question: state.question, hasHint: state.hints < stepOf(state).hints.length && isAsWritten(state)});
		const {state: next, refused} = advance(state, event);
		if (refused !== undefined) {
			answerer.refuse(refused);
		} else if (next.phase === 'ask') {
			await printLines(event.kind === 'hint' ? printHint(next, style) : printWrongTry(next, style)); // eslint-disable-line no-await-in-loop
		}

		state = next;
	}

	return state;
}

function styleOf(): Style {
	const {color, width} = readerOf();
	return {paint: createPainter(color), verbose: false, width};
}

async function printLines(lines: readonly string[]): Promise<void> {
	await writeOut(lines.map(line => `${line}\n`).join(''));
}
