/**
Many runs in one document: one rule set per release and back end, or several scenarios.
*/

import {backends as allBackends, type Backend} from '../../netfilter/types.js';
import {addTallies, exitStatus, tallyOf, type ExitStatus, type Tally} from '../../judge/exit-status.js';
import {hang, paragraph} from '../terminal/wrap.js';
import {createPainter, type Painter} from '../terminal/colors.js';
import type {TextOptions} from '../terminal/head.js';
import {exitStatusOfRun, summarize} from './summary.js';
import {reportToJson} from './json.js';
import {jsonVersion, type AbsentRunDocument, type RunsDocument} from './schema.js';
import {printText} from './text.js';
import type {Report} from './types.js';

/** The result of one run. `unavailable`: it cannot exist, because the release has no rules for the back end. `rejected`: the kernel or its tools rejected the rules. `inconclusive`: this machine could not run it, because it lacks the back end or because something other than the rules failed. */
export type RunEntry = {readonly source: string; readonly release: string | null; readonly backend: Backend; /** The user's scenario file, by its name. */ readonly scenario?: string} & (
	| {readonly kind: 'report'; readonly report: Report}
	| {readonly kind: 'unavailable'; readonly reason: string}
	| {readonly kind: 'rejected'; readonly reason: string}
	| {readonly kind: 'inconclusive'; readonly reason: string}
);

/** How a run without a report counts. */
export const countOfEntry = {
	unavailable: {passed: 0, failed: 0, inconclusive: 0},
	rejected: {passed: 0, failed: 1, inconclusive: 0},
	inconclusive: {passed: 0, failed: 0, inconclusive: 1},
} as const satisfies Readonly<Record<Exclude<RunEntry['kind'], 'report'>, Tally>>;

/** All of them, in the order asked for. */
export type Runs = {readonly entries: readonly RunEntry[]; readonly durationMs: number};

/** The outcomes of all types of all runs. A rejected rule set counts as one failure, because the run did not happen; one that the machine could not run counts as one inconclusive result. */
export function summarizeRuns({entries}: Runs): Tally {
	return addTallies(entries.map(entry => entry.kind === 'report' ? summarize(entry.report) : countOfEntry[entry.kind]));
}

const endings = {0: 'passed', 1: 'failed', 3: 'inconclusive'} as const satisfies Record<ExitStatus, keyof Tally>;

/** The exit status of all runs. A failure is certain, so it takes precedence, then an inconclusive result; unavailable runs are listed and decide nothing unless there are no others. */
export function exitStatusOfRuns({entries}: Runs): ExitStatus {
	// Each run counts once: a run without any type has shown nothing and is inconclusive, whatever the others showed.
	return exitStatus(addTallies(entries.map(entry => entry.kind === 'report' ? tallyOf(endings[exitStatusOfRun(entry.report)]) : countOfEntry[entry.kind])));
}

/** All runs as one document: version 1 of the contract, with the document of each run in `runs`. */
export function runsToJson(runs: Runs): RunsDocument {
	return {
		version: jsonVersion,
		runs: runs.entries.map(entry => entry.kind === 'report' ? reportToJson(entry.report) : absentToJson(entry)),
		summary: summarizeRuns(runs),
		durationMs: runs.durationMs,
	};
}

function absentToJson({kind, source, release, backend, scenario, reason}: Exclude<RunEntry, {readonly kind: 'report'}>): AbsentRunDocument {
	const head = {...(scenario === undefined ? {} : {scenario: {name: scenario}}), rules: {source, release, backend}};
	switch (kind) {
		case 'unavailable': {
			return {...head, unavailable: reason};
		}

		case 'rejected': {
			return {...head, rejected: reason};
		}

		case 'inconclusive': {
			return {...head, inconclusive: reason};
		}
	}
}

const nameColumn = 14;
/** Wide enough for `✔ 6 passed` and more; the second value is for long names, which need the rest. */
const cellWidths = [20, 17] as const;

/** A table of all runs with one line per release and one column per back end, then everything that did not pass in full. */
export function printRunsText(runs: Runs, options: TextOptions): string {
	const paint = createPainter(options.color);
	const {entries, durationMs} = runs;
	const backends = allBackends.filter(backend => entries.some(entry => entry.backend === backend));
	const names = [...new Set(entries.map(entry => nameOf(entry)))];
	const longest = Math.max(nameColumn, ...names.map(name => name.length + 2));
	const roomFor = (cell: number): number => Math.max(nameColumn, options.width - 2 - (backends.length * cell));
	const cellWidth = cellWidths.find(cell => longest <= roomFor(cell)) ?? cellWidths[1];
	const column = Math.min(longest, roomFor(cellWidth));
	const bad = entries.filter(entry => entry.kind === 'report' && exitStatusOfRun(entry.report) !== 0);
	const {passed, failed, inconclusive} = summarizeRuns(runs);
	const lines = [
		'',
		paint.dim(`  ${'rules'.padEnd(column)}${backends.map(backend => backend.padEnd(cellWidth)).join('')}`.trimEnd()),
		...names.map(name => `  ${`${name} `.padEnd(column)}${backends.map(backend => cellOf(entries.find(entry => entry.backend === backend && nameOf(entry) === name), {paint, cellWidth})).join('')}`.trimEnd()),
		'',
		...notesOf(entries, {paint, width: options.width}),
		`  ${[
			passed > 0 ? paint.green(`${passed} passed`) : `${passed} passed`,
			failed > 0 ? paint.red(`${failed} failed`) : `${failed} failed`,
			...(inconclusive > 0 ? [paint.yellow(`${inconclusive} inconclusive`)] : []),
		].join(', ')}${paint.dim(` in ${(durationMs / 1000).toFixed(1)} s`)}`,
		...(bad.length > 0 ? paragraph('What did not pass is shown in full above.', {indent: 2, width: options.width, paint: paint.dim}) : []),
	];
	const details = bad.map(entry => entry.kind === 'report' ? printText(entry.report, options) : '').join('');
	return `${details}${lines.join('\n')}\n`;
}

function nameOf({source, release, scenario}: RunEntry): string {
	return scenario ?? release ?? source;
}

const cellsOfEntry = {
	unavailable: {text: '– not available', color: 'dim'},
	rejected: {text: '✖ rejected', color: 'red'},
	inconclusive: {text: '? inconclusive', color: 'yellow'},
} as const;

/** Pads by visible width, because color codes take no space. */
function cellOf(entry: RunEntry | undefined, {paint, cellWidth}: {readonly paint: Painter; readonly cellWidth: number}): string {
	if (entry === undefined) {
		return ''.padEnd(cellWidth);
	}

	if (entry.kind !== 'report') {
		const {text, color} = cellsOfEntry[entry.kind];
		return `${paint[color](text)}${' '.repeat(cellWidth - text.length)}`;
	}

	const {passed, failed, inconclusive} = summarize(entry.report);
	const text = failed > 0 ? `✖ ${failed} failed` : (inconclusive > 0 || passed === 0 ? `? ${inconclusive} inconclusive` : `✔ ${passed} passed`);
	const color = failed > 0 ? paint.red : (inconclusive > 0 || passed === 0 ? paint.yellow : paint.green);
	return `${color(text)}${' '.repeat(Math.max(1, cellWidth - text.length))}`;
}

/** Names of entries by source and back end; a scenario whose entries are all included is named alone. */
function listOf(own: readonly RunEntry[], all: readonly RunEntry[]): readonly string[] {
	return [...new Set(own.map(entry => {
		const isWhole = entry.scenario !== undefined && all.every(other => nameOf(other) !== nameOf(entry) || own.includes(other));
		return isWhole ? nameOf(entry) : `${nameOf(entry)} ${entry.backend}`;
	}))];
}

/** Reasons and hints, each printed once with the runs that it applies to. */
function notesOf(entries: readonly RunEntry[], {paint, width}: {readonly paint: Painter; readonly width: number}): readonly string[] {
	const groups = new Map<string, RunEntry[]>();
	for (const entry of entries) {
		const texts = entry.kind === 'report' ? [...entry.report.rules.notes, ...entry.report.hints] : [entry.reason];
		for (const text of texts) {
			groups.set(text, [...groups.get(text) ?? [], entry]);
		}
	}

	const lines = [...groups].flatMap(([text, own]) => hang({
		indent: 2, label: 'note', column: 6, text: `${own.length === entries.length && entries.length > 1 ? 'all' : listOf(own, entries).join(', ')}: ${text}`, width, paintLabel: paint.yellow,
	}));
	return lines.length > 0 ? [...lines, ''] : [];
}
