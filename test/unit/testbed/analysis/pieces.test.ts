/** Who sends the probes of which rule set: several sandboxes share one large rule set, unless it counts packets. */

import test from 'ava';
import {piecesOf} from '../../../../testbed/analysis/probe-classes.js';
import {loadRuleInput} from '../../../../testbed/inputs/rules.js';
import {busyJobs} from '../../../../testbed/system/worker-pool.js';

const usual = loadRuleInput({source: 'release:1.30', source6: undefined, families: ['ipv4']});
const counting = {...usual, ruleSet: {tables: usual.ruleSet.tables.map(table => ({...table, chains: table.chains.map(chain => ({...chain, rules: chain.rules.map(rule => ({...rule, matches: [{kind: 'opaque', text: '-m recent --set'} as const]}))}))}))}};

for (const [name, inputs, manyRules, expected] of [
	['none', [], 1, []],
	['a small one', [usual], 100, [[0, 0, 1]]],
	['a large one', [usual], 1, Array.from({length: busyJobs}, (_, part) => [0, part, busyJobs])],
	['a large one that counts', [counting], 1, [[0, 0, 1]]],
	['two large ones', [usual, usual], 1, [[0, 0, 1], [1, 0, 1]]],
] as const) {
	test(`pieces of ${name}`, t => {
		const pieces = piecesOf(inputs.map((input, place) => [place, input] as const), manyRules);
		t.deepEqual(pieces.map(({place, part, parts}) => [place, part, parts]), expected.map(each => [...each]));
		t.deepEqual(pieces.map(({number}) => number), [...pieces.keys()]);
	});
}
