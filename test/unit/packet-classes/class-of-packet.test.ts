/** The class of a packet: that of a representative is the one that it represents. */

import test from 'ava';
import {classify, type ClassSet} from '../../../src/packet-classes/classify.js';
import {Locator, packetOfLeg} from '../../../src/packet-classes/class-of-packet.js';
import {representativesOf} from '../../../src/packet-classes/representatives.js';
import {parseReleaseInput} from '../../../src/istio/options/arguments.js';
import {generate} from '../../../src/istio/generate.js';
import {parseSave} from '../../../src/netfilter/iptables/save.js';
import type {Leg} from '../../../src/netfilter/path.js';
import type {AddressFamily, RuleSet} from '../../../src/netfilter/types.js';
import {defaultTopology as topology} from '../../../src/mesh/topology.js';

function locatorOf(ruleSets: readonly RuleSet[], family: AddressFamily): {readonly classSet: ClassSet; readonly locator: Locator} {
	const classSet = classify(ruleSets.map(ruleSet => ({ruleSet, localMarks: []})), {family, topology});
	return {classSet, locator: new Locator({classSet, topology})};
}

function rulesOfRelease(input: string): RuleSet {
	return generate({...parseReleaseInput(input), families: ['ipv4', 'ipv6'], backend: 'iptables-nft'});
}

const marked = parseSave(`*nat
:OUTPUT ACCEPT
-A OUTPUT -m mark --mark 0x10/0xf0 -j RETURN
-A OUTPUT -p tcp -m tcp --sport 40000:50000 -j RETURN
-A OUTPUT -p tcp -m mark --mark 0x539 -j REDIRECT --to-ports 15001
COMMIT
`, 'ipv4');

const sets: Readonly<Record<string, readonly RuleSet[]>> = {
	'the default set': [rulesOfRelease('release:1.30')],
	'two releases': [rulesOfRelease('release:1.17'), rulesOfRelease('release:1.18')],
	'DNS capture and ranges': [rulesOfRelease('release:1.30 --redirect-dns -x 10.96.0.0/12 -o 9090 -u 64535,1337')],
	'marks and source ports': [marked],
	'no rules': [{tables: []}],
};

for (const [title, ruleSets] of Object.entries(sets)) {
	for (const family of ['ipv4', 'ipv6'] as const) {
		test(`each representative is found in its own class: ${title}, ${family}`, t => {
			const {classSet, locator} = locatorOf(ruleSets, family);
			const representatives = representativesOf(classSet, topology);
			t.true(representatives.length > 0);
			for (const {index, kind, packet, ...probe} of representatives) {
				t.is(locator.classOf(probe), classSet.classes[index], JSON.stringify(probe));
			}
		});
	}
}

test('a mark that no class was made for is found by what the rules ask of it', t => {
	const {classSet, locator} = locatorOf([marked], 'ipv4');
	const probe = {
		origin: 'pod', family: 'ipv4', protocol: 'tcp', uid: 1000, gid: 1000, source: undefined, sourcePort: undefined, destination: {address: '192.0.2.1', port: 80}, mark: 0xAB_1F,
	} as const;
	const like = locator.classOf({...probe, mark: 0x10});
	t.not(like, undefined);
	t.is(locator.classOf(probe), like);
	t.not(locator.classOf({...probe, mark: undefined}), like);
	t.true(classSet.classes.includes(like!));
});

test('what is of another family, or of an address that nobody has, is of no class', t => {
	const {locator} = locatorOf([rulesOfRelease('release:1.30')], 'ipv4');
	const probe = {
		origin: 'pod', family: 'ipv4', protocol: 'tcp', uid: 1000, gid: 1000, source: undefined, sourcePort: undefined, destination: {address: '192.0.2.1', port: 80}, mark: undefined,
	} as const;
	t.not(locator.classOf(probe), undefined);
	t.is(locator.classOf({...probe, family: 'ipv6', destination: {address: '2001:db8::1', port: 80}}), undefined);
	t.is(locator.classOf({...probe, source: '192.0.2.2'}), undefined);
	t.is(locator.classOf({...probe, destination: {address: '224.0.0.1', port: 80}}), undefined);
});

test('a leg is the packet of its socket, and without one of nobody', t => {
	const leg: Leg = {
		actor: 'proxy', family: 'ipv4', protocol: 'tcp', from: {address: '127.0.0.6', port: 40_000}, to: {address: '10.244.1.10', port: 8080}, socket: {uid: 1337, gid: 1337}, traversals: [], end: {kind: 'refused'},
	};
	t.like(packetOfLeg(leg), {origin: 'pod', uid: 1337, source: '127.0.0.6', destination: {port: 8080}});
	t.is(packetOfLeg({...leg, socket: undefined}), undefined);
});
