/**
A comparison for people: each move as a sentence, with its reason and the command that shows it; the gravest first.
*/

import {familyNames} from '../../netfilter/address.js';
import type {Statement} from '../../comparison/moves.js';
import {hang} from '../terminal/wrap.js';
import {createPainter, type Painter} from '../terminal/colors.js';
import {printReplay} from '../terminal/probe-command.js';
import {
	noteRows, printGaps, printRows, type TextOptions,
} from '../terminal/head.js';
import type {RulesSummary} from '../shared-types.js';
import type {ComparisonReport} from './types.js';
import {
	describeChange, describeExtent, describeLeftOut, severityWords, summaryOf,
} from './describe.js';

type Style = {readonly paint: Painter; readonly width: number};

/** Column of the text beside a label like `because`. */
const column = 8;

/** The comparison as text, with a line break at its end. Without `verbose` what is left out is only counted. */
export function printComparison(report: ComparisonReport, {color, width, verbose}: TextOptions): string {
	const style: Style = {paint: createPainter(color), width};
	const {environment: {kernel, iptables, nft}, durationMs, statements} = report;
	const leftOut = describeLeftOut(report);
	const [sign, paintSign] = signOf(report, style);
	const lines = [
		'',
		...printRows([
			['from', [describeRules(report.from)]],
			...noteRows(report.from),
			['to', [describeRules(report.to)]],
			...noteRows(report.to),
			['system', [`Linux ${kernel},`, `iptables ${iptables},`, `nft ${nft}`]],
			['compared', [describeExtent(report)]],
			...(verbose ? leftOut.map((text, index) => [index === 0 ? 'left out' : '', [text]] as const) : []),
		], {...style, verbose}),
		'',
		...statements.flatMap(statement => [...printStatement(statement, report, style), '']),
		...printGaps(report.gaps, {...style, verbose}),
		...(report.gaps.length > 0 ? [''] : []),
		...report.hints.flatMap(hint => hang({
			indent: 2, label: 'hint', column: 6, text: hint, width, paintLabel: style.paint.yellow,
		})),
		...(report.hints.length > 0 ? [''] : []),
		...hang({
			indent: 0, label: sign, column: 2, text: `${summaryOf(report)}${report.outcome === 'equal' ? ` Compared: ${describeExtent(report)}.` : ''}${report.arePathsCompared ? '' : ' To see other rules that lead to the same listeners: --paths.'} (${durationMs} ms)`, width, paintLabel: paintSign,
		}),
	];
	return `${lines.join('\n')}\n`;
}

function signOf({outcome}: ComparisonReport, {paint}: Style): readonly [sign: string, paint: (text: string) => string] {
	return ({equal: ['✔', paint.green], moved: ['✘', paint.red], inconclusive: ['?', paint.yellow]} as const)[outcome];
}

function describeRules({source, release, backend, sha256}: RulesSummary): string {
	return `${source}${release === null || source.includes(release) ? '' : ` (release ${release})`}, ${backend}, sha256 ${sha256.slice(0, 12)}`;
}

function printStatement(statement: Statement, {from, to, replayWith}: ComparisonReport, {paint, width}: Style): readonly string[] {
	const {severity, families, traffic, cause, classes, example} = statement;
	const color = severity === 'path' ? paint.yellow : paint.red;
	const [first, ...rest] = traffic;
	return [
		...hang({
			indent: 0, label: severity === 'path' ? '~' : '✘', column: 2, text: `${first ?? ''}: ${describeChange(statement)} (${severityWords[severity]}; ${families.map(family => familyNames[family]).join(' and ')})`, width, paintLabel: color, paintText: paint.bold,
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
		// A line each, however long: a command that is broken in two cannot be copied.
		...[printReplay(example, from, replayWith.from), printReplay(example, to, replayWith.to)].map(command => `    ${paint.dim(command)}`),
	];
}
