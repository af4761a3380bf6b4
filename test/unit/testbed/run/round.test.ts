/**
The law of the evidence, over recordings of a real kernel: a loss is noticed, or it changes nothing.
*/

import test from 'ava';
import {stepsOfPath} from '../../../../src/netfilter/path.js';
import type {TraceEvent} from '../../../../src/trace/decode/event.js';
import type {Observation} from '../../../../src/trace/observation.js';
import {observeRound, type Round} from '../../../../testbed/run/round.js';
import {traceTable} from '../../../../testbed/sandbox/own-table.js';
import {
	decode, mixedNames, nativeNames, plainNames, printEvent, readRecording, recordingNames, type Recorded,
} from '../../../helpers/recordings.js';

type Datagrams = Round['recording']['datagrams'];

function observe({round, ruleSet}: Recorded, changes: Partial<Round> = {}): readonly Observation[] {
	return observeRound({...round, ...changes}, ruleSet);
}

function observeWith(recorded: Recorded, datagrams: Datagrams): readonly Observation[] {
	return observe(recorded, {recording: {...recorded.round.recording, datagrams}});
}

const stepsOf = (observations: readonly Observation[]): readonly string[] => observations.map(({path}) => stepsOfPath(path).join(' > '));
const kindsOf = (observations: readonly Observation[]): readonly string[] => [...new Set(observations.flatMap(({gaps}) => gaps.map(({kind}) => kind)))].toSorted();

/** The six types as they were measured on Linux 6.18, and what nat sees at the other hooks. Both back ends and both families agree. */
const facts = [
	'remote > PREROUTING#1 > ISTIO_INBOUND#5 > ISTIO_IN_REDIRECT#1 > INPUT > proxy:15006 > OUTPUT#1 > ISTIO_OUTPUT#1 > POSTROUTING > app:8080',
	'app > OUTPUT#1 > ISTIO_OUTPUT#9 > ISTIO_REDIRECT#1 > POSTROUTING > proxy:15001 > OUTPUT#1 > ISTIO_OUTPUT#4 > POSTROUTING > remote:8080',
	'prometheus > PREROUTING#1 > ISTIO_INBOUND#2 > INPUT > proxy:15090',
	'app > OUTPUT#1 > ISTIO_OUTPUT#9 > ISTIO_REDIRECT#1 > POSTROUTING > proxy:15001 > OUTPUT#1 > ISTIO_OUTPUT#2 > ISTIO_IN_REDIRECT#1 > POSTROUTING > proxy:15006 > OUTPUT#1 > ISTIO_OUTPUT#1 > POSTROUTING > app:8080',
	'app > OUTPUT#1 > ISTIO_OUTPUT#3 > POSTROUTING > app:8080',
	'proxy > OUTPUT#1 > ISTIO_OUTPUT#4 > POSTROUTING > proxy:15090',
	'agent > OUTPUT#1 > ISTIO_OUTPUT#4 > POSTROUTING > istiod:15012',
];

for (const name of plainNames) {
	test(`replayed, each type takes the measured path: ${name}`, t => {
		t.deepEqual(stepsOf(observe(readRecording(name))), facts);
	});
}

/** The same in native nftables, by the numbers of the rules in istio-output. One set has the rules of both families, so these depend on the family. */
function nativeFacts({localhost, hairpin, loopback, bypass, rest}: Readonly<Record<'localhost' | 'hairpin' | 'loopback' | 'bypass' | 'rest', number>>): readonly string[] {
	const at = (chain: string, number: number): string => `istio-proxy-nat:${chain}#${number}`;
	const out = (number: number): string => `${at('output', 1)} > ${at('istio-output', number)}`;
	const captured = `app > ${out(rest)} > ${at('istio-redirect', 1)} > proxy:15001`;
	const local = `${at('istio-in-redirect', 1)} > proxy:15006 > ${out(localhost)} > app:8080`;
	const admin = `proxy:15090 > ${out(bypass)} > proxy:15000`;
	return [
		`remote > ${at('prerouting', 1)} > ${at('istio-inbound', 5)} > ${local}`,
		`${captured} > ${out(bypass)} > remote:8080`,
		`prometheus > ${at('prerouting', 1)} > ${at('istio-inbound', 2)} > ${admin}`,
		`${captured} > ${out(hairpin)} > ${local}`,
		`app > ${out(loopback)} > app:8080`,
		`proxy > ${out(bypass)} > ${admin}`,
		`agent > ${out(bypass)} > istiod:15012`,
	];
}

const nativeNumbers = {
	'nftables-ipv4': {
		localhost: 1, hairpin: 2, loopback: 3, bypass: 4, rest: 9,
	},
	'nftables-ipv6': {
		localhost: 2, hairpin: 4, loopback: 5, bypass: 6, rest: 13,
	},
} as const;

for (const name of nativeNames) {
	test(`replayed, each type takes the measured path: ${name}`, t => {
		t.deepEqual(stepsOf(observe(readRecording(name))), nativeFacts(nativeNumbers[name]));
	});
}

/** What a packet meets in the other tables of the mixed rounds. `lo` is one that is delivered in the pod. */
const out = 'raw:OUTPUT > mangle:OUTPUT#1 > mangle:MARKS#1';
const through = {
	/** BACK runs out of rules, CHECK runs out of rules, the policy accepts. */
	away: 'filter:OUTPUT#1 > filter:OUTPUT#2',
	/** BACK returns by its first rule, CHECK accepts by its second. */
	lo: 'filter:OUTPUT#1 > filter:BACK#1 > filter:OUTPUT#2 > filter:CHECK#2',
} as const;
const after = 'mangle:POSTROUTING > POSTROUTING';
const arrival = 'raw:PREROUTING > mangle:PREROUTING > mangle:INPUT > filter:INPUT';
const localhost = `${out} > OUTPUT#1 > ISTIO_OUTPUT#1 > ${through.lo} > ${after} > ${arrival}`;
/** The OUTPUT hook of filter comes after nat's, and what nat redirected to `lo` still has the interface that routing chose first. */
const captured = `${out} > OUTPUT#1 > ISTIO_OUTPUT#9 > ISTIO_REDIRECT#1 > ${through.away} > ${after} > ${arrival}`;
const mixedFacts = [
	`remote > raw:PREROUTING > mangle:PREROUTING > PREROUTING#1 > ISTIO_INBOUND#5 > ISTIO_IN_REDIRECT#1 > mangle:INPUT > filter:INPUT > INPUT > proxy:15006 > ${localhost} > app:8080`,
	`app > ${captured} > proxy:15001 > ${out} > OUTPUT#1 > ISTIO_OUTPUT#4 > ${through.away} > ${after} > remote:8080`,
	'prometheus > raw:PREROUTING > mangle:PREROUTING > PREROUTING#1 > ISTIO_INBOUND#2 > mangle:INPUT > filter:INPUT#1 > dropped by filter:INPUT#1',
	`app > ${captured} > proxy:15001 > ${out} > OUTPUT#1 > ISTIO_OUTPUT#2 > ISTIO_IN_REDIRECT#1 > ${through.lo} > ${after} > ${arrival} > proxy:15006 > ${localhost} > app:8080`,
	`app > ${out} > OUTPUT#1 > ISTIO_OUTPUT#3 > ${through.lo} > ${after} > ${arrival} > app:8080`,
	`proxy > ${out} > OUTPUT#1 > ISTIO_OUTPUT#4 > ${through.lo} > ${after} > ${arrival} > proxy:15090`,
	`agent > ${out} > OUTPUT#1 > ISTIO_OUTPUT#4 > ${through.away} > filter:CHECK#1 > dropped by filter:CHECK#1`,
];

for (const name of mixedNames) {
	test(`replayed, each type takes the path through the rules of all tables: ${name}`, t => {
		t.deepEqual(stepsOf(observe(readRecording(name))), mixedFacts);
	});
}

for (const name of recordingNames) {
	test(`replayed, it gives the stored paths, without a gap: ${name}`, t => {
		const recorded = readRecording(name);
		const observations = observe(recorded);
		t.deepEqual(stepsOf(observations), recorded.paths);
		t.deepEqual(kindsOf(observations), []);
		t.true(Object.values(recorded.environment).every(version => /\d/u.test(version)));
	});

	test(`replayed, every hit has a rule with its text, and every socket of the pod has its owner: ${name}`, t => {
		const legs = observe(readRecording(name)).flatMap(({path}) => path.legs);
		t.true(legs.every(({traversals}) => traversals.every(({hits, end}) => end.by !== 'open' && hits.every(({number, text}) => number !== undefined && text !== undefined))));
		t.deepEqual(
			[...new Set(legs.map(({actor, socket}) => `${actor} ${socket === undefined ? 'outside' : `${socket.uid}:${socket.gid}`}`))].toSorted(),
			['agent 1337:1337', 'app 1000:1000', 'prometheus outside', 'proxy 1337:1337', 'remote outside'],
		);
	});
}

/** The end of a base chain that ran out of rules; its policy follows and says the same. */
function isEndOfBaseChain(event: TraceEvent): boolean {
	return event.source === 'nft' && event.kind === 'return' && ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'].includes(event.chain.toUpperCase());
}

/** Nft's messages carry no count, a rule that leads on leaves no other sign, and outside nat its counter may exceed the trace. Only the overrun that the kernel reports tells of such a loss. */
function isBeyondNotice(event: TraceEvent): boolean {
	return event.source === 'nft' && event.kind === 'rule' && event.verdict === 'continue' && !/(?:^|-)nat$/u.test(event.table);
}

/** Events of tables under test that can be lost without a gap. */
function lostInSilence(recorded: Recorded): ReadonlyArray<{readonly event: TraceEvent; readonly isSame: boolean}> {
	const {datagrams} = recorded.round.recording;
	const whole = JSON.stringify(observe(recorded));
	return datagrams.flatMap((datagram, index) => {
		const {events: [event]} = decode(datagram);
		if (event === undefined || event.table === traceTable) {
			return [];
		}

		const observations = observeWith(recorded, datagrams.toSpliced(index, 1));
		return kindsOf(observations).length > 0 ? [] : [{event, isSame: JSON.stringify(observations) === whole}];
	});
}

for (const name of [...plainNames, ...nativeNames]) {
	test(`one event of a table under test missing: a gap, except for an end that is reported twice: ${name}`, t => {
		const silent = lostInSilence(readRecording(name));
		t.deepEqual(silent.filter(({event, isSame}) => !isEndOfBaseChain(event) || !isSame).map(({event}) => printEvent(event)), []);
		t.is(silent.length > 0, !name.startsWith('iptables-legacy'));
	});
}

for (const name of mixedNames) {
	test(`one event of any table missing: a gap, or no change, except where nft cannot show it: ${name}`, t => {
		const silent = lostInSilence(readRecording(name));
		t.deepEqual(silent.filter(({event, isSame}) => !isSame && !isBeyondNotice(event)).map(({event}) => printEvent(event)), []);
		t.is(silent.some(({isSame}) => !isSame), name.startsWith('iptables-nft'));
	});
}

for (const name of recordingNames) {
	test(`one event of the trace table missing: a gap, or no change: ${name}`, t => {
		const recorded = readRecording(name);
		const {datagrams} = recorded.round.recording;
		const whole = stepsOf(observe(recorded));
		for (const [index, datagram] of datagrams.entries()) {
			if (decode(datagram).events.some(({table}) => table === traceTable)) {
				const observations = observeWith(recorded, datagrams.toSpliced(index, 1));
				t.true(kindsOf(observations).length > 0 || stepsOf(observations).every((steps, place) => steps === whole[place]));
			}
		}
	});

	test(`one datagram twice: a gap, or no change: ${name}`, t => {
		const recorded = readRecording(name);
		const {datagrams} = recorded.round.recording;
		const whole = JSON.stringify(stepsOf(observe(recorded)));
		for (const [index, datagram] of datagrams.entries()) {
			const observations = observeWith(recorded, datagrams.toSpliced(index, 0, datagram));
			const [event] = decode(datagram).events;
			t.true(kindsOf(observations).length > 0 || JSON.stringify(stepsOf(observations)) === whole || isBeyondNotice(event!), printEvent(event!));
		}
	});

	test(`the end of the recording missing: a gap: ${name}`, t => {
		const recorded = readRecording(name);
		const {datagrams} = recorded.round.recording;
		const whole = JSON.stringify(stepsOf(observe(recorded)));
		for (let length = 0; length < datagrams.length; length += 7) {
			const observations = observeWith(recorded, datagrams.slice(0, length));
			t.true(kindsOf(observations).length > 0 || JSON.stringify(stepsOf(observations)) === whole, `${length} of ${datagrams.length}`);
		}
	});
}

const nft = readRecording('iptables-nft-ipv4');
const [first] = nft.round.recording.datagrams;
const gap = {kind: 'no-end', message: 'Waited too long.'} as const;

/** Damage to a whole round, and the expected kinds of gaps. */
const spoilt: ReadonlyArray<{readonly title: string; readonly recorded?: Recorded; readonly changes: Partial<Round>; readonly kinds: readonly string[]}> = [
	{title: 'nothing', changes: {}, kinds: []},
	{title: 'an overrun', changes: {recording: {...nft.round.recording, overruns: 2}}, kinds: ['lost-events']},
	{title: 'a datagram that was cut', changes: {recording: {overruns: 0, datagrams: [{stream: 'nft', bytes: first!.bytes.subarray(0, 30)}, ...nft.round.recording.datagrams]}}, kinds: ['not-understood']},
	{title: 'a message of another type', changes: {recording: {overruns: 0, datagrams: [...nft.round.recording.datagrams, {stream: 'nft', bytes: Uint8Array.of(16, 0, 0, 0, 99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)}]}}, kinds: ['not-understood']},
	{title: 'no owners, so that only the conductor can miss them', changes: {owners: []}, kinds: []},
	{title: 'a probe that had no answer in time', changes: {probes: nft.round.probes.map(({id}) => ({id, gap}))}, kinds: ['no-end']},
	{title: 'rules that were counted before the run only', changes: {after: []}, kinds: ['open-traversal', 'rules-differ']},
	{title: 'legacy: the same, by numbers', recorded: readRecording('iptables-legacy-ipv4'), changes: {after: []}, kinds: ['rules-differ']},
	{title: 'sockets that nobody told of', changes: {sockets: []}, kinds: ['no-end']},
];

for (const {title, recorded = nft, changes, kinds} of spoilt) {
	test(`a round with ${title}`, t => {
		t.deepEqual(kindsOf(observe(recorded, changes)), kinds);
	});
}

test('a probe without an answer whose path says how it ended has no gap', t => {
	const mixed = readRecording('iptables-nft-ipv4-mixed');
	t.deepEqual(mixed.round.probes.filter(probe => probe.gap !== undefined).map(({id}) => id), ['1-3-ipv4', '1-6-ipv4']);
	t.deepEqual(observe(mixed).flatMap(({gaps}) => gaps), []);
});
