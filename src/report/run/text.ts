/**
A report for people: 80 columns, colour where it is wanted. What differs stands first, then the path that shows it.
*/

import {stopsOfPath} from '../../netfilter/path.js';
import type {Gap} from '../../trace/gap.js';
import type {Outcome} from '../../judge/outcome.js';
import type {ActorName} from '../../scenario/types.js';
import type {ExitStatus} from '../../judge/exit-status.js';
import {hang, paragraph} from '../terminal/wrap.js';
import {createPainter, type Painter} from '../terminal/colors.js';
import {
	type TextOptions, bodyIndent, type HeadRow, headRows, printRows, printGaps, listOf,
} from '../terminal/head.js';
import {exitStatusOfRun, summarize} from './summary.js';
import {printDifferences} from './text-differences.js';
import {printNotes} from './text-notes.js';
import {printPath, type Style} from './text-path.js';
import type {Report, TypeResult} from './types.js';
/** Room for `prometheus-to-local` and a gap. */
const nameColumn = 21;

/** The report as text, with a line break at its end. */
export function printText(report: Report, {color, verbose, width}: TextOptions): string {
	const style: Style = {paint: createPainter(color), verbose, width};
	const families = new Set(report.types.map(({family}) => family));
	const shared = sharedGaps(report.types);
	const lines = [
		'',
		...printHead(report, style),
		'',
		...printGaps(shared, style),
		...(shared.length > 0 ? [''] : []),
		...report.types.flatMap(result => [...printType(result, {...style, showsFamily: families.size > 1, shared}), '']),
		...printNotes(report.ruleNotes, style),
		...report.hints.flatMap(hint => hang({
			indent: 2, label: 'hint', column: 6, text: hint, width, paintLabel: style.paint.yellow,
		})),
		...(report.hints.length > 0 ? [''] : []),
		...printSummary(report, style),
	];
	return `${lines.join('\n')}\n`;
}

function printHead({environment, rules, types, scenario}: Report, style: Style): readonly string[] {
	const families = [...new Set(types.map(({family}) => family))];
	const run: readonly HeadRow[] = scenario === undefined ? [] : [['play', [`${scenario.name}: ${scenario.about}`]]];
	return printRows([...run, ...headRows({environment, rules, families}), ['actors', [...listOf(actorsOf(types)), '(uid:gid)']]], style);
}

/** The gaps of the whole run: those that every type has, when there are several types. They are printed once. */
function sharedGaps(types: readonly TypeResult[]): readonly Gap[] {
	const [first, ...others] = types.map(({outcome}) => outcome.kind === 'inconclusive' ? outcome.reasons : []);
	return first === undefined || others.length === 0 ? [] : first.filter(gap => others.every(gaps => gaps.some(({message}) => message === gap.message)));
}

const actorOrder = {
	app: 0, proxy: 1, agent: 2, remote: 3, istiod: 4, prometheus: 5,
} as const satisfies Record<ActorName, number>;

/** Everybody's credentials. An actor that had others in another type is named once for each. */
function actorsOf(types: readonly TypeResult[]): readonly string[] {
	const entries = types.flatMap(({actors}) => Object.entries(actors));
	// Those of a user's file come behind the usual ones, in the order in which they first appear.
	const place = (name: string): number => name in actorOrder ? actorOrder[name as ActorName] : Object.keys(actorOrder).length;
	return [...new Set(entries.toSorted(([one], [other]) => place(one) - place(other)).map(([name, {uid, gid}]) => `${name} ${uid}:${gid}`))];
}

const marks = {
	pass: ['✔', 'green'], fail: ['✖', 'red'], inconclusive: ['?', 'yellow'],
} as const satisfies Record<Outcome['kind'], readonly [string, keyof Painter]>;

function printType(result: TypeResult, style: Style & {readonly showsFamily: boolean; readonly shared: readonly Gap[]}): readonly string[] {
	const {paint, width, showsFamily} = style;
	const {id, name, family, outcome} = result;
	const [mark, color] = marks[outcome.kind];
	const label = `${mark} ${id.padEnd(3)}${name.padEnd(nameColumn)}${showsFamily ? `${family}  ` : ''}`;
	return [
		...hang({
			indent: 0, label: label.trimEnd(), column: label.length, text: printStops(result), width, paintLabel: text => paint.bold(paint[color](text)),
		}),
		...printOutcome(result, {...style, column: label.length}),
		...printPath(result, style),
		...printPublished(result, style),
	];
}

/** The stops with the first actor in front, as pieces; a loop is told as such instead of round by round. */
export function printStops({legs, loop}: Pick<TypeResult, 'legs' | 'loop'>): readonly string[] {
	const stops = stopsOfPath({legs});
	const first = legs[0]?.actor ?? 'nothing was observed';
	if (loop) {
		const known = [...new Set(stops)];
		return [first, ...known.map(stop => `→ ${stop}`), `→ … (a loop of ${stops.length} stops)`];
	}

	const last = legs.at(-1)?.end;
	return [first, ...stops.map(stop => `→ ${stop}`), ...(last === undefined || last.kind === 'accepted' ? [] : [`→ ${last.kind}`])];
}

function printOutcome({outcome, expected, legs, loop}: TypeResult, style: Style & {readonly column: number; readonly shared: readonly Gap[]}): readonly string[] {
	const expectedStops = expected.legs.map(({stop}) => stop);
	switch (outcome.kind) {
		case 'pass': {
			return [];
		}

		case 'fail': {
			return [
				...(loop || stopsOfPath({legs}).join(' ') !== expectedStops.join(' ') ? printExpectedStops(expected, style) : []),
				...printDifferences(outcome.differences, style),
				'',
			];
		}

		case 'inconclusive': {
			const own = outcome.reasons.filter(({message}) => !style.shared.some(gap => gap.message === message));
			return own.length === 0 ? [] : [...printGaps(own, style), ''];
		}
	}
}

function printExpectedStops({legs}: TypeResult['expected'], {paint, width, column}: Style & {readonly column: number}): readonly string[] {
	return hang({
		indent: bodyIndent, label: 'expected stops', column: column - bodyIndent, text: [legs[0]?.actor ?? '', ...legs.map(({stop}) => `→ ${stop}`)], width, paintLabel: paint.dim, paintText: paint.dim,
	});
}

function printPublished({published}: TypeResult, {paint, width}: Style): readonly string[] {
	if (published === null) {
		return [];
	}

	const {agrees, reason} = published;
	if (agrees === true) {
		return [`${' '.repeat(bodyIndent)}${paint.dim('article: agrees')}`];
	}

	const text = agrees === null ? reason ?? 'not compared' : `differs — ${reason ?? ''}`;
	return hang({
		indent: bodyIndent, label: 'article:', column: 9, text, width, paintLabel: paint.dim, paintText: agrees === null ? paint.dim : paint.yellow,
	});
}

const exitHints = {
	0: undefined,
	1: 'Exit status 1: each type lists what differs. --verbose shows every hook, --format json all evidence.',
	3: 'Exit status 3: the evidence has gaps, so those types have no result. Each gap says what is missing; run again, or run one type at a time with --types.',
} as const satisfies Record<ExitStatus, string | undefined>;

function printSummary(report: Report, {paint, width}: Style): readonly string[] {
	const {passed, failed, inconclusive} = summarize(report);
	const counts = [
		passed > 0 ? paint.green(`${passed} passed`) : `${passed} passed`,
		failed > 0 ? paint.red(`${failed} failed`) : `${failed} failed`,
		...(inconclusive > 0 ? [paint.yellow(`${inconclusive} inconclusive`)] : []),
	].join(', ');
	const hint = exitHints[exitStatusOfRun(report)];
	return [
		`  ${counts}${paint.dim(` in ${report.durationMs < 10_000 ? `${Math.round(report.durationMs)} ms` : `${(report.durationMs / 1000).toFixed(1)} s`}`)}`,
		...(hint === undefined ? [] : paragraph(hint, {indent: 2, width, paint: paint.dim})),
	];
}
