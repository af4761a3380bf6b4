/**
The text report of a baseline check: what moved, with its reason and the command that shows it, the most severe first.
*/

import {familyNames} from '../../netfilter/address.js';
import type {Statement} from '../../comparison/moves.js';
import {nameOfCase} from '../../baseline/verify-cases.js';
import {
	describeChange, describeExtent, describeLeftOut, severityWords,
} from '../comparison/describe.js';
import {hang} from '../terminal/wrap.js';
import {createPainter, type Painter} from '../terminal/colors.js';
import {printReplay} from '../terminal/probe-command.js';
import {
	identityRows, noteRows, printGaps, printHints, printRows, type TextOptions,
} from '../terminal/head.js';
import type {RulesSummary} from '../shared-types.js';
import {verificationOutcome, type VerificationReport} from './types.js';
import {describeMovedCase, summaryOfVerification} from './describe.js';

type Style = {readonly paint: Painter; readonly width: number; readonly program: string | undefined};

/** Column of the text next to a label such as `because`. */
const column = 8;

/** The baseline check as text, ending in a line break. */
export function printVerification(report: VerificationReport, {color, width, verbose, program}: TextOptions): string {
	const style: Style = {paint: createPainter(color), width, program};
	const {baseline, environment: {kernel, iptables, nft}, durationMs, statements, cases, gaps, hints} = report;
	const lines = [
		'',
		...printRows([
			...identityRows(report.rules),
			['baseline', [`${baseline.file}:`, describeRules(baseline.rules)]],
			['recorded', Object.entries(baseline.environment).map(([name, value]) => `${name} ${value}`)],
			['rules', [describeRules(report.rules)]],
			...noteRows(report.rules),
			['system', [`Linux ${kernel},`, `iptables ${iptables},`, `nft ${nft}`]],
			['compared', [describeExtent(report)]],
			...(verbose ? describeLeftOut(report).map((text, index) => [index === 0 ? 'left out' : '', [text]] as const) : []),
		], {...style, verbose}),
		'',
		...statements.flatMap(statement => [...printStatement(statement, report, style), '']),
		...cases.flatMap(checked => checked.outcome === 'moved'
			? [...hang({
				indent: 0, label: '✖', column: 2, text: `${nameOfCase(checked.record)}: ${describeMovedCase(checked)}`, width, paintLabel: style.paint.red,
			}), '']
			: []),
		...printGaps(gaps, {...style, verbose}),
		...(gaps.length > 0 ? [''] : []),
		...printHints(hints, {...style, verbose}),
		...(hints.length > 0 ? [''] : []),
		...hang({
			indent: 0, label: signOf(report, style), column: 2, text: `${summaryOfVerification(report)} (${durationMs} ms)`, width,
		}),
	];
	return `${lines.join('\n')}\n`;
}

function signOf(report: VerificationReport, {paint}: Style): string {
	return ({same: paint.green('✔'), moved: paint.red('✖'), inconclusive: paint.yellow('?')})[verificationOutcome(report)];
}

function describeRules({source, release, backend, sha256}: RulesSummary): string {
	return `${source}${release === null || source.includes(release) ? '' : ` (release ${release})`}, ${backend}, sha256 ${sha256.slice(0, 12)}`;
}

function printStatement(statement: Statement, {rules}: VerificationReport, {paint, width, program}: Style): readonly string[] {
	const {severity, families, traffic: [first = '', ...rest], cause, classes, example} = statement;
	const color = severity === 'path' ? paint.yellow : paint.red;
	const row = (label: string, text: string): readonly string[] => hang({
		indent: 2, label, column, text, width, paintLabel: paint.dim,
	});
	return [
		...hang({
			indent: 0, label: '✖', column: 2, text: `${first}: ${describeChange(statement)} (${severityWords[severity]}; ${families.map(family => familyNames[family]).join(' and ')})`, width, paintLabel: color, paintText: paint.bold,
		}),
		...rest.flatMap(text => row('and', text)),
		...row('because', cause.text),
		...row('count', classes === 1 ? '1 packet class' : `${classes} packet classes`),
		// Each command stays on one line, however long, so that it can be copied.
		`    ${paint.dim(printReplay(example, rules, {program}))}`,
	];
}
