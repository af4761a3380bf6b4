/** Hints about users that rules know and that take part. */

import test from 'ava';
import {intentOfRuleSet} from '../../../src/istio/intent.js';
import {userHints, type RunUsers} from '../../../src/judge/user-hints.js';
import {importRules} from '../../../src/netfilter/import/import-rules.js';
import {readFixture} from '../../helpers/fixtures.js';
import {ofIstio} from '../../helpers/mesh.js';

const own = (uid: number) => ({uid, gid: uid});
const {ruleSet} = importRules(readFixture('cases', '64-telepresence-uid0.save').split('\n').slice(1).join('\n'));

function hints({proxy = own(1337), app = own(1000), others = [], proxyUids}: {
	readonly proxy?: {uid: number; gid: number}; readonly app?: {uid: number; gid: number}; readonly others?: RunUsers['others']; readonly proxyUids?: readonly number[];
} = {}, rules = ruleSet): readonly string[] {
	const intent = intentOfRuleSet(rules);
	return userHints({
		intent: {...intent, proxyUids: proxyUids ?? intent.proxyUids}, ruleSet: ofIstio(rules), others, credentials: {
			app, proxy, agent: proxy, remote: own(0), istiod: own(0), prometheus: own(0),
		},
	});
}

test('another tool\'s rule for a user that no actor has (64)', t => {
	t.deepEqual(hints(), ['OUTPUT#1 ("-m owner --uid-owner 0 -j RETURN") is for UID 0, which no actor of this run has: traffic of that user\'s processes bypasses the sidecar. To try it: testbed probe --uid 0 --to remote:8080']);
	t.deepEqual(hints({app: own(0)}), []);
	const dropping = importRules('*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m owner --gid-owner 7 -j DROP\n-A OUTPUT -m owner ! --uid-owner 8 -j ACCEPT\nCOMMIT\n').ruleSet;
	t.deepEqual(hints({}, dropping), ['filter:OUTPUT#1 ("-m owner --gid-owner 7 -j DROP") is for GID 7, which no actor of this run has: traffic of that user\'s processes was not tested. To try it: testbed probe --gid 7 --to remote:8080']);
});

test('a proxy whose user is not in the rules', t => {
	t.is(hints({proxy: own(5), app: own(0), proxyUids: []})[0], 'The rules exempt no UID as the proxy, but the proxy of this run has UID 5 (--proxy-uid).');
	t.is(hints({proxy: own(5), app: own(0)})[0], 'The rules exempt UID 1337 as the proxy, but the proxy of this run has UID 5 (--proxy-uid).');
});

test('an app with the proxy\'s user or group, and another container with it', t => {
	t.regex(hints({app: own(1337)})[0]!, /^app runs with the proxy's UID 1337, .* not captured .* another runAsUser\.$/u);
	t.regex(hints({app: {uid: 1, gid: 1337}})[0]!, /^app runs with the proxy's GID 1337, .* another runAsGroup\.$/u);
	t.regex(hints({others: [{name: 'app-b', part: 'app', ...own(1337)}]})[0]!, /^app-b runs with the proxy's UID 1337/u);
	t.is(hints({others: [{name: 'proxy-1338', part: 'proxy', ...own(1338)}]}).length, 1);
});
