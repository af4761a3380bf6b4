/** Drawings of before, where the recorded rules cannot be sent through again: the result stands, and a hint says why. */

import test from 'ava';
import type {Baseline, RecordedCase} from '../../../../src/baseline/baseline.js';
import {parseSave} from '../../../../src/netfilter/iptables/save.js';
import {exitStatusOfVerification, type VerificationReport} from '../../../../src/report/verification/types.js';
import {withRecordedPaths} from '../../../../testbed/analysis/recorded-paths.js';
import {plainIdentity} from '../../../helpers/reports.js';

const record: RecordedCase = {
	of: 'types', id: '2', name: 'local-to-remote', family: 'ipv4', stops: ['proxy:15001'], roles: [null],
};
const rules = {
	source: 'my.rules', release: null, backend: 'iptables-nft', identity: plainIdentity, sha256: 'abcdef0123456789', notes: [],
} as const;
const baseline: Baseline = {
	environment: {},
	rules: {
		source: 'my.rules', source6: null, dnsServers: null, release: null, backend: 'iptables-nft', sha256: 'abcdef0123456789', families: ['ipv4'], markRules: [],
		ruleSet: parseSave('*nat\n:OUTPUT ACCEPT\n-A OUTPUT -m nosuchmatch -j RETURN\nCOMMIT\n', 'ipv4'),
	},
	proxy: {uid: 1337, gid: 1337},
	classes: [],
	cases: [record],
};
const options = {
	baseline,
	credentials: {
		app: {uid: 1000, gid: 1000}, proxy: baseline.proxy, agent: baseline.proxy, remote: {uid: 0, gid: 0}, istiod: {uid: 0, gid: 0}, prometheus: {uid: 0, gid: 0},
	},
	timeoutMs: 1,
	traceBufferBytes: 1,
	signal: new AbortController().signal,
	onProgress: () => undefined,
	allowModules: undefined,
};

function reportOf(checked: VerificationReport['cases'][number]): VerificationReport {
	return {
		baseline: {file: 'b.json', rules, environment: {}},
		environment: {
			kernel: '6.18', iptables: '1.8.9', nft: '1.0.6', node: '20',
		},
		rules,
		areRolesCompared: true,
		families: [],
		statements: [],
		classes: [],
		cases: [checked],
		gaps: [],
		hints: ['A hint.'],
		durationMs: 5,
	};
}

test('recorded rules that are refused here leave the result as it is, with a hint', async t => {
	const report = reportOf({
		record, outcome: 'moved', what: 'stops', to: {...record, stops: []},
	});
	const {hints, ...rest} = await withRecordedPaths(report, options);
	const {hints: before, ...same} = report;
	t.deepEqual(rest, same);
	t.deepEqual(hints.slice(0, -1), before);
	t.regex(hints.at(-1)!, /^The recorded rules could not be sent through again, so the drawings have no "before": my\.rules: .*nosuchmatch/u);
	t.is(exitStatusOfVerification({...rest, hints}), 1);
});

test('where nothing moved, nothing is sent', async t => {
	const report = reportOf({record, outcome: 'same'});
	t.is(await withRecordedPaths(report, options), report);
});
