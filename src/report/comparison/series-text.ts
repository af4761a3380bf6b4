/**
Many pairs for people: what moved from each rule set to the next, and for which pairs nothing did.
*/

import {hang, paragraph} from '../terminal/wrap.js';
import {createPainter} from '../terminal/colors.js';
import type {TextOptions} from '../terminal/head.js';
import {describeLeftOut, describeExtent} from './describe.js';
import {describeStatement, nameOfPair, type ComparisonSuite} from './results.js';

/** The text, with a line break at its end. Reports of suites that were cut together have one extent. */
export function printSeries(suites: readonly ComparisonSuite[], {color, width, verbose}: TextOptions): string {
	const paint = createPainter(color);
	const all = suites.flatMap(({reports}) => reports);
	const count = (outcome: string): number => all.filter(report => report.outcome === outcome).length;
	const lines = suites.flatMap(({name, reports, missing}) => [
		'',
		...paragraph(name, {indent: 0, width, paint: paint.bold}),
		...(reports[0] === undefined ? [] : paragraph(`compared: ${describeExtent(reports[0])}`, {indent: 2, width, paint: paint.dim})),
		...(reports[0] === undefined || !verbose ? [] : describeLeftOut(reports[0]).flatMap(text => paragraph(text, {indent: 2, width, paint: paint.dim}))),
		...reports.flatMap(report => {
			const label = nameOfPair(report);
			const texts = [...report.statements.map(statement => describeStatement(statement)), ...report.gaps.map(({message}) => `gap: ${message}`)];
			const sign = ({equal: paint.green('✔'), moved: paint.red('✘'), inconclusive: paint.yellow('?')})[report.outcome];
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
