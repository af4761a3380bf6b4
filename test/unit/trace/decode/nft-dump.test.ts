/** Dumps of nf_tables, byte by byte: what is read, what is left out, and what is refused. test/kernel/nft-dump.test.ts compares them with nft's listing. */

import test from 'ava';
import {DumpError} from '../../../../src/trace/decode/in-place.js';
import {
	elementDumpRequest, OwnerDump, PairDump, RuleDump, ruleDumpRequest,
} from '../../../../src/trace/decode/nft-dump.js';
import {NetlinkFormatError} from '../../../../src/trace/decode/netlink.js';
import {
	attribute, bytes, general, message, text, uint32, uint64,
} from '../_bytes.js';

const [newRule, newElements] = [(10 << 8) | 6, (10 << 8) | 12];
const [done, error] = [3, 2];
const inTable = {more: {isDone: false, isInterrupted: false}, done: {isDone: true, isInterrupted: false}} as const;

const expression = (name: string, data: Uint8Array = bytes()) => attribute(1, bytes(attribute(1, text(name)), attribute(2, data)));
const counter = (packets: number) => expression('counter', bytes(attribute(1, uint64(9999)), attribute(2, uint64(packets))));

type RuleParts = {readonly family: number; readonly table: string; readonly chain: string; readonly handle: number; readonly expressions: readonly Uint8Array[]};

function ruleOf(parts: Partial<RuleParts> = {}): Uint8Array {
	const {family, table, chain, handle, expressions}: RuleParts = {
		family: 2, table: 'nat', chain: 'OUTPUT', handle: 4, expressions: [counter(3)], ...parts,
	};
	const place = bytes(attribute(1, text(table)), attribute(2, text(chain)), attribute(3, uint64(handle)));
	return message(newRule, bytes(general(family), place, attribute(4, bytes(...expressions)), attribute(7, bytes(1, 2, 3))));
}

const end = message(done, bytes(uint32(0)));

test('rules with their places, handles and first counters', t => {
	const reader = new RuleDump(['own']);
	const several = ruleOf({handle: 5, expressions: [expression('payload'), counter(7), counter(8)]});
	const named = ruleOf({chain: 'OTHER', handle: 6, expressions: [expression('objref', attribute(1, text('counter')))]});
	t.deepEqual(reader.add(bytes(ruleOf(), several, named, ruleOf({table: 'own', handle: 7}), ruleOf({family: 7, handle: 8}))), inTable.more);
	t.deepEqual(reader.add(bytes(ruleOf({family: 10, handle: 9, expressions: []}), ruleOf({handle: 10}), ruleOf({family: 1, table: 'native', chain: 'out', handle: 11}), end)), inTable.done);
	t.deepEqual(reader.rules.map(({family, table, chain, number, handle, packets}) => `${family} ${table} ${chain}#${number} ${handle} ${packets}`), [
		'ip nat OUTPUT#1 4 3', 'ip nat OUTPUT#2 5 7', 'ip nat OTHER#1 6 undefined', 'ip6 nat OUTPUT#1 9 undefined', 'ip nat OUTPUT#3 10 3', 'inet native out#1 11 3',
	]);
});

test('a set of counted pairs', t => {
	const little = (value: number) => uint32(value).toReversed();
	const element = (uid: number, gid: number, counted: Uint8Array) => attribute(1, bytes(attribute(1, attribute(1, bytes(little(uid), little(gid)))), attribute(3, uint32(0)), counted));
	const reader = new PairDump();
	const old = attribute(7, bytes(attribute(1, text('counter')), attribute(2, bytes(attribute(1, uint64(1)), attribute(2, uint64(5))))));
	t.deepEqual(reader.add(bytes(message(newElements, bytes(general(1), attribute(1, text('own')), attribute(2, text('owners')), attribute(3, bytes(element(1000, 4_000_000_000, old), element(0, 0, attribute(11, counter(6))))))), end)), inTable.done);
	t.deepEqual([...reader.counts], [['1000:4000000000', 5], ['0:0', 6]]);
	for (const wrong of [attribute(1, attribute(1, attribute(1, bytes(little(1), little(1))))), attribute(1, old)]) {
		t.throws(() => new PairDump().add(message(newElements, bytes(general(1), attribute(3, wrong)))), {instanceOf: NetlinkFormatError, message: 'An element of a set lacks its key or its counter.'});
	}
});

const ends = {ipv4: {from: '10.244.1.10', to: '10.96.1.10', bytes: [bytes(10, 244, 1, 10), bytes(10, 96, 1, 10)]}, ipv6: {from: '2001:db8::1', to: 'fe80::2', bytes: [bytes(0x20, 1, 0x0D, 0xB8, new Uint8Array(11), 1), bytes(0xFE, 0x80, new Uint8Array(13), 2)]}} as const;

/** The key of an element of a set of owners: each part but an address of IPv6 has four bytes. */
function ownerKey({family, more = bytes()}: {readonly family: keyof typeof ends; readonly more?: Uint8Array}): Uint8Array {
	const [from, to] = ends[family].bytes;
	return attribute(1, bytes(from, 0xC3, 0x50, 0, 0, to, 0x1F, 0x90, 0, 0, uint32(4_000_000_000).toReversed(), more));
}

test('a set of owners', t => {
	const datagram = (...keys: readonly Uint8Array[]) => message(newElements, bytes(general(1), attribute(1, text('own')), attribute(3, bytes(...keys.map(key => attribute(1, bytes(attribute(1, key), attribute(3, uint32(0)))))))));
	for (const family of ['ipv4', 'ipv6'] as const) {
		const set = {family, protocol: 'udp', of: 'gid'} as const;
		const reader = new OwnerDump(set);
		t.deepEqual(reader.add(datagram(ownerKey({family}), ownerKey({family}))), inTable.more);
		t.deepEqual(reader.add(bytes(datagram(), end)), inTable.done);
		const record = {...set, from: {address: ends[family].from, port: 50_000}, to: {address: ends[family].to, port: 8080}, number: 4_000_000_000};
		t.deepEqual(reader.records, [record, record]);
	}

	for (const wrong of [ownerKey({family: 'ipv6'}), ownerKey({family: 'ipv4', more: bytes(0, 0, 0, 0)}), attribute(2, bytes(0))]) {
		t.throws(() => new OwnerDump({family: 'ipv4', protocol: 'tcp', of: 'uid'}).add(datagram(wrong)), {instanceOf: NetlinkFormatError, message: 'An element of a set of owners has a key of another form.'});
	}
});

test('an interrupted dump, an error, and broken framing', t => {
	t.deepEqual(new RuleDump([]).add(message(newRule, ruleOf().slice(16), {flags: 0x10})), {isDone: false, isInterrupted: true});
	t.deepEqual(new RuleDump([]).add(bytes(ruleOf(), message(done, uint32(0), {flags: 0x10}))), {isDone: true, isInterrupted: true});
	const refused = t.throws(() => new RuleDump([]).add(message(error, bytes(0xFF, 0xFF, 0xFF, 0xFF, new Uint8Array(16)))), {instanceOf: DumpError});
	t.is(refused.errorNumber, 1);
	t.throws(() => new RuleDump([]).add(ruleOf().slice(0, 40)), {instanceOf: NetlinkFormatError});
	t.throws(() => new RuleDump([]).add(message(newRule, bytes(general(2), attribute(1, text('nat'), {length: 200})))), {instanceOf: NetlinkFormatError});
	t.throws(() => new RuleDump([]).add(message(newRule, bytes(general(2), attribute(1, text('nat')), attribute(2, text('OUTPUT'))))), {instanceOf: NetlinkFormatError, message: 'A rule of nf_tables lacks its table, chain or handle.'});
});

test('the requests', t => {
	t.deepEqual([...ruleDumpRequest()], [20, 0, 0, 0, 7, 10, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
	t.deepEqual([...elementDumpRequest({table: 'own', set: 'pairs'})].slice(4), [13, 10, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 8, 0, 1, 0, 111, 119, 110, 0, 10, 0, 2, 0, 112, 97, 105, 114, 115, 0, 0, 0]);
});
