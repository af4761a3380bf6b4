/** Fields are cut where some rule begins or ceases to match, and nowhere else. */

import test from 'ava';
import {printAddress} from '../../../src/netfilter/address.js';
import {
	divideFields, intervalOf, fieldNames, type FieldName, type Fields,
} from '../../../src/packet-classes/fields.js';
import {printValue} from '../../../src/packet-classes/values.js';
import {rulesOfTable} from '../../helpers/class-sets.js';

function fieldsOf(lines: readonly string[], table: 'nat' | 'mangle' = 'nat'): Fields {
	return divideFields([rulesOfTable(table, lines.map(line => `-A OUTPUT ${line}`))], {family: 'ipv4', ranges: [], routed: []});
}

function printIntervals({intervals}: Fields, name: FieldName): readonly string[] {
	return intervals[name].map(({first, last}) => {
		const [one, other] = name === 'source' || name === 'destination' ? [first, last].map(value => printAddress({family: 'ipv4', value})) : [String(first), String(last)];
		return one === other ? one! : `${one}-${other}`;
	});
}

const tables: ReadonlyArray<readonly [line: string, name: FieldName, expected: readonly string[]]> = [
	['-p tcp', 'protocol', ['0', '1']],
	['-p icmp', 'protocol', ['0', '1', '2']],
	['-d 10.0.0.0/8', 'destination', ['0.0.0.0-9.255.255.255', '10.0.0.0-10.255.255.255', '11.0.0.0-255.255.255.255']],
	['! -s 255.255.255.255/32', 'source', ['0.0.0.0-255.255.255.254', '255.255.255.255']],
	['-p tcp -m tcp --dport 53', 'destination-port', ['1-52', '53', '54-65535']],
	['-p tcp -m tcp --dport 0:1', 'destination-port', ['1', '2-65535']],
	['-p udp -m udp ! --sport 9000:65535', 'source-port', ['1-8999', '9000-65535']],
	['-p tcp -m multiport --dports 22,23,80:90', 'destination-port', ['1-21', '22', '23', '24-79', '80-90', '91-65535']],
	['-m owner --uid-owner 1337', 'uid', ['0-1336', '1337', '1338-4294967294']],
	['-m owner ! --gid-owner 0-999', 'gid', ['0-999', '1000-4294967294']],
	['-m conntrack --ctstate INVALID', 'uid', ['0', '1-4294967294']],
	['-m mark --mark 0x539', 'mark', ['0', '1337']],
];

for (const [line, name, expected] of tables) {
	test(`${name}: ${line}`, t => {
		const fields = fieldsOf([line]);
		t.deepEqual(printIntervals(fields, name), expected);
		const others = fieldNames.filter(other => other !== name && other !== 'protocol' && other !== 'packet');
		t.true(others.every(other => fields.intervals[other].length === 1), 'no other field is cut');
	});
}

test('rules of the other family cut nothing', t => {
	const {intervals} = divideFields([rulesOfTable('nat', ['-A OUTPUT -p tcp -m tcp --dport 53 -j RETURN'], 'ipv6')], {family: 'ipv4', ranges: [], routed: []});
	t.is(intervals['destination-port'].length, 1);
});

test('a value is found in its cut, and none beyond the domain', t => {
	const {intervals} = fieldsOf(['-p tcp -m tcp --dport 53']);
	t.deepEqual([1n, 52n, 53n, 54n, 65_535n].map(value => intervalOf(intervals['destination-port'], value)), [0, 0, 1, 2, 2]);
	t.is(intervalOf(intervals['destination-port'], 0n), undefined);
	t.is(intervalOf(intervals['destination-port'], 65_536n), undefined);
});

test('only a question for the state makes invalid packets matter', t => {
	t.true(fieldsOf(['-m conntrack --ctstate INVALID']).asksForState);
	t.false(fieldsOf(['-p tcp']).asksForState);
});

test('values as text', t => {
	const fields = fieldsOf(['-p icmp']);
	const printed = ([['source', 1n], ['protocol', 0n], ['protocol', 2n], ['protocol', 9n], ['packet', 1n], ['packet', 7n], ['mark', 0x5_39n], ['uid', 7n]] as const).map(([name, value]) => printValue(fields, name, value));
	t.deepEqual(printed, ['0.0.0.1', 'tcp', 'icmp', '9', 'invalid', '7', '0x539', '7']);
});
