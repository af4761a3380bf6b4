/**
A lesson in progress: show, ask, answer, judge by what the kernel did, give a hint, end. It consists of plain values and one function; the caller (a terminal, a page) runs the step on the kernel and passes in the evidence.
*/

import {exitStatus, type ExitStatus, type Tally} from '../judge/exit-status.js';
import {questionOf, type Question} from './asks.js';
import type {Block} from './markdown.js';
import type {Lesson, LessonStep, StepEvidence} from './types.js';

/** The result of a step. `tries` counts the answers given, `hints` the hints shown before the last answer. */
export type StepResult =
	| {readonly kind: 'right'; readonly tries: number; readonly hints: number}
	| {readonly kind: 'wrong'; readonly tries: number; readonly hints: number}
	| {readonly kind: 'given-up'; readonly tries: number; readonly hints: number}
	| {readonly kind: 'inconclusive'; readonly reasons: readonly string[]};

/**
The state of a lesson:

- `show`: the text of the step is shown, and the evidence is awaited (`observed`).
- `ask`: the question awaits an answer.
- `told`: the step has a result, and the path is shown; `next` continues.
- `ended`: all steps are done.
*/
export type Phase = 'show' | 'ask' | 'told' | 'ended';

/** A lesson in progress. Only {@link startLesson} and {@link advance} create one. */
export type LessonState = {
	readonly lesson: Lesson;
	readonly phase: Phase;
	/** The step, counted from 0; at the end, the last one. */
	readonly index: number;
	/** From `ask` on. */
	readonly question: Question | undefined;
	readonly evidence: StepEvidence | undefined;
	/** The wrong answers to the question, in order. */
	readonly wrong: ReadonlyArray<readonly string[]>;
	/** How many of the step's hints are shown. */
	readonly hints: number;
	/** One for each finished step. */
	readonly results: readonly StepResult[];
	/** How many answers a question accepts; if undefined, one more than it has hints. */
	readonly triesMax: number | undefined;
};

/** What happens in a lesson. An answer is a list of keys or values of choices: exactly one, unless the question takes a list. */
export type LessonEvent =
	| {readonly kind: 'observed'; readonly evidence: StepEvidence}
	| {readonly kind: 'answer'; readonly answer: readonly string[]}
	| {readonly kind: 'hint' | 'give-up' | 'next'};

/** The state after an event; `refused` says why the event changed nothing. */
export type Advance = {readonly state: LessonState; readonly refused?: string};

/** A lesson before its first step. */
export function startLesson(lesson: Lesson, {triesMax}: {readonly triesMax?: number} = {}): LessonState {
	return {
		lesson, phase: 'show', index: 0, question: undefined, evidence: undefined, wrong: [], hints: 0, results: [], triesMax,
	};
}

/** The current step of a lesson. */
export function stepOf({lesson, index}: LessonState): LessonStep {
	return lesson.steps[index]!;
}

/** The state after an event. An event that does not fit the phase changes nothing and says why. */
export function advance(state: LessonState, event: LessonEvent): Advance {
	const allowed = {
		observed: 'show', answer: 'ask', hint: 'ask', 'give-up': 'ask', next: 'told',
	} as const satisfies Record<LessonEvent['kind'], Phase>;
	if (state.phase !== allowed[event.kind]) {
		return {state, refused: unfit[state.phase]};
	}

	switch (event.kind) {
		case 'observed': {
			return {state: observed(state, event.evidence)};
		}

		case 'answer': {
			return answered(state, event.answer);
		}

		case 'hint': {
			const {hints} = stepOf(state);
			return state.hints < hints.length ? {state: {...state, hints: state.hints + 1}} : {state, refused: hints.length === 0 ? 'This question has no hint.' : 'There are no more hints.'};
		}

		case 'give-up': {
			return {state: told(state, {kind: 'given-up', tries: state.wrong.length, hints: state.hints})};
		}

		case 'next': {
			return {state: gone(state)};
		}
	}
}

/** What an event is told that does not fit the phase. */
const unfit: Readonly<Record<Phase, string>> = {
	show: 'The packets of this step are still on their way. The question follows.',
	ask: 'This step waits for an answer, a hint or "give up".',
	told: 'This question is finished. Continue with the next one.',
	ended: 'The lesson is over.',
};

function observed(state: LessonState, evidence: StepEvidence): LessonState {
	const question = questionOf(stepOf(state).asks, evidence);
	const asked: LessonState = {...state, phase: 'ask', evidence, question};
	return question.kind === 'ready' ? asked : told(asked, {kind: 'inconclusive', reasons: question.reasons});
}

function told(state: LessonState, result: StepResult): LessonState {
	return {...state, phase: 'told', results: [...state.results, result]};
}

function gone(state: LessonState): LessonState {
	return state.index + 1 === state.lesson.steps.length
		? {...state, phase: 'ended'}
		: {
			...state, phase: 'show', index: state.index + 1, question: undefined, evidence: undefined, wrong: [], hints: 0,
		};
}

function answered(state: LessonState, answer: readonly string[]): Advance {
	const {question, hints, triesMax} = state;
	if (question?.kind !== 'ready') {
		throw new TypeError('a question is asked that is not ready');
	}

	const chosen = valuesOf(question, answer);
	if ('refused' in chosen) {
		return {state, refused: chosen.refused};
	}

	if (isSame(chosen.values, question.right)) {
		return {state: told(state, {kind: 'right', tries: state.wrong.length + 1, hints})};
	}

	const wrong = [...state.wrong, chosen.values];
	const known = stepOf(state).hints.length;
	if (wrong.length >= (triesMax ?? known + 1)) {
		return {state: told({...state, wrong}, {kind: 'wrong', tries: wrong.length, hints})};
	}

	return {state: {...state, wrong, hints: Math.min(hints + 1, known)}};
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
	return one.length === other.length && one.every(value => other.includes(value));
}

/** The values of an answer, without duplicates, or what is wrong with it. */
function valuesOf({choices, isList}: Extract<Question, {kind: 'ready'}>, answer: readonly string[]): {readonly values: readonly string[]} | {readonly refused: string} {
	const keys = `${choices[0]!.key} to ${choices.at(-1)!.key}`;
	const found = answer.map(word => choices.find(({key}) => key === word) ?? choices.find(({value}) => value === word));
	const unknown = found.indexOf(undefined);
	if (unknown !== -1) {
		return {refused: `${JSON.stringify(answer[unknown])} is not one of the choices, which are ${keys}.`};
	}

	const values = [...new Set(found.map(choice => choice!.value))];
	return isList || values.length === 1 ? {values} : {refused: `This question takes one answer, not ${values.length}. The choices are ${keys}.`};
}

/** The hints to show. There are none if the kernel's answer is not the one that they were written for. */
export function shownHints(state: LessonState): ReadonlyArray<readonly Block[]> {
	return isAsWritten(state) ? stepOf(state).hints.slice(0, state.hints) : [];
}

/** Whether the kernel's answer is the one that the step's texts were written for. If not, show only the path. */
export function isAsWritten(state: LessonState): boolean {
	const {question} = state;
	return question?.kind === 'ready' && isSame(stepOf(state).writtenFor, question.right);
}

/** The number of steps by result. Giving up counts as failed. */
export function tallyOfLesson({results}: Pick<LessonState, 'results'>): Tally {
	const count = (...kinds: ReadonlyArray<StepResult['kind']>): number => results.filter(({kind}) => kinds.includes(kind)).length;
	return {passed: count('right'), failed: count('wrong', 'given-up'), inconclusive: count('inconclusive')};
}

/** 0: every question was answered correctly in the end. 1: at least one was not. 3: none was wrong, but at least one could not be judged. */
export function exitStatusOfLesson(state: Pick<LessonState, 'results'>): ExitStatus {
	return exitStatus(tallyOfLesson(state));
}
