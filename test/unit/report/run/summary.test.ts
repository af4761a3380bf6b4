import test from 'ava';
import {exitStatusOfRun, summarize} from '../../../../src/report/run/summary.js';
import {observed} from '../../../helpers/observed.js';
import {deleteRule, sketchReport, type RunSketch} from '../../../helpers/reports.js';

const gap: RunSketch['tamper'] = ({path, loop}, {id}) => observed(path.legs, {loop, gaps: id === '6' ? [{kind: 'actor-ended', message: 'The proxy ended: "SIGKILL".'}] : []});

for (const [title, sketch, code, counts] of [
	['all passed', {}, 0, [6, 0, 0]],
	['something failed', {mutate: deleteRule('ISTIO_OUTPUT', 9)}, 1, [4, 2, 0]],
	['something is inconclusive', {tamper: gap}, 3, [5, 0, 1]],
	['a failure goes before doubt', {mutate: deleteRule('ISTIO_OUTPUT', 9), tamper: gap}, 1, [3, 2, 1]],
	['nothing was run', {ids: []}, 3, [0, 0, 0]],
] as ReadonlyArray<readonly [string, RunSketch, 0 | 1 | 3, readonly [number, number, number]]>) {
	test(`exit status ${code}: ${title}`, t => {
		const report = sketchReport(sketch);
		const {passed, failed, inconclusive} = summarize(report);
		t.is(exitStatusOfRun(report), code);
		t.deepEqual([passed, failed, inconclusive], [...counts]);
	});
}
