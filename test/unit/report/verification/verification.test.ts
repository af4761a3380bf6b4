/** What a verification comes to, and that its doubts reach every format. */

import test from 'ava';
import type {RecordedCase, RecordedClass} from '../../../../src/baseline/baseline.js';
import {unrecordedCases, verifyCases} from '../../../../src/baseline/verify-cases.js';
import {exitStatusOfResults} from '../../../../src/report/formats/results.js';
import {resultsOfVerification} from '../../../../src/report/verification/results.js';
import {verificationToJson} from '../../../../src/report/verification/json.js';
import {printVerification} from '../../../../src/report/verification/text.js';
import {plainIdentity, sketchReport} from '../../../helpers/reports.js';
import {exitStatusOfVerification, type VerificationReport} from '../../../../src/report/verification/types.js';
import {holdDocument, printed} from '../../../helpers/json-schemas.js';

const record: RecordedCase = {
	of: 'types', id: '2', name: 'local-to-remote', family: 'ipv4', stops: ['proxy:15001', 'remote:8080'], roles: ['outbound-jump', null],
};
const recordedClass: RecordedClass = {
	traffic: ['TCP to any other host'], probe: {
		origin: 'pod', family: 'ipv4', protocol: 'tcp', uid: 1000, gid: 1000, source: undefined, sourcePort: undefined, destination: {address: '10.244.1.20', port: 8080}, mark: undefined,
	}, arrivals: ['proxy:15001', 'direct'], stops: ['proxy:15001', 'remote:8080'], roles: [['outbound-redirect'], []],
};
const rules = {
	source: 'release:1.30', release: '1.30', backend: 'iptables-nft', identity: plainIdentity, sha256: 'abcdef0123456789', notes: [],
} as const;
const environment = {
	kernel: '6.18', iptables: '1.8.9', nft: '1.0.6', node: '20.20.2',
};

function reportOf(change: Partial<VerificationReport> = {}): VerificationReport {
	return {
		baseline: {file: 'b.json', rules, environment}, environment, rules, areRolesCompared: true,
		families: [{
			family: 'ipv4', classes: 1, probes: 2, fields: ['uid'], leftOut: [],
		}],
		statements: [], classes: [{record: recordedClass, outcome: 'same'}], cases: [{record, outcome: 'same'}], gaps: [], hints: [], durationMs: 5, ...change,
	};
}

const statuses: ReadonlyArray<readonly [title: string, change: Partial<VerificationReport>, status: 0 | 1 | 3]> = [
	['all is as recorded', {}, 0],
	['a gap', {gaps: [{kind: 'lost-events', message: 'One event was lost.'}]}, 3],
	['a class that nothing was compared with', {classes: [{record: recordedClass, outcome: 'unchecked'}]}, 3],
	['no class at all', {classes: []}, 3],
	['a connection in doubt', {cases: [{record, outcome: 'inconclusive', gaps: [{kind: 'no-end', message: 'It did not end.'}]}], gaps: [{kind: 'no-end', message: 'It did not end.'}]}, 3],
	['a connection that moved', {
		cases: [{
			record, outcome: 'moved', what: 'stops', to: {...record, stops: []},
		}],
	}, 1],
	['a connection that moved, and a gap', {
		gaps: [{kind: 'lost-events', message: 'One event was lost.'}], cases: [{
			record, outcome: 'moved', what: 'roles', to: {...record, roles: []},
		}],
	}, 1],
];

test('the JSON is valid by its schema', t => {
	const moved = reportOf({
		classes: [{record: recordedClass, outcome: 'same'}, {record: recordedClass, outcome: 'moved', to: ['direct'], because: 'a rule is gone'}, {record: recordedClass, outcome: 'unchecked'}],
		cases: [{record, outcome: 'moved', what: 'stops', to: {...record, stops: []}}, {record, outcome: 'inconclusive', gaps: [{kind: 'no-end', message: 'It did not end.'}]}, {record, outcome: 'same'}],
		statements: [{
			severity: 'bypass', families: ['ipv4'], traffic: ['TCP from user 1338'], from: ['proxy:15001', 'direct'], to: ['direct'], cause: {
				kind: 'removed', from: {place: 'OUTPUT#1', role: null, text: '-j ACCEPT'}, to: null, text: 'OUTPUT#1 is gone',
			}, classes: 1, example: {
				...recordedClass.probe, index: 0, kind: 'inner', packet: 'first',
			},
		}],
	});
	holdDocument(t, 'verification', {document: printed(verificationToJson(moved)), open: /^\.(?:baseline\.environment\.\w+|classes\[\]\.(?:probe\.(?:uid|gid)|to|because)|cases\[\]\.(?:what|to|gaps)|moved\[\]\.witness\.(?:uid|gid))$/u});
});

for (const [title, change, status] of statuses) {
	test(`exit status ${status} of text and of cases: ${title}`, t => {
		const report = reportOf(change);
		t.is(exitStatusOfVerification(report), status);
		t.is(exitStatusOfResults(resultsOfVerification(report)), status);
		const text = printVerification(report, {color: false, verbose: true, width: 80});
		t.regex(text, {0: /✔ As recorded: 1 recorded classes? and 1 recorded connections?/u, 1: /✖ Moved: /u, 3: /\? Inconclusive: /u}[status]);
		t.like(verificationToJson(report), {version: 1, outcome: {0: 'same', 1: 'moved', 3: 'inconclusive'}[status]});
	});
}

test('recorded connections: the same, other stops, other roles, and missing', t => {
	const observed = {...record, gaps: []};
	const verify = (now: ReadonlyArray<typeof observed>, areRolesCompared = true) => verifyCases({recorded: [record], observed: now, areRolesCompared})[0];
	t.is(verify([observed])?.outcome, 'same');
	t.like(verify([{...observed, stops: ['remote:8080']}]), {outcome: 'moved', what: 'stops'});
	t.like(verify([{...observed, roles: ['outbound-jump', 'range-exclude']}]), {outcome: 'moved', what: 'roles'});
	t.is(verify([{...observed, roles: ['outbound-jump', 'range-exclude']}], false)?.outcome, 'same');
	t.is(verify([])?.outcome, 'inconclusive');
	t.is(verify([{...observed, family: 'ipv6'}])?.outcome, 'inconclusive');
	t.is(verifyCases({recorded: [record], observed: [{...observed, gaps: [{kind: 'no-end', message: 'It did not end.'}]}], areRolesCompared: true})[0]?.outcome, 'inconclusive');
	t.deepEqual(unrecordedCases({recorded: [record], observed: [observed, {...observed, id: '3'}]}), ['type 3 local-to-remote, ipv4']);
});

test('a connection that moved is drawn, beside what it was if that is known', t => {
	const sketched = sketchReport({ids: ['2']});
	const {legs} = sketched.types[0]!;
	const shown = {ruleSet: sketched.loaded!.rules, probeResult: {legs, isLoop: false, gaps: []}};
	const observed = {
		...record, gaps: [], stops: ['remote:8080'], shown,
	};
	const [checked] = verifyCases({recorded: [record], observed: [observed], areRolesCompared: true}) as [Extract<VerificationReport['cases'][number], {outcome: 'moved'}>];
	const captionsOf = (each: VerificationReport['cases'][number]): readonly string[] => resultsOfVerification(reportOf({cases: [each]})).suites[0]!.cases.flatMap(({pictures}) => pictures?.().map(({group, caption}) => `${group} ${caption}`) ?? []);
	t.deepEqual(captionsOf(checked), ['1 now']);
	t.deepEqual(captionsOf({...checked, shown: {from: shown, to: shown}}), ['1 before', '1 after']);
	t.false(Object.hasOwn(verificationToJson(reportOf({cases: [checked]})).cases[0]!, 'shown'));
	t.false(Object.hasOwn(checked.to, 'shown'));
});
