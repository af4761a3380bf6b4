/**
Lessons for tests: a file's text around one step, and evidence as the model of netfilter makes it. What the kernel says is in test/kernel/lessons.test.ts.
*/

import {parseLesson} from '../../src/lessons/parse.js';
import type {Lesson, LessonStep, StepEvidence} from '../../src/lessons/types.js';
import {sketchReport, type RunSketch} from './reports.js';

/** A step that is right, as lines of YAML. */
export const plainStep = `  - traffic: {types: ["2"]}
    question: Which rule decides?
    asks: {what: rule, chain: ISTIO_OUTPUT}
    writtenFor: 9
    hints: [Look at the user., Look at the device.]
    ending: Rule 9.`;

/** The text of a whole lesson. */
export function lessonText({head = 'version: 1\ntitle: A title\npart: A part\nminutes: 2', setup = '{rules: "release:1.30"}', steps = plainStep, body = 'Shown first.'}: {
	readonly head?: string; readonly setup?: string; readonly steps?: string; readonly body?: string;
} = {}): string {
	return `---\n${head}\nsetup: ${setup}\nsteps:\n${steps}\nending: The end.\n---\n\n${body}\n`;
}

/** A lesson whose steps ask these, about types 1 to 6. */
export function lessonAsking(...asks: ReadonlyArray<{readonly asks: string; readonly writtenFor: string; readonly hints?: number}>): Lesson {
	return parseLesson(lessonText({
		steps: asks.map(each => `  - traffic: {types: ["1", "2", "3", "4", "5", "6"]}
    question: What?
    asks: ${each.asks}
    writtenFor: ${each.writtenFor}
    hints: [${Array.from({length: each.hints ?? 2}, (_, index) => `hint ${index + 1}`).join(', ')}]
    ending: So it is.`).join('\n').replaceAll('    hints: []\n', ''),
	}), '07-test.md');
}

/** The first step of such a lesson. */
export function stepAsking(asks: string, writtenFor: string): LessonStep {
	return lessonAsking({asks, writtenFor}).steps[0]!;
}

/** Evidence of the types, by the model. */
export function evidenceOf(sketch: RunSketch = {}): StepEvidence {
	const {types, loaded} = sketchReport(sketch);
	return {family: 'ipv4', rules: loaded!.rules, connections: types};
}
