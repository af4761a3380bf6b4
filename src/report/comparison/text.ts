/**
The text report of a comparison: each move as a sentence with its reason and the command that shows it, the most severe first.
*/

import {familyNames} from '../../netfilter/address.js';
import type {Statement} from '../../comparison/moves.js';
import {hang} from '../terminal/wrap.js';
import {createPainter, type Painter} from '../terminal/colors.js';
import {printReplay} from '../terminal/probe-command.js';
import {
	identityRows, noteRows, printGaps, printHints, printRows, type TextOptions,
} from '../terminal/head.js';
import type {RulesSummary} from '../shared-types.js';
import type {ComparisonReport} from './types.js';
import {
	describeChange, describeExtent, describeLeftOut, severityWords, summaryOf,
} from './describe.js';

type Style = {readonly paint: Painter; readonly width: number; readonly program: string | undefined};

/** Column of the text next to a label such as `because`. */
const column = 8;

/** The comparison as text, ending in a line break. Without `verbose`, what was left out is only counted. */
export function printComparison(report: ComparisonReport, {color, width, verbose, program}: TextOptions): string {
	const style: Style = {paint: createPainter(color), width, program};
	const {environment: {kernel, iptables, nft}, durationMs, statements} = report;
	const leftOut = describeLeftOut(report);
	const [sign, paintSign] = signOf(report, style);
	const lines = [
		'',
		...printRows([
			['from', [describeRules(report.from)]],
			...identityRows(report.from),
			...noteRows(report.from),
			['to', [describeRules(report.to)]],
			...identityRows(report.to),
			...noteRows(report.to),
			['system', [`Linux ${kernel},`, `iptables ${iptables},`, `nft ${nft}`]],
			['compared', [describeExtent(report)]],
			...(verbose ? leftOut.map((text, index) => [index === 0 ? 'left out' : '', [text]] as const) : []),
		], {...style, verbose}),
		'',
		...statements.flatMap(statement => [...printStatement(statement, report, style), '']),
		...printGaps(report.gaps, {...style, verbose}),
		...(report.gaps.length > 0 ? [''] : []),
		...printHints(report.hints, {...style, verbose}),
		...(report.hints.length > 0 ? [''] : []),
		...printDrift(report, style),
		...hang({
			indent: 0, label: sign, column: 2, text: `${summaryOf(report)}${report.outcome === 'equal' ? ` Compared: ${describeExtent(report)}.` : ''}${report.arePathsCompared ? '' : ' To see other rules that lead to the same listeners: --paths.'} (${durationMs} ms)`, width, paintLabel: paintSign,
		}),
	];
	return `${lines.join('\n')}\n`;
}

/** What the live pod does differently, and why that usually happens. */
function printDrift({drift, outcome, from}: ComparisonReport, {paint, width}: Style): readonly string[] {
	if (drift === undefined || (drift.findings.length === 0 && outcome !== 'equal')) {
		return [];
	}

	const rows: ReadonlyArray<readonly [label: string, text: string]> = [
		...(drift.findings.length === 0 ? [['drift', `None: the pod does with every packet what ${from.source} does.`] as const] : drift.findings.map(({text}) => ['drift', text] as const)),
		...drift.causes.map(({text}) => ['cause', text] as const),
	];
	return [...rows.flatMap(([label, text]) => hang({
		indent: 0, label, column, text, width, paintLabel: paint.bold,
	})), ''];
}

function signOf({outcome}: ComparisonReport, {paint}: Style): readonly [sign: string, paint: (text: string) => string] {
	return ({equal: ['✔', paint.green], moved: ['✖', paint.red], inconclusive: ['?', paint.yellow]} as const)[outcome];
}

function describeRules({source, release, backend, sha256}: RulesSummary): string {
	return `${source}${release === null || source.includes(release) ? '' : ` (release ${release})`}, ${backend}, sha256 ${sha256.slice(0, 12)}`;
}

function printStatement(statement: Statement, {from, to, replayWith}: ComparisonReport, {paint, width, program}: Style): readonly string[] {
	const {severity, families, traffic, cause, classes, example} = statement;
	const color = severity === 'path' ? paint.yellow : paint.red;
	const [first, ...rest] = traffic;
	return [
		...hang({
			indent: 0, label: severity === 'path' ? '~' : '✖', column: 2, text: `${first ?? ''}: ${describeChange(statement)} (${severityWords[severity]}; ${families.map(family => familyNames[family]).join(' and ')})`, width, paintLabel: color, paintText: paint.bold,
		}),
		...rest.flatMap(text => hang({
			indent: 2, label: 'and', column, text, width, paintLabel: paint.dim,
		})),
		...hang({
			indent: 2, label: 'because', column, text: `${cause.text}`, width, paintLabel: paint.dim,
		}),
		...hang({
			indent: 2, label: 'count', column, text: classes === 1 ? '1 packet class' : `${classes} packet classes`, width, paintLabel: paint.dim,
		}),
		// Each command stays on one line, however long, so that it can be copied.
		...[printReplay(example, from, {more: replayWith.from, program}), printReplay(example, to, {more: replayWith.to, program})].map(command => `    ${paint.dim(command)}`),
	];
}
