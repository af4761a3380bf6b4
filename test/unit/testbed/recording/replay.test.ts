/** Recordings judged again: the same report, and inconclusive wherever the evidence was changed. */

import {gunzipSync} from 'node:zlib';
import test from 'ava';
import type {Leg} from '../../../../src/netfilter/path.js';
import {printRunsText} from '../../../../src/report/run/many.js';
import {resultsOfReport} from '../../../../src/report/run/results.js';
import {printJunit} from '../../../../src/report/formats/junit.js';
import {printTap} from '../../../../src/report/formats/tap.js';
import {printText} from '../../../../src/report/run/text.js';
import {reportToJson} from '../../../../src/report/run/json.js';
import type {Report} from '../../../../src/report/run/types.js';
import type {GapKind} from '../../../../src/trace/gap.js';
import {TestbedError} from '../../../../testbed/errors.js';
import type {ActorEvidence, RoundEvidence} from '../../../../testbed/run/evidence.js';
import {judgeEvidence, type RunEvidence} from '../../../../testbed/run/report.js';
import {packedEntry} from '../../../../testbed/recording/file.js';
import {sealLines} from '../../../../testbed/recording/sealed-lines.js';
import {replay} from '../../../../testbed/recording/replay.js';
import {traceTable} from '../../../../testbed/sandbox/own-table.js';
import {parseKernelState, textsOf} from '../../../../testbed/tracer/kernel-texts.js';
import {compareWithGolden} from '../../../helpers/goldens.js';
import {
	bytesOf, evidenceOf, replayEvidence, reportIn, runRecordingNames,
} from '../../../helpers/run-recordings.js';

const singles = ['run-1-iptables-nft', 'run-1-iptables-legacy', 'run-1-nftables'] as const;
const textOptions = {color: false, verbose: true, width: 80};

for (const name of runRecordingNames) {
	test(`a recording of version 1 gives the same results as ever: ${name}`, t => {
		const replayed = replay(bytesOf(name), name);
		compareWithGolden(t, `replay/${name}.txt`, replayed.what === 'run' ? printText(replayed.report, textOptions) : printRunsText(replayed.runs, textOptions));
	});
}

const outcomesOf = ({types}: Report): readonly string[] => [...new Set(types.map(({outcome}) => outcome.kind))];
const kindsOf = ({types}: Report): readonly GapKind[] => [...new Set(types.flatMap(({outcome}) => outcome.kind === 'inconclusive' ? outcome.reasons.map(({kind}) => kind) : []))];

for (const name of singles) {
	test(`complete evidence passes, with the time and machine of the recording: ${name}`, t => {
		const evidence = evidenceOf(name);
		const report = replayEvidence(evidence);
		t.deepEqual(outcomesOf(report), ['pass']);
		t.deepEqual(report.environment, evidence.environment);
		t.is(report.durationMs, evidence.durationMs);
	});
}

/** Evidence with something else in its first round. */
function withRound(evidence: RunEvidence, change: (round: RoundEvidence) => Partial<RoundEvidence>): RunEvidence {
	const [round, ...others] = evidence.play.rounds;
	return {...evidence, play: {...evidence.play, rounds: [{...round!, ...change(round!)}, ...others]}};
}

function withActor(evidence: RunEvidence, name: string, change: Partial<ActorEvidence>): RunEvidence {
	return {...evidence, play: {...evidence.play, actors: evidence.play.actors.map(actor => actor.name === name ? {...actor, ...change} : actor)}};
}

/** A text in which something that must be there is another. */
function replaced(text: string, from: string | RegExp, to: string): string {
	const result = text.replace(from, to);
	if (result === text) {
		throw new Error(`There is no ${String(from)} in the text.`);
	}

	return result;
}

const isRuleHit = (bytes: Uint8Array): boolean => new TextDecoder('latin1').decode(bytes).includes('ISTIO_INBOUND');
const nftListing = (change: (text: string) => string) => (evidence: RunEvidence): RunEvidence => withRound(evidence, ({after}) => {
	const texts = textsOf(after);
	return {after: {...texts, listing: change(texts.listing)}};
});

/** Ways to damage the evidence, and the expected gap. */
const spoilt: ReadonlyArray<{readonly title: string; readonly name: typeof singles[number]; readonly spoil: (evidence: RunEvidence) => RunEvidence; readonly kind: GapKind}> = [
	...(['run-1-iptables-nft', 'run-1-iptables-legacy'] as const).map(name => ({
		title: 'a datagram less that shows a rule', name, kind: 'counter-mismatch' as const,
		spoil: (evidence: RunEvidence) => withRound(evidence, ({recording}) => {
			const index = recording.datagrams.findLastIndex(({bytes}) => isRuleHit(bytes));
			return {recording: {...recording, datagrams: recording.datagrams.filter((_, position) => position !== index)}};
		}),
	})),
	{
		title: 'no datagram at all', name: 'run-1-iptables-nft', kind: 'not-traced',
		spoil: evidence => withRound(evidence, ({recording}) => ({recording: {...recording, datagrams: []}})),
	},
	{
		title: 'a datagram that is cut off', name: 'run-1-iptables-nft', kind: 'not-understood',
		spoil: evidence => withRound(evidence, ({recording: {datagrams, overruns}}) => ({
			recording: {overruns, datagrams: datagrams.map((datagram, index) => index === 3 ? {...datagram, bytes: datagram.bytes.subarray(0, -4)} : datagram)},
		})),
	},
	{
		title: 'an overrun of the socket', name: 'run-1-iptables-nft', kind: 'lost-events',
		spoil: evidence => withRound(evidence, ({recording}) => ({recording: {...recording, overruns: 1}})),
	},
	{
		title: 'another counter', name: 'run-1-iptables-nft', kind: 'counter-mismatch',
		spoil: nftListing(text => replaced(text, /"packets": [1-9]\d*/u, '"packets": 77')),
	},
	{
		title: 'another counter', name: 'run-1-iptables-legacy', kind: 'counter-mismatch',
		spoil: evidence => withRound(evidence, ({after}) => ({after: {...textsOf(after), saved: textsOf(after).saved.map(({family, text}) => ({family, text: replaced(text, /^\[[1-9]\d*:(?=.*-A ISTIO_OUTPUT)/mu, '[77:')}))}})),
	},
	{
		title: 'another handle', name: 'run-1-iptables-nft', kind: 'rules-differ',
		spoil: nftListing(text => replaced(text, /("chain": "ISTIO_OUTPUT", "handle": )\d+(?=, "expr")/u, '$1 990')),
	},
	{
		title: 'another rule than was installed', name: 'run-1-iptables-nft', kind: 'rules-differ',
		spoil: evidence => ({...evidence, play: {...evidence.play, held: evidence.play.held.map(({family, text}) => ({family, text: replaced(text, '--uid-owner 1337', '--uid-owner 1338')}))}}),
	},
	{
		title: 'another owner of a socket', name: 'run-1-iptables-nft', kind: 'credentials',
		spoil: nftListing(text => replaced(text, /(\{"concat": \[[^\]]*), 1337, 1337\]/u, '$1, 1338, 1337]')),
	},
	{
		title: 'no owners', name: 'run-1-iptables-nft', kind: 'credentials',
		spoil: nftListing(text => {
			const {nftables} = JSON.parse(text) as {nftables: ReadonlyArray<{set?: {table: string; elem?: unknown}}>};
			return JSON.stringify({nftables: nftables.map(entry => entry.set?.table === traceTable ? {set: {...entry.set, elem: []}} : entry)});
		}),
	},
	{
		title: 'a connection without an end', name: 'run-1-iptables-nft', kind: 'no-end',
		spoil: evidence => withRound(evidence, ({ends}) => ({ends: ends.map(end => ({...end, answered: false}))})),
	},
	{
		title: 'no word of who opened the connection', name: 'run-1-iptables-nft', kind: 'no-end',
		spoil: evidence => withRound(evidence, ({sockets}) => ({sockets: sockets.filter(({kind}) => kind !== 'opened')})),
	},
	{
		title: 'a line of conntrack that is none', name: 'run-1-iptables-nft', kind: 'not-understood',
		spoil: evidence => withRound(evidence, ({flows}) => ({flows: `${flows ?? ''}\nsomething else\n`})),
	},
	{
		title: 'an actor that is somebody else', name: 'run-1-iptables-nft', kind: 'credentials',
		spoil: evidence => withActor(evidence, 'proxy', {found: {uid: 0, gid: 0}}),
	},
	{
		title: 'an actor of which the kernel said nothing', name: 'run-1-iptables-nft', kind: 'credentials',
		spoil: evidence => withActor(evidence, 'app', {found: undefined}),
	},
	{
		title: 'sockets that were made as somebody else', name: 'run-1-iptables-nft', kind: 'credentials',
		spoil: evidence => withActor(evidence, 'remote', {made: {uid: 5, gid: 5}}),
	},
	{
		title: 'an actor without a process, and no word of its sockets', name: 'run-1-iptables-nft', kind: 'credentials',
		spoil: evidence => withActor(evidence, 'remote', {pid: undefined, found: undefined}),
	},
	{
		title: 'an actor that ended', name: 'run-1-iptables-nft', kind: 'actor-ended',
		spoil: evidence => withActor(evidence, 'app', {ended: 'The process of app ended.'}),
	},
	{
		title: 'an actor that had trouble', name: 'run-1-iptables-nft', kind: 'no-end',
		spoil: evidence => withActor(evidence, 'app', {troubles: ['A connection broke.']}),
	},
	{
		title: 'a second round on other rules', name: 'run-1-iptables-nft', kind: 'rules-differ',
		spoil(evidence) {
			const [round] = evidence.play.rounds;
			const texts = textsOf(round!.before);
			const before = {...texts, listing: replaced(texts.listing, /("chain": "ISTIO_OUTPUT", "handle": )\d+(?=, "expr")/u, '$1 990')};
			return {...evidence, play: {...evidence.play, rounds: [round!, {...round!, before}]}};
		},
	},
];

for (const {title, name, spoil, kind} of spoilt) {
	test(`damaged, and inconclusive: ${title}, ${name}`, t => {
		const report = replayEvidence(spoil(evidenceOf(name)));
		t.true(outcomesOf(report).includes('inconclusive'), JSON.stringify(outcomesOf(report)));
		t.true(kindsOf(report).includes(kind), JSON.stringify(kindsOf(report)));
	});
}

test('a case has the time of its own connection, of the last round that sent it; an older recording has none', t => {
	const evidence = evidenceOf('run-1-iptables-nft');
	const timesOf = (report: Report) => resultsOfReport(report).suites.flatMap(({cases}) => cases.map(({durationMs}) => durationMs));
	t.deepEqual(timesOf(replayEvidence(evidence)), Array.from({length: 6}, () => undefined));
	const timed = withRound(evidence, ({ends}) => ({ends: ends.map((end, index) => ({...end, durationMs: index + 1}))}));
	t.deepEqual(timesOf(replayEvidence(timed)), [1, 2, 3, 4, 5, 6]);
	const [round] = timed.play.rounds;
	const again = {...round!, ends: [{...round!.ends[2]!, durationMs: 40}]};
	t.deepEqual(timesOf(judgeEvidence({...timed, play: {...timed.play, rounds: [round!, again]}})), [1, 2, 40, 4, 5, 6]);
	t.regex(printJunit(resultsOfReport(replayEvidence(timed))), /<testcase name="type 3 [^"]*" classname="[^"]*" time="0\.003">/u);
});

/** Every stop and every rule. */
function pathsOf({types}: Report): unknown {
	const rulesOf = ({traversals}: Leg): readonly string[] => traversals.flatMap(({hits}) => hits.map(({chain, number}) => `${chain}#${number}`));
	return types.map(({legs}) => legs.map(leg => [leg.end.kind === 'accepted' ? leg.end.stop : leg.end.kind, rulesOf(leg)]));
}

for (const name of singles) {
	test(`one datagram missing, whichever it is: inconclusive, or the same paths: ${name}`, t => {
		const evidence = evidenceOf(name);
		const wanted = pathsOf(judgeEvidence(evidence));
		const {datagrams} = evidence.play.rounds[0]!.recording;
		let doubts = 0;
		for (const index of datagrams.keys()) {
			const report = judgeEvidence(withRound(evidence, ({recording}) => ({recording: {...recording, datagrams: datagrams.filter((_, position) => position !== index)}})));
			if (outcomesOf(report).includes('inconclusive')) {
				doubts++;
			} else {
				t.deepEqual(pathsOf(report), wanted, `without datagram ${index}`);
			}
		}

		t.true(doubts > datagrams.length / 3, `${doubts} of ${datagrams.length}`);
	});
}

/** Evidence that is not of the question, or that nobody can read. */
const notJudged: ReadonlyArray<readonly [title: string, spoil: (evidence: RunEvidence) => RunEvidence, message: RegExp]> = [
	['fewer cases than were sent', evidence => ({...evidence, question: {...evidence.question, only: ['1 ipv4']}}), /the 6 probes in the rounds are not the 1 that were to be sent/u],
	['no round', evidence => ({...evidence, play: {...evidence.play, rounds: []}}), /there is no round/u],
	['a probe less', evidence => withRound(evidence, ({ends}) => ({ends: ends.slice(1)})), /the 5 probes in the rounds are not the 6 that were to be sent/u],
	['a probe of another place', evidence => withRound(evidence, ({ends}) => ({ends: ends.map((end, index) => index === 0 ? {...end, index: 6} : end)})), /the 6 probes in the rounds are not the 6 that were to be sent/u],
	['no word of an actor', evidence => ({...evidence, play: {...evidence.play, actors: evidence.play.actors.filter(({name}) => name !== 'proxy')}}), /the actor of the socket \S+ is unknown/u],
	['rules that are none', evidence => ({...evidence, play: {...evidence.play, held: [{family: 'ipv4', text: 'no rules'}]}}), /no rules/u],
	['a listing that is none', nftListing(() => '{}'), /printed in an unknown form/u],
];

for (const [title, spoil, message] of notJudged) {
	test(`complete, and not judged: ${title}`, t => {
		const error = t.throws(() => replayEvidence(spoil(evidenceOf('run-1-iptables-nft'))), {instanceOf: TestbedError, code: 'INPUT'});
		t.regex(error.message, /^The recording a recording is complete, but it cannot be judged: /u);
		t.regex(error.message, message);
	});
}

/** Every place of a value where something stands, of lists the first only. */
function * placesIn(value: unknown): Generator<ReadonlyArray<string | number>> {
	if (typeof value === 'object' && value !== null) {
		for (const key of Array.isArray(value) ? [0].filter(() => value.length > 0) : Object.keys(value)) {
			yield [key];
			for (const rest of placesIn((value as Readonly<Record<string | number, unknown>>)[key])) {
				yield [key, ...rest];
			}
		}
	}
}

test('a recording with anything left out is refused with a message, or gives a report that can be printed', t => {
	const lines = gunzipSync(bytesOf('run-1-iptables-nft')).toString().trimEnd().split('\n').slice(0, -1).map(line => JSON.parse(line) as unknown);
	let refused = 0;
	let reported = 0;
	for (const place of placesIn(lines[1])) {
		const copy = structuredClone(lines);
		let parent = copy[1] as Record<string | number, unknown>;
		for (const key of place.slice(0, -1)) {
			parent = parent[key] as Record<string | number, unknown>;
		}

		Reflect.deleteProperty(parent, place.at(-1)!);
		try {
			const report = reportIn(replay(sealLines(copy), 'a recording'));
			t.true([printText(report, textOptions), printTap(resultsOfReport(report)), JSON.stringify(reportToJson(report))].every(text => text.length > 0));
			reported++;
		} catch (error) {
			t.true(error instanceof TestbedError && error.code === 'INPUT', `${place.join('.')}: ${String(error)}`);
			refused++;
		}
	}

	t.true(refused > 100 && reported > 10, `${refused} refused, ${reported} reported`);
});

test('evidence that was not gathered for a recording is refused', t => {
	const evidence = evidenceOf('run-1-iptables-nft');
	const read = withRound(evidence, ({before}) => ({before: parseKernelState(before, 'iptables-nft')}));
	t.deepEqual(outcomesOf(judgeEvidence(read)), ['pass']);
	t.throws(() => packedEntry({kind: 'evidence', evidence: read}), {instanceOf: RangeError, message: 'the state of the rules was not read as text, so it cannot be recorded'});
	t.notThrows(() => packedEntry({kind: 'evidence', evidence}));
});
