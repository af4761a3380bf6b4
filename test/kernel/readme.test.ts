/** What README.md shows is played as it stands there. */

import {readFileSync} from 'node:fs';
import test from 'ava';
import {backends} from '../../src/netfilter/types.js';
import {credentialsOf} from '../../testbed/inputs/credentials.js';
import {runMany} from '../../testbed/run/run-many.js';
import {readScenario} from '../../testbed/inputs/scenarios.js';
import {optionsOf, outcomesOf} from './_run.js';

const readme = readFileSync('README.md', 'utf8');
const scenarios = [...readme.matchAll(/^```yaml\n(?<text>[\s\S]*?)^```$/gmu)].map(match => match.groups!['text']!).filter(text => /^probes:/mu.test(text));

test('README.md shows a scenario, and in it somebody who listens below port 1024 without being root', t => {
	t.is(scenarios.length, 1);
	t.regex(scenarios[0]!, /uid: [1-9]\d*, .*'udp:53'/u);
});

for (const text of scenarios) {
	test.serial(`the scenario of README.md passes on every back end: ${/^name: (?<name>.*)$/mu.exec(text)?.groups!['name'] ?? 'without a name'}`, async t => {
		const {plays, missing} = readScenario(text, {file: 'scenarios/readme.yaml', backends, credentialsOf: (intent, known) => credentialsOf({appUid: 1000}, intent, known)});
		t.deepEqual(missing, []);
		const entries = await runMany(plays.map(({rules, play}) => ({
			...optionsOf({rules}), families: [...new Set(play.cases.map(({probe}) => probe.family))], types: [], scenario: play,
		})), {jobs: 1});
		t.deepEqual(entries.map(({backend}) => backend), backends);
		for (const entry of entries) {
			const outcomes = entry.kind === 'report' ? outcomesOf(entry.report) : {[entry.kind]: entry.reason};
			t.true(Object.values(outcomes).length > 0);
			t.deepEqual(Object.values(outcomes).filter(outcome => outcome !== 'pass'), [], entry.backend);
		}
	});
}
