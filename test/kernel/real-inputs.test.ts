/**
What the kernel does with inputs that users really have, where it decides what is right: older forms of the rules, and who sends.
*/

import {writeFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {dir} from 'tmp-promise';
import type {Report} from '../../src/report/run/types.js';
import {allResults, summarize} from '../../src/report/run/summary.js';
import {parseSave, printSave} from '../../src/netfilter/iptables/save.js';
import {stopsOfPath} from '../../src/netfilter/path.js';
import {credentialsOf} from '../../testbed/inputs/credentials.js';
import {playersOf} from '../../testbed/inputs/players.js';
import {loadRuleInput} from '../../testbed/inputs/rules.js';
import type {Backend} from '../../src/netfilter/types.js';
import {readFixture} from '../helpers/fixtures.js';
import {optionsOf, run} from './_run.js';

type Change = (text: string) => string;

/** Runs the types through a case, changed where a test wants it, with the users of the input and of the rules. */
async function playCase(name: string, {change = text => text, backend, kind = '', types}: {readonly change?: Change; readonly backend?: Backend; readonly kind?: string; readonly types?: readonly string[]} = {}): Promise<Report> {
	const folder = await dir({unsafeCleanup: true});
	const file = path.join(folder.path, name);
	writeFileSync(file, change(readFixture('cases', name)));
	const rules = loadRuleInput({source: `${kind}${file}`, families: ['ipv4'], ...(backend === undefined ? {} : {backend})});
	const {credentials, others} = playersOf(rules, credentialsOf({}, rules.intent, rules));
	const report = await run({
		...optionsOf({rules}), rules, credentials, others, ...(types === undefined ? {} : {types}),
	});
	await folder.cleanup();
	return report;
}

/** `2: pass, remote:8080` for each case. */
function told(report: Report): readonly string[] {
	return allResults(report).map(({id, outcome, legs}) => `${id}: ${outcome.kind}, ${stopsOfPath({legs}).join(' ')}`);
}

/** Only the dump of a page of documentation. */
const dumpAlone: Change = text => text.slice(text.indexOf('# Generated'));

const healthyAmbient = [
	'1: pass, proxy:15006 app:8080', '2: pass, proxy:15001 remote:8080', '3: pass, proxy:15006 proxy:15090', '4: pass, proxy:15001 app:8080', '5: pass, proxy:15090', '6: pass, proxy:15001 istiod:15012',
];

for (const backend of ['iptables-nft', 'iptables-legacy'] as const) {
	test(`38: an ambient pod of 1.21 with TPROXY is healthy, ${backend}`, async t => {
		t.deepEqual(told(await playCase('38-ambient-1.21-doc.txt', {change: dumpAlone, backend})), healthyAmbient);
	});

	test(`15: in 1.4, every hairpin connection goes to the inbound listener, ${backend}`, async t => {
		t.deepEqual(told(await playCase('15-chain-exists-1.4.log', {backend, types: ['1', '2', '4', '4b', '5', '6']})), [
			'1: pass, proxy:15006 app:8080', '2: pass, proxy:15001 remote:8080', '4: pass, proxy:15001 proxy:15006 app:8080', '4b: pass, proxy:15006 app:8080', '5: pass, proxy:15090 proxy:15000', '6: pass, istiod:15012',
		]);
	});
}

test('goes red: an ambient pod without its TPROXY rule', async t => {
	const change = (text: string): string => dumpAlone(text).split('\n').filter(line => !line.includes('--on-port 15006')).join('\n');
	const [uncaptured] = told(await playCase('38-ambient-1.21-doc.txt', {change, types: ['1']}));
	t.is(uncaptured, '1: fail, app:8080');
});

test('goes red: 1.4 without its hairpin rule', async t => {
	const change = (text: string): string => text.split('\n').filter(line => !line.includes('! -d 127.0.0.1/32 -o lo')).join('\n');
	t.deepEqual(told(await playCase('15-chain-exists-1.4.log', {change, types: ['4']})), ['4: fail, proxy:15001 app:8080']);
});

test('31: inbound plaintext bypasses ztunnel if the jump is missing', async t => {
	const report = await playCase('31-mirrord-ambient.save', {types: ['1', '2']});
	t.deepEqual(told(report), ['1: fail, app:8080', '2: pass, proxy:15001 remote:8080']);
	t.regex(report.rules.identity.text, /inbound plaintext bypasses ztunnel/u);
});

test('18: the second proxy user bypasses the inbound listener, and both users are counted', async t => {
	const report = await playCase('18-two-uids-1.9.log');
	t.deepEqual(report.types.map(({id, outcome}) => `${id} ${outcome.kind}`), ['1 pass', '2 pass', '3 pass', '4 pass', '5 pass', '6 pass']);
	t.deepEqual(told({...report, types: []}), ['2/proxy-1338: pass, remote:8080', '4/proxy-1338: fail, app:8080', '5/proxy-1338: pass, proxy:15090 proxy:15000']);
	t.deepEqual(report.others?.map(({actor, uid, gid}) => ({actor, uid, gid})), [{actor: 'proxy-1338', uid: 1338, gid: 1338}]);
	t.deepEqual(summarize(report), {passed: 8, failed: 1, inconclusive: 0});
	const own = report.others![0]!.types[0]!;
	t.deepEqual(own.actors['proxy-1338'], {uid: 1338, gid: 1338});
	t.like(own.legs[0], {socket: {uid: 1338, gid: 1338}});
});

test('18: the same user is taken for the proxy if its rules come first', async t => {
	const swapped = (text: string): string => text.replaceAll(/owner 133(?<digit>[78])/gu, (_, digit: string) => `owner 133${digit === '7' ? '8' : '7'}`);
	const report = await playCase('18-two-uids-1.9.log', {change: swapped, types: ['4']});
	t.deepEqual(told(report), ['4: pass, proxy:15001 proxy:15006 app:8080', '4/proxy-1337: fail, app:8080']);
});

test('51: an app with the proxy\'s user bypasses the proxy, and fails type 2 on its stops', async t => {
	const report = await playCase('51-openshift-custom-52614.yaml', {kind: 'pod:', types: ['2', '4']});
	t.deepEqual(told(report), ['2: fail, remote:8080', '4: fail, vip:8080']);
	t.deepEqual(report.types[0]!.expected.legs.map(({stop}) => stop), ['proxy:15001', 'remote:8080']);
	t.true(report.hints.some(hint => hint.startsWith('app runs with the proxy\'s UID 1000740000')));
});

test('51: an app with its own user is captured, and each container with another user is tested', async t => {
	const change = (text: string): string => `${text.replace(/runAsUser: 1000740000\n {8}command/u, 'runAsUser: 1000740001\n        command')}      - name: same\n        image: a\n        securityContext: {runAsUser: 1000740000}\n      - name: other\n        image: a\n        securityContext: {runAsUser: 7, runAsGroup: 8}\n`;
	const report = await playCase('51-openshift-custom-52614.yaml', {kind: 'pod:', change, types: ['2']});
	t.deepEqual(told(report), ['2: pass, proxy:15001 remote:8080', '2/app-same: fail, remote:8080', '2/app-other: pass, proxy:15001 remote:8080']);
	t.deepEqual(report.others?.map(({uid, gid}) => `${uid}:${gid}`), ['1000740000:1000740000', '7:8']);
});

/** An injected pod of 1.31 whose proxy opens both ports for scrapes by mutual TLS. */
function scrapedPod(excluded: string, further = ''): Change {
	return () => `apiVersion: v1
kind: Pod
metadata:
  name: cart
  labels: {sidecar.istio.io/inject: "true"}
  annotations:
    proxy.istio.io/config: |
      proxyMetadata:
        ENVOY_SECURE_METRICS_PORT: "15091"
        ENVOY_SECURE_MERGED_METRICS_PORT: "15092"
${excluded === '' ? '' : `    traffic.sidecar.istio.io/excludeInboundPorts: "${excluded}"\n`}${further}spec:
  containers: [{name: app, image: a}]
`;
}

for (const backend of ['iptables-nft', 'iptables-legacy', 'nftables'] as const) {
	test(`1.31: a scrape by mutual TLS goes to the inbound listener first, or directly if its port is excluded, ${backend}`, async t => {
		// Any fixture will do: the manifest is written here.
		const captured = await playCase('51-openshift-custom-52614.yaml', {kind: 'pod:', change: scrapedPod(''), backend, types: ['3']});
		t.deepEqual(told(captured), ['3: pass, proxy:15090 proxy:15000', '3/15091: pass, proxy:15006 proxy:15091 proxy:15090 proxy:15000', '3/15092: pass, proxy:15006 proxy:15092 agent:15020']);
		t.is(captured.types[1]!.legs[1]!.from.address, '127.0.0.6');
		t.is(captured.hints.filter(hint => hint.includes('excludeInboundPorts must name')).length, 2);
		const direct = await playCase('51-openshift-custom-52614.yaml', {kind: 'pod:', change: scrapedPod('15091,15092'), backend, types: ['3']});
		t.deepEqual(told(direct), ['3: pass, proxy:15090 proxy:15000', '3/15091: pass, proxy:15091 proxy:15090 proxy:15000', '3/15092: pass, proxy:15092 agent:15020']);
		t.false(direct.hints.some(hint => hint.includes('excludeInboundPorts must name')));
	});
}

test('1.31: under TPROXY the listener sees the client\'s own address', async t => {
	const report = await playCase('51-openshift-custom-52614.yaml', {kind: 'pod:', change: scrapedPod('', '    sidecar.istio.io/interceptionMode: TPROXY\n'), types: ['3']});
	t.deepEqual(told(report), ['3: pass, proxy:15090 proxy:15000', '3/15091: pass, proxy:15006 proxy:15091 proxy:15090 proxy:15000', '3/15092: pass, proxy:15006 proxy:15092 agent:15020']);
	t.is(report.types[1]!.legs[1]!.from.address, '10.244.1.22');
});

test('goes red: a scrape by mutual TLS that the inbound listener cannot forward', async t => {
	const folder = await dir({unsafeCleanup: true});
	const file = path.join(folder.path, 'pod.yaml');
	writeFileSync(file, scrapedPod('')(''));
	const right = loadRuleInput({source: `pod:${file}`, families: ['ipv4']});
	await folder.cleanup();
	const text = printSave(right.ruleSet, 'ipv4').split('\n').filter(line => !line.includes('-s 127.0.0.6/32')).join('\n');
	const rules = {...right, ruleSet: parseSave(text, 'ipv4')};
	const report = await run({...optionsOf({rules}), rules, types: ['3']});
	t.deepEqual(report.types.map(({id, outcome, loop}) => `${id} ${outcome.kind}${loop ? ' loop' : ''}`), ['3 pass', '3/15091 fail loop', '3/15092 fail loop']);
});

for (const backend of ['iptables-nft', 'iptables-legacy', 'nftables'] as const) {
	test(`two proxy users under TPROXY: each is tested, and the second one lacks its hairpin rule, ${backend}`, async t => {
		const rules = loadRuleInput({source: 'release:1.30 -m TPROXY -u 1337,1338', families: ['ipv4'], backend});
		const {credentials, others} = playersOf(rules, credentialsOf({}, rules.intent, rules));
		const report = await run({
			...optionsOf({rules}), rules, credentials, others, types: ['2', '4', '5'],
		});
		t.deepEqual(report.types.map(({id, outcome}) => `${id} ${outcome.kind}`), ['2 pass', '4 pass', '5 pass']);
		// The mark of mangle leads 1338 to the inbound listener all the same, past the rule of nat that should.
		t.deepEqual(told({...report, types: []}), [
			'2/proxy-1337: pass, remote:8080', '4/proxy-1337: pass, proxy:15006 app:8080', '5/proxy-1337: pass, proxy:15090 proxy:15000',
			'2/proxy-1338: pass, remote:8080', '4/proxy-1338: fail, proxy:15006 app:8080', '5/proxy-1338: pass, proxy:15090 proxy:15000',
		]);
	});
}
