/**
Questions to a person at a terminal. `@clack/core` handles keys, raw mode, and redrawing; what is drawn is our own.
*/

import process from 'node:process';
import {MultiSelectPrompt, SelectPrompt} from '@clack/core';
import type {LessonEvent} from '../../../src/lessons/engine.js';
import type {Choice} from '../../../src/lessons/types.js';
import {createPainter} from '../../../src/report/terminal/colors.js';
import {visibleForeign} from '../../../src/parsing/visible-text.js';
import {interrupted} from '../../run/run.js';
import {untilSignal} from '../signals.js';
import {readerOf} from '../output/terminal.js';
import type {Answerer, OpenQuestion} from './answers.js';
import {drawList, type Item} from './draw-list.js';

/** What can be chosen beside the answers. No value of a choice begins with a blank. */
const none = ' none';
const hint = ' hint';
const giveUp = ' give up';

/** A person who answers. */
export function answersFromPerson(): Answerer {
	return {
		isPrompted: true,
		triesMax: undefined,
		next: async open => open.question.isList ? askForList(open) : askForOne(open),
		refuse(reason) {
			throw new TypeError(reason);
		},
		end: async () => undefined,
		async [Symbol.asyncDispose]() {
			// Each prompt gives the terminal back by itself.
		},
	};
}

/**
Lets a person choose one of several words, by arrows or by its key.

@throws {TestbedError} INTERRUPTED for Ctrl-C and Escape.
*/
export async function choose(message: string, items: readonly Item[]): Promise<string> {
	return untilSignal(async signal => {
		const prompt = new SelectPrompt<{value: string}>({
			options: items.map(({value}) => ({value})),
			signal,
			render() {
				return drawList({
					message, items, cursor: this.cursor, state: this.state,
				}, drawing());
			},
		});
		goByKey(prompt, items, index => {
			prompt.value = items[index]!.value;
		});
		return answerOf(await prompt.prompt());
	});
}

async function askForOne(open: OpenQuestion): Promise<LessonEvent> {
	const value = await choose('Your answer', itemsOf(open));
	return eventOf(value) ?? {kind: 'answer', answer: [value]};
}

/** Space marks, enter sends what is marked; where nothing is, it sends the line that it is on. */
async function askForList(open: OpenQuestion): Promise<LessonEvent> {
	const items = itemsOf(open);
	return untilSignal(async signal => {
		const prompt = new MultiSelectPrompt<{value: string}>({
			options: items.map(({value}) => ({value})),
			required: false,
			signal,
			render() {
				return drawList({
					message: 'Your answer (space marks, enter sends)', items, cursor: this.cursor, state: this.state, marked: this.value ?? [],
				}, drawing());
			},
		});
		goByKey(prompt, items);
		const marked = answerOf(await prompt.prompt()).filter(value => !value.startsWith(' '));
		const here = items[prompt.cursor]!.value;
		return eventOf(here) ?? {kind: 'answer', answer: marked.length === 0 && here !== none ? [here] : marked};
	});
}

function eventOf(value: string): LessonEvent | undefined {
	return value === hint ? {kind: 'hint'} : (value === giveUp ? {kind: 'give-up'} : undefined);
}

function itemsOf({question: {choices, isList}, hasHint}: OpenQuestion): readonly Item[] {
	return [
		...choices.map(choice => itemOf(choice)),
		...(isList ? [{key: '0', value: none, label: 'none of them'}] : []),
		...(hasHint ? [{key: '?', value: hint, label: 'give me a hint'}] : []),
		{key: '!', value: giveUp, label: 'tell me the answer'},
	];
}

function itemOf({key, value, text, isRule}: Choice): Item {
	return {key, value, label: visibleForeign(isRule ? `rule ${value}  ${text}` : text)};
}

/** Lets the key of an item go to it. */
function goByKey(prompt: {cursor: number; on: (event: 'key', act: (key: string | undefined) => void) => void}, items: readonly Item[], then: (index: number) => void = () => undefined): void {
	prompt.on('key', key => {
		const index = items.findIndex(item => item.key === key);
		if (index !== -1) {
			prompt.cursor = index;
			then(index);
		}
	});
}

function drawing(): Parameters<typeof drawList>[1] {
	const {color} = readerOf();
	return {paint: createPainter(color), columns: process.stdout.columns, rows: process.stdout.rows};
}

/** The value that was chosen; a prompt that was cancelled has a symbol in its place. */
function answerOf<T>(value: T): Exclude<T, symbol | undefined> {
	if (value === undefined || typeof value === 'symbol') {
		throw interrupted('SIGINT');
	}

	return value as Exclude<T, symbol | undefined>;
}
