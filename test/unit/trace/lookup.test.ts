import test from 'ava';
import {extensionTargets} from '../../../src/netfilter/built-in.js';
import {parseSave} from '../../../src/netfilter/iptables/save.js';
import type {Target, Verdict} from '../../../src/netfilter/types.js';
import {createLookup, finalVerdict} from '../../../src/trace/lookup.js';

const extension = (name: string): Target => ({kind: 'extension', name, options: ''});

const targets: ReadonlyArray<readonly [title: string, target: Target, verdict: Verdict | undefined]> = [
	['ACCEPT', {kind: 'verdict', verdict: 'accept'}, 'accept'],
	['DROP', {kind: 'verdict', verdict: 'drop'}, 'drop'],
	['QUEUE', {kind: 'verdict', verdict: 'queue'}, 'queue'],
	['RETURN, which leads back', {kind: 'verdict', verdict: 'return'}, undefined],
	['a jump', {kind: 'jump', chain: 'A'}, undefined],
	['a goto', {kind: 'goto', chain: 'A'}, undefined],
	['no target', {kind: 'none'}, undefined],
	['REDIRECT', {kind: 'redirect', toPorts: {from: 15_001, to: 15_001}}, 'accept'],
	['TPROXY', {
		kind: 'tproxy', onPort: 15_006, mark: 1337, mask: 0xFF_FF_FF_FF,
	}, 'accept'],
	['DNAT', extension('DNAT'), 'accept'],
	['MASQUERADE', extension('MASQUERADE'), 'accept'],
	['NETMAP', extension('NETMAP'), 'accept'],
	['SNAT', extension('SNAT'), 'accept'],
	['NFQUEUE', extension('NFQUEUE'), 'queue'],
	['REJECT', extension('REJECT'), 'drop'],
	['SYNPROXY', extension('SYNPROXY'), 'drop'],
	['MARK', extension('MARK'), undefined],
	['CONNMARK', extension('CONNMARK'), undefined],
	['CT', extension('CT'), undefined],
	['LOG', extension('LOG'), undefined],
	['NFLOG', extension('NFLOG'), undefined],
	['TRACE', extension('TRACE'), undefined],
	['a target of which nobody has heard', extension('SOMETHING'), undefined],
];

for (const [title, target, verdict] of targets) {
	test(`whether a target ends the path through a base chain: ${title}`, t => {
		t.is(finalVerdict(target), verdict);
	});
}

test('of all extensions, only those that end the path do so', t => {
	t.deepEqual([...extensionTargets].filter(name => finalVerdict(extension(name)) !== undefined).toSorted(), ['DNAT', 'MASQUERADE', 'NETMAP', 'NFQUEUE', 'REJECT', 'SNAT', 'SYNPROXY']);
});

const ruleSet = {
	tables: [
		...parseSave('*nat\n:OUTPUT ACCEPT [0:0]\n-N A\n-A OUTPUT -j A\n-A A -j RETURN\n-A A -p tcp -j REDIRECT --to-ports 15001\nCOMMIT', 'ipv4').tables,
		...parseSave('*nat\n:OUTPUT DROP [0:0]\n-A OUTPUT -j ACCEPT\nCOMMIT', 'ipv6').tables,
	],
};
const lookup = createLookup({
	ruleSet,
	loaded: [
		{
			family: 'ip', table: 'nat', chain: 'OUTPUT', number: 1, handle: 9, packets: 0,
		},
		{
			family: 'ip', table: 'nat', chain: 'A', number: 2, handle: 7, packets: 0,
		},
		{
			family: 'ip', table: 'nat', chain: 'A', number: 3, handle: 8, packets: 0,
		},
		{
			family: 'ip6', table: 'nat', chain: 'OUTPUT', number: 1, handle: undefined, packets: 0,
		},
	],
	interfaces: new Map([[1, 'lo'], [2, 'eth0']]),
	traceTable: 'switch',
});

test('a rule by its number: its text, and how it ends the path', t => {
	const at = (chain: string, number: number, family: 'ip' | 'ip6' = 'ip') => lookup.ruleByNumber({
		family, table: 'nat', chain, number,
	});
	t.deepEqual(at('A', 2), {number: 2, text: '-p tcp -j REDIRECT --to-ports 15001', final: 'accept'});
	t.deepEqual(at('A', 1), {number: 1, text: '-j RETURN', final: undefined});
	t.is(at('A', 3), undefined);
	t.is(at('B', 1), undefined);
	t.is(at('A', 1, 'ip6'), undefined);
});

test('the number after the last rule of a built-in chain is its policy', t => {
	t.deepEqual(lookup.ruleByNumber({
		family: 'ip', table: 'nat', chain: 'OUTPUT', number: 2,
	}), {number: 2, text: 'ACCEPT', final: 'accept', isPolicy: true});
	t.deepEqual(lookup.ruleByNumber({
		family: 'ip6', table: 'nat', chain: 'OUTPUT', number: 2,
	}), {number: 2, text: 'DROP', final: 'drop', isPolicy: true});
});

test('a rule by its handle, which is not a number', t => {
	const at = (handle: number, chain = 'A') => lookup.ruleByHandle({
		family: 'ip', table: 'nat', chain, handle,
	})?.number;
	t.is(at(7), 2);
	t.is(at(2), undefined);
	t.is(at(9), undefined);
	t.is(at(9, 'OUTPUT'), 1);
	t.is(at(8), undefined, 'the kernel holds a rule that the set does not');
});

test('interfaces have names', t => {
	t.deepEqual([0, 1, 2, 3].map(index => lookup.interfaceName(index)), [undefined, 'lo', 'eth0', undefined]);
	t.is(lookup.traceTable, 'switch');
});
