import test from 'ava';
import {printGithub} from '../../../../src/report/formats/github.js';
import {printJunit} from '../../../../src/report/formats/junit.js';
import {printMarkdown} from '../../../../src/report/formats/markdown.js';
import {resultsOfReport, resultsOfRuns} from '../../../../src/report/run/results.js';
import {
	exitStatusOfResults, summarizeResults, type CaseOutcome, type Results, type ResultSuite,
} from '../../../../src/report/formats/results.js';
import {exitStatusOfRuns, summarizeRuns, type RunEntry} from '../../../../src/report/run/many.js';
import {printTap} from '../../../../src/report/formats/tap.js';
import type {Report} from '../../../../src/report/run/types.js';
import {compareWithGolden} from '../../../helpers/goldens.js';
import {observed} from '../../../helpers/observed.js';
import {deleteRule, sketchReport, type RunSketch} from '../../../helpers/reports.js';
import {
	doubt, missing, mixed, rejected, reportEntry, runsOf, unplayable,
} from '../../../helpers/runs.js';

const gap: NonNullable<RunSketch['tamper']> = ({path, loop}, {id}) => observed(path.legs, {loop, gaps: id === '6' ? [{kind: 'actor-ended', message: 'The proxy ended: "SIGKILL".'}] : []});

const printers = {
	tap: printTap, 'junit.xml': printJunit, md: printMarkdown, github: printGithub,
} as const;

function reportOf(): Report {
	const report = sketchReport({ids: ['1', '3', '4', '4b', '6'], mutate: deleteRule('ISTIO_OUTPUT', 2), tamper: gap});
	return {
		...report,
		hints: ['A hint.'],
		types: report.types.map(result => result.id === '4' ? {...result, place: {file: 'pods/mine.rules', line: 12}} : result),
	};
}

const documents: Readonly<Record<string, Results>> = {
	report: resultsOfReport(reportOf()),
	scenario: resultsOfReport({...sketchReport({ids: ['1']}), scenario: {name: 'mine', about: 'What I think of it | so far.'}}),
	'many-runs': resultsOfRuns(mixed),
	nothing: resultsOfReport(sketchReport({ids: []})),
};

for (const [name, results] of Object.entries(documents)) {
	for (const [kind, print] of Object.entries(printers)) {
		test(`${kind}: ${name}`, t => {
			compareWithGolden(t, `formats/${name}.${kind}`, print(results));
		});
	}
}

const good = reportEntry('1.30', 'iptables-nft');
const failed = reportEntry('1.30', 'nftables', {mutate: deleteRule('ISTIO_OUTPUT', 9), ids: ['2']});
const doubtful = reportEntry('1.20', 'iptables-nft', {tamper: doubt, ids: ['6']});
const lists: readonly RunEntry[][] = [[good, good], [good, failed], [good, doubtful], [doubtful, failed], [good, rejected], [good, unplayable], [unplayable], [good, missing], [missing], []];

for (const [index, entries] of lists.entries()) {
	test(`the outcome of a run for machines agrees with the exit status, ${index + 1}`, t => {
		const runs = runsOf(...entries);
		const results = resultsOfRuns(runs);
		t.is(exitStatusOfResults(results), exitStatusOfRuns(runs));
		const {inconclusive, ...others} = summarizeRuns(runs);
		t.like(summarizeResults(results), others);
		t.is(summarizeResults(results).inconclusive, entries.every(({kind}) => kind === 'unavailable') ? 1 : inconclusive);
	});
}

const passed: CaseOutcome = {kind: 'pass'};
const doubted: CaseOutcome = {kind: 'inconclusive', message: 'No.', reasons: []};

for (const [title, outcomes, code] of [
	['all passed', [passed, passed], 0],
	['a doubt', [passed, doubted], 3],
	['a failure goes before doubt', [doubted, {kind: 'fail', message: 'No.', reasons: []}], 1],
	['what is unavailable decides nothing', [passed, {kind: 'unavailable', message: 'No.'}], 0],
	['and alone shows nothing', [{kind: 'unavailable', message: 'No.'}], 3],
	['nothing at all', [], 3],
] as ReadonlyArray<readonly [string, readonly CaseOutcome[], 0 | 1 | 3]>) {
	test(`exit status ${code}: ${title}`, t => {
		const cases = outcomes.map((outcome, index) => ({name: String(index), outcome}));
		const suite: ResultSuite = {
			name: 'all', properties: {}, cases, durationMs: 1,
		};
		t.is(exitStatusOfResults({suites: [suite]}), code);
	});
}

for (const entries of [[], [missing]]) {
	test(`a document of ${entries.length === 0 ? 'nothing' : 'something impossible'} is not a success for any reader`, t => {
		const results = resultsOfRuns(runsOf(...entries));
		t.regex(printTap(results), /^not ok/mu);
		t.regex(printJunit(results), /<error /u);
		t.regex(printGithub(results), /^::warning /mu);
		t.regex(printMarkdown(results), /\? \*\*inconclusive\*\*/u);
	});
}
