/**
Reads a lesson: a front matter in YAML between two lines of ---, and an introduction in Markdown.
*/

import {
	fieldAt, isMapping, keysOf, readDocuments, type Field,
} from '../parsing/document.js';
import {InputError} from '../parsing/input-error.js';
import {adviceFor, validField, type DataPath} from '../parsing/validate.js';
import {choicesInFile, isList, takesTypes} from './asks.js';
import {readMarkdown, type Block} from './markdown.js';
import {
	lessonHead, lessonSchema, lessonVersion, type LessonTraffic, type StepData,
} from './schema.js';
import type {Lesson, LessonStep} from './types.js';

type At = (...path: DataPath) => string;

/** The name and the number that a file gives its lesson: `lessons/09-hairpin.md` → 9, `hairpin`. */
export function nameOfFile(file: string): Pick<Lesson, 'name' | 'number'> {
	const {number, name} = /(?:^|\/)(?:(?<number>\d{1,3})-)?(?<name>[^/]*?)(?:\.md)?$/u.exec(file)!.groups!;
	return {name: name!, number: number === undefined ? undefined : Number(number)};
}

/**
Reads the text of a lesson. `file` gives it its name.

@throws {InputError} with line, column and key, for invalid YAML, an invalid lesson, and parts that do not fit together.
*/
export function parseLesson(text: string, file: string): Lesson {
	const {head, body, bodyLine} = splitText(text);
	// In place of the line of dashes, so that lines count as in the file.
	const [document, second] = readDocuments(`\n${head}`);
	if (document === undefined || second !== undefined) {
		throw new InputError(document === undefined ? 'the front matter is empty' : 'the front matter must be one YAML document; this is a second one', second?.at ?? 'line 2, column 1');
	}

	refuseForeign(document);
	const at: At = (...path) => fieldAt(document, path).at;
	const {version} = validField(lessonHead, document);
	if (version !== lessonVersion) {
		throw new InputError(`version ${version} is not known; this testbed reads version ${lessonVersion}`, at('version'));
	}

	const data = validField(lessonSchema, document);
	const markdown = (value: string, ...path: DataPath): readonly Block[] => readMarkdown(value, {at: at(...path)});
	const shown = readMarkdown(body, {firstLine: bodyLine});
	if (shown.length === 0) {
		throw new InputError('there is no text after the front matter; write the introduction below the second ---', `line ${bodyLine}`);
	}

	return {
		...nameOfFile(file),
		title: data.title,
		part: data.part,
		minutes: data.minutes,
		text: shown,
		steps: data.steps.map((step, index): LessonStep => {
			const path = ['steps', index];
			const stepAt: At = (...more) => at(...path, ...more);
			const traffic = trafficOf(step, stepAt);
			checkStep(step, traffic, stepAt);
			return {
				text: step.text === undefined ? [] : markdown(step.text, ...path, 'text'),
				setup: step.setup ?? data.setup,
				traffic,
				show: step.show ?? [],
				question: markdown(step.question, ...path, 'question'),
				asks: step.asks,
				writtenFor: writtenForOf(step, traffic, stepAt),
				hints: (step.hints ?? []).map((hint, number) => markdown(hint, ...path, 'hints', number)),
				ending: markdown(step.ending, ...path, 'ending'),
			};
		}),
		ending: markdown(data.ending, 'ending'),
	};
}

/** The front matter, and the rest with the number of its first line. */
function splitText(text: string): {readonly head: string; readonly body: string; readonly bodyLine: number} {
	const lines = text.replace(/^\uFEFF/u, '').split(/\r?\n/u);
	if (lines[0]?.trimEnd() !== '---') {
		throw new InputError('a lesson begins with a line of ---, followed by its front matter', 'line 1');
	}

	const end = lines.findIndex((line, index) => index > 0 && line.trimEnd() === '---');
	if (end === -1) {
		throw new InputError('the front matter is not closed; end it with a line of ---', 'line 1');
	}

	return {head: `${lines.slice(1, end).join('\n')}\n`, body: lines.slice(end + 1).join('\n'), bodyLine: end + 2};
}

/** A front matter without any key of a lesson belongs to something else, for example a web page. */
function refuseForeign(document: Field): void {
	const known = Object.keys(lessonSchema.shape);
	if (!isMapping(document) || keysOf(document).every(({name}) => !known.includes(name))) {
		throw new InputError(`this is not a lesson, which has the keys ${known.join(', ')}`, document.at);
	}
}

function trafficOf({traffic: {types, connections}}: StepData, at: At): LessonTraffic {
	if (types !== undefined && connections === undefined) {
		return {types};
	}

	if (connections !== undefined && types === undefined) {
		return {connections};
	}

	throw new InputError(`a step sends either types or connections, but this one sends ${types === undefined ? 'neither' : 'both'}`, at('traffic'));
}

/** Checks what a schema cannot express: names that must exist, and choices that must be unique. */
function checkStep({asks}: StepData, traffic: LessonTraffic, at: At): void {
	const names = namesOf(traffic);
	const twice = names.findIndex((name, index) => names.indexOf(name) !== index);
	if (twice !== -1) {
		throw new InputError(`"${names[twice]!}" is sent twice in this step; every name must be unique`, 'types' in traffic ? at('traffic', 'types', twice) : at('traffic', 'connections', twice));
	}

	if (takesTypes(asks) && !('types' in traffic)) {
		throw new InputError(`only types have an expected path; use "${asks.what}" with traffic: {types: …}`, at('asks', 'what'));
	}

	if (asks.what === 'bypassing' && names.length < 2) {
		throw new InputError('"bypassing" needs at least two connections to choose from', at('traffic'));
	}

	if ('of' in asks && asks.of !== undefined && !names.includes(asks.of)) {
		throw new InputError(`this step does not send "${asks.of}"; ${adviceFor(asks.of, names)}`, at('asks', 'of'));
	}

	if ('choices' in asks) {
		const values = choicesInFile(asks);
		const again = values.findIndex((value, index) => values.indexOf(value) !== index);
		if (again !== -1) {
			throw new InputError(`"${values[again]!}" is in the list already; every choice must be unique`, at('asks', 'choices', again));
		}
	}

	const isOfOne = 'of' in asks || ['rule', 'listener', 'stops', 'end', 'source'].includes(asks.what);
	if (isOfOne && names.length > 1 && !('of' in asks)) {
		throw new InputError(`the step sends ${names.length} connections; name the one that the question is about, for example of: ${JSON.stringify(names[0])}`, at('asks'));
	}
}

/** The names of what a step sends. */
export function namesOf(traffic: LessonTraffic): readonly string[] {
	return 'types' in traffic ? traffic.types : traffic.connections.map(({name}) => name);
}

/** The answer that the texts were written for: one word, or a list if the question takes one. */
function writtenForOf({asks, writtenFor}: StepData, traffic: LessonTraffic, at: At): readonly string[] {
	const words = (Array.isArray(writtenFor) ? writtenFor : [writtenFor]).map(String);
	if (Array.isArray(writtenFor) !== isList(asks)) {
		throw new InputError(isList(asks) ? `"${asks.what}" takes a list; write [${words.join(', ')}]` : `"${asks.what}" takes one answer, not a list`, at('writtenFor'));
	}

	const known = 'choices' in asks ? choicesInFile(asks) : (asks.what === 'failing' || asks.what === 'bypassing' ? namesOf(traffic) : undefined);
	const unknown = known === undefined ? undefined : words.find(word => !known.includes(word));
	if (unknown !== undefined) {
		throw new InputError(`"${unknown}" is not one of the choices; ${adviceFor(unknown, known!)}`, at('writtenFor'));
	}

	if ((asks.what === 'rule' || asks.what === 'unmatched') && words.some(word => !/^[1-9]\d{0,2}$/u.test(word) && !(asks.what === 'rule' && (word === 'no-match' || word === 'not-entered')))) {
		throw new InputError(asks.what === 'rule' ? 'expected the number of a rule, no-match or not-entered' : 'expected numbers of rules', at('writtenFor'));
	}

	return words;
}
