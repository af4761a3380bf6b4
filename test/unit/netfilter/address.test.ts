import test from 'ava';
import fastCheck from 'fast-check';
import IpCidr from 'ip-cidr';
import {
	addressBytes, contains, familyOfAddress, hasMaskWithHoles, isLoopback, overlap, parseAddress, parseRange, printAddress, printAddressBytes, printRange, shortAddress,
} from '../../../src/netfilter/address.js';

const ipv4 = fastCheck.ipV4();
// Groups only: ip-cidr 4.0.2 reads an embedded IPv4 address in a CIDR wrongly (it takes a::17.255.223.40/5 to begin at ::11ff:df28).
const ipv6 = fastCheck.ipV6().filter(text => !text.includes('.'));
const cidr4 = fastCheck.tuple(ipv4, fastCheck.integer({min: 0, max: 32})).map(([address, length]) => `${address}/${length}`);
const cidr6 = fastCheck.tuple(ipv6, fastCheck.integer({min: 0, max: 128})).map(([address, length]) => `${address}/${length}`);

test('reads and prints IPv4 addresses', t => {
	t.deepEqual(parseAddress('127.0.0.6'), {family: 'ipv4', value: 0x7F_00_00_06n});
	t.is(printAddress({family: 'ipv4', value: 0x0A_F4_01_0An}), '10.244.1.10');
});

for (const text of ['', '1.2.3', '1.2.3.4.5', '010.0.0.1', '256.0.0.1', '1.2.3.-4', '1.2.3.4 ', '0x7f.0.0.1', ':', ':::', '1::2::3', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1:2:3:4:5:6:7::8', '12345::', 'fe80::1%eth0', '1.2.3.4::', '::1.2.3', 'localhost']) {
	test(`refuses the address "${text}"`, t => {
		t.is(parseAddress(text), undefined);
	});
}

for (const [text, short] of [
	['2001:DB8:0:0::1', '2001:db8::1'],
	['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
	['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
	['0:0:0:0:0:0:0:0', '::'],
	['::0006', '::6'],
	['1:0:0:0:0:0:0:0', '1::'],
	['::ffff:1.2.3.4', '::ffff:1.2.3.4'],
	['::FFFF:102:304', '::ffff:1.2.3.4'],
] as const) {
	test(`${text} is ${short} in its short form`, t => {
		t.is(shortAddress(text), short);
	});
}

test('an address of another family than requested is refused', t => {
	t.is(parseAddress('::1', 'ipv4'), undefined);
	t.is(parseRange('10.0.0.0/8', 'ipv6'), undefined);
	t.is(familyOfAddress('10.0.0.0/8'), 'ipv4');
	t.is(familyOfAddress('::/0'), 'ipv6');
	t.is(familyOfAddress('eth0'), undefined);
});

for (const text of ['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0.0/08', '10.0.0.0/255.0.255.0', '::/129', '::/ffff::', '/8']) {
	test(`refuses the range "${text}"`, t => {
		t.is(parseRange(text), undefined);
	});
}

test('a netmask of leading ones is a prefix; one with holes is something else', t => {
	t.deepEqual(parseRange('10.1.2.3/255.0.0.0'), parseRange('10.0.0.0/8'));
	t.true(hasMaskWithHoles('10.0.0.0/255.0.255.0'));
	t.false(hasMaskWithHoles('10.0.0.0/255.0.0.0'));
});

test('ranges of two families do not overlap', t => {
	const all4 = parseRange('0.0.0.0/0');
	const all6 = parseRange('::/0');
	t.truthy(all4 && all6 && !contains(all4, all6) && !contains(all6, all4) && !overlap(all4, all6));
});

test('an interval that is not a CIDR is not printed as one', t => {
	t.is(printRange({family: 'ipv4', first: 1n, last: 2n}), undefined);
	t.is(printRange({family: 'ipv4', first: 0n, last: 2n}), undefined);
	t.is(printRange({family: 'ipv4', first: 2n, last: 1n}), undefined);
});

for (const [text, expected] of [['127.0.0.1', true], ['127.255.0.0/16', true], ['::1/128', true], ['126.0.0.0/7', false], ['::2', false], ['0.0.0.0/0', false], ['x', false]] as const) {
	test(`${text} is ${expected ? 'a' : 'no'} loopback address`, t => {
		t.is(isLoopback(text), expected);
	});
}

test('law: an address that is printed and read is the same', t => {
	fastCheck.assert(fastCheck.property(fastCheck.bigInt({min: 0n, max: (2n ** 128n) - 1n}), value => {
		t.deepEqual(parseAddress(printAddress({family: 'ipv6', value})), {family: 'ipv6', value});
	}));
	fastCheck.assert(fastCheck.property(fastCheck.bigInt({min: 0n, max: (2n ** 32n) - 1n}), value => {
		t.deepEqual(parseAddress(printAddress({family: 'ipv4', value})), {family: 'ipv4', value});
	}));
});

test('law: a range agrees with ip-cidr on its first and last address', t => {
	fastCheck.assert(fastCheck.property(fastCheck.oneof(cidr4, cidr6), text => {
		const range = parseRange(text);
		const second = new IpCidr(text);
		t.is(range?.first, parseAddress(second.start())?.value, `first of ${text}`);
		t.is(range?.last, parseAddress(second.end())?.value, `last of ${text}`);
	}));
});

test('law: a range contains an address of its family exactly when ip-cidr says so', t => {
	fastCheck.assert(fastCheck.property(fastCheck.oneof(fastCheck.tuple(cidr4, ipv4), fastCheck.tuple(cidr6, ipv6)), ([rangeText, addressText]) => {
		const range = parseRange(rangeText);
		const address = parseAddress(addressText);
		t.is(range && address && contains(range, address), new IpCidr(rangeText).contains(addressText), `${rangeText} ${addressText}`);
	}));
});

test('law: a printed range reads as the same range', t => {
	fastCheck.assert(fastCheck.property(fastCheck.oneof(cidr4, cidr6), text => {
		const range = parseRange(text);
		t.deepEqual(range && parseRange(printRange(range) ?? ''), range);
	}));
});

test('the bytes of an address and back', t => {
	for (const text of ['127.0.0.1', '255.0.1.2', '::1', '2001:db8:1::10']) {
		t.is(printAddressBytes(addressBytes(text)), text);
	}

	t.deepEqual([...addressBytes('10.244.1.10')], [10, 244, 1, 10]);
	t.is(addressBytes('::').length, 16);
	t.throws(() => addressBytes('10.244.1'), {instanceOf: RangeError, message: '"10.244.1" is not an address'});
});
