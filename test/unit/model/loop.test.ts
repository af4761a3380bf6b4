/** When a flow is a loop: the kernel has done the same twice with the same packets. Everything that could make the next round differ keeps it open. */

import test from 'ava';
import {isRoundRepeated, treatsAlike, type FlowLeg} from '../../../src/model/loop.js';
import type {NextLeg} from '../../../src/model/stub.js';
import {rulesOfRelease, rulesOfTable} from '../../helpers/class-sets.js';

const to = {address: '192.0.2.1', port: 80};
const sent: NextLeg = {
	from: 'pod', actor: 'proxy', uid: 1337, gid: 1337, protocol: 'tcp', to,
};

function leg({stop = 'proxy:15001', number = 1, handle = 7, change = {}}: {readonly stop?: string; readonly number?: number; readonly handle?: number; readonly change?: Partial<NextLeg>} = {}): FlowLeg {
	return {
		sent: {...sent, ...change},
		leg: {
			end: {kind: 'accepted', stop},
			deliveredTo: {address: '127.0.0.1', port: 15_001},
			traversals: [{
				hook: 'output', family: 'ip', table: 'nat', chain: 'OUTPUT', hits: [{
					family: 'ip', table: 'nat', chain: 'OUTPUT', number, handle, text: '', verdict: 'accept',
				}], end: {by: 'rule', verdict: 'accept'}, inInterface: undefined, outInterface: 'eth0', source: {address: '10.244.1.10', port: Math.floor(1024 + (number * 100))}, destination: to,
			}],
		},
	};
}

const app = leg({change: {uid: 1000, gid: 1000}});
const one = leg();
const other = leg({stop: 'proxy:15006', change: {source: '127.0.0.6'}});

const rows: ReadonlyArray<readonly [what: string, flow: readonly FlowLeg[], expected: boolean]> = [
	['no leg', [], false],
	['one leg', [one], false],
	['the app\'s and the proxy\'s leg', [app, one], false],
	['the proxy\'s leg twice', [app, one, leg()], true],
	['two legs in turn, once', [app, one, other], false],
	['two legs in turn, and the first again', [app, one, other, one], false],
	['two legs in turn, twice', [app, one, other, one, other], true],
	['the other leg in between', [app, one, other, other, one], false],
	['another rule', [app, one, leg({number: 2})], false],
	['another handle', [app, one, leg({handle: 8})], false],
	['another listener', [app, one, leg({stop: 'proxy:15006'})], false],
	['another mark', [app, one, leg({change: {mark: 1337}})], false],
	['another source', [app, one, leg({change: {source: '127.0.0.6'}})], false],
	['another destination', [app, one, leg({change: {to: {...to, port: 81}}})], false],
	['another device', [app, one, leg({change: {bindDevice: 'eth0'}})], false],
	['not accepted', [app, ...[1, 2].map((): FlowLeg => ({...one, leg: {...one.leg, end: {kind: 'refused'}}}))], false],
	['delivered elsewhere', [app, one, {...one, leg: {...one.leg, deliveredTo: {address: '127.0.0.2', port: 15_001}}}], false],
	['one chain more', [app, one, {...one, leg: {...one.leg, traversals: [...one.leg.traversals, ...one.leg.traversals]}}], false],
];

for (const [what, flow, expected] of rows) {
	test(`${what}: ${expected ? 'a loop' : 'not a loop yet'}`, t => {
		t.is(isRoundRepeated(flow), expected);
	});
}

test('rules that may count packets, or see a port that the kernel chooses, may treat equal packets differently', t => {
	t.true(treatsAlike(rulesOfRelease('release:1.30')));
	t.true(treatsAlike(rulesOfRelease('release:1.30 -m TPROXY --redirect-dns')));
	t.true(treatsAlike(rulesOfTable('nat', ['-A OUTPUT -p tcp -m tcp --sport 1024:65535 -j RETURN', '-A OUTPUT -p tcp -m multiport --sports 53,32767,61000 -j RETURN'])));
	t.true(treatsAlike(rulesOfTable('nat', ['-A OUTPUT -p tcp -m comment --comment "x" -m multiport --dports 80,443 -j RETURN'])));
	for (const rule of ['-p tcp -m statistic --mode nth --every 3 --packet 0 -j ACCEPT', '-p tcp -m limit --limit 1/sec -j ACCEPT', '-p tcp -m quota --quota 10 -j ACCEPT', '-p tcp -j DNAT --to-destination 10.0.0.1-10.0.0.9', '-p tcp -m tcp --sport 40000:50000 -j ACCEPT', '-p tcp -m multiport --sports 53,60999 -j ACCEPT', '-p tcp -m tcp --sport 33000:65535 -j ACCEPT']) {
		t.false(treatsAlike(rulesOfTable('nat', [`-A OUTPUT ${rule}`])), rule);
	}
});
