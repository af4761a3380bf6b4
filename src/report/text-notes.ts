/**
What a run says of the rules, for a terminal: one entry per rule, those of one reason together.
*/

import type {RuleNote} from '../judge/rule-notes.js';
import {nameOfRule} from './differences.js';
import {hang, paragraph, piecesOfRule} from './layout.js';
import type {Style} from './text-path.js';

type NotReached = Extract<RuleNote, {readonly kind: 'not-reached'}>;

const indent = 4;
const column = 9;

/** All notes, family by family. The family is named where there are two. */
export function printNotes(notes: readonly RuleNote[], style: Style): readonly string[] {
	const families = [...new Set(notes.map(({family}) => family))];
	return families.flatMap(family => {
		const own = notes.filter(note => note.family === family);
		const suffix = families.length > 1 ? `, ${family}` : '';
		const changed = own.filter(note => note.kind !== 'not-reached');
		const unreached = own.filter(note => note.kind === 'not-reached');
		return [
			...(changed.length === 0 ? [] : [`  ${style.paint.bold(`Rules that are not as in the default set${suffix}`)}`, ...changed.flatMap(note => printChanged(note, style)), '']),
			...(unreached.length === 0 ? [] : [`  ${style.paint.bold(`Rules that no packet of this run met${suffix}`)}`, ...printUnreached(unreached, style), '']),
		];
	});
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
