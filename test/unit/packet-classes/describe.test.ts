/** Sets of packets in words: short, and never of nothing. */

import test from 'ava';
import fc from 'fast-check';
import type {ClassSet, PacketClass} from '../../../src/packet-classes/classify.js';
import {describeClasses} from '../../../src/comparison/moves.js';
import {describePacketSet, fieldsLookedAt} from '../../../src/packet-classes/describe.js';
import {addressFamilies} from '../../../src/mesh/topology.js';
import {
	classesHolding, classesOf, predictedOf, programsOf, rulesOfRelease, rulesOfTable,
} from '../../helpers/class-sets.js';

const setOfLines = (lines: readonly string[]): ClassSet => classesOf(programsOf(rulesOfTable('nat', lines)));

/** The classes that meet a rule of OUTPUT, in words. */
function wordsOf(line: string): readonly string[] {
	const classSet = setOfLines([`-A OUTPUT ${line} -j RETURN`]);
	return describeClasses(classSet.classes.filter(packetClass => packetClass.origin === 'pod' && String(predictedOf(packetClass)) === 'nat OUTPUT#1'), classSet);
}

const tables: ReadonlyArray<readonly [line: string, ...expected: string[]]> = [
	['-p tcp', 'TCP'],
	['-p udp -m owner --uid-owner 1337', 'UDP from user 1337'],
	['-m owner ! --uid-owner 1337', 'TCP and UDP from any user but 1337'],
	['-m owner --uid-owner 5-9 -m owner --gid-owner 7', 'TCP and UDP from user 5–9 and group 7'],
	['-m owner ! --gid-owner 7', 'TCP and UDP from any group but 7'],
	['-p tcp -m tcp --dport 15008', 'TCP, port 15008'],
	['-p tcp -m tcp ! --dport 15008', 'TCP, any port but 15008'],
	['-p tcp -m multiport --dports 22,80,9000:9010', 'TCP, port 22, 80, 9000–9010'],
	['-p udp -m udp --sport 53', 'UDP, source port 53'],
	['-d 10.96.0.0/12 -p tcp', 'TCP to 10.96.0.0/12'],
	['! -d 10.96.0.0/12 -p tcp -o eth0', 'TCP to any other host but 10.96.0.0/12'],
	['-d 192.0.2.7 -p tcp', 'TCP to 192.0.2.7'],
	['-p tcp -o lo', 'TCP to the pod itself'],
	['-p tcp -o eth0', 'TCP to any other host'],
	['-p tcp -d 127.0.0.1/32', 'TCP to 127.0.0.1'],
	['-p tcp -s 127.0.0.6/32', 'TCP with source 127.0.0.6 to the pod itself'],
	['-p tcp -d 10.244.1.10/32', 'TCP to the pod\'s own address'],
	['-p tcp -m mark --mark 0x539', 'TCP with a mark like 0x539'],
];

for (const [line, ...expected] of tables) {
	test(line, t => {
		t.deepEqual(wordsOf(line), expected);
	});
}

test('what comes in is said to', t => {
	const classSet = setOfLines(['-A PREROUTING -s 192.0.2.0/24 -p tcp -m tcp --dport 80 -j RETURN']);
	const met = classSet.classes.filter(packetClass => String(predictedOf(packetClass)) === 'nat PREROUTING#1');
	t.deepEqual(describeClasses(met, classSet), ['TCP into the pod with source 192.0.2.0/24, port 80']);
	t.deepEqual(describeClasses([], classSet), []);
});

test('invalid packets are said to be', t => {
	const classSet = classesOf(programsOf(rulesOfTable('mangle', ['-A PREROUTING -m conntrack --ctstate INVALID -j DROP'])));
	const met = classSet.classes.filter(packetClass => packetClass.origin === 'remote' && String(predictedOf(packetClass)) === 'mangle PREROUTING#1');
	t.deepEqual(describeClasses(met, classSet), ['invalid TCP into the pod']);
});

test('a long list is cut short', t => {
	t.deepEqual(wordsOf('-p tcp -m multiport --dports 1,3,5,7,9,11,13,15'), ['TCP, port 1, 3, 5, 7, 9, 11 and 2 more']);
});

/** A word that waits for a list, or a list without its items. */
const emptyList = /undefined|NaN| {2}|\b(?:from|to|but|user|group|port|source|like|and|with)(?: ?,|$)|, ?,|^\s*$/u;

test('no list in a description is empty', t => {
	for (const text of ['TCP to ', 'TCP from user , port 1', 'TCP, port', 'TCP from any user but', 'TCP with source , x']) {
		t.regex(text.trimEnd(), emptyList);
	}

	for (const family of addressFamilies) {
		const classSet = classesOf(programsOf(rulesOfRelease('release:1.17 -x 10.1.0.0/16,2001:db8:5::/64'), rulesOfRelease('release:1.30 --redirect-dns --drop-invalid -o 9090,9100:9110 -u 64535,1337')), family);
		for (const {origin, packetSet} of [...classSet.classes, ...classSet.leftOut.flatMap(({classes}) => classes)]) {
			t.notRegex(describePacketSet(classSet, {origin}, packetSet), emptyList);
		}

		// Any classes of one origin together.
		const byOrigin = (['pod', 'remote'] as const).map(origin => classSet.classes.filter(each => each.origin === origin));
		fc.assert(fc.property(fc.constantFrom(...byOrigin).chain(classes => fc.subarray([...classes], {minLength: 1})), (classes: readonly PacketClass[]) => {
			const texts = describeClasses(classes, classSet);
			t.true(texts.length > 0);
			t.deepEqual(texts.filter(text => emptyList.test(text)), []);
		}), {numRuns: 40, seed: 6});
	}
});

test('fields that rules look at are named, and what only the world tells apart is not', t => {
	t.deepEqual(fieldsLookedAt(setOfLines([])), ['protocol']);
	t.deepEqual(fieldsLookedAt(setOfLines(['-A OUTPUT -d 10.96.0.0/12 -p tcp -m tcp --dport 80 -m owner --gid-owner 1 -m mark --mark 1 -j RETURN'])), ['protocol', 'destination', 'destination-port', 'gid', 'mark']);
	t.deepEqual(fieldsLookedAt(classesOf(programsOf(rulesOfTable('mangle', ['-A OUTPUT -m conntrack --ctstate INVALID -j DROP'])))).filter(name => name !== 'uid'), ['protocol', 'packet']);
});

test('every class is found by what it is called: two of one origin with the same words would be one', t => {
	const classSet = classesOf(programsOf(rulesOfRelease('release:1.30')));
	const texts = classSet.classes.map(({origin, packetSet, isLocal}) => `${isLocal} ${describePacketSet(classSet, {origin}, packetSet)}`);
	t.is(new Set(texts).size, texts.length);
	t.is(classesHolding(classSet, {
		origin: 'pod', protocol: 'tcp', packet: 'first', source: '10.244.1.10', sourcePort: 40_000, destination: {address: '192.0.2.1', port: 80}, uid: 1000, gid: 1000, mark: 0,
	}).length, 1);
});
