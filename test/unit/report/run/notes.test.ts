/** A note on the rules (a release that is not known yet) stands in whatever a report is printed as. */

import test from 'ava';
import {mutantsOf} from '../../../../src/mutation/mutants.js';
import {coverageToJson, resultsOfCoverage} from '../../../../src/report/coverage/json.js';
import {printCoverage} from '../../../../src/report/coverage/text.js';
import type {CoverageReport} from '../../../../src/report/coverage/types.js';
import {comparisonToJson} from '../../../../src/report/comparison/json.js';
import {printComparison} from '../../../../src/report/comparison/text.js';
import type {ComparisonReport} from '../../../../src/report/comparison/types.js';
import {reportToJson} from '../../../../src/report/run/json.js';
import {printJunit} from '../../../../src/report/formats/junit.js';
import {printMarkdown} from '../../../../src/report/formats/markdown.js';
import {mutationToJson} from '../../../../src/report/mutation/json.js';
import {resultsOfMutation} from '../../../../src/report/mutation/results.js';
import {printMutation} from '../../../../src/report/mutation/text.js';
import type {MutationReport} from '../../../../src/report/mutation/types.js';
import type {Results} from '../../../../src/report/formats/results.js';
import {resultsOfComparisons} from '../../../../src/report/comparison/results.js';
import {resultsOfReport, resultsOfRuns} from '../../../../src/report/run/results.js';
import {resultsOfVerification} from '../../../../src/report/verification/results.js';
import {printRunsText, runsToJson, type RunEntry} from '../../../../src/report/run/many.js';
import {printTap} from '../../../../src/report/formats/tap.js';
import {printText} from '../../../../src/report/run/text.js';
import type {RulesSummary} from '../../../../src/report/shared-types.js';
import {verificationToJson} from '../../../../src/report/verification/json.js';
import {printVerification} from '../../../../src/report/verification/text.js';
import type {VerificationReport} from '../../../../src/report/verification/types.js';
import {plainIdentity, sketchReport} from '../../../helpers/reports.js';
import {runsOf} from '../../../helpers/runs.js';
import {ofIstio} from '../../../helpers/mesh.js';

const note = '1.33 is newer than the known releases: these are the rules of 1.31.';
const environment = {
	kernel: '6.18', iptables: '1.8.9', nft: '1.0.6', node: '20',
};
const options = {color: false, verbose: false, width: 80};

/** Some rule, and a fault in it. */
const mutant = mutantsOf(ofIstio(sketchReport({ids: ['2']}).ruleSet), ['ipv4']).mutants[0]!;

type Printed = {readonly text: string; readonly json: unknown; readonly results: Results};

/** What each report is printed as, with rules of these notes. */
const printers: Readonly<Record<string, (notes: readonly string[]) => Printed>> = {
	run(notes) {
		const sketch = sketchReport({ids: ['2']});
		const report = {...sketch, rules: {...sketch.rules, ...rulesWith(notes)}};
		return {text: printText(report, options), json: reportToJson(report), results: resultsOfReport(report)};
	},
	'many runs'(notes) {
		const sketch = sketchReport({ids: ['2']});
		const report = {...sketch, rules: {...sketch.rules, ...rulesWith(notes)}};
		const entry: RunEntry = {
			kind: 'report', source: report.rules.source, release: report.rules.release, backend: report.rules.backend, report,
		};
		const runs = runsOf(entry, {...entry, backend: 'nftables'});
		return {text: printRunsText(runs, options), json: runsToJson(runs), results: resultsOfRuns(runs)};
	},
	comparison(notes) {
		const report: ComparisonReport = {
			environment, from: rulesWith([]), to: rulesWith(notes), outcome: 'equal', families: [], statements: [], gaps: [], arePathsCompared: false, replayWith: {from: [], to: []}, hints: [], durationMs: 5,
		};
		return {text: printComparison(report, options), json: comparisonToJson(report), results: resultsOfComparisons([{name: 'a', reports: [report], missing: []}])};
	},
	mutation(notes) {
		const report: MutationReport = {
			environment, rules: rulesWith(notes), families: ['ipv4'], cases: [], results: [{mutant, mutantStatus: {kind: 'equivalent', classes: 1, probes: 1}, detections: new Map()}], places: new Map(), untouched: [], hints: [], durationMs: 5,
		};
		return {text: printMutation(report, options), json: mutationToJson(report), results: resultsOfMutation(report)};
	},
	coverage(notes) {
		const report: CoverageReport = {
			environment, rules: rulesWith(notes), families: ['ipv4'], cases: [], classes: 1, required: [], places: new Map(), examples: new Map(), gaps: [], hints: [], durationMs: 5, coverage: [{
				family: 'ip', place: 'PREROUTING#1', role: null, rule: mutant.rule, language: 'iptables', reach: {}, unreached: null,
			}],
		};
		return {text: printCoverage(report, options), json: coverageToJson(report), results: resultsOfCoverage(report)};
	},
	verification(notes) {
		const report: VerificationReport = {
			baseline: {file: 'b.json', rules: rulesWith([]), environment}, environment, rules: rulesWith(notes), areRolesCompared: true, families: [], statements: [], classes: [], cases: [], gaps: [], hints: [], durationMs: 5,
		};
		return {text: printVerification(report, options), json: verificationToJson(report), results: resultsOfVerification(report)};
	},
};

function rulesWith(notes: readonly string[]): RulesSummary {
	return {
		source: 'release:1.33', release: '1.31', backend: 'iptables-nft', identity: plainIdentity, sha256: '0123456789abcdef', notes,
	};
}

for (const [name, print] of Object.entries(printers)) {
	test(`${name}: the note is printed once in the text, in the JSON, and in the formats for machines`, t => {
		const {text, json, results} = print([note]);
		const plain = text.replaceAll(/\s+/gu, ' ');
		t.is(plain.split(note).length, 2, text);
		t.regex(plain, / note (?:all: )?1\.33 is newer/u);
		t.deepEqual(text.split('\n').filter(line => line.length > 80), []);
		t.true(JSON.stringify(json).includes(`"notes":["${note}"]`), JSON.stringify(json));
		t.true(printTap(results).includes(`# ${note}\n`), printTap(results));
		t.regex(printJunit(results), /<system-out>[^<]*1\.33 is newer than the known releases: these are the rules of 1\.31\.[^<]*<\/system-out>/u);
		t.true(printMarkdown(results).includes(`> <code>${note}</code>`), printMarkdown(results));
	});

	test(`${name}: without a note, none is printed`, t => {
		const {text, json, results} = print([]);
		t.false(text.includes('newer than'));
		t.notRegex(text, /^ *note\b/mu);
		t.true(JSON.stringify(json).includes('"notes":[]'));
		t.false([printTap(results), printJunit(results), printMarkdown(results)].join('').includes('newer than'));
	});
}
