/**
The answer to a probe as text: the stops, then for each leg every rule that was tested, with its purpose if it matched and the reason if it did not.
*/

import {printStep} from '../../netfilter/path.js';
import type {AskedChain, LegExplanation, AskedRule} from '../../judge/explain/explain-leg.js';
import {printFieldValue} from '../../scenario/probe-spec.js';
import type {ActorName, Credentials} from '../../mesh/traffic.js';
import {mayPass} from '../../trace/gap.js';
import {nameOfRule} from '../run/describe-differences.js';
import {hang, paragraph, piecesOfRule} from '../terminal/wrap.js';
import {createPainter} from '../terminal/colors.js';
import {describeAnswer} from '../rules/describe-rule.js';
import {
	headRows, printGaps, printHints, printRows, type HeadRow, type TextOptions,
} from '../terminal/head.js';
import {printStops} from '../run/text.js';
import {
	printHook, printPath, printTraversalEnd, stepIndent, type LegStyle, type Style,
} from '../run/text-path.js';
import type {RuleLanguage} from '../../netfilter/types.js';
import {contradictionsOf, labeledFields, exitStatusOfProbe, type ProbeReport} from './types.js';
import {describeContradiction, describeHit} from './describe.js';

/** How many consecutive rules that did not match are listed one by one without `--verbose`: a default sidecar has nine in its longest chain, a node with a foreign firewall thousands. */
const tellMax = 20;

/** The rightmost column for the purpose of a rule, next to a step of a default sidecar; long chain names would leave it no room. */
const purposeColumn = 21;

/** The answer as text, ending in a line break. */
export function printProbe(report: ProbeReport, {color, verbose, width}: TextOptions): string {
	const style: Style = {paint: createPainter(color), verbose, width};
	const {paint} = style;
	const isAnswered = exitStatusOfProbe(report) === 0;
	const lines = [
		'',
		...printRows([...questionRows(report), ...headRows({...report, families: [report.question.family]}), actorRow(report)], style),
		'',
		...hang({
			indent: 0, label: isAnswered ? '✔' : '?', column: 2, text: printStops(report), width, paintLabel: text => paint.bold(isAnswered ? paint.green(text) : paint.yellow(text)),
		}),
		...printGaps(report.gaps, style),
		...printContradictions(report, style),
		...printPath(report, style, (_leg, index, legStyle) => printExplanation(report.explanations[index], legStyle)),
		...(report.isFirstLegOnly ? paragraph('--first-leg: later legs are left out.', {indent: 4, width, paint: paint.dim}) : []),
		'',
		...printHints(report.hints, {...style, verbose}),
		...(report.hints.length > 0 ? [''] : []),
		...printSummary(report, style),
	];
	return `${lines.join('\n')}\n`;
}

function questionRows({
	question: {
		from, credentials: {uid, gid}, asked, to, protocol, ...rest
	},
}: ProbeReport): readonly HeadRow[] {
	const others: Readonly<Record<string, unknown>> = rest;
	const asTold = labeledFields.flatMap(({name, label, values}) => others[name] === undefined ? [] : [`${label} ${printFieldValue({values}, others[name])}`]);
	const address = `${to.address.includes(':') ? `[${to.address}]` : to.address}:${to.port}`;
	return [['probe', [`${from} (uid ${uid}, gid ${gid})`, ...asTold, `→ ${asked}${asked === address ? '' : ` (${address})`},`, protocol]]];
}

function actorRow({actors}: ProbeReport): HeadRow {
	const entries = Object.entries(actors) as ReadonlyArray<readonly [ActorName, Credentials]>;
	return ['actors', [...entries.map(([name, {uid, gid}], index) => `${name} ${uid}:${gid}${index === entries.length - 1 ? '' : ','}`), '(uid:gid)']];
}

function printContradictions(report: ProbeReport, {paint, width}: Style): readonly string[] {
	return contradictionsOf(report).flatMap(({leg, contradiction}) => hang({
		indent: 4, label: 'finding', column: 9, text: `Leg ${leg + 1}: ${describeContradiction(contradiction)}`, width, paintLabel: paint.red,
	}));
}

function printExplanation(explanation: LegExplanation | undefined, style: LegStyle): readonly string[] {
	return explanation?.chains.flatMap(chain => printChain(chain, style)) ?? [];
}

function printChain({traversal, language, rules}: AskedChain, style: LegStyle): readonly string[] {
	const {paint, width, verbose, column} = style;
	const {table, chain, hits} = traversal;
	return [
		...(verbose ? printHook(traversal, style) : []),
		...runsOf(rules).flatMap(run => run[0]?.isHit === true ? run.flatMap(rule => printHit(rule, style)) : printRun(run, language, style)),
		...(hits.length === 0
			? hang({
				indent: stepIndent, label: printStep(table, chain), column, text: 'no rule matched', width, paintLabel: paint.dim, paintText: paint.dim,
			})
			: []),
		...(verbose ? paragraph(printTraversalEnd(traversal), {indent: stepIndent, width, paint: paint.dim}) : []),
	];
}

/** Runs of consecutive rules that all matched or all did not match. */
function runsOf(rules: readonly AskedRule[]): ReadonlyArray<readonly AskedRule[]> {
	const runs: AskedRule[][] = [];
	for (const rule of rules) {
		const last = runs.at(-1);
		if (last?.[0]?.isHit === rule.isHit) {
			last.push(rule);
		} else {
			runs.push([rule]);
		}
	}

	return runs;
}

function printRun(run: readonly AskedRule[], language: RuleLanguage, style: LegStyle): readonly string[] {
	if (style.verbose || run.length <= tellMax) {
		return run.flatMap(rule => printMiss(rule, language, style));
	}

	const half = tellMax / 2;
	return [
		...run.slice(0, half).flatMap(rule => printMiss(rule, language, style)),
		...paragraph(`… ${run.length - tellMax} more rules that did not match (--verbose lists them)`, {indent: stepIndent, width: style.width, paint: style.paint.yellow}),
		...run.slice(-half).flatMap(rule => printMiss(rule, language, style)),
	];
}

function printMiss(explained: AskedRule, language: RuleLanguage, {paint, width, column}: LegStyle): readonly string[] {
	const isDoubtful = explained.answer.kind !== 'fails';
	return hang({
		indent: stepIndent, label: nameOfRule(explained.rule), column, text: `✗ ${describeAnswer(explained, {language})}`, width, paintLabel: paint.dim, paintText: isDoubtful ? paint.yellow : paint.dim,
	});
}

function printHit(explained: AskedRule, {paint, width, column}: LegStyle): readonly string[] {
	const {rule, isDeciding} = explained;
	return [
		...hang({
			indent: stepIndent, label: nameOfRule(rule), column, text: piecesOfRule(`✓ ${rule.text}`), width, paintLabel: isDeciding ? text => paint.bold(paint.cyan(text)) : paint.cyan,
		}),
		...paragraph(`${isDeciding ? 'Decides. ' : ''}${describeHit(explained)}`, {indent: stepIndent + Math.min(column, purposeColumn) + 2, width}),
	];
}

function printSummary(report: ProbeReport, {paint, width}: Style): readonly string[] {
	const took = paint.dim(` in ${report.durationMs} ms`);
	if (exitStatusOfProbe(report) === 3) {
		return [`  ${paint.yellow('inconclusive')}${took}`, ...paragraph(`Exit status 3: the evidence has gaps, so there is no answer. Each gap says what is missing${mayPass(report.gaps) ? '; run again' : ', and another run would miss it as well'}.`, {indent: 2, width, paint: paint.dim})];
	}

	const findings = contradictionsOf(report).length;
	return [`  ${paint.green('answered by the kernel')}${findings === 0 ? '' : paint.red(`, ${findings} ${findings === 1 ? 'finding' : 'findings'}`)}${took}`];
}
