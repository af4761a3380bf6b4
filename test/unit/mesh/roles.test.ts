/** The role of a rule depends on its place and on the rules before it, however often it was asked for. */

import test from 'ava';
import {roleFinder, type RoleTable} from '../../../src/mesh/roles.js';
import {parseSave} from '../../../src/netfilter/iptables/save.js';
import type {Chain} from '../../../src/netfilter/types.js';

const known = {since: '1.0', until: null, source: 'a test'} as const;
const table: RoleTable<'first-return' | 'second-return' | 'mangle-return'> = {
	'first-return': {...known, purpose: 'It is the first.', patterns: [{in: ['nat OUTPUT'], rule: 'uid > return', notBehind: ['first-return']}]},
	'second-return': {...known, purpose: 'It is another one.', patterns: [{in: ['nat OUTPUT'], rule: 'uid > return', behind: ['first-return']}]},
	'mangle-return': {...known, purpose: 'It is in another table.', patterns: [{in: ['mangle OUTPUT'], rule: 'uid > return'}]},
};

function chainWith(...uids: readonly number[]): Chain {
	const [{chains} = {chains: []}] = parseSave(`*nat\n:OUTPUT ACCEPT [0:0]\n${uids.map(uid => `-A OUTPUT -m owner --uid-owner ${uid} -j RETURN\n`).join('')}COMMIT\n`, 'ipv4').tables;
	return chains.find(({name}) => name === 'OUTPUT')!;
}

test('the same rule has another role in another chain or table, also when asked for again', t => {
	const roleOf = roleFinder(table, {table: name => name, chain: (_, name) => name});
	const two = chainWith(1, 2);
	const [, second] = two.rules;
	const alone: Chain = {...two, rules: [second!]};
	for (let round = 0; round < 2; round++) {
		t.deepEqual(two.rules.map(rule => roleOf(rule, 'nat', two)), ['first-return', 'second-return']);
		t.is(roleOf(second!, 'nat', alone), 'first-return');
		t.is(roleOf(second!, 'mangle', two), 'mangle-return');
		t.is(roleOf(second!, 'filter', two), undefined);
		t.is(roleOf(second!, 'nat'), 'first-return');
	}
});
