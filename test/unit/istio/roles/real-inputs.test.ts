/** Roles of rules that users brought: of releases older than the generated ones, of ambient mode's older form, and of edited sets. */

import test from 'ava';
import {roleOf, roles, type Role} from '../../../../src/istio/roles/roles.js';
import {purposeOf} from '../../../../src/mesh/roles.js';
import {importRules} from '../../../../src/netfilter/import/import-rules.js';
import {rulesOf} from '../../../../src/netfilter/lookup.js';
import type {RuleSet} from '../../../../src/netfilter/types.js';
import {readFixture} from '../../../helpers/fixtures.js';

function readCase(file: string): RuleSet {
	return importRules(readFixture('cases', file).split('\n').filter(line => !/^(?:\$ |Defaulting )/u.test(line)).join('\n')).ruleSet;
}

function rolesIn(ruleSet: RuleSet, table: string, chain: string): ReadonlyArray<Role | undefined> {
	return [...rulesOf(ruleSet)].filter(({family, ...placed}) => family === 'ip' && placed.table === table && placed.chain.name === chain).map(placed => roleOf(placed.rule, placed.table, placed.chain));
}

function ofOutput(...rules: readonly string[]): ReadonlyArray<Role | undefined> {
	const lines = ['*nat', ':OUTPUT ACCEPT [0:0]', ':ISTIO_OUTPUT - [0:0]', ':ISTIO_REDIRECT - [0:0]', ':ISTIO_IN_REDIRECT - [0:0]', ...rules.map(rule => `-A ISTIO_OUTPUT ${rule}`), 'COMMIT', ''];
	return rolesIn(importRules(lines.join('\n')).ruleSet, 'nat', 'ISTIO_OUTPUT');
}

test('1.4: a hairpin rule for every user, and a bypass for the proxy\'s group', t => {
	t.deepEqual(rolesIn(readCase('15-chain-exists-1.4.log'), 'nat', 'ISTIO_OUTPUT'), ['passthrough-source', 'hairpin-any-owner', 'proxy-uid-bypass', 'proxy-gid-bypass', 'localhost-bypass', 'outbound-capture']);
});

test('1.1: the same, with one listener', t => {
	t.deepEqual(rolesIn(readCase('43-setx-1.1.log'), 'nat', 'ISTIO_OUTPUT'), ['hairpin-any-owner', 'proxy-uid-bypass', 'proxy-gid-bypass', 'localhost-bypass', 'outbound-capture']);
});

test('if a loopback range is included, the rules for lo are missing; the group with the user\'s number is the proxy\'s, another one is excluded', t => {
	t.deepEqual(ofOutput('-m owner --uid-owner 7 -j RETURN', '-m owner --gid-owner 7 -j RETURN', '-m owner --gid-owner 8 -j RETURN'), ['proxy-uid-bypass', 'proxy-gid-bypass', 'group-exclude']);
});

test('a group after the proxy\'s own rules for lo is an excluded one', t => {
	const own = ['! -d 127.0.0.1/32 -o lo -m owner --gid-owner 7 -j ISTIO_IN_REDIRECT', '-o lo -m owner ! --gid-owner 7 -j RETURN', '-m owner --gid-owner 7 -j RETURN'];
	t.deepEqual(ofOutput(...own, '-m owner --gid-owner 8 -j RETURN'), ['hairpin-by-gid', 'loopback-not-proxy-gid', 'proxy-gid-bypass', 'group-exclude']);
});

test('the role of a plain RETURN depends on what precedes it: ranges, owners, or nothing', t => {
	t.deepEqual(rolesIn(readCase('36-udp-dns-bad-51377.S'), 'nat', 'ISTIO_OUTPUT').slice(0, 3), ['proxy-uid-bypass', 'range-include', 'range-rest']);
	t.deepEqual(ofOutput('-m owner --uid-owner 7 -j RETURN', '-j RETURN', '-d 127.0.0.1/32 -j RETURN'), ['proxy-uid-bypass', 'group-include', 'localhost-bypass']);
	t.is(ofOutput('-j RETURN', '-m owner --uid-owner 7 -j RETURN')[0], undefined);
});

test('TPROXY of ambient mode is Istio\'s own', t => {
	const ruleSet = readCase('38-ambient-1.21-doc.txt');
	t.deepEqual([...rulesOf(ruleSet)].filter(({rule, table, chain}) => roleOf(rule, table, chain) === undefined), []);
	t.deepEqual(rolesIn(ruleSet, 'mangle', 'ISTIO_PRERT'), ['ambient-connection-mark', 'ambient-probe-inbound', 'ambient-tproxy-loopback', 'ambient-tproxy-tunnel', 'ambient-tproxy-established', 'ambient-tproxy-capture']);
});

for (const [ending, answer] of [['-s', /^Puts the answers of the real DNS servers into the zone of the proxy's queries\.$/u], ['-d', /zone of the proxy's queries\. It never has an effect: an answer comes from the server and goes to the pod/u]] as const) {
	test(`the zone of answers, selected by ${ending}`, t => {
		const text = readFixture('cases', '34b-dns-1.12.4.log').replaceAll(/(?<begin>-A PREROUTING -p udp --sport 53) -d /gu, `$<begin> ${ending} `);
		const answers = [...rulesOf(importRules(text).ruleSet)].filter(({rule, table, chain}) => roleOf(rule, table, chain) === 'dns-zone-answer');
		t.true(answers.length > 0);
		for (const {rule} of answers) {
			t.regex(purposeOf(roles['dns-zone-answer'], rule), answer);
		}
	});
}
