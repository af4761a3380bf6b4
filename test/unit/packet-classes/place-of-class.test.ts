/** The class of a packet with all of its values. That each packet is in one only is in walk.test.ts. */

import test from 'ava';
import {placeOfClass, type ExactPacket} from '../../../src/packet-classes/class-of-packet.js';
import {classesOf, programsOf, rulesOfTable} from '../../helpers/class-sets.js';

const classSet = classesOf(programsOf(rulesOfTable('nat', ['-A OUTPUT -p tcp -m owner --uid-owner 1337 -j RETURN', '-A OUTPUT -p icmp -j RETURN'])));
const packet: ExactPacket = {
	origin: 'pod', protocol: 'tcp', packet: 'first', source: '10.244.1.10', sourcePort: 40_000, destination: {address: '192.0.2.1', port: 80}, uid: 1000, gid: 1000, mark: 0,
};

test('what no rule tells apart is of one class, and what one tells is of two', t => {
	const place = placeOfClass(classSet, packet);
	t.not(place, undefined);
	for (const same of [{uid: 0}, {gid: 1337}, {mark: 7}, {sourcePort: 1}, {destination: {address: '203.0.113.9', port: 65_535}}]) {
		t.is(placeOfClass(classSet, {...packet, ...same}), place, JSON.stringify(same));
	}

	for (const other of [{uid: 1337}, {protocol: 'udp' as const}, {destination: {address: '127.0.0.1', port: 80}}, {origin: 'remote' as const, source: '192.0.2.1', destination: {address: '10.244.1.10', port: 80}}]) {
		const found = placeOfClass(classSet, {...packet, ...other});
		t.not(found, undefined, JSON.stringify(other));
		t.not(found, place, JSON.stringify(other));
	}
});

const unknown: ReadonlyArray<readonly [title: string, change: Partial<ExactPacket>]> = [
	['of the other family', {source: '2001:db8::1'}],
	['to the other family', {destination: {address: '::1', port: 80}}],
	['to no address', {destination: {address: 'remote', port: 80}}],
	['to port 0', {destination: {address: '192.0.2.1', port: 0}}],
	['of another host', {source: '192.0.2.7'}],
	['to a group of hosts', {destination: {address: '224.0.0.1', port: 80}}],
	['of nobody: 4294967295 is no user', {uid: 0xFF_FF_FF_FF}],
];

for (const [title, change] of unknown) {
	test(`a packet ${title} is in no class`, t => {
		t.is(placeOfClass(classSet, {...packet, ...change}), undefined);
	});
}
