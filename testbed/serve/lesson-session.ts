/**
Lessons on the page: the same engine and the same evidence as `testbed lesson`, a step at a time.
*/

import {
	advance, isAsWritten, shownHints, startLesson, stepOf, tallyOfLesson, type LessonEvent, type LessonState,
} from '../../src/lessons/engine.js';
import type {SeenConnection, StepEvidence} from '../../src/lessons/types.js';
import {familyNames} from '../../src/netfilter/address.js';
import {explainLeg} from '../../src/judge/explain/explain-leg.js';
import {socketMarkOf} from '../../src/judge/explain/packet-facts.js';
import {connectionOf} from '../../src/report/pictures/connection.js';
import type {Connection} from '../../src/drawing/connection.js';
import type {LessonEntry, LessonView} from '../../src/workshop/protocol.js';
import {TestbedError} from '../errors.js';
import {loadLessons, type LessonFile} from '../lessons/lesson-files.js';
import {observeStep, type ObserveOptions} from '../lessons/observe-step.js';

/** The lesson in progress, if there is one. */
export class LessonSession {
	readonly #options: Omit<ObserveOptions, 'folder' | 'onProgress'>;
	#files: readonly LessonFile[] | undefined;
	#file: LessonFile | undefined;
	#state: LessonState | undefined;

	constructor(options: Omit<ObserveOptions, 'folder' | 'onProgress'>) {
		this.#options = options;
	}

	/**
	All lessons that come with the testbed.

	@throws {TestbedError} INPUT for one that is damaged.
	*/
	get entries(): readonly LessonEntry[] {
		return this.#all.map(({lesson: {name, title, part, minutes}}) => ({
			name, title, part, minutes,
		}));
	}

	/** The drawing of the connection that the question is about, counted from 0: the first one to be looked at. */
	get asked(): number {
		const {asks = undefined} = this.#state === undefined ? {} : stepOf(this.#state);
		const of = asks !== undefined && 'of' in asks ? asks.of : undefined;
		return Math.max(0, drawable(this.#state?.evidence).findIndex(({id}) => id === of));
	}

	/** What is to be shown; null where no lesson is in progress. */
	get view(): LessonView | null {
		return this.#state === undefined ? null : viewOf(this.#state);
	}

	/**
	A lesson to begin with, an answer, a request for a hint, the next step, or the end of the lesson. A step is asked on the kernel at once.

	@throws {TestbedError} USAGE for a lesson that is not there, and for what does not fit now, with the reason; what a run throws.
	*/
	async take(event: Exclude<LessonEvent, {kind: 'observed'}> | {readonly kind: 'lesson'; readonly name: string} | {readonly kind: 'close-lesson'}): Promise<void> {
		if (event.kind === 'lesson') {
			await this.#begin(event.name);
			return;
		}

		if (this.#state === undefined) {
			throw new TestbedError('USAGE', {message: 'No lesson is in progress.'});
		}

		if (event.kind === 'close-lesson') {
			this.#state = undefined;
			return;
		}

		this.#advance(event);
		if (this.#state.phase === 'show') {
			await this.#observe();
		}
	}

	async #begin(name: string): Promise<void> {
		const file = this.#all.find(({lesson}) => lesson.name === name);
		if (file === undefined) {
			throw new TestbedError('USAGE', {message: 'There is no such lesson.'});
		}

		this.#file = file;
		this.#state = startLesson(file.lesson);
		await this.#observe();
	}

	async #observe(): Promise<void> {
		const evidence = await observeStep(stepOf(this.#state!), {...this.#options, folder: this.#file!.folder, onProgress: () => undefined});
		this.#advance({kind: 'observed', evidence});
	}

	#advance(event: LessonEvent): void {
		const {state, refused} = advance(this.#state!, event);
		if (refused !== undefined) {
			throw new TestbedError('USAGE', {message: refused});
		}

		this.#state = state;
	}

	get #all(): readonly LessonFile[] {
		this.#files ??= loadLessons();
		return this.#files;
	}
}

/** A lesson for the page. The right answer is in it only when the question is over, and so is the drawing. */
function viewOf(state: LessonState): LessonView {
	const {lesson, phase, index, question, evidence, wrong, results} = state;
	const step = stepOf(state);
	const ready = question?.kind === 'ready' ? question : undefined;
	const isOver = phase === 'told' || phase === 'ended';
	const shown = evidence === undefined ? [] : rulesToShow(step.show, evidence);
	return {
		name: lesson.name,
		title: lesson.title,
		part: lesson.part,
		phase,
		index,
		count: lesson.steps.length,
		intro: index === 0 ? lesson.text : [],
		text: step.text,
		rules: shown,
		question: step.question,
		choices: (ready?.choices ?? []).map(({key, value, text}) => ({key, value, text})),
		isList: ready?.isList === true,
		wrong,
		hints: shownHints(state),
		hasMoreHints: state.hints < step.hints.length,
		result: isOver ? results[index] ?? null : null,
		right: isOver ? ready?.right ?? null : null,
		ending: isOver && isAsWritten(state) ? step.ending : [],
		lessonEnding: phase === 'ended' ? lesson.ending : [],
		tally: tallyOfLesson(state),
		drawings: isOver ? drawable(evidence).map(seen => drawn(seen, evidence!)) : [],
	};
}

/** The connections of which a packet was seen. */
function drawable(evidence: StepEvidence | undefined): readonly SeenConnection[] {
	return evidence?.connections.filter(({legs}) => legs.length > 0) ?? [];
}

function rulesToShow(chains: readonly string[], {rules}: StepEvidence): LessonView['rules'] {
	return chains.map(name => ({
		chain: name,
		rules: rules.tables.flatMap(table => table.chains.filter(chain => chain.name === name).flatMap(chain => chain.rules.map(({number, text}) => ({number, text})))),
	}));
}

function drawn({name, legs, loop, gaps}: SeenConnection, {rules, family}: StepEvidence): Connection {
	return connectionOf({
		title: `${name}, ${familyNames[family]}`,
		family,
		legs,
		actors: {},
		explanations: legs.map((leg, index) => explainLeg(leg, rules, {mark: socketMarkOf(legs, index, rules.mesh.intentOf(rules))})),
		rules,
		isLoop: loop,
		notes: gaps.map(({message}) => `Evidence is missing: ${message}`),
	});
}
