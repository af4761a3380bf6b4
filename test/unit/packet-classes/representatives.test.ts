/** Representatives stand for their own class: one at an edge of its values, one inside, and where a class leaves a field open, what is usual. */

import test from 'ava';
import {placeOfClass} from '../../../src/packet-classes/class-of-packet.js';
import {representativesOf, type Representative} from '../../../src/packet-classes/representatives.js';
import {addressFamilies, defaultTopology} from '../../../src/mesh/topology.js';
import type {RuleSet} from '../../../src/netfilter/types.js';
import {classesOf, programsOf, rulesOfRelease, rulesOfTable} from '../../helpers/class-sets.js';
import {exactly} from '../../helpers/probe-results.js';

const sets: Readonly<Record<string, readonly RuleSet[]>> = {
	'two releases': [rulesOfRelease('release:1.17'), rulesOfRelease('release:1.30')],
	'all of it': [rulesOfRelease('release:1.30 --redirect-dns --drop-invalid -x 10.96.0.0/12 -o 9090,9100:9110 -d 22 -u 64535,1337')],
	TPROXY: [rulesOfRelease('release:1.22 -m TPROXY')],
	'marks, groups and source ports': [rulesOfTable('nat', ['-A OUTPUT -m mark --mark 0x10/0xf0 -j RETURN', '-A OUTPUT -m owner --gid-owner 5-9 -j RETURN', '-A OUTPUT -p udp -m udp --sport 40000:50000 -j RETURN'])],
	'no rules': [{tables: []}],
};

for (const [title, ruleSets] of Object.entries(sets)) {
	for (const family of addressFamilies) {
		test(`each is a packet of its own class, one or two of each: ${title}, ${family}`, t => {
			const classSet = classesOf(programsOf(...ruleSets), family);
			const kinds = new Map<number, string[]>();
			for (const representative of representativesOf(classSet, defaultTopology)) {
				const {index, kind} = representative;
				t.is(placeOfClass(classSet, exactly(representative)), index, JSON.stringify(representative));
				kinds.set(index, [...kinds.get(index) ?? [], kind]);
			}

			t.is(kinds.size, classSet.classes.length);
			t.true([...kinds.values()].every(each => String(each) === 'boundary,inner' || String(each) === 'inner'));
		});
	}
}

function representativesFor(lines: readonly string[]): readonly Representative[] {
	return representativesOf(classesOf(programsOf(rulesOfTable('nat', lines.map(line => `-A OUTPUT ${line}`)))), defaultTopology);
}

test('without rules one usual packet stands for each way into and out of the pod', t => {
	const found = representativesFor([]).map(({kind, origin, protocol, uid, gid, destination: {port}, mark}) => ({
		kind, origin, protocol, uid, gid, port, mark,
	}));
	const outgoing = {
		kind: 'inner', origin: 'pod', protocol: 'tcp', uid: 1000, gid: 1000, port: 8080, mark: undefined,
	};
	t.deepEqual(found.filter(({kind}) => kind === 'inner'), [outgoing, outgoing, {
		...outgoing, origin: 'remote', uid: undefined, gid: undefined,
	}]);
});

test('edges are asked as well as what lies inside', t => {
	const ports = new Set(representativesFor(['-p tcp -m tcp --dport 9000:9100 -j RETURN']).map(({destination: {port}}) => port));
	t.true(ports.has(9000) || ports.has(9100));
	t.true(ports.has(9080), 'a usual port that is inside');
	const uids = new Set(representativesFor(['-m owner --uid-owner 5000-5999 -j RETURN']).map(({uid}) => uid));
	t.true(uids.has(5000) || uids.has(5999));
	t.true(uids.has(5499));
});

test('a source port is asked for only where rules tell it from the kernel\'s', t => {
	t.true(representativesFor(['-p tcp -m tcp --dport 80 -j RETURN']).every(({sourcePort}) => sourcePort === undefined));
	t.true(representativesFor(['-p tcp -m tcp --sport 40000:50000 -j RETURN']).some(({sourcePort}) => sourcePort !== undefined && sourcePort >= 40_000 && sourcePort <= 50_000));
});

test('where only some users exist, a class is asked as one of them, if it has any', t => {
	const classSet = classesOf(programsOf(rulesOfTable('nat', ['-A OUTPUT -m owner --uid-owner 1337 -j RETURN', '-A OUTPUT -m owner --uid-owner 100000 -j DROP', '-A OUTPUT -m owner --gid-owner 5-9 -j RETURN'])));
	const exist = {uid: [{first: 0n, last: 65_536n}], gid: [{first: 0n, last: 6n}, {first: 20n, last: 30n}]};
	const found = representativesOf(classSet, defaultTopology, exist).filter(({origin}) => origin === 'pod');
	const uids = new Set(found.map(({uid}) => uid));
	t.true(uids.has(1337));
	t.true(uids.has(100_000), 'no other user is in that class');
	t.true([...uids].every(uid => uid === 100_000 || uid! <= 65_536), [...uids].join(', '));
	t.true(found.every(({gid}) => gid! <= 6 || (gid! >= 20 && gid! <= 30)), 'every class has a group that exists');
	t.true(representativesOf(classSet, defaultTopology).some(({uid}) => uid! > 100_000), 'otherwise all exist');
	for (const representative of found) {
		t.is(placeOfClass(classSet, exactly(representative)), representative.index, JSON.stringify(representative));
	}
});
