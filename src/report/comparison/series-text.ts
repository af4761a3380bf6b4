/**
The text report on many pairs: what moved between each rule set and the next, and the pairs that are equal.
*/

import {hang, paragraph} from '../terminal/wrap.js';
import {createPainter} from '../terminal/colors.js';
import type {TextOptions} from '../terminal/head.js';
import {describeLeftOut, describeExtent} from './describe.js';
import {describeStatement, nameOfPair, type ComparisonSuite} from './results.js';
import type {ComparisonReport} from './types.js';

/** The text, ending in a line break. Reports of suites that were classified together share one extent. */
export function printSeries(suites: readonly ComparisonSuite[], {color, width, verbose}: TextOptions): string {
	const paint = createPainter(color);
	const all = suites.flatMap(({reports}) => reports);
	const count = (outcome: string): number => all.filter(report => report.outcome === outcome).length;
	const lines = suites.flatMap(({name, reports, missing}) => [
		'',
		...paragraph(name, {indent: 0, width, paint: paint.bold}),
		...(extentOf(reports) === undefined ? [] : paragraph(`compared: ${describeExtent(extentOf(reports)!)}`, {indent: 2, width, paint: paint.dim})),
		...(extentOf(reports) === undefined || !verbose ? [] : describeLeftOut(extentOf(reports)!).flatMap(text => paragraph(text, {indent: 2, width, paint: paint.dim}))),
		...reports.flatMap(report => {
			const label = nameOfPair(report);
			const texts = [...report.statements.map(statement => describeStatement(statement)), ...report.gaps.map(({message}) => `gap: ${message}`)];
			const sign = ({equal: paint.green('✔'), moved: paint.red('✖'), inconclusive: paint.yellow('?')})[report.outcome];
			return [
				`${sign} ${label}${report.outcome === 'equal' ? '  equal' : ''}`,
				...texts.flatMap(text => hang({
					indent: 2, label: '·', column: 2, text, width,
				})),
			];
		}),
		...missing.flatMap(({name: absent, reason}) => hang({
			indent: 0, label: '-', column: 2, text: `${absent}: ${reason}`, width, paintLabel: paint.dim,
		})),
	]);
	return `${[...lines, '', `${count('equal')} pairs equal, ${count('moved')} moved, ${count('inconclusive')} inconclusive.`].join('\n')}\n`;
}

/** A report that says how much was compared; the others of its suite say the same. A pair whose shard is missing says nothing. */
function extentOf(reports: readonly ComparisonReport[]): ComparisonReport | undefined {
	return reports.find(({families}) => families.length > 0);
}
