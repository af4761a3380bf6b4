/**
Measures the page of one run (`--format html`), for `npm run bench`: how long it takes to write, and how long it is.
*/

import {performance} from 'node:perf_hooks';
import {defaultTypesOf} from '../../src/mesh/traffic-types.js';
import {printHtml} from '../../src/report/formats/html.js';
import {reportToJson} from '../../src/report/run/json.js';
import {resultsOfReport} from '../../src/report/run/results.js';
import {credentialsOf} from '../inputs/credentials.js';
import {loadRuleInput} from '../inputs/rules.js';
import {runTestbed} from '../run/run.js';
import {defaultBufferBytes} from '../tracer/trace-source.js';

const source = 'release:1.30';
const families = ['ipv4'] as const;
const rounds = 51;

/** Measures; returns what is to be printed. */
export async function measurePages(): Promise<readonly string[]> {
	const rules = loadRuleInput({source, families});
	const {report} = await runTestbed({
		rules,
		families,
		types: defaultTypesOf(rules.mesh.traffic),
		credentials: credentialsOf({}, rules.intent, rules),
		timeoutMs: 5000,
		traceBufferBytes: defaultBufferBytes,
		signal: new AbortController().signal,
		onProgress: () => undefined,
	});
	const times: number[] = [];
	let page = '';
	for (let round = 0; round < rounds; round++) {
		const start = performance.now();
		page = printHtml(resultsOfReport(report), {raw: JSON.stringify(reportToJson(report))});
		times.push(performance.now() - start);
	}

	const [first = Number.NaN] = times;
	const median = times.toSorted((one, other) => one - other)[Math.floor(rounds / 2)] ?? Number.NaN;
	return [
		`\nthe page of one run, ${source}, six types\n`,
		`  written for the first time, as a command does (target: 50 ms)   ${first.toFixed(1).padStart(6)} ms   of the run ${(first / report.durationMs).toFixed(2)}\n`,
		`  written again, median of ${rounds}                                  ${median.toFixed(1).padStart(6)} ms\n`,
		`  its length (target: 300 kB)                                     ${(page.length / 1000).toFixed(0).padStart(6)} kB\n`,
	];
}
