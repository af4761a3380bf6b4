import test from 'ava';
import {normalizeReport} from '../../../src/sharding/normalize.js';

const changes: ReadonlyArray<readonly [before: string, after: string]> = [
	['"durationMs": 467', '"durationMs": 0'],
	['&quot;durationMs&quot;:29704.5,', '&quot;durationMs&quot;:0,'],
	['<testcase name="x" time="1.234">', '<testcase name="x" time="0.000">'],
	['6 passed in 467 ms', '6 passed in 0 ms'],
	['6 passed in 12.3 s', '6 passed in 0 ms'],
	['Equal: every packet class takes the same path.\n  (1467 ms)', 'Equal: every packet class takes the same path. (0 ms)'],
	['"port": 43210', '"port": 00000'],
	['10.244.1.20:43210 → 10.96.0.1:443', '10.244.1.20:00000 → 10.96.0.1:443'],
	['[2001:db8::1]:60999', '[2001:db8::1]:00000'],
	['the source port is 32768', 'the source port is 00000'],
];
for (const [before, after] of changes) {
	test(`${JSON.stringify(before)} is normalized`, t => {
		t.is(normalizeReport(before), after);
	});
}

for (const text of ['"port": 15001', '10.96.0.1:8080', '"port": 61000', '"port": 32767', '10.0.0.1:432100', '--timeout 5000', '"classes": 43210', 'in 3 steps', '"sha256": "0911028191a8"', 'uid 40000']) {
	test(`${text} stays`, t => {
		t.is(normalizeReport(text), text);
	});
}
