/** What packets there can be: each that is drawn is of one situation, or left out with its reason. */

import test from 'ava';
import {parseAddress} from '../../../src/netfilter/address.js';
import type {AddressFamily} from '../../../src/netfilter/types.js';
import {common, intervalsIn} from '../../../src/packet-classes/packet-set.js';
import {divideFields, fieldNames} from '../../../src/packet-classes/fields.js';
import {
	isOwnAddress, placesOf, rangesOf, situationsIn,
} from '../../../src/packet-classes/packet-space.js';
import {addressFamilies, defaultTopology} from '../../../src/mesh/topology.js';
import {rulesOfTable} from '../../helpers/class-sets.js';

const asksForAll = ['-A OUTPUT -p icmp -j RETURN', '-A OUTPUT -m conntrack --ctstate INVALID -j RETURN', '-A OUTPUT -m owner --uid-owner 1337 -j RETURN'];

function contextOf(lines: readonly string[], family: AddressFamily = 'ipv4') {
	const places = placesOf(defaultTopology, family);
	const fields = divideFields([rulesOfTable('mangle', lines, family)], {family, ranges: rangesOf(places), routed: []});
	return {places, fields, ...situationsIn(fields, places)};
}

for (const family of addressFamilies) {
	test(`no packet is of two situations, and none that can be is left out: ${family}`, t => {
		const {situations, leftOut} = contextOf(asksForAll, family);
		const all = [...situations, ...leftOut];
		for (const [index, one] of all.entries()) {
			t.true(fieldNames.every(name => one.packetSet[name] > 0n));
			for (const other of all.slice(index + 1)) {
				const isBoth = one.origin === other.origin && common(one.packetSet, other.packetSet) !== undefined;
				// Two reasons why a packet cannot occur may meet; a packet that can be is in one set alone.
				const isDoubled = isBoth && ![one, other].every(each => 'kind' in each && each.kind === 'cannot-occur');
				t.false(isDoubled, JSON.stringify([one, other], (_, value: unknown) => typeof value === 'bigint' ? String(value) : value));
			}
		}
	});

	test(`what the pod sends is all there: ${family}`, t => {
		const {situations, leftOut, fields: {intervals}} = contextOf(asksForAll, family);
		const packetSets = [...situations, ...leftOut].filter(({origin}) => origin === 'pod').map(({packetSet}) => packetSet);
		for (const source of intervalsIn((1n << BigInt(intervals.source.length)) - 1n)) {
			for (const destination of intervalsIn((1n << BigInt(intervals.destination.length)) - 1n)) {
				t.true(packetSets.some(packetSet => ((packetSet.source >> BigInt(source)) & 1n) === 1n && ((packetSet.destination >> BigInt(destination)) & 1n) === 1n && (packetSet.packet & 1n) === 1n), `${source} → ${destination}`);
			}
		}
	});
}

test('what cannot be has its reason', t => {
	const reasons = (lines: readonly string[]): readonly string[] => [...new Set(contextOf(lines).leftOut.map(({kind, because}) => `${kind}: ${because}`))].toSorted();
	const always = [
		'cannot-occur: no connection can be made to or from such an address',
		'cannot-occur: no packet for another host\'s address reaches the pod',
		'cannot-occur: no socket of the pod has another host\'s address',
		'cannot-occur: the kernel sends nothing from a loopback address through eth0',
	];
	t.deepEqual(reasons([]), always);
	t.deepEqual(reasons(['-A OUTPUT -p icmp -j RETURN', '-A OUTPUT -p sctp -j RETURN']), ['cannot-be-sent: a probe is TCP or UDP, not icmp, sctp', ...always]);
	t.deepEqual(reasons(['-A OUTPUT -m conntrack --ctstate INVALID -j RETURN']), [always[0]!, always[1]!, always[2]!, 'cannot-occur: only root can send packets that belong to no connection', always[3]!].toSorted());
});

test('invalid packets are TCP, of root or from outside, and only where some rule asks for a state', t => {
	t.true(contextOf([]).situations.every(({packetSet}) => packetSet.packet === 0b01n));
	const invalid = contextOf(asksForAll).situations.filter(({packetSet}) => packetSet.packet === 0b10n);
	t.deepEqual(invalid.map(({origin, isLocal}) => `${origin} ${isLocal}`), ['remote true', 'pod true', 'pod false']);
	t.true(invalid.every(({packetSet}) => packetSet.protocol === 0b01n && packetSet.uid === 0b001n));
});

test('the pod\'s own addresses are its own, and no other', t => {
	for (const [family, own, others] of [['ipv4', ['10.244.1.10', '127.0.0.1', '127.255.255.254'], ['10.244.1.11', '127.0.0.0', '127.255.255.255', '128.0.0.1', '::1', 'pod']], ['ipv6', ['2001:db8:1::10', '::1', '::6'], ['::2', '2001:db8:1::11', '127.0.0.1']]] as const) {
		const places = placesOf(defaultTopology, family);
		t.true(own.every(address => isOwnAddress(address, family, places)));
		t.deepEqual(others.filter(address => isOwnAddress(address, family, places)), []);
	}
});

test('addresses that nobody has leave out those of the loopback that somebody has', t => {
	for (const family of addressFamilies) {
		const {unroutable, loopback} = placesOf(defaultTopology, family);
		t.true(loopback.length > 0 && unroutable.length > 0);
		t.true(unroutable.every(never => loopback.every(({first, last}) => last < never.first || never.last < first)));
	}

	const {unroutable} = placesOf(defaultTopology, 'ipv6');
	t.true(unroutable.some(({first, last}) => first <= parseAddress('::5')!.value && parseAddress('::5')!.value <= last), 'between ::1 and ::6');
});

test('a topology with an invalid address is a programming error', t => {
	const broken = {...defaultTopology, places: {...defaultTopology.places, pod: {ipv4: 'pod', ipv6: 'pod'}}};
	t.throws(() => placesOf(broken, 'ipv4'), {instanceOf: RangeError, message: '"pod/24" is not a range of addresses'});
});
