/** The stub and Envoy compared, from reports. */

import {readFileSync} from 'node:fs';
import test from 'ava';
import type {RunEntry} from '../../../../src/report/run/many.js';
import type {Report, TypeResult} from '../../../../src/report/run/types.js';
import {compareEntries, compareReports, printLeg, type Comparison} from '../../../../testbed/conformance/proxy/compare.js';
import {summarize} from '../../../../testbed/conformance/proxy/conform.js';
import {knownRows} from '../../../../testbed/conformance/proxy/known-rows.js';
import {deleteRule, sketchReport} from '../../../helpers/reports.js';
import {root} from '../../../helpers/root.js';

const about = {name: 'envoy', version: '1.0', rows: knownRows.envoy} as const;
const named = {case: 'types', backend: 'iptables-nft'};
const right = sketchReport({ids: ['1', '2', '4']});

/** A report in which one type is another. */
function withType(id: string, change: (result: TypeResult) => Partial<TypeResult>): Report {
	return {...right, types: right.types.map(result => result.id === id ? {...result, ...change(result)} : result)};
}

const kindsOf = (comparisons: readonly Comparison[]): readonly string[] => comparisons.map(({connection, kind}) => `${connection} ${kind}`);
const equal = ['1 remote-to-local ipv4 equal', '2 local-to-remote ipv4 equal', '4 local-to-local ipv4 equal'];

test('the same connection twice is equal, whatever ports the kernel chose', t => {
	const other = withType('2', ({legs}) => ({legs: legs.map(leg => ({...leg, from: {...leg.from, port: leg.from.port + 7}}))}));
	t.deepEqual(kindsOf(compareReports(named, {stub: right, other: right})), equal);
	t.deepEqual(kindsOf(compareReports(named, {stub: right, other})), equal);
});

for (const [title, change] of [
	['a leg less', ({legs}) => ({legs: legs.slice(0, 1)})],
	['another source', ({legs}) => ({legs: legs.map(leg => ({...leg, from: {...leg.from, address: '127.0.0.7'}}))})],
	['another destination', ({legs}) => ({legs: legs.map(leg => ({...leg, to: {...leg.to, port: 9}}))})],
	['another user', ({legs}) => ({legs: legs.map(leg => ({...leg, socket: {uid: 1, gid: 1}}))})],
	['another stop', ({legs}) => ({legs: legs.map(leg => ({...leg, end: {kind: 'accepted', stop: 'proxy:1'}}))})],
	['closed', ({legs}) => ({legs: legs.map(leg => leg.end.kind === 'accepted' ? {...leg, end: {...leg.end, closed: 'own-port'}} : leg)})],
	['handed to another listener', ({legs}) => ({legs: legs.map(leg => leg.end.kind === 'accepted' ? {...leg, end: {...leg.end, handedTo: 'proxy:15090'}} : leg)})],
	['a rule less', ({legs}) => ({legs: legs.map(leg => ({...leg, traversals: leg.traversals.map(traversal => ({...traversal, hits: traversal.hits.slice(1)}))}))})],
	['a chain less', ({legs}) => ({legs: legs.map(leg => ({...leg, traversals: leg.traversals.slice(1)}))})],
	['a loop', () => ({loop: true})],
] as ReadonlyArray<readonly [string, (result: TypeResult) => Partial<TypeResult>]>) {
	test(`goes red: ${title}`, t => {
		const comparisons = compareReports(named, {stub: right, other: withType('2', change)});
		t.deepEqual(kindsOf(comparisons), equal.with(1, '2 local-to-remote ipv4 different'));
		const {status, lines} = summarize(comparisons, {...about, leftOut: []});
		t.is(status, 1);
		t.regex(lines.join('\n'), /\ntypes iptables-nft 2 local-to-remote ipv4: different, first at leg \d\n {2}stub .*\n {2}envoy /u);
	});
}

test('both fail in the same way by rules that are wrong: that is equal', t => {
	const wrong = sketchReport({ids: ['2'], mutate: deleteRule('ISTIO_OUTPUT', 9)});
	t.is(wrong.types[0]!.outcome.kind, 'fail');
	t.deepEqual(kindsOf(compareReports(named, {stub: wrong, other: wrong})), ['2 local-to-remote ipv4 equal']);
});

const doubt = (result: TypeResult): Partial<TypeResult> => ({...result, outcome: {kind: 'inconclusive', reasons: [{kind: 'unclaimed', message: 'Something.'}]}});

test('what one of the two cannot tell is inconclusive, and it is said whose that is', t => {
	for (const [whose, reports] of [['stub', {stub: withType('1', doubt), other: right}], ['other', {stub: right, other: withType('1', doubt)}]] as const) {
		const comparisons = compareReports(named, reports);
		t.like(comparisons[0], {kind: 'inconclusive', whose, reasons: ['unclaimed: Something.']});
		const {status, lines} = summarize(comparisons, {...about, leftOut: ['x: because']});
		t.is(status, 3);
		t.true(lines.includes('  1 inconclusive') && lines.includes('  left out: x: because') && lines.includes(`types iptables-nft 1 remote-to-local ipv4: inconclusive for ${whose === 'stub' ? 'stub' : 'envoy'}`), lines.join('\n'));
	}
});

test('a connection that is not in the other report, and a case without one', t => {
	t.like(compareReports(named, {stub: right, other: {...right, types: []}})[0], {kind: 'inconclusive', whose: 'other', reasons: ['it is not in the report']});
	const report: RunEntry = {
		kind: 'report', report: right, source: 'x', release: null, backend: 'iptables-nft',
	};
	const without: RunEntry = {
		kind: 'inconclusive', reason: 'It could not start.', source: 'x', release: null, backend: 'iptables-nft',
	};
	t.like(compareEntries(named, {stub: report, other: without})[0], {kind: 'inconclusive', whose: 'other', reasons: ['It could not start.']});
	t.like(compareEntries(named, {stub: without, other: report})[0], {kind: 'inconclusive', whose: 'stub'});
	t.is(compareEntries(named, {stub: report, other: report}).length, 3);
});

test('nothing compared has shown nothing', t => {
	t.is(summarize([], {...about, leftOut: []}).status, 3);
});

const row = {
	row: 'does something else', case: 'types', connections: ['remote-to-local'], kind: 'inconclusive', says: /^unclaimed: /mu,
} as const;
const doubtful = (id: string): TypeResult => {
	const result = right.types.find(each => each.id === id)!;
	return {...result, ...doubt(result)};
};

const summaryOf = (other: Report, rows: ReadonlyArray<typeof row> = [row]) => summarize(compareReports(named, {stub: right, other}), {...about, leftOut: [], rows});

test('a difference that a row of the limits names is named with it', t => {
	const {status, lines} = summaryOf(withType('1', doubt));
	t.is(status, 0);
	t.true(lines.includes('  1 as the table in docs/limits.md says: Envoy does something else …'), lines.join('\n'));
});

test('goes red: a row that does not say so, one of another connection, and one that no longer holds', t => {
	t.is(summaryOf(withType('1', result => ({...doubt(result), outcome: {kind: 'inconclusive', reasons: [{kind: 'no-end', message: 'Another thing.'}]}}))).status, 3);
	t.is(summaryOf({...right, types: [doubtful('1'), doubtful('2')]}).status, 3);
	const {status, lines} = summaryOf(right);
	t.is(status, 1);
	t.true(lines.includes('  1 equal, and a row of the table in docs/limits.md says otherwise'), lines.join('\n'));
	t.is(summarize(compareReports(named, {stub: withType('1', doubt), other: right}), {...about, leftOut: [], rows: [row]}).status, 3, 'the row is about Envoy');
});

test('every known row is in docs/limits.md', t => {
	const limits = readFileSync(new URL('docs/limits.md', root), 'utf8');
	for (const {row: text} of Object.values(knownRows).flat()) {
		t.true(limits.includes(`| ${text}`), text);
	}
});

test('a leg as text has no port that the kernel chose, and no words of a program', t => {
	const leg = right.types[0]!.legs[0]!;
	t.is(printLeg({...leg, end: {kind: 'unreachable', reason: 'connect EINVAL'}}), printLeg({...leg, end: {kind: 'unreachable', reason: 'Network is unreachable'}}));
	t.false(printLeg(leg).includes(String(leg.from.port)));
});
