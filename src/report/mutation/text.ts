/**
The text report on mutants: the scores, then each mutant that some of the cases missed.
*/

import {completeCases} from '../../mutation/status.js';
import {hang, paragraph} from '../terminal/wrap.js';
import {createPainter, type Painter} from '../terminal/colors.js';
import {identityRows, noteRows, printHints, printRows, type TextOptions} from '../terminal/head.js';
import {
	describeCounts, describeMutantStatus, describeMutant, printScore, replayOf,
} from './describe.js';
import {
	exitStatusOfMutation, missedBy, scoresOf, standingsOf, type MutationReport, type StandingResult,
} from './types.js';

type Style = {readonly paint: Painter; readonly width: number; readonly verbose: boolean; readonly program: string | undefined};

/** Column of the text next to a label such as `unnoticed`. */
const column = 10;

/** The report as text, ending in a line break. With `verbose`, it also has the commands that show each difference, and the mutants that are not counted. */
export function printMutation(report: MutationReport, {color, width, verbose, program}: TextOptions): string {
	const style: Style = {
		paint: createPainter(color), width, verbose, program,
	};
	const {environment: {kernel, iptables, nft}, rules, cases} = report;
	const standings = standingsOf(report);
	const lines = [
		'',
		...printRows([
			...identityRows(rules),
			['rules', [`${rules.source}, ${rules.backend}, sha256 ${rules.sha256.slice(0, 12)}`]],
			...noteRows(rules),
			['system', [`Linux ${kernel},`, `iptables ${iptables},`, `nft ${nft}`]],
			['mutants', describeCounts(report).split(' ')],
			['cases', [cases.map(({name, count}) => name === completeCases ? name : `${name} (${count})`).join(', ')]],
			...(verbose ? cases.flatMap(({leftOut}) => leftOut).map((text, index) => [index === 0 ? 'left out' : '', text.split(' ')] as const) : []),
		], style),
		'',
		...printScores(report),
		'',
		...printMissed(report, standings, style),
		...printUnknown(standings, style),
		...(verbose ? printLeftOut(standings, style) : []),
		...printHints(hintsOf(report), {...style, verbose}),
		...(hintsOf(report).length > 0 ? [''] : []),
		...printEnd(report, standings, style),
	];
	return `${lines.join('\n')}\n`;
}

function printScores(report: MutationReport): readonly string[] {
	const rows = scoresOf(report).flatMap(score => [
		[score.cases === completeCases ? 'complete, with paths' : score.cases, printScore(score)],
		...(score.byStops === undefined ? [] : [['complete, by stops', printScore(score.byStops)]]),
	] as const);
	const widest = Math.max(...rows.map(([name]) => name.length), 5);
	return [`  ${'cases'.padEnd(widest)}  killed`, ...rows.map(([name, score]) => `  ${name.padEnd(widest)}  ${score}`)];
}

/** Mutants that some of the cases missed, starting with those that all cases missed. */
function printMissed(report: MutationReport, standings: readonly StandingResult[], style: Style): readonly string[] {
	const missed = standings
		.map(each => ({...each, by: missedBy(report, each.result)}))
		.filter(({by, standing}) => by.length > 0 && standing !== 'inconclusive')
		.toSorted((one, other) => Number(one.standing === 'killed') - Number(other.standing === 'killed'));
	return missed.flatMap(({result: {mutant, mutantStatus}, standing, by}): readonly string[] => [
		...hang({
			indent: 0, label: standing === 'survived' ? '✖' : '~', column: 2, text: `${mutant.id} ${describeMutant(mutant)}`, width: style.width, paintLabel: standing === 'survived' ? style.paint.red : style.paint.yellow, paintText: style.paint.bold,
		}),
		...hang({
			indent: 2, label: 'unnoticed', column, text: `by ${by.join(', ')}`, width: style.width, paintLabel: style.paint.dim,
		}),
		...hang({
			indent: 2, label: 'shown by', column, text: describeMutantStatus(mutantStatus), width: style.width, paintLabel: style.paint.dim,
		}),
		// Each command stays on one line, however long, so that it can be copied.
		...(style.verbose && mutantStatus.kind === 'differs' ? [`    ${style.paint.dim(replayOf(mutant, mutantStatus.statements[0]!, {...report, program: style.program}))}`] : []),
		'',
	]);
}

function printUnknown(standings: readonly StandingResult[], {paint, width}: Style): readonly string[] {
	return standings.filter(({standing}) => standing === 'inconclusive').flatMap(({result: {mutant, mutantStatus, detections}}) => [
		...hang({
			indent: 0, label: '?', column: 2, text: `${mutant.id} ${describeMutant(mutant)}`, width, paintLabel: paint.yellow, paintText: paint.bold,
		}),
		...[...(mutantStatus.kind === 'inconclusive' ? [describeMutantStatus(mutantStatus)] : []), ...[...detections.values()].flatMap(detection => detection.kind === 'inconclusive' ? detection.reasons : [])].flatMap(text => hang({
			indent: 2, label: 'gap', column, text, width, paintLabel: paint.dim,
		})),
		'',
	]);
}

function printLeftOut(standings: readonly StandingResult[], {paint, width}: Style): readonly string[] {
	return standings.filter(({standing}) => standing === 'left-out').flatMap(({result: {mutant, mutantStatus}}) => [
		...hang({
			indent: 0, label: '–', column: 2, text: `${mutant.id} ${describeMutant(mutant)}`, width, paintLabel: paint.dim,
		}),
		...paragraph(describeMutantStatus(mutantStatus), {indent: 2, width, paint: paint.dim}),
	]);
}

function hintsOf({hints, cases, untouched}: MutationReport): readonly string[] {
	return [
		...hints,
		...cases.flatMap(({name, untrusted}) => untrusted.map(text => `${name}: ${text}`)),
		...(untouched.length === 0 ? [] : [`Not mutated, because not understood: ${untouched.join(', ')}.`]),
	];
}

function printEnd(report: MutationReport, standings: readonly StandingResult[], {paint, width}: Style): readonly string[] {
	const count = (wanted: StandingResult['standing']): number => standings.filter(({standing}) => standing === wanted).length;
	const [killed, survived, unknown] = [count('killed'), count('survived'), count('inconclusive')];
	const [sign, paintSign] = ({0: ['✔', paint.green], 1: ['✖', paint.red], 3: ['?', paint.yellow]} as const)[exitStatusOfMutation(report)];
	const text = `${killed} of ${killed + survived + unknown} mutants that are not equivalent are killed by these cases${survived === 0 ? '' : `, ${survived} survived`}${unknown === 0 ? '' : `, ${unknown} are unknown`}. (${report.durationMs} ms)`;
	return hang({
		indent: 0, label: sign, column: 2, text, width, paintLabel: paintSign,
	});
}
