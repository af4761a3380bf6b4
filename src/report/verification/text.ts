/**
A verification for people: what moved, with its reason and the command that shows it; the gravest first.
*/

import {familyNames} from '../../netfilter/address.js';
import type {Statement} from '../../comparison/moves.js';
import {nameOfCase} from '../../baseline/verify-cases.js';
import {
	describeChange, describeExtent, describeLeftOut, severityWords,
} from '../comparison/describe.js';
import {hang, paragraph} from '../terminal/wrap.js';
import {createPainter, type Painter} from '../terminal/colors.js';
import {printReplay} from '../terminal/probe-command.js';
import {
	noteRows, printGaps, printRows, type TextOptions,
} from '../terminal/head.js';
import type {RulesSummary} from '../shared-types.js';
import {verificationOutcome, type VerificationReport} from './types.js';
import {describeMovedCase, summaryOfVerification} from './describe.js';

type Style = {readonly paint: Painter; readonly width: number};

/** Column of the text beside a label like `because`. */
const column = 8;

/** The verification as text, with a line break at its end. */
export function printVerification(report: VerificationReport, {color, width, verbose}: TextOptions): string {
	const style: Style = {paint: createPainter(color), width};
	const {baseline, environment: {kernel, iptables, nft}, durationMs, statements, cases, gaps, hints} = report;
	const lines = [
		'',
		...printRows([
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
				indent: 0, label: '✘', column: 2, text: `${nameOfCase(checked.record)}: ${describeMovedCase(checked)}`, width, paintLabel: style.paint.red,
			}), '']
			: []),
		...printGaps(gaps, {...style, verbose}),
		...(gaps.length > 0 ? [''] : []),
		...hints.flatMap(hint => hang({
			indent: 2, label: 'hint', column: 6, text: hint, width, paintLabel: style.paint.yellow,
		})),
		...(hints.length > 0 ? [''] : []),
		...hang({
			indent: 0, label: signOf(report, style), column: 2, text: `${summaryOfVerification(report)} (${durationMs} ms)`, width,
		}),
	];
	return `${lines.join('\n')}\n`;
}

function signOf(report: VerificationReport, {paint}: Style): string {
	return ({same: paint.green('✔'), moved: paint.red('✘'), inconclusive: paint.yellow('?')})[verificationOutcome(report)];
}

function describeRules({source, release, backend, sha256}: RulesSummary): string {
	return `${source}${release === null || source.includes(release) ? '' : ` (release ${release})`}, ${backend}, sha256 ${sha256.slice(0, 12)}`;
}

function printStatement(statement: Statement, {rules}: VerificationReport, {paint, width}: Style): readonly string[] {
	const {severity, families, traffic: [first = '', ...rest], cause, classes, example} = statement;
	const color = severity === 'path' ? paint.yellow : paint.red;
	const row = (label: string, text: string): readonly string[] => hang({
		indent: 2, label, column, text, width, paintLabel: paint.dim,
	});
	return [
		...hang({
			indent: 0, label: '✘', column: 2, text: `${first}: ${describeChange(statement)} (${severityWords[severity]}; ${families.map(family => familyNames[family]).join(' and ')})`, width, paintLabel: color, paintText: paint.bold,
		}),
		...rest.flatMap(text => row('and', text)),
		...row('because', cause.text),
		...row('count', classes === 1 ? '1 packet class' : `${classes} packet classes`),
		...paragraph(printReplay(example, rules), {indent: 4, width, paint: paint.dim}),
	];
}
