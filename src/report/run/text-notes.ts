/**
Notes about the rules for a terminal: one entry per rule, grouped by reason.
*/

import type {RuleNote} from '../../judge/rule-notes.js';
import {cutList, describeRest} from '../terminal/cut.js';
import {hang, paragraph, piecesOfRule} from '../terminal/wrap.js';
import {nameOfRule} from './describe-differences.js';
import type {Style} from './text-path.js';

type NotReached = Extract<RuleNote, {readonly kind: 'not-reached'}>;

const indent = 4;
const column = 9;

/** All notes, by family; a note that is the same for both families is printed once. The family is named if there are two. */
export function printNotes(notes: readonly RuleNote[], style: Style): readonly string[] {
	const changed = notes.filter(note => note.kind !== 'not-reached');
	const unreached = notes.filter(note => note.kind === 'not-reached');
	const families = [...new Set(notes.map(({family}) => family))];
	return [
		...printSection({title: 'Rules that differ from the default set', notes: changed, families}, style, own => own.flatMap(note => printChanged(note, style))),
		...printSection({title: 'Rules that no packet of this run matched', notes: unreached, families}, style, own => printUnreached(own, style)),
	];
}

type Section<Note extends RuleNote> = {readonly title: string; readonly notes: readonly Note[]; readonly families: ReadonlyArray<RuleNote['family']>};

function printSection<Note extends RuleNote>({title, notes, families}: Section<Note>, {paint, verbose}: Style, print: (own: readonly Note[]) => readonly string[]): readonly string[] {
	const blocks = new Map<string, Array<RuleNote['family']>>();
	for (const family of families) {
		const block = print(notes.filter(note => note.family === family)).join('\n');
		blocks.set(block, [...blocks.get(block) ?? [], family]);
	}

	return [...blocks].filter(([block]) => block !== '').flatMap(([block, own]) => [`  ${paint.bold(title)}${families.length > 1 ? ` (${own.join(' and ')})` : ''}`, ...cutList(block.split('\n'), {isWhole: verbose, print: line => [line], rest: count => `${' '.repeat(indent)}${paint.dim(describeRest(count, 'lines'))}`}), '']);
}

function printChanged({kind, rule, role, reason}: Exclude<RuleNote, NotReached>, {paint, width}: Style): readonly string[] {
	const place = kind === 'missing' ? `${nameOfRule(rule)} of the default set` : nameOfRule(rule);
	return [
		...hang({
			indent, label: kind, column, text: `${place} (${role}): ${reason}`, width, paintLabel: paint.yellow,
		}),
		...hang({
			indent, label: '', column, text: piecesOfRule(rule.text), width, paintText: paint.dim,
		}),
	];
}

function printUnreached(notes: readonly NotReached[], {paint, width}: Style): readonly string[] {
	const reasons = [...new Set(notes.map(({reason}) => reason))];
	return reasons.flatMap(reason => [
		...paragraph(`${reason}:`, {indent, width, paint: paint.dim}),
		...paragraph(notes.filter(note => note.reason === reason).map(({rule}) => nameOfRule(rule)).join(', '), {indent: indent + 2, width}),
	]);
}
