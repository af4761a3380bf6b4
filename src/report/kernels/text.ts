/**
The text report on several kernels: one table, then why a kernel did not pass, then what the command printed if that was asked for.
*/

import {printSummary} from '../formats/results.js';
import {createPainter, type Painter} from '../terminal/colors.js';
import type {TextOptions} from '../terminal/head.js';
import {quote} from '../terminal/shell-quote.js';
import {hang, paragraph} from '../terminal/wrap.js';
import {
	outcomeOfKernel, tallyOfKernels, type KernelResult, type KernelsReport,
} from './types.js';

const marks = {passed: '✔', failed: '✖', inconclusive: '?'} as const;

/** The end of each release's name; the heading has it once. */
const flavor = '-cloud-amd64';

const columns: ReadonlyArray<readonly [title: string, text: (kernel: KernelResult, report: KernelsReport) => string, side: 'left' | 'right']> = [
	['kernel', ({release, series}) => release?.replace(flavor, '') ?? series, 'left'],
	['package', ({packageVersion}) => packageVersion ?? '–', 'left'],
	['by', ({release}, {accelerator}) => release === null ? '–' : (accelerator?.name ?? '–'), 'left'],
	['boot s', ({bootMs}) => bootMs === null ? '–' : (bootMs / 1000).toFixed(1), 'right'],
	['all s', ({durationMs}) => durationMs === 0 ? '–' : (durationMs / 1000).toFixed(1), 'right'],
	['passed', ({tally}) => String(tally.passed), 'right'],
	['failed', ({tally}) => String(tally.failed), 'right'],
	['inconclusive', ({tally}) => String(tally.inconclusive), 'right'],
];

/** The report as text, ending in a line break. With `areOutputsPrinted`, what the command printed on each kernel follows the table. */
export function printKernels(report: KernelsReport, {color, width, areOutputsPrinted = false}: TextOptions & {readonly areOutputsPrinted?: boolean}): string {
	const paint = createPainter(color);
	const {command, accelerator, kernels} = report;
	const lines = [
		'',
		...paragraph(`testbed ${command.map(word => quote(word)).join(' ')}, on Debian's kernels${accelerator === null ? '' : ` (${flavor.slice(1)}) in QEMU${describeAccelerator(accelerator)}`}`, {indent: 2, width}),
		'',
		...printTable(report, paint),
		...kernels.flatMap(kernel => printTrouble(kernel, {paint, width})),
		...(areOutputsPrinted ? kernels.flatMap(kernel => printOutput(kernel, paint)) : []),
		'',
		`${kernels.length} ${kernels.length === 1 ? 'kernel' : 'kernels'}: ${printSummary(tallyOfKernels(report))}`,
	];
	return `${lines.join('\n')}\n`;
}

function describeAccelerator({name, because}: NonNullable<KernelsReport['accelerator']>): string {
	if (name === 'kvm') {
		return ' with KVM';
	}

	return ` with emulation (TCG)${because === null ? '' : `: ${because}`}`;
}

function printTable(report: KernelsReport, paint: Painter): readonly string[] {
	const rows = report.kernels.map(kernel => columns.map(([, text]) => text(kernel, report)));
	const widths = columns.map(([title], index) => Math.max(title.length, ...rows.map(row => row[index]!.length)));
	// Numbers need less room between them than words.
	const line = (cells: readonly string[]): string => cells.map((cell, index) => columns[index]![2] === 'left' ? `${cell.padEnd(widths[index]!)} ` : cell.padStart(widths[index]!)).join(' ').trimEnd();
	return [
		`  ${paint.dim(line(columns.map(([title]) => title)))}`,
		...rows.map((row, index) => {
			const outcome = outcomeOfKernel(report.kernels[index]!);
			const sign = {passed: paint.green, failed: paint.red, inconclusive: paint.yellow}[outcome];
			return `${sign(marks[outcome])} ${line(row)}`;
		}),
	];
}

function printTrouble({series, reasons, lacks}: KernelResult, {paint, width}: {readonly paint: Painter; readonly width: number}): readonly string[] {
	if (reasons.length === 0 && lacks.length === 0) {
		return [];
	}

	return [
		'',
		...reasons.flatMap((text, index) => hang({
			indent: 2, label: index === 0 ? series : '', column: 7, text, width, paintLabel: paint.yellow,
		})),
		...lacks.flatMap(({what, needs, fix}) => [
			...hang({
				indent: 4, label: '✖', column: 5, text: `${what}: needs ${needs}`, width, paintLabel: paint.red,
			}),
			`         → ${fix}`,
		]),
	];
}

function printOutput({series, release, output, errors}: KernelResult, paint: Painter): readonly string[] {
	const text = [errors.trimEnd(), output.trimEnd()].filter(part => part !== '').join('\n');
	return text === '' ? [] : ['', paint.dim(`── ${release ?? series}`), ...text.split('\n')];
}
