/** The rule that made the difference, by what happened to it. */

import test from 'ava';
import {type Cause, findCause} from '../../../src/comparison/cause.js';
import {diffRuleSets} from '../../../src/judge/rule-diff/rule-diff.js';
import type {RuleSet} from '../../../src/netfilter/types.js';
import {rulesOfRelease, rulesOfTable} from '../../helpers/class-sets.js';
import {compareSets} from '../../helpers/probe-results.js';
import {ofIstio} from '../../helpers/mesh.js';

const own = '-p tcp -m owner --uid-owner 1337 -j RETURN';
const rest = '-p tcp -o eth0 -j REDIRECT --to-ports 15001';
const web = '-p tcp -m tcp --dport 80 -j RETURN';
const nat = (...lines: readonly string[]): RuleSet => rulesOfTable('nat', lines.map(line => `-A OUTPUT ${line}`));
const redirect = '-d 10.100.3.0/24 -p tcp -j REDIRECT --to-ports 15001';
/** A chain that a jump leads to, with more rules for other packets. */
const inChain = (...lines: readonly string[]): RuleSet => rulesOfTable('nat', ['-A OUTPUT -p tcp -j OTHER', ...lines.map(line => `-A OTHER ${line}`), '-A OTHER -d 10.100.9.0/24 -j RETURN']);

const tables: ReadonlyArray<readonly [title: string, from: RuleSet, to: RuleSet, kind: Cause['kind'], text: string]> = [
	['a new rule', nat(own, rest), nat(own, web, rest), 'added', `OUTPUT#2 (${web}) is new`],
	['a rule that is gone', nat(own, web, rest), nat(own, rest), 'removed', `OUTPUT#2 (${web}) is gone`],
	['a rule that moved', nat(own, web, rest), nat(own, rest, web), 'moved', `${web} moved from #2 to #3 of OUTPUT`],
	['a rule that is gone from a chain to which others still lead', inChain(web, rest), inChain(rest), 'removed', `OTHER#1 (${web}) is gone`],
	['the only rule that matched there is gone', inChain(redirect), inChain(), 'removed', `OTHER#1 (${redirect}) is gone`],
	['the only rule that matches there is new', inChain(), inChain(redirect), 'added', `OTHER#1 (${redirect}) is new`],
	['a rule of a role that is new', rulesOfRelease('release:1.30'), rulesOfRelease('release:1.30 -o 9090'), 'added', 'ISTIO_OUTPUT#1 outbound-port-exclude is new'],
];

for (const [title, from, to, kind, text] of tables) {
	test(title, t => {
		const causes = compareSets(from, to).statements.map(({cause}) => cause);
		t.true(causes.length > 0);
		t.true(causes.some(cause => cause.kind === kind && cause.text === text), JSON.stringify(causes));
		for (const cause of causes) {
			t.is(cause.from === null && cause.to === null, cause.kind === 'not-found');
		}
	});
}

test('a value that changed is named from and to', t => {
	const causes = compareSets(rulesOfRelease('release:1.30'), rulesOfRelease('release:1.30 -p 15101')).statements.map(({cause}) => cause);
	t.true(causes.some(({kind, text}) => kind === 'changed' && text === 'ISTIO_REDIRECT#1 outbound-redirect changed: target redirect to 15001 → redirect to 15101'), JSON.stringify(causes));
});

test('if nothing that decided differs, the cause is unknown, and the text says so', t => {
	const ruleSet = ofIstio(nat(own, rest));
	const walked = {legs: [], ruleSet};
	t.deepEqual(findCause({
		from: walked, to: walked, diff: diffRuleSets({from: ruleSet, to: ruleSet}, ['ipv4']), family: 'ipv4',
	}), {
		kind: 'not-found', from: null, to: null, text: 'the same rules decided but acted differently',
	});
});
