/**
The text report of rule coverage: a table, and the reason for each rule that nothing reaches.
*/

import {familyNames} from '../../netfilter/address.js';
import {completeName, type Reach, type RuleCoverage} from '../../judge/rule-coverage.js';
import {hang} from '../terminal/wrap.js';
import {createPainter, type Painter} from '../terminal/colors.js';
import {
	identityRows, noteRows, printGaps, printHints, printRows, type TextOptions,
} from '../terminal/head.js';
import {
	exitStatusOfCoverage, isDoubtful, missingCases, type CoverageReport,
} from './types.js';
import {describeRule, describeUnreached} from './describe.js';

type Style = {readonly paint: Painter; readonly width: number; readonly verbose: boolean};

/** Wide enough for two numbers and a slash. */
const cell = 10;

/** The report as text, ending in a line break. With `verbose`, each rule is followed by its text. */
export function printCoverage(report: CoverageReport, {color, width, verbose}: TextOptions): string {
	const style: Style = {paint: createPainter(color), width, verbose};
	const {environment: {kernel, iptables, nft}, rules, cases, gaps, hints, coverage, classes} = report;
	const lines = [
		'',
		...printRows([
			...identityRows(rules),
			['rules', [`${rules.source}, ${rules.backend}, ${report.families.map(family => familyNames[family]).join(' and ')}, sha256 ${rules.sha256.slice(0, 12)}`]],
			...noteRows(rules),
			['system', [`Linux ${kernel},`, `iptables ${iptables},`, `nft ${nft}`]],
			['probes', [cases.map(({name, probes}) => `${name} ${probes}${name === completeName ? ` (${classes} packet classes)` : ''}`).join(', ')]],
		], style),
		'',
		`  ${'hit / decided by'.padEnd(Math.max(0, width - 2 - (cell * cases.length)))}${cases.map(({name}) => name.slice(0, cell - 1).padStart(cell)).join('')}`,
		...coverage.flatMap(rule => printRule(rule, report, style)),
		'',
		...printGaps(gaps, style),
		...(gaps.length > 0 ? [''] : []),
		...printHints(hints, {...style, verbose}),
		...(hints.length > 0 ? [''] : []),
		...printEnd(report, style),
	];
	return `${lines.join('\n')}\n`;
}

function printRule(rule: RuleCoverage, report: CoverageReport, {paint, width, verbose}: Style): readonly string[] {
	const {cases} = report;
	const cells = cases.map(({name}) => printReach(rule.reach[name]).padStart(cell)).join('');
	const room = width - 2 - cells.length;
	const name = `${describeRule(rule)}${report.families.length > 1 ? ` (${rule.family})` : ''}`;
	const missing = missingCases(report, rule);
	const mark = rule.unreached === null ? (missing.length > 0 ? '✖' : ' ') : (isDoubtful(report, rule) ? '?' : '–');
	const sign = mark === '✖' ? paint.red(mark) : (mark === '?' ? paint.yellow(mark) : mark);
	return [
		...(name.length < room ? [`${sign} ${name.padEnd(room)}${cells}`] : [`${sign} ${name}`, `  ${' '.repeat(room)}${cells}`]),
		...(verbose && rule.role !== null
			? hang({
				indent: 4, label: '', column: 1, text: rule.rule.text, width, paintText: paint.dim,
			})
			: []),
		...(rule.unreached === null
			? []
			: hang({
				indent: 4, label: '', column: 1, text: describeUnreached(rule.unreached, rule), width, paintText: paint.yellow,
			})),
		...(missing.length > 0
			? hang({
				indent: 4, label: '', column: 1, text: `not reached by ${missing.join(', ')}`, width, paintText: paint.red,
			})
			: []),
	];
}

function printReach(reach: Reach | undefined): string {
	return reach === undefined || reach.hits === 0 ? '·' : `${reach.hits}/${reach.decided}`;
}

function printEnd(report: CoverageReport, {paint, width}: Style): readonly string[] {
	const {coverage, cases, gaps, durationMs} = report;
	const reachable = coverage.filter(({unreached}) => unreached === null);
	const [sign, paintSign] = ({0: ['✔', paint.green], 1: ['✖', paint.red], 3: ['?', paint.yellow]} as const)[exitStatusOfCoverage(report)];
	const dead = coverage.length - reachable.length;
	const shares = cases.filter(({name}) => name !== completeName).map(({name}) => `${name} ${reachable.filter(({reach}) => (reach[name]?.hits ?? 0) > 0).length}`);
	const text = `${reachable.length} of ${coverage.length} rules are reachable in this topology${shares.length === 0 ? '' : ` (${shares.join(', ')})`}${dead === 0 ? '' : `; ${dead} ${gaps.length > 0 ? 'were not reached, and there is a gap' : 'cannot matter'}`}. (${durationMs} ms)`;
	return hang({
		indent: 0, label: sign, column: 2, text, width, paintLabel: paintSign,
	});
}
