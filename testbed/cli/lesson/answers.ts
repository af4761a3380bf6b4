/**
Who answers the questions of a lesson, and how: the contract, and the one that reads answers from lines.
*/

import type {Question} from '../../../src/lessons/asks.js';
import type {LessonEvent} from '../../../src/lessons/engine.js';
import {TestbedError} from '../../errors.js';
import {nameOf, readLines, readText} from '../../inputs/read-text.js';

/** A question that awaits an answer. */
export type OpenQuestion = {
	readonly question: Extract<Question, {kind: 'ready'}>;
	/** Whether another hint is left. */
	readonly hasHint: boolean;
};

/** Somebody who answers. */
export type Answerer = AsyncDisposable & {
	/** Whether the choices are listed by whoever asks. */
	readonly isPrompted: boolean;
	/** How many answers each question accepts; undefined for one more than it has hints. */
	readonly triesMax: number | undefined;
	/** The answer to a question, or another event. */
	readonly next: (open: OpenQuestion) => Promise<LessonEvent>;
	/** Told why the engine refused the last answer. Throws if there is no second chance. */
	readonly refuse: (reason: string) => void;
	/** Told that the lesson has ended. Throws if answers are left. */
	readonly end: () => Promise<void>;
};

/** How answers are read, and for which lesson. */
type LinesOptions = {readonly questions: number; readonly signal: AbortSignal};

/**
Answers from the lines of a file, or of standard input (`-`): one line for each question. Empty lines and those that begin with # do not count. A line has the keys of the choices, `none` for an empty list, or `?` to give up. A file is read and counted at once; standard input is read line by line, because somebody may be typing.

@throws {TestbedError} USAGE if a line is not an answer, or there are too few or too many; INPUT if the file cannot be read.
*/
export function answersFromLines(file: string, {questions, signal}: LinesOptions): Answerer {
	const name = nameOf(file);
	const source = {file, what: 'The answers', option: '--answers'};
	const whole = file === '-' ? undefined : readText(source).split('\n');
	const given = whole?.filter(line => isAnswer(line)).length;
	if (given !== undefined && given !== questions) {
		throw given < questions ? tooFew(given, {name, questions}) : new TestbedError('USAGE', {message: `${name} has ${countOf(given, 'answer')}, but the lesson has only ${countOf(questions, 'question')}.`});
	}

	const lines = answersIn(whole ?? readLines({...source, signal}));
	let count = 0;
	let number = 0;
	return {
		isPrompted: false,
		triesMax: 1,
		async next({question}) {
			const {value, done} = await lines.next();
			if (done === true) {
				signal.throwIfAborted();
				throw tooFew(count, {name, questions});
			}

			count++;
			({number} = value);
			return value.line === '?' ? {kind: 'give-up'} : {kind: 'answer', answer: wordsOf(value.line, question)};
		},
		refuse(reason) {
			throw new TestbedError('USAGE', {message: `${name}, line ${number}: ${reason}`});
		},
		async end() {
			const {value, done} = await lines.next();
			if (done !== true) {
				throw new TestbedError('USAGE', {message: `${name}, line ${value.number}: this is one answer too many, for the lesson has ${countOf(questions, 'question')}.`});
			}
		},
		async [Symbol.asyncDispose]() {
			await lines.return(undefined);
		},
	};
}

/** Whether a line counts. */
function isAnswer(line: string): boolean {
	return line.trim() !== '' && !line.trim().startsWith('#');
}

async function * answersIn(lines: Iterable<string> | AsyncIterable<string>): AsyncGenerator<{readonly line: string; readonly number: number}, undefined> {
	let number = 0;
	for await (const line of lines) {
		number++;
		if (isAnswer(line)) {
			yield {line: line.trim(), number};
		}
	}
}

function tooFew(count: number, {name, questions}: {readonly name: string; readonly questions: number}): TestbedError {
	return new TestbedError('USAGE', {message: `${name} has ${countOf(count, 'answer')}, but the lesson has ${countOf(questions, 'question')}.`, hint: 'Write one line for each question, for example the number of a rule; for a list, such as 5,6 or none. A line with ? gives up.'});
}

function countOf(count: number, what: string): string {
	return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** The words of a line: a value as a whole, which may have blanks, or keys with commas or blanks between them. */
export function wordsOf(line: string, {choices, isList}: Extract<Question, {kind: 'ready'}>): readonly string[] {
	if (choices.some(({value}) => value === line)) {
		return [line];
	}

	return isList && line === 'none' ? [] : line.split(/[\s,]+/u).filter(word => word !== '');
}

/** Gives up on every question: for whoever only wants to see a lesson. */
export function noAnswers(): Answerer {
	return {
		isPrompted: false,
		triesMax: undefined,
		next: async () => ({kind: 'give-up'}),
		refuse(reason) {
			throw new TypeError(reason);
		},
		end: async () => undefined,
		async [Symbol.asyncDispose]() {
			// It holds nothing.
		},
	};
}
