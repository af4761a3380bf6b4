/** Which programs are the same: only those that a walk cannot tell apart. */

import test from 'ava';
import {firstAlike} from '../../../src/packet-classes/same-program.js';
import type {Program} from '../../../src/packet-classes/symbolic-walk.js';
import {programsOf, rulesOfRelease, rulesOfTable} from '../../helpers/class-sets.js';

const lines = ['-A OUTPUT -p tcp -m tcp --dport 80 -j RETURN', '-A OUTPUT -p tcp -j REDIRECT --to-ports 15001'];
const [program] = programsOf(rulesOfTable('nat', lines)) as [Program];
const {ruleSet: {tables: [table]}} = program;

const others: ReadonlyArray<readonly [what: string, other: Program]> = [
	['another order', programsOf(rulesOfTable('nat', lines.toReversed()))[0]!],
	['another port', programsOf(rulesOfTable('nat', [lines[0]!, lines[1]!.replace('15001', '15002')]))[0]!],
	['a rule less', programsOf(rulesOfTable('nat', lines.slice(1)))[0]!],
	['another spelling, which reports show', programsOf(rulesOfTable('nat', [lines[0]!.replace('-m tcp ', ''), lines[1]!]))[0]!],
	['another table', programsOf(rulesOfTable('mangle', lines.slice(0, 1)))[0]!],
	['another policy', {...program, ruleSet: {tables: [{...table!, chains: table!.chains.map(chain => ({...chain, policy: chain.policy === undefined ? undefined : 'DROP' as const}))}]}}],
	['another family', {...program, ruleSet: {tables: [{...table!, family: 'ip6'}]}}],
	['a mark of its own', {...program, localMarks: [{mark: 1, mask: 1}]}],
	['a table more', {...program, ruleSet: {tables: [table!, ...rulesOfTable('mangle', lines.slice(0, 1)).tables]}}],
	['other fields under the same text', {...program, ruleSet: {tables: [{...table!, chains: table!.chains.map(chain => ({...chain, rules: chain.rules.map(rule => ({...rule, matches: []}))}))}]}}],
];

test('copies of the same rules are the same', t => {
	t.deepEqual(firstAlike(programsOf(rulesOfTable('nat', lines), rulesOfTable('nat', lines), rulesOfTable('nat', lines))), [0, 0, 0]);
	t.deepEqual(firstAlike([program, {localMarks: [], ruleSet: structuredClone(program.ruleSet)}]), [0, 0]);
	t.deepEqual(firstAlike(programsOf(rulesOfRelease('release:1.30'), rulesOfRelease('release:1.20'), rulesOfRelease('release:1.30'))), [0, 1, 0]);
	t.deepEqual(firstAlike([]), []);
});

for (const [what, other] of others) {
	test(`${what}: not the same`, t => {
		t.deepEqual(firstAlike([program, other, program, other]), [0, 1, 0, 1]);
	});
}
