/**
A lesson for a terminal, piece by piece: its texts, the rules, the choices, what the kernel did, and the score. Each function returns lines.
*/

import type {Question} from '../../lessons/asks.js';
import {
	isAsWritten, shownHints, stepOf, tallyOfLesson, type LessonState,
} from '../../lessons/engine.js';
import type {Block, Span} from '../../lessons/markdown.js';
import type {
	Choice, Lesson, LessonStep, SeenConnection, StepEvidence,
} from '../../lessons/types.js';
import {tablesOf} from '../../netfilter/lookup.js';
import {printStep} from '../../netfilter/path.js';
import {hang, paragraph, piecesOfRule} from '../terminal/wrap.js';
import {printStops} from '../run/text.js';
import {printPath, type Style} from '../run/text-path.js';

const indent = 2;
/** Room for `11`, and a gap. */
const keyColumn = 4;

/** The title of a lesson, and its introduction. */
export function printIntroduction({title, part, minutes, text}: Lesson, style: Style): readonly string[] {
	const about = `${part}, about ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}`;
	return ['', ` ${style.paint.bold(title)}`, ` ${style.paint.dim(about)}`, '', ...printBlocks(text, style)];
}

/** Text, each block followed by an empty line. */
export function printBlocks(blocks: readonly Block[], style: Style): readonly string[] {
	return blocks.flatMap(block => [...printBlock(block, style), '']);
}

function printBlock(block: Block, {paint, width}: Style): readonly string[] {
	switch (block.kind) {
		case 'paragraph':
		case 'heading': {
			return paragraph(textOf(block.spans), {indent, width, ...(block.kind === 'heading' ? {paint: paint.bold} : {})});
		}

		case 'list': {
			return block.items.flatMap((item, index) => hang({
				indent, label: block.isNumbered ? `${index + 1}.` : '-', column: block.isNumbered ? 4 : 2, text: textOf(item), width,
			}));
		}

		case 'code': {
			return block.lines.map(line => `${' '.repeat(2 * indent)}${line}`);
		}
	}
}

/** Spans as plain text: code keeps its backquotes, which tell it apart without colors. */
function textOf(spans: readonly Span[]): string {
	return spans.map(span => span.kind === 'code' ? `\`${span.text}\`` : (span.kind === 'link' ? `${span.text} (${span.href})` : span.text)).join('');
}

/** The text of a step, with its number if the lesson has several. */
export function printStepHead(state: LessonState, style: Style): readonly string[] {
	const {lesson: {steps}, index} = state;
	return [
		...(steps.length === 1 ? [] : [` ${style.paint.bold(`Question ${index + 1} of ${steps.length}`)}`, '']),
		...printBlocks(stepOf(state).text, style),
	];
}

/** The rules of the chains that a step shows. A chain that the choices list anyway is left out. */
export function printShownRules({show, asks}: LessonStep, {rules, family}: StepEvidence, {paint, width}: Style): readonly string[] {
	const listed = 'chain' in asks ? asks.chain : undefined;
	return show.filter(name => name !== listed).flatMap(name => tablesOf(rules, family).flatMap(table => table.chains.filter(chain => chain.name === name && chain.rules.length > 0).flatMap(chain => [
		`${' '.repeat(indent)}${paint.dim(`chain ${printStep(table.name, chain.name)}`)}`,
		...chain.rules.flatMap(({number, text}) => hang({
			indent, label: `#${number}`, column: keyColumn, text: piecesOfRule(text), width, paintLabel: paint.dim,
		})),
		'',
	])));
}

/** The question with its choices. A prompt that lists the choices itself needs only those that may be too long for it: rules. */
export function printQuestion(state: LessonState, style: Style, {isPrompted = false}: {readonly isPrompted?: boolean} = {}): readonly string[] {
	const {question} = state;
	const choices = question?.kind === 'ready' && (!isPrompted || question.choices.some(({isRule}) => isRule)) ? question.choices : [];
	return [
		...stepOf(state).question.flatMap(block => printBlock(block, style).map(line => style.paint.bold(line))),
		'',
		...choices.flatMap(choice => printChoice(choice, style)),
		...(choices.length === 0 ? [] : ['']),
	];
}

function printChoice({key, text, isRule}: Choice, {paint, width}: Style): readonly string[] {
	return hang({
		indent, label: key, column: keyColumn, text: isRule ? piecesOfRule(text) : text, width, paintLabel: paint.cyan,
	});
}

/** What is said after a wrong answer, while the question is still open: the newest hint. */
export function printWrongTry(state: LessonState, style: Style): readonly string[] {
	return [`${' '.repeat(indent)}${style.paint.yellow('✖ Not that one.')}`, ...printHint(state, style)];
}

/** The newest hint. */
export function printHint(state: LessonState, {paint, width}: Style): readonly string[] {
	const hint = shownHints(state).at(-1);
	const printed = hint?.flatMap(block => block.kind === 'paragraph'
		? hang({
			indent, label: 'hint', column: 6, text: textOf(block.spans), width, paintLabel: paint.yellow,
		})
		: printBlock(block, {paint, width, verbose: false}));
	return [...(printed ?? []), ''];
}

/** The result of a step that has one: the verdict, what the kernel did, and the ending. */
export function printResult(state: LessonState, style: Style): readonly string[] {
	const {evidence} = state;
	return [
		...printVerdict(state, style),
		'',
		...(evidence === undefined ? [] : printSeen(state, evidence, style)),
		...(isAsWritten(state) ? printBlocks(stepOf(state).ending, style) : []),
	];
}

function printVerdict(state: LessonState, {paint, width}: Style): readonly string[] {
	const {question} = state;
	const result = state.results.at(-1);
	if (question?.kind !== 'ready') {
		return (question?.reasons ?? []).flatMap(reason => hang({
			indent, label: '? Inconclusive:', column: 16, text: reason, width, paintLabel: paint.yellow,
		}));
	}

	const label = {right: '✔ Correct:', wrong: '✖ Wrong. The kernel says:', 'given-up': 'The kernel says:', inconclusive: '?'}[result?.kind ?? 'inconclusive'];
	return [
		...hang({
			indent, label, column: label.length + 1, text: describeAnswer(question), width, paintLabel: result?.kind === 'right' ? paint.green : (result?.kind === 'wrong' ? paint.red : paint.bold),
		}),
		...(isAsWritten(state) ? [] : paragraph('The text of this step was written for another answer, so it is left out. The path below is what happened here.', {indent, width, paint: paint.yellow})),
	];
}

/** The kernel's answer in words. */
function describeAnswer({choices, right}: Extract<Question, {kind: 'ready'}>): string {
	const chosen = choices.filter(({value}) => right.includes(value));
	return chosen.length === 0 ? 'none of them' : chosen.map(({value, text, isRule}) => isRule ? `rule ${value}` : text).join('; ');
}

/** What the kernel did: the whole path of the connection that the question is about, or one line for each of several. */
function printSeen(state: LessonState, {connections, fixes = []}: StepEvidence, style: Style): readonly string[] {
	const {asks} = stepOf(state);
	const ofOne = 'of' in asks && asks.of !== undefined ? connections.filter(({id}) => id === asks.of) : connections;
	if (asks.what === 'fix') {
		return [...asks.choices.flatMap(({text}, index) => {
			const tried = fixes[index];
			return tried?.kind === 'ran'
				? [`${' '.repeat(indent)}${style.paint.bold(text)}`, ...tried.connections.flatMap(connection => printLine(connection, style))]
				: paragraph(`${text}: ${tried?.reason ?? 'not tried'}`, {indent, width: style.width});
		}), ''];
	}

	return ofOne.length === 1
		? [...printStopLine(ofOne[0]!, style), ...printPath(ofOne[0]!, style), '']
		: [...ofOne.flatMap(connection => printLine(connection, style)), ''];
}

function printStopLine(connection: SeenConnection, {paint, width}: Style): readonly string[] {
	return hang({
		indent, label: '', column: 1, text: printStops(connection), width, paintText: paint.bold,
	});
}

/** A connection in a line: its name, its stops, and for a type whether that is what it should do. */
function printLine(connection: SeenConnection, {paint, width}: Style): readonly string[] {
	const {id, name, outcome} = connection;
	const label = outcome === undefined ? name : `${{pass: '✔', fail: '✖', inconclusive: '?'}[outcome.kind]} ${id} ${name}`;
	return [
		...paragraph(label, {indent: 2 * indent, width}),
		...hang({
			indent: 3 * indent, label: '', column: 1, text: printStops(connection), width, paintText: paint.dim,
		}),
	];
}

/** The end of a lesson: its last words. */
export function printEnding({ending}: Lesson, style: Style): readonly string[] {
	return printBlocks(ending, style);
}

/** How many questions were answered correctly. */
export function printScore(state: LessonState, {paint}: Style): readonly string[] {
	const {passed, failed, inconclusive} = tallyOfLesson(state);
	const first = state.results.filter(result => result.kind === 'right' && result.tries === 1 && result.hints === 0).length;
	const score = [
		`${passed} of ${state.results.length} correct${first > 0 && first < passed ? `, ${first} at the first try` : ''}`,
		...(failed > 0 ? [`${failed} not`] : []),
		...(inconclusive > 0 ? [`${inconclusive} inconclusive`] : []),
	].join(', ');
	return [`${' '.repeat(indent)}${failed === 0 && inconclusive === 0 ? paint.green(score) : paint.yellow(score)}`];
}

/** All lessons, by part, with their numbers, names and minutes. `command` starts one of them. */
export function printLessonList(lessons: readonly Lesson[], {paint}: Style, command: string): readonly string[] {
	const column = Math.max(...lessons.map(({name}) => name.length)) + 2;
	const total = lessons.reduce((sum, {minutes}) => sum + minutes, 0);
	const parts = [...new Set(lessons.map(({part}) => part))];
	return [
		...parts.flatMap(part => [
			'',
			` ${paint.bold(part)}`,
			...lessons.filter(lesson => lesson.part === part).map(({number, name, title, minutes}) => `  ${String(number ?? '').padStart(2)}  ${paint.cyan(name.padEnd(column))}${String(minutes).padStart(2)} min  ${title}`),
		]),
		'',
		`  ${lessons.length} lessons, ${total} minutes. One of them: ${command}`,
	];
}
