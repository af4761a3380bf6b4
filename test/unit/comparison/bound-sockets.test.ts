/** Sockets that are bound to a device: sent from where rule sets treat them differently, and told where no other socket shows it. */

import test from 'ava';
import type {Statement} from '../../../src/comparison/moves.js';
import {withoutImplied} from '../../../src/comparison/implied.js';
import {placeOfClass} from '../../../src/packet-classes/class-of-packet.js';
import {classify, type PacketClass} from '../../../src/packet-classes/classify.js';
import {representativesOf} from '../../../src/packet-classes/representatives.js';
import type {AddressFamily, RuleSet} from '../../../src/netfilter/types.js';
import {addressFamilies, defaultTopology} from '../../../src/mesh/topology.js';
import {printReplay} from '../../../src/report/terminal/probe-command.js';
import {printWalk, walkPacket} from '../../helpers/packet-walk.js';
import {
	classesOf, predictedOf, programsOf, rulesOfRelease, rulesOfTable,
} from '../../helpers/class-sets.js';
import {compareSets, exactly} from '../../helpers/probe-results.js';

const bypass = '-A OUTPUT -p tcp -m owner --uid-owner 1337 -j RETURN';
const capture = '-A OUTPUT -p tcp -j REDIRECT --to-ports 15001';
const loopbackOut = '-A OUTPUT -o eth0 -d 127.0.0.0/8 -p tcp -j DROP';

function sentences(statements: readonly Statement[]): readonly string[] {
	return statements.map(({severity, traffic, from, to}) => `${severity} ${traffic.join('; ')}: ${from.join(' > ')} → ${to.join(' > ')}`);
}

test('what differs for them alone is told, with the probe that shows it', t => {
	const [from, to] = [rulesOfTable('filter', ['-A OUTPUT -p udp']), rulesOfTable('filter', ['-A OUTPUT -p udp', loopbackOut])];
	t.is(compareSets(from, to).outcome, 'equal', 'no other socket sends that');
	const {outcome, statements} = compareSets(from, to, {hasBound: true});
	t.is(outcome, 'moved');
	t.deepEqual(sentences(statements), ['elsewhere TCP of sockets bound to eth0 to any loopback address: lost → dropped']);
	const {example} = statements[0]!;
	t.is(example.bindDevice, 'eth0');
	t.is(example.source, undefined, 'the route knows it');
	t.regex(printReplay(example, {source: 'a.rules', backend: 'iptables-nft'}), / --bind-device eth0/u);
});

test('where every socket moves, they are not told as well', t => {
	const [from, to] = [rulesOfTable('nat', [bypass, capture]), rulesOfTable('nat', [bypass])];
	const {statements} = compareSets(from, to, {hasBound: true});
	t.true(statements.length > 0);
	t.deepEqual(statements.filter(({example}) => example.bindDevice !== undefined), []);
	const more = rulesOfTable('nat', [bypass, '-A OUTPUT -o eth0 -d 127.0.0.0/8 -p tcp -j ACCEPT', capture]);
	t.deepEqual(sentences(compareSets(from, more, {hasBound: true, arePathsCompared: true}).statements), ['path TCP of sockets bound to eth0 from any user but 1337 to any loopback address: lost → lost']);
});

test('rules that are the same for them are not sent twice', t => {
	const rules = rulesOfRelease('release:1.30');
	for (const family of addressFamilies) {
		const {classes, leftOut} = classesOf(programsOf(rules, rules), family, true);
		t.deepEqual(classes.filter(({device}) => device !== undefined), []);
		const same = leftOut.find(({kind}) => kind === 'same-rules');
		t.true(same!.classes.length > 3);
		t.is(same!.because, 'from a socket bound to eth0, for which every rule set has the same rules');
		t.is(classesOf(programsOf(rules, rules), family).leftOut.find(({kind}) => kind === 'same-rules'), undefined);
	}
});

test('they count against the limit', t => {
	const programs = programsOf(rulesOfTable('filter', ['-A OUTPUT -p udp']), rulesOfTable('filter', Array.from({length: 20}, (_, index) => `-A OUTPUT -o eth0 -d 127.0.0.0/8 -p tcp -m tcp --dport ${index + 1} -j DROP`)));
	const options = {family: 'ipv4', topology: defaultTopology, hasBound: true} as const;
	const {length} = classify(programs, options).classes;
	t.is(classify(programs, {...options, limit: length}).classes.length, length);
	t.throws(() => classify(programs, {...options, limit: length - 1}), {name: 'ClassLimitError'});
	t.notThrows(() => classify(programs, {...options, hasBound: false, limit: length - 1}));
});

/** Each packet has its own path in the second, so that none is left out. */
function allOf(ruleSet: RuleSet, family: AddressFamily) {
	const programs = programsOf(ruleSet, rulesOfTable('raw', ['-A OUTPUT'], family));
	const classSet = classesOf(programs, family, true);
	return {program: programs[0]!, bound: representativesOf(classSet, defaultTopology).filter(({bindDevice}) => bindDevice !== undefined), classSet};
}

test('each meets the rules foretold: only routes of its device count', t => {
	const sets = ['release:1.30', 'release:1.30 --redirect-dns', 'release:1.30 -m TPROXY', 'release:1.5'].map(source => rulesOfRelease(source));
	for (const family of addressFamilies) {
		for (const ruleSet of sets) {
			const {program, bound, classSet} = allOf(ruleSet, family);
			t.true(bound.length > 10);
			for (const representative of bound) {
				t.deepEqual(printWalk(walkPacket(program, exactly(representative), family)), predictedOf(classSet.classes[representative.index]!), JSON.stringify(representative));
			}
		}
	}
});

test('a redirected one leaves by its device; the pod\'s own address stays in the pod', t => {
	const lines = [capture, '-A POSTROUTING -o eth0 -d 127.0.0.1/32', '-A POSTROUTING -o lo'];
	const metBy = (address: string, rules: readonly string[]): unknown => {
		const {bound, classSet} = allOf(rulesOfTable('nat', rules), 'ipv4');
		const tcp = exactly(bound.find(({protocol}) => protocol === 'tcp')!);
		return predictedOf(classSet.classes[placeOfClass(classSet, {...tcp, destination: {address, port: 80}})!]!);
	};

	t.deepEqual(metBy('10.244.1.20', lines), ['nat OUTPUT#1', 'nat POSTROUTING#1']);
	t.deepEqual(metBy('127.0.0.1', lines), ['nat OUTPUT#1', 'nat POSTROUTING#1']);
	t.deepEqual(metBy('10.244.1.10', lines), ['nat OUTPUT#1', 'nat POSTROUTING#1'], 'over lo until then');
	t.deepEqual(metBy('10.244.1.10', lines.slice(1)), ['nat POSTROUTING#2']);
	t.deepEqual(metBy('127.0.0.1', lines.slice(1)), ['nat POSTROUTING#1']);
});

test('a move is implied only if all of its packets move from other sockets, and no less', t => {
	const {classes} = classesOf(programsOf(rulesOfTable('nat', [bypass, capture]), rulesOfTable('raw', ['-A OUTPUT'])), 'ipv4', true);
	const other = ({device: _, ...rest}: PacketClass): PacketClass => rest;
	const one = classes.find(({device, isLocal}) => device !== undefined && !isLocal)!;
	const move = (packetClass: PacketClass, severity = 'lost') => ({packetClass, severity});
	const keeps = (...moves: ReadonlyArray<ReturnType<typeof move>>): boolean => withoutImplied([move(one), ...moves]).some(({packetClass}) => packetClass === one);
	t.true(keeps());
	t.false(keeps(move(other(one))));
	t.true(keeps(move(other(one), 'path')), 'another path is not a move');
	t.false(withoutImplied([move(one, 'path'), move(other(one), 'path')]).some(({packetClass}) => packetClass === one));
	t.true(keeps(move({...other(one), origin: 'remote'})));
	const half = {...other(one), packetSet: {...one.packetSet, destination: one.packetSet.destination & (one.packetSet.destination - 1n)}};
	t.true(keeps(move(half)), 'one destination stays');
	const rest = {...half, packetSet: {...one.packetSet, destination: one.packetSet.destination & ~half.packetSet.destination}};
	t.false(keeps(move(half), move(rest)), 'together they are all');
});
