/**
Many runs in one document: a rule set for each release and back end, or whatever was asked for together.
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

/** What came of one of them. `unavailable` is one that cannot be: a release that has no rules for a back end. `rejected` is one that the kernel or its tools did not take. `inconclusive` is one that the machine could not play: it lacks the back end, or something failed that is not the rules'. */
export type RunEntry = {readonly source: string; readonly release: string | null; readonly backend: Backend; /** The user's file that was played, by its name. */ readonly scenario?: string} & (
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

/** How all types of all runs ended. A rule set that was rejected counts as one failure, for the run that was asked for did not happen; one that the machine could not play as one doubt. */
export function summarizeRuns({entries}: Runs): Tally {
	return addTallies(entries.map(entry => entry.kind === 'report' ? summarize(entry.report) : countOfEntry[entry.kind]));
}

/** The exit status of all: a failure is certain, so it goes first; a doubt next; runs that cannot be are named and decide nothing, unless there is nothing else. */
export function exitStatusOfRuns(runs: Runs): ExitStatus {
	const {entries} = runs;
	// A run that showed nothing is a doubt, whatever the others showed.
	const isEmpty = entries.some(entry => entry.kind === 'report' && exitStatusOfRun(entry.report) === 3);
	return exitStatus(addTallies([summarizeRuns(runs), ...(isEmpty ? [tallyOf('inconclusive')] : [])]));
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
/** Room for `✔ 6 passed` and more; the second where long names need what is left. */
const cellWidths = [20, 17] as const;

/** A table of all runs, a line per release and a column per back end; then in full what did not pass. */
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
		...(bad.length > 0 ? paragraph('What did not pass stands above in full.', {indent: 2, width: options.width, paint: paint.dim}) : []),
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

/** Pads by what is seen, for colours take no room. */
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

/** Entries by name and back end; a scenario of which all are meant by its name alone. */
function listOf(own: readonly RunEntry[], all: readonly RunEntry[]): readonly string[] {
	return [...new Set(own.map(entry => {
		const isWhole = entry.scenario !== undefined && all.every(other => nameOf(other) !== nameOf(entry) || own.includes(other));
		return isWhole ? nameOf(entry) : `${nameOf(entry)} ${entry.backend}`;
	}))];
}

/** Reasons and hints, each once with the runs that it is for. */
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
