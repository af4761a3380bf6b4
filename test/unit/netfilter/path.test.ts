import test from 'ava';
import {
	printLegEnd, printStep, stepsOfPath, stepsOfTraversal, stopsOfPath, type Leg, type LegEnd, type RuleHit, type Traversal,
} from '../../../src/netfilter/path.js';

/** `nat ISTIO_OUTPUT 9`; `?` is a rule that the loaded set does not hold. */
function hit(text: string): RuleHit {
	const [table, chain, number] = text.split(' ') as [string, string, string];
	return {
		family: 'ip', table, chain, number: number === '?' ? undefined : Number(number), handle: undefined, text: undefined, verdict: undefined,
	};
}

function traversal(table: string, chain: string, ...hits: readonly string[]): Traversal {
	return {
		hook: 'output', family: 'ip', table, chain, hits: hits.map(text => hit(`${table} ${text}`)), end: {by: 'policy', verdict: 'accept'}, inInterface: undefined, outInterface: undefined, source: {address: '10.0.0.1', port: 1}, destination: {address: '10.0.0.2', port: 2},
	};
}

function leg(actor: string, end: LegEnd, ...traversals: readonly Traversal[]): Leg {
	return {
		actor, family: 'ipv4', protocol: 'tcp', from: {address: '10.0.0.1', port: 1}, to: {address: '10.0.0.2', port: 2}, socket: undefined, traversals, end,
	};
}

const accepted = (stop: string): LegEnd => ({kind: 'accepted', stop});

const steps: ReadonlyArray<readonly [step: string, table: string, chain: string, number?: number | string]> = [
	['OUTPUT', 'nat', 'OUTPUT'],
	['OUTPUT#1', 'nat', 'OUTPUT', 1],
	['ISTIO_OUTPUT#9', 'nat', 'ISTIO_OUTPUT', 9],
	['ISTIO_OUTPUT#?', 'nat', 'ISTIO_OUTPUT', '?'],
	['mangle:PREROUTING', 'mangle', 'PREROUTING'],
	['raw:OUTPUT#1', 'raw', 'OUTPUT', 1],
];

for (const [step, table, chain, number] of steps) {
	test(`a step: ${step}`, t => {
		t.is(printStep(table, chain, number), step);
	});
}

const ends: ReadonlyArray<readonly [text: string, end: LegEnd]> = [
	['proxy:15001', accepted('proxy:15001')],
	['refused', {kind: 'refused'}],
	['unreachable', {kind: 'unreachable', reason: 'no route'}],
	['dropped', {kind: 'dropped', by: undefined}],
	['dropped by OUTPUT#2', {kind: 'dropped', by: hit('nat OUTPUT 2')}],
	['dropped by filter:CHECK#1', {kind: 'dropped', by: hit('filter CHECK 1')}],
	['dropped by raw:OUTPUT#?', {kind: 'dropped', by: hit('raw OUTPUT ?')}],
	['unknown', {kind: 'unknown', reason: 'no answer'}],
];

for (const [text, end] of ends) {
	test(`an end of a leg: ${text}`, t => {
		t.is(printLegEnd(end), text);
	});
}

const traversals: ReadonlyArray<readonly [title: string, traversal: Traversal, steps: readonly string[]]> = [
	['no rule matched', traversal('nat', 'POSTROUTING'), ['POSTROUTING']],
	['no rule matched in another table', traversal('mangle', 'INPUT'), ['mangle:INPUT']],
	['hits of several chains; the base chain is not named again', traversal('nat', 'OUTPUT', 'OUTPUT 1', 'ISTIO_OUTPUT 9', 'ISTIO_REDIRECT 1'), ['OUTPUT#1', 'ISTIO_OUTPUT#9', 'ISTIO_REDIRECT#1']],
	['a rule that the set does not hold', traversal('mangle', 'OUTPUT', 'OUTPUT ?'), ['mangle:OUTPUT#?']],
];

for (const [title, value, wanted] of traversals) {
	test(`the steps of a traversal: ${title}`, t => {
		t.deepEqual(stepsOfTraversal(value), wanted);
	});
}

const app = leg('app', accepted('proxy:15001'), traversal('nat', 'OUTPUT', 'OUTPUT 1', 'ISTIO_OUTPUT 9', 'ISTIO_REDIRECT 1'), traversal('nat', 'POSTROUTING'));
const proxy = leg('proxy', accepted('remote:8080'), traversal('nat', 'OUTPUT', 'OUTPUT 1', 'ISTIO_OUTPUT 4'), traversal('nat', 'POSTROUTING'));

const paths: ReadonlyArray<readonly [title: string, legs: readonly Leg[], steps: string, stops: readonly string[]]> = [
	['nothing', [], '', []],
	['type 2 by default', [app, proxy], 'app > OUTPUT#1 > ISTIO_OUTPUT#9 > ISTIO_REDIRECT#1 > POSTROUTING > proxy:15001 > OUTPUT#1 > ISTIO_OUTPUT#4 > POSTROUTING > remote:8080', ['proxy:15001', 'remote:8080']],
	['the second leg is refused', [app, {...proxy, end: {kind: 'refused'}}], 'app > OUTPUT#1 > ISTIO_OUTPUT#9 > ISTIO_REDIRECT#1 > POSTROUTING > proxy:15001 > OUTPUT#1 > ISTIO_OUTPUT#4 > POSTROUTING > refused', ['proxy:15001']],
	['no table with a rule under test', [leg('remote', accepted('app:8080'))], 'remote > app:8080', ['app:8080']],
	['dropped at once', [leg('app', {kind: 'dropped', by: hit('raw OUTPUT 1')}, traversal('raw', 'OUTPUT', 'OUTPUT 1'))], 'app > raw:OUTPUT#1 > dropped by raw:OUTPUT#1', []],
];

for (const [title, legs, wanted, stops] of paths) {
	test(`a path: ${title}`, t => {
		t.is(stepsOfPath({legs}).join(' > '), wanted);
		t.deepEqual(stopsOfPath({legs}), stops);
	});
}
