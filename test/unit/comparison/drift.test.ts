/** What a live pod does differently, in terms of behavior, and the usual causes: each seen, and each absent where nothing points to it. */

import test from 'ava';
import {driftOf, type Drift, type LiveSide} from '../../../src/comparison/drift.js';
import {identify} from '../../../src/identity/identify.js';
import {istio} from '../../../src/istio/mesh.js';
import type {RuleSet} from '../../../src/netfilter/types.js';
import {rulesOfRelease, rulesOfTable} from '../../helpers/class-sets.js';
import {compareSets} from '../../helpers/probe-results.js';

function drift(expected: RuleSet, live: RuleSet, {release = '1.24', ...side}: Partial<LiveSide> & {readonly release?: string} = {}): Drift {
	return driftOf(compareSets(expected, live), {
		expected: {source: `release:${release}`, release},
		live: {
			place: 'process 4711 (envoy)', ruleSet: live, identity: identify({ruleSet: live, mesh: istio.recognizes(live) ? istio : undefined, release: null}), backend: 'iptables-nft', filled: ['iptables-nft'], proxyFault: undefined, ...side,
		},
	});
}

const kindsOf = ({findings, causes}: Drift) => ({findings: findings.map(({kind}) => kind), causes: causes.map(({kind}) => kind)});

test('the rules that it should have: no finding, and no cause even if two back ends are filled', t => {
	const rules = rulesOfRelease('release:1.24');
	t.deepEqual(kindsOf(drift(rules, rules, {filled: ['iptables-nft', 'iptables-legacy']})), {findings: [], causes: []});
});

test('no rules: nothing is captured, because nobody wrote any', t => {
	const found = drift(rulesOfRelease('release:1.24'), {tables: []}, {filled: []});
	t.deepEqual(kindsOf(found), {findings: ['nothing-captured'], causes: ['no-rules']});
	t.regex(found.causes[0]!.text, /init container failed.*CNI plug-in/u);
});

test('without DNS capture, DNS over UDP passes by; over TCP it goes to the proxy like all TCP', t => {
	t.deepEqual(kindsOf(drift(rulesOfRelease('release:1.24 --redirect-dns'), rulesOfRelease('release:1.24'))).findings, ['dns-bypass', 'captured', 'elsewhere']);
});

test('half of the rules: named as incomplete', t => {
	const {tables} = rulesOfRelease('release:1.24');
	const half = {tables: tables.map(table => ({...table, chains: table.chains.map(chain => chain.name === 'OUTPUT' ? {...chain, rules: []} : chain)}))};
	const found = drift(rulesOfRelease('release:1.24'), half);
	t.deepEqual(kindsOf(found), {findings: ['outbound-bypass'], causes: ['partly-installed']});
	t.regex(found.causes[0]!.text, /OUTPUT does not jump to ISTIO_OUTPUT/u);
});

test('a rule of another tool in front', t => {
	const {tables} = rulesOfRelease('release:1.24');
	const [rule] = rulesOfTable('nat', ['-A OUTPUT -p tcp -m tcp --dport 443 -j ACCEPT']).tables[0]!.chains.find(({name}) => name === 'OUTPUT')!.rules;
	const changed = {tables: tables.map(table => table.family === 'ip' && table.name === 'nat' ? {...table, chains: table.chains.map(chain => chain.name === 'OUTPUT' ? {...chain, rules: [rule!, ...chain.rules.map(each => ({...each, number: each.number + 1}))]} : chain)} : table)};
	const found = drift(rulesOfRelease('release:1.24'), changed);
	t.deepEqual(kindsOf(found), {findings: ['outbound-bypass'], causes: ['other-rules']});
	t.regex(found.causes[0]!.text, /OUTPUT#1 \(-p tcp -m tcp --dport 443 -j ACCEPT\)/u);
});

test('the rules of another release: older ones are left over, newer ones are not expected yet', t => {
	const older = drift(rulesOfRelease('release:1.24'), rulesOfRelease('release:1.12'));
	t.true(kindsOf(older).causes.includes('other-release'));
	t.regex(older.causes.find(({kind}) => kind === 'other-release')!.text, /and 1\.24 was expected\. Usually they are left from before an upgrade/u);
	const newer = drift(rulesOfRelease('release:1.12'), rulesOfRelease('release:1.24'), {release: '1.12'});
	t.regex(newer.causes.find(({kind}) => kind === 'other-release')!.text, /the expectation was not/u);
	// A patch of a release that the rules can be of is no other release.
	t.false(kindsOf(drift(rulesOfRelease('release:1.24 -o 9090'), rulesOfRelease('release:1.24'), {release: '1.24.3'})).causes.includes('other-release'));
});

test('two filled back ends and a proxy of another user are told with whatever moved', t => {
	const found = drift(rulesOfRelease('release:1.24'), rulesOfRelease('release:1.24 -o 9090'), {filled: ['iptables-nft', 'iptables-legacy'], proxyFault: 'The proxy listens as UID 5.'});
	t.deepEqual(kindsOf(found), {findings: ['outbound-bypass'], causes: ['two-back-ends', 'proxy-user']});
	t.regex(found.causes[0]!.text, /in iptables-nft and in iptables-legacy at once.*only those of iptables-nft were compared/u);
});

test('what should go straight is captured', t => {
	t.deepEqual(kindsOf(drift(rulesOfRelease('release:1.24 -o 9090'), rulesOfRelease('release:1.24'))).findings, ['captured']);
});
