import test from 'ava';
import {resultsOfRuns} from '../../../../src/report/run/results.js';
import {
	exitStatusOfRuns, printRunsText, runsToJson, summarizeRuns, type RunEntry,
} from '../../../../src/report/run/many.js';
import {compareWithGolden} from '../../../helpers/goldens.js';
import {deleteRule} from '../../../helpers/reports.js';
import {
	doubt, missing, mixed, rejected, reportEntry, runsOf, unplayable,
} from '../../../helpers/runs.js';

test('text: a table of all runs, in 80 columns, after what did not pass', t => {
	const text = printRunsText(mixed, {color: false, verbose: false, width: 80});
	compareWithGolden(t, 'text/many-runs.txt', text);
	t.true(text.split('\n').every(line => line.length <= 80));
});

test('text: a single table if everything passed, and a hint for all runs only once', t => {
	const hints = ['The same for all.'];
	compareWithGolden(t, 'text/many-runs-passed.txt', printRunsText(runsOf(...(['iptables-nft', 'iptables-legacy'] as const).flatMap(backend => ['1.10', '1.30'].map(release => reportEntry(release, backend, {hints})))), {color: false, verbose: false, width: 80}));
});

test('colors take no space in the table', t => {
	const [plain, colored] = [false, true].map(color => printRunsText(mixed, {color, verbose: false, width: 80}));
	// eslint-disable-next-line no-control-regex -- The colors of a terminal.
	t.is(colored?.replaceAll(/\u001B\[\d+m/gu, ''), plain);
	t.not(colored, plain);
});

test('json: each run as the document of a single one', t => {
	const {version, runs, summary, durationMs} = runsToJson(mixed) as {version: number; runs: ReadonlyArray<Record<string, unknown>>; summary: unknown; durationMs: number};
	t.is(version, 2);
	t.is(durationMs, 2345);
	t.deepEqual(summary, {passed: 8, failed: 2, inconclusive: 1});
	t.deepEqual(runs.map(run => Object.keys(run).includes('types')), [true, true, false, true, false]);
	t.deepEqual(runs[2], {rules: {source: 'release:all', release: '1.20', backend: 'nftables'}, unavailable: 'release 1.20 writes no native nftables rules.'});
	t.deepEqual(runs[4], {rules: {source: 'mine.rules', release: null, backend: 'iptables-nft'}, rejected: 'iptables-nft-restore rejected line 3.'});
});

const good = reportEntry('1.30', 'iptables-nft');
const failed = reportEntry('1.30', 'iptables-nft', {mutate: deleteRule('ISTIO_OUTPUT', 9), ids: ['2']});
const doubtful = reportEntry('1.30', 'iptables-nft', {tamper: doubt, ids: ['6']});

for (const [title, entries, code] of [
	['all passed', [good, good], 0],
	['one failed', [good, failed], 1],
	['one is in doubt', [good, doubtful], 3],
	['a failure goes before doubt', [doubtful, failed], 1],
	['a rejected set is a failure', [good, rejected], 1],
	['what is not available decides nothing', [good, missing], 0],
	['but alone it has shown nothing', [missing], 3],
	['what the machine could not play is a doubt', [good, unplayable], 3],
	['which a failure outweighs', [unplayable, rejected], 1],
	['and which nothing makes a success', [unplayable, missing], 3],
	['no run at all has shown nothing', [], 3],
] as ReadonlyArray<readonly [string, readonly RunEntry[], 0 | 1 | 3]>) {
	test(`exit status of many runs: ${title}`, t => {
		t.is(exitStatusOfRuns(runsOf(...entries)), code);
	});
}

test('a set that this machine could not run counts as one inconclusive result, with its reason, in every form', t => {
	const runs = runsOf(good, unplayable);
	t.deepEqual(summarizeRuns(runs), {passed: 6, failed: 0, inconclusive: 1});
	t.deepEqual((runsToJson(runs) as {runs: readonly unknown[]}).runs[1], {rules: {source: 'release:1.30', release: '1.30', backend: 'iptables-legacy'}, inconclusive: 'This machine cannot install what the rules need: the nat table. → modprobe iptable_nat'});
	const text = printRunsText(runs, {color: false, width: 80, verbose: false});
	t.regex(text, /\? inconclusive/u);
	t.regex(text, /modprobe iptable_nat/u);
	t.deepEqual(resultsOfRuns(runs).suites[1]!.cases.map(({outcome}) => outcome), [{kind: 'inconclusive', message: (unplayable as {reason: string}).reason, reasons: [(unplayable as {reason: string}).reason]}]);
});

test('a rejected set counts as one failure', t => {
	t.deepEqual(summarizeRuns(runsOf(good, rejected, missing)), {passed: 6, failed: 1, inconclusive: 0});
});
