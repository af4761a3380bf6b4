/** What the probes of the classes leave open is a gap with its reason, and what they do not leave open is none. */

import test from 'ava';
import {gapsOfClasses, gapsOfReading, printRepresentative} from '../../../src/comparison/gaps.js';
import type {ProbeResult} from '../../../src/comparison/moves.js';
import type {Representative} from '../../../src/packet-classes/representatives.js';
import {classesOf, programsOf, rulesOfTable} from '../../helpers/class-sets.js';
import {sendBoth} from '../../helpers/probe-results.js';

function setsOf(...sides: ReadonlyArray<readonly string[]>) {
	return classesOf(programsOf(...sides.map(lines => rulesOfTable('nat', lines.map(line => `-A OUTPUT ${line}`)))));
}

const messagesOf = (...sides: ReadonlyArray<readonly string[]>): readonly string[] => gapsOfClasses(setsOf(...sides)).map(({kind, message}) => `${kind}: ${message}`);

test('a condition that is not understood is named once, and only if a packet reaches it', t => {
	const length = '-m length --length 10:200 -j RETURN';
	t.deepEqual(messagesOf([length]), [`not-sent: ipv4: nat OUTPUT#1 (${length}) is not understood, so no packets were made for it.`]);
	t.deepEqual(messagesOf([length], [length]), messagesOf([length]));
	t.deepEqual(messagesOf(['-j RETURN', length]), []);
	t.deepEqual(messagesOf(['-p tcp -m tcp --dport 80 -j RETURN']), []);
});

test('more than three such conditions are counted', t => {
	const lines = [1, 2, 3, 4, 5].map(size => `-m length --length ${size} -j LOG`);
	const [message, ...more] = messagesOf(lines);
	t.deepEqual(more, []);
	t.regex(message!, /nat OUTPUT#1 .*; nat OUTPUT#2 .*; nat OUTPUT#3 .* and 2 more are not understood/u);
});

test('what no probe can be is a gap only where the sides differ', t => {
	const icmp = '-p icmp -j RETURN';
	t.deepEqual(messagesOf([icmp], [icmp]), []);
	t.deepEqual(messagesOf([icmp]), []);
	t.deepEqual(messagesOf([icmp], ['-p tcp -j RETURN']), ['the pod itself', 'any other host'].map(to => `not-sent: ipv4: not tested: ICMP to ${to}; a probe is TCP or UDP, not icmp.`));
	t.is(setsOf([icmp]).leftOut.filter(({kind}) => kind === 'cannot-be-sent').length, 3);
});

test('the same words in another chain are not alike', t => {
	const [from, to] = ['OUTPUT', 'POSTROUTING'].map(chain => rulesOfTable('nat', [`-A ${chain} -p icmp -j ACCEPT`]));
	t.is(gapsOfClasses(classesOf(programsOf(from!, to!))).length, 2);
});

const [probed] = sendBoth(rulesOfTable('nat', ['-A OUTPUT -p tcp -j REDIRECT --to-ports 15001', '-A OUTPUT -j RETURN']), rulesOfTable('nat', ['-A OUTPUT -p udp -j RETURN']));
const {classSet, representatives, sides} = probed!;

/** A flight on which one rule is not seen. */
function withoutHits(probeResult: ProbeResult): ProbeResult {
	const [leg, ...rest] = probeResult.legs;
	return {...probeResult, legs: [{...leg!, traversals: []}, ...rest]};
}

test('no gap if the kernel does what the model predicted', t => {
	t.deepEqual(gapsOfReading({
		classSet, representatives, probeResults: sides.from.probeResults, place: 0,
	}), []);
	t.deepEqual(gapsOfReading({
		classSet, representatives, probeResults: sides.to.probeResults, place: 1,
	}), []);
});

test('a gap if the kernel does something else, with the packet and both paths', t => {
	const place = sides.from.probeResults.findIndex(({legs: [leg]}) => leg!.protocol === 'udp');
	const probeResults = sides.from.probeResults.with(place, withoutHits(sides.from.probeResults[place]!));
	const [gap, ...more] = gapsOfReading({
		classSet, representatives, probeResults, place: 0,
	});
	t.deepEqual(more, []);
	t.is(gap!.kind, 'reading');
	t.is(gap!.message, `The model and the kernel disagree, so packets may be in the wrong class: ${printRepresentative(representatives[place]!)} met no rule and not nat OUTPUT#2.`);
	const all = gapsOfReading({
		classSet, representatives, probeResults: sides.to.probeResults, place: 0,
	});
	t.regex(all[0]!.message, /met nat OUTPUT#1 and not nat OUTPUT#2.* and \d+ more\.$/u);
});

test('no such gap if nothing was predicted, or nothing was sent', t => {
	const doubtful = setsOf(['-m length --length 10:200 -j RETURN']);
	const one: Representative = {...representatives.find(({origin}) => origin === 'pod')!, index: doubtful.classes.findIndex(({origin}) => origin === 'pod')};
	t.is(doubtful.classes[one.index]!.predicted[0]!.hits, undefined);
	t.deepEqual(gapsOfReading({
		classSet: doubtful, representatives: [one], probeResults: [sides.from.probeResults[0]!], place: 0,
	}), []);
	t.deepEqual(gapsOfReading({
		classSet, representatives: [representatives[0]!], probeResults: [{legs: [], gaps: [], isLoop: false}], place: 0,
	}), []);
});

test('a probe in a few words', t => {
	const one: Representative = {
		index: 0, kind: 'inner', origin: 'pod', family: 'ipv4', protocol: 'tcp', packet: 'first', uid: 1000, gid: 2000, source: undefined, sourcePort: undefined, destination: {address: '192.0.2.1', port: 80}, mark: undefined,
	};
	t.is(printRepresentative(one), 'tcp of 1000:2000 to 192.0.2.1:80');
	t.is(printRepresentative({...one, uid: undefined, gid: undefined}), 'tcp of ?:? to 192.0.2.1:80');
	t.is(printRepresentative({
		...one, origin: 'remote', family: 'ipv6', protocol: 'udp', source: '2001:db8::1', destination: {address: '2001:db8:1::10', port: 53},
	}), 'udp from outside from 2001:db8::1 to [2001:db8:1::10]:53');
});
