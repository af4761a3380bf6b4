/**
A report for people: 80 columns, with color if wanted. Differences come first, then the path that shows them.
*/

import {
	actorOfStop, closingOf, stopsOfPath, type Leg,
} from '../../netfilter/path.js';
import {mayPass, type Gap} from '../../trace/gap.js';
import type {Outcome} from '../../judge/outcome.js';
import type {ActorName} from '../../mesh/traffic.js';
import type {ExitStatus} from '../../judge/exit-status.js';
import {hang, paragraph} from '../terminal/wrap.js';
import {createPainter, type Painter} from '../terminal/colors.js';
import {
	type TextOptions, bodyIndent, type HeadRow, headRows, printHints, printRows, printGaps, listOf,
} from '../terminal/head.js';
import {allResults, exitStatusOfRun, summarize} from './summary.js';
import {printDifferences} from './text-differences.js';
import {printNotes} from './text-notes.js';
import {printPath, type Style} from './text-path.js';
import type {OtherResults, Report, TypeResult} from './types.js';

/** Wide enough for `4b` and a gap. */
const idColumn = 3;

/** Wide enough for `prometheus-to-local` and a gap. */
const nameColumn = 21;

/** The report as text, ending in a line break. */
export function printText(report: Report, {color, verbose, width}: TextOptions): string {
	const style: Style = {paint: createPainter(color), verbose, width};
	const families = new Set(report.types.map(({family}) => family));
	const shared = sharedGaps(allResults(report));
	if (!verbose && capturesNothing(report)) {
		return `${[
			'',
			...printHead(report, style),
			'',
			...report.types.flatMap(result => printOneLine(result, {...style, showsFamily: families.size > 1})),
			'',
			...paragraph('No rule captures traffic, so the connections are not shown in detail. --verbose shows everything.', {indent: bodyIndent / 2, width, paint: style.paint.dim}),
			'',
			...printSummary(report, style),
		].join('\n')}\n`;
	}

	const lines = [
		'',
		...printHead(report, style),
		'',
		...printGaps(shared, style),
		...(shared.length > 0 ? [''] : []),
		...report.types.flatMap(result => [...printType(result, {...style, showsFamily: families.size > 1, shared}), '']),
		...(report.others ?? []).flatMap(other => printOther(other, {...style, showsFamily: families.size > 1, shared})),
		...printNotes(report.ruleNotes, style),
		...printHints(report.hints, {...style, verbose}),
		...(report.hints.length > 0 ? [''] : []),
		...printSummary(report, style),
	];
	return `${lines.join('\n')}\n`;
}

/** Whether the types fail for a reason that the head already gives: these are not the rules of a mesh. */
function capturesNothing({scenario, rules: {identity: {kind}}, types}: Report): boolean {
	return scenario === undefined && (kind === 'nothing' || kind === 'node') && types.every(({outcome}) => outcome.kind !== 'inconclusive');
}

function printHead({environment, rules, types, scenario}: Report, style: Style): readonly string[] {
	const families = [...new Set(types.map(({family}) => family))];
	const run: readonly HeadRow[] = scenario === undefined ? [] : [['play', [`${scenario.name}: ${scenario.about}`]]];
	return printRows([...run, ...headRows({environment, rules, families}), ['actors', [...listOf(actorsOf(types)), '(uid:gid)']]], style);
}

/** The gaps of the whole run: those that every type has, if there are several types. They are printed once. */
function sharedGaps(types: readonly TypeResult[]): readonly Gap[] {
	const [first, ...others] = types.map(({outcome}) => outcome.kind === 'inconclusive' ? outcome.reasons : []);
	return first === undefined || others.length === 0 ? [] : first.filter(gap => others.every(gaps => gaps.some(({message}) => message === gap.message)));
}

const actorOrder = {
	app: 0, proxy: 1, agent: 2, remote: 3, istiod: 4, prometheus: 5,
} as const satisfies Record<ActorName, number>;

/** The credentials of all actors. An actor whose credentials differ between types is listed once for each. */
function actorsOf(types: readonly TypeResult[]): readonly string[] {
	const entries = types.flatMap(({actors}) => Object.entries(actors));
	// Actors from a user's file follow the usual ones, in order of first appearance.
	const place = (name: string): number => name in actorOrder ? actorOrder[name as ActorName] : Object.keys(actorOrder).length;
	return [...new Set(entries.toSorted(([one], [other]) => place(one) - place(other)).map(([name, {uid, gid}]) => `${name} ${uid}:${gid}`))];
}

const marks = {
	pass: ['✔', 'green'], fail: ['✖', 'red'], inconclusive: ['?', 'yellow'],
} as const satisfies Record<Outcome['kind'], readonly [string, keyof Painter]>;

/** What precedes the stops of a type. */
function labelOf({id, name, family, outcome}: TypeResult, showsFamily: boolean): string {
	const [mark] = marks[outcome.kind];
	const shownId = id.split('/', 1)[0]!;
	return `${mark} ${shownId.length < idColumn ? shownId.padEnd(idColumn) : `${shownId} `}${name.padEnd(nameColumn)}${showsFamily ? `${family}  ` : ''}`;
}

/** A type with its stops, and with the expected ones if they are different. */
function printOneLine(result: TypeResult, {paint, width, verbose, showsFamily}: Style & {readonly showsFamily: boolean}): readonly string[] {
	const {outcome, expected, legs} = result;
	const label = labelOf(result, showsFamily);
	const [, color] = marks[outcome.kind];
	const isAsExpected = stopsOfPath({legs}).join(' ') === expected.legs.map(({stop}) => stop).join(' ');
	return [
		...hang({
			indent: 0, label: label.trimEnd(), column: label.length, text: printStops(result), width, paintLabel: text => paint.bold(paint[color](text)),
		}),
		...(isAsExpected
			? []
			: printExpectedStops(expected, {
				paint, width, verbose, column: label.length,
			})),
	];
}

function printType(result: TypeResult, style: Style & {readonly showsFamily: boolean; readonly shared: readonly Gap[]}): readonly string[] {
	const {paint, width, showsFamily} = style;
	const [, color] = marks[result.outcome.kind];
	const label = labelOf(result, showsFamily);
	return [
		...hang({
			indent: 0, label: label.trimEnd(), column: label.length, text: printStops(result), width, paintLabel: text => paint.bold(paint[color](text)),
		}),
		...printOutcome(result, {...style, column: label.length}),
		...printPath(result, style),
		...printPublished(result, style),
	];
}

/** The traffic of another user, under a line that names the user. */
function printOther({actor, uid, types}: OtherResults, style: Style & {readonly showsFamily: boolean; readonly shared: readonly Gap[]}): readonly string[] {
	const who = `${actor}, UID ${uid}${actor.startsWith('proxy') ? ', which the rules also exempt as the proxy' : ''}`;
	return [...paragraph(who, {indent: 2, width: style.width, paint: style.paint.bold}), ...types.flatMap(result => [...printType(result, style), ''])];
}

/** The stops after the first actor, as pieces; a loop is abbreviated instead of printed round by round. */
export function printStops({legs, loop}: Pick<TypeResult, 'legs' | 'loop'>): readonly string[] {
	const stops = stopsOfPath({legs});
	const first = legs[0]?.actor ?? 'nothing was observed';
	if (loop) {
		const known = [...new Set(stops)];
		return [first, ...known.map(stop => `→ ${stop}`), `→ … (a loop of ${stops.length} stops)`];
	}

	const last = legs.at(-1);
	const end = last === undefined || last.end.kind === 'accepted' ? undefined : last.end.kind;
	return [first, ...stops.map(stop => `→ ${stop}`), ...(end === undefined ? [] : [`→ ${end}`]), ...(last === undefined ? [] : closedBy(last))];
}

/** The end of a flow that the listener's own process closed. */
function closedBy(leg: Leg): readonly string[] {
	return closingOf(leg) !== undefined && leg.end.kind === 'accepted' ? [`→ closed by the ${actorOfStop(leg.end.stop)}`] : [];
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

function printExpectedStops({legs, closed}: TypeResult['expected'], {paint, width, column}: Style & {readonly column: number}): readonly string[] {
	return hang({
		indent: bodyIndent, label: 'expected stops', column: column - bodyIndent, text: [legs[0]?.actor ?? '', ...legs.map(({stop}) => `→ ${stop}`), ...(closed === true ? ['→ closed'] : [])], width, paintLabel: paint.dim, paintText: paint.dim,
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

const inconclusiveHint = 'Exit status 3: the evidence has gaps, so those types have no result. Each gap says what is missing';

const exitHints = {
	0: () => undefined,
	1: () => 'Exit status 1: each type lists what differs. --verbose shows every hook, --format json all evidence.',
	3: ({types}: Report) => types.some(({outcome}) => outcome.kind === 'inconclusive' && mayPass(outcome.reasons)) ? `${inconclusiveHint}; run again, or run one type at a time with --types.` : `${inconclusiveHint}, and another run would miss it as well.`,
} as const satisfies Record<ExitStatus, (report: Report) => string | undefined>;

function printSummary(report: Report, {paint, width}: Style): readonly string[] {
	const {passed, failed, inconclusive} = summarize(report);
	const counts = [
		passed > 0 ? paint.green(`${passed} passed`) : `${passed} passed`,
		failed > 0 ? paint.red(`${failed} failed`) : `${failed} failed`,
		...(inconclusive > 0 ? [paint.yellow(`${inconclusive} inconclusive`)] : []),
	].join(', ');
	const hint = exitHints[exitStatusOfRun(report)](report);
	return [
		`  ${counts}${paint.dim(` in ${report.durationMs < 10_000 ? `${Math.round(report.durationMs)} ms` : `${(report.durationMs / 1000).toFixed(1)} s`}`)}`,
		...(hint === undefined ? [] : paragraph(hint, {indent: 2, width, paint: paint.dim})),
	];
}
