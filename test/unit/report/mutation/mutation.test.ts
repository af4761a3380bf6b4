import test from 'ava';
import type {Statement} from '../../../../src/comparison/moves.js';
import {mutantsOf} from '../../../../src/mutation/mutants.js';
import type {Detection, MutantStatus, MutantResult} from '../../../../src/mutation/status.js';
import type {Representative} from '../../../../src/packet-classes/representatives.js';
import {parseSave} from '../../../../src/netfilter/iptables/save.js';
import {mutationToJson} from '../../../../src/report/mutation/json.js';
import {resultsOfMutation} from '../../../../src/report/mutation/results.js';
import {printMutation} from '../../../../src/report/mutation/text.js';
import {exitStatusOfMutation, type MutationReport} from '../../../../src/report/mutation/types.js';
import {exitStatusOfResults, summarizeResults} from '../../../../src/report/formats/results.js';
import {holdDocument, printed} from '../../../helpers/json-schemas.js';
import {ofIstio} from '../../../helpers/mesh.js';
import {plainIdentity} from '../../../helpers/reports.js';

const {mutants} = mutantsOf(ofIstio(parseSave('*nat\n:OUTPUT ACCEPT\n-A OUTPUT -m owner --uid-owner 1337 -j RETURN\n-A OUTPUT -p tcp -j REDIRECT --to-ports 15001\nCOMMIT\n', 'ipv4')), ['ipv4']);

const example: Representative = {
	index: 0, kind: 'inner', origin: 'pod', family: 'ipv4', protocol: 'tcp', packet: 'first', uid: 1338, gid: 1338, source: undefined, sourcePort: undefined, destination: {address: '10.244.1.20', port: 8080}, mark: undefined,
};
const statement: Statement = {
	severity: 'bypass', families: ['ipv4'], traffic: ['TCP from user 1338'], from: ['proxy:15001', 'direct'], to: ['direct'], cause: {
		kind: 'changed', from: null, to: null, text: 'OUTPUT#1 changed',
	}, classes: 1, example,
};
const differs: MutantStatus = {kind: 'differs', isByStops: true, statements: [statement]};

function report(...rows: ReadonlyArray<readonly [mutantStatus: MutantStatus, types?: Detection]>): MutationReport {
	return {
		environment: {
			kernel: '6.18', iptables: '1.8.9', nft: '1.0.6', node: '20',
		},
		rules: {
			source: 'release:1.30 -u 1', release: '1.30', backend: 'iptables-nft', identity: plainIdentity, sha256: '0123456789abcdef', notes: [],
		},
		families: ['ipv4'],
		cases: [{
			name: 'types', count: 6, leftOut: [], untrusted: ['4 local-to-local, ipv4 does not pass with the original (fail).'],
		}],
		results: rows.map(([mutantStatus, types], index): MutantResult => ({mutant: mutants[index]!, mutantStatus, detections: new Map(types === undefined ? [] : [['types', types]])})),
		places: new Map([[1, {file: 'my.rules', line: 3}]]),
		untouched: ['OUTPUT#3 (-m length --length 1)'],
		hints: [],
		durationMs: 5,
	};
}

const all = report(
	[differs, {kind: 'survived'}],
	[differs, {kind: 'killed', by: ['1 remote-to-local, ipv4']}],
	[{kind: 'equivalent', classes: 19, probes: 32}],
	[{kind: 'rejected', reason: 'line 3\nfailed'}],
	[{kind: 'inconclusive', gaps: ['One.', 'Two.', 'Three.'].map(message => ({kind: 'no-end', message}))}, {kind: 'inconclusive', reasons: ['Lost.']}],
);

test('the text has scores, survivors with the traffic that shows them, inconclusive mutants, and what is not changed', t => {
	const text = printMutation(all, {color: false, width: 80, verbose: true});
	for (const wanted of [
		/2 differ \(0 of them only by the rules on the path\), 1/u,
		/types +1 of 2 \(50 %\)/u,
		/✖ 1 OUTPUT#1 \(.*\): deleted\n {2}unnoticed by types\n {2}shown by {2}TCP from user 1338: was proxy:15001 > direct, is direct\n/u,
		/testbed mutate 'release:1\.30 -u 1' --backend iptables-nft --print 1 \| testbed probe .*\n/u,
		/\? 5 OUTPUT#1/u,
		/One\. Two\. And 1 more gaps\./u,
		/equivalent: 19 packet classes compared with 32 probes on each side/u,
		/cannot be installed: line 3 failed/u,
		/hint +types: 4 local-to-local, ipv4 does not pass with the original \(fail\)/u,
		/Not mutated, because not understood: OUTPUT#3/u,
		/✖ 1 of 3 mutants that are not equivalent are killed by these cases, 1\n? *survived,\n? *1 are unknown\. \(5 ms\)/u,
	]) {
		t.regex(text, wanted);
	}

	// Commands alone are longer than the line: each stands in one.
	t.deepEqual(text.split('\n').filter(line => line.length > 80 && !line.startsWith('    testbed mutate ')), []);
});

test('results: a survivor fails at its line, an equivalent one decides nothing, and the exit status is the command\'s', t => {
	const results = resultsOfMutation(all);
	t.deepEqual(summarizeResults(results), {passed: 1, failed: 1, inconclusive: 1});
	const [suite] = results.suites;
	t.deepEqual(suite!.cases.map(({outcome}) => outcome.kind), ['fail', 'pass', 'unavailable', 'unavailable', 'inconclusive']);
	t.deepEqual(suite!.cases[0]!.place, {file: 'my.rules', line: 3});
	t.is(exitStatusOfResults(results), exitStatusOfMutation(all));
	for (const rows of [[[differs, {kind: 'killed', by: []}]], [[{kind: 'equivalent', classes: 1, probes: 1}]], []] as ReadonlyArray<ReadonlyArray<readonly [MutantStatus, Detection?]>>) {
		t.is(exitStatusOfResults(resultsOfMutation(report(...rows))), exitStatusOfMutation(report(...rows)));
	}
});

test('the JSON is valid by its schema', t => {
	holdDocument(t, 'mutation', {document: printed(mutationToJson(all)), open: /^(?:\.mutants\[\]\.detections\.\w+|\.scores\[\]\.killedByStops|\.mutants\[\]\.status\.moved\[\]\.witness\.(?:uid|gid))$/u});
});

test('the JSON has a standing, a fate and a replay for each, and no rule set', t => {
	const json = mutationToJson(all);
	t.deepEqual(json.mutants.map(({standing}) => standing), ['survived', 'killed', 'left-out', 'left-out', 'inconclusive']);
	t.false('ruleSet' in json.mutants[0]!);
	t.deepEqual(json.summary, {
		mutants: 5, killed: 1, survived: 1, inconclusive: 1, equivalent: 1, rejected: 1,
	});
});
