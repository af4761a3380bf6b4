/** What a rule of nat makes of a packet's ends. What it does not tell is unknown, and never made up. */

import test from 'ava';
import {translationOf} from '../../../src/packet-classes/nat.js';
import type {Hook} from '../../../src/netfilter/types.js';
import {rulesOf} from '../../../src/netfilter/lookup.js';
import {rulesOfTable} from '../../helpers/class-sets.js';

const addresses = {ipv4: {chain: 0x0A_F4_01_0An, pod: '10.244.1.10'}, ipv6: {chain: 0x10n, pod: '::10'}} as const;

const tables: ReadonlyArray<readonly [target: string, hook: Hook, family: 'ipv4' | 'ipv6', expected: ReturnType<typeof translationOf>]> = [
	['REDIRECT --to-ports 15001', 'output', 'ipv4', {to: {address: '127.0.0.1', port: 15_001}}],
	['REDIRECT --to-ports 15001', 'output', 'ipv6', {to: {address: '::1', port: 15_001}}],
	['REDIRECT --to-ports 15006', 'prerouting', 'ipv4', {to: {address: '10.244.1.10', port: 15_006}}],
	['REDIRECT --to-ports 15006', 'prerouting', 'ipv6', {to: {address: '::10', port: 15_006}}],
	['REDIRECT --to-ports 15001-15003', 'output', 'ipv4', {to: 'unknown'}],
	['REDIRECT', 'output', 'ipv4', {to: 'unknown'}],
	['REDIRECT --to-ports 15001 --random', 'output', 'ipv4', {to: 'unknown'}],
	['DNAT --to-destination 192.0.2.1:53', 'output', 'ipv4', {to: {address: '192.0.2.1', port: 53}}],
	['DNAT --to-destination [2001:db8::1]:53', 'output', 'ipv6', {to: {address: '2001:db8::1', port: 53}}],
	['DNAT --to-destination 192.0.2.1', 'output', 'ipv4', {to: 'unknown'}],
	['DNAT --to-destination 192.0.2.1-192.0.2.9:53', 'output', 'ipv4', {to: 'unknown'}],
	['DNAT --to-destination 192.0.2.1:53-54', 'output', 'ipv4', {to: 'unknown'}],
	['DNAT --to-destination 192.0.2.1:53 --random', 'output', 'ipv4', {to: 'unknown'}],
	['SNAT --to-source 192.0.2.1', 'postrouting', 'ipv4', {from: 'unknown'}],
	['MASQUERADE', 'postrouting', 'ipv4', {from: 'unknown'}],
	['NETMAP --to 192.0.2.0/24', 'output', 'ipv4', {to: 'unknown'}],
	['LOG --log-prefix "DNAT"', 'output', 'ipv4', {}],
	['RETURN', 'output', 'ipv4', {}],
	['ACCEPT', 'output', 'ipv4', {}],
];

for (const [target, hook, family, expected] of tables) {
	test(`${target} in ${hook}, ${family}`, t => {
		const [placed] = rulesOf(rulesOfTable('nat', [`-A ${hook.toUpperCase()} -p tcp -j ${target}`], family));
		const {chain} = addresses[family];
		t.deepEqual(translationOf(placed!.rule.target, {hook}, {family, pod: {first: chain, last: chain}}), expected);
	});
}
