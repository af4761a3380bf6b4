/** Istio until 1.2: one listener for both directions, which knows inbound connections by the pod's own address. */

import {writeFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {dir} from 'tmp-promise';
import {compareInputs} from '../../testbed/analysis/compare.js';
import {usualCredentials} from '../../testbed/inputs/credentials.js';
import {loadRuleInput} from '../../testbed/inputs/rules.js';
import {defaultBufferBytes} from '../../testbed/tracer/trace-source.js';
import type {RuleInput} from '../../testbed/inputs/types.js';
import type {Report} from '../../src/report/run/types.js';
import {bothBackends, run, stopsOf} from './_run.js';

const folder = await dir({unsafeCleanup: true});

test.after.always(async () => {
	await folder.cleanup();
});

/** What istio-iptables.sh of 1.1 writes if it captures all inbound ports (istio, tools/packaging/common/istio-iptables.sh). */
const lines = [
	'*nat', ':PREROUTING ACCEPT [0:0]', ':INPUT ACCEPT [0:0]', ':OUTPUT ACCEPT [0:0]', ':POSTROUTING ACCEPT [0:0]', ':ISTIO_INBOUND - [0:0]', ':ISTIO_IN_REDIRECT - [0:0]', ':ISTIO_OUTPUT - [0:0]', ':ISTIO_REDIRECT - [0:0]',
	'-A PREROUTING -p tcp -j ISTIO_INBOUND',
	'-A OUTPUT -p tcp -j ISTIO_OUTPUT',
	'-A ISTIO_INBOUND -p tcp -m tcp --dport 22 -j RETURN',
	'-A ISTIO_INBOUND -p tcp -m tcp --dport 15090 -j RETURN',
	'-A ISTIO_INBOUND -p tcp -j ISTIO_IN_REDIRECT',
	'-A ISTIO_IN_REDIRECT -p tcp -j REDIRECT --to-ports 15001',
	'-A ISTIO_OUTPUT ! -d 127.0.0.1/32 -o lo -j ISTIO_REDIRECT',
	'-A ISTIO_OUTPUT -m owner --uid-owner 1337 -j RETURN',
	'-A ISTIO_OUTPUT -m owner --gid-owner 1337 -j RETURN',
	'-A ISTIO_OUTPUT -d 127.0.0.1/32 -j RETURN',
	'-A ISTIO_OUTPUT -j ISTIO_REDIRECT',
	'-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001',
	'COMMIT', '',
];
const types = ['1', '2', '3', '4', '4b', '5', '6'];

function load(name: string, text: readonly string[], backend: typeof bothBackends[number] = 'iptables-nft'): RuleInput {
	const source = path.join(folder.path, name);
	writeFileSync(source, text.join('\n'));
	return loadRuleInput({
		source, source6: undefined, families: ['ipv4'], backend,
	});
}

async function play(rules: RuleInput): Promise<Report> {
	return run({
		rules, families: ['ipv4'], types, credentials: {proxy: usualCredentials({}, rules.intent).proxy}, backend: rules.backend,
	});
}

for (const backend of bothBackends) {
	test.serial(`${backend}: each type passes, through 15001 in both directions`, async t => {
		const report = await play(load(`whole-${backend}.save`, lines, backend));
		t.deepEqual(Object.fromEntries(types.map(id => [id, stopsOf(report, id, 'ipv4')])), {
			1: 'proxy:15001 → app:8080',
			2: 'proxy:15001 → remote:8080',
			3: 'proxy:15090 → proxy:15000',
			4: 'proxy:15001 → proxy:15001 → app:8080',
			'4b': 'proxy:15001 → app:8080',
			5: 'proxy:15090 → proxy:15000',
			6: 'istiod:15012',
		});
		t.deepEqual(report.types.filter(({outcome}) => outcome.kind !== 'pass').map(({id, outcome}) => [id, outcome]), []);
		t.regex(report.rules.identity.assumed.join(' '), /takes both directions on port 15001, and connects to the app on localhost/u);
		const [, toApp] = report.types.find(({id}) => id === '1')!.legs;
		t.like(toApp, {from: {address: '127.0.0.1'}, to: {address: '127.0.0.1', port: 8080}, socket: {uid: 1337}});
	});
}

test.serial('goes red: the proxy\'s own connection to localhost is captured, and loops', async t => {
	const report = await play(load('loop.save', lines.filter(line => !line.startsWith('-A ISTIO_OUTPUT -m owner') && !line.includes('-d 127.0.0.1/32 -j RETURN'))));
	t.deepEqual(report.types.filter(({outcome}) => outcome.kind === 'fail').map(({id}) => id), ['1', '2', '3', '4', '4b', '5', '6']);
});

test.serial('goes red: inbound connections have a redirect of their own, to a port where nobody listens', async t => {
	const report = await play(load('two.save', lines.map(line => line.replace('ISTIO_IN_REDIRECT -p tcp -j REDIRECT --to-ports 15001', 'ISTIO_IN_REDIRECT -p tcp -j REDIRECT --to-ports 15006'))));
	t.deepEqual(report.types.filter(({outcome}) => outcome.kind === 'fail').map(({id}) => id), ['1']);
});

test.serial('the prober\'s model says the same: a comparison with itself is equal, and its legs end at the app', async t => {
	const rules = load('model.save', lines);
	const other = load('model-ssh.save', lines.filter(line => !line.includes('--dport 22')));
	const report = await compareInputs({
		from: rules, to: other, families: ['ipv4'], credentials: usualCredentials({}, rules.intent, rules), arePathsCompared: false, timeoutMs: 5000, traceBufferBytes: defaultBufferBytes, signal: new AbortController().signal, onProgress: () => undefined,
	});
	t.deepEqual(report.gaps, []);
	t.deepEqual(report.statements.map(({from, to}) => `${from.join(' > ')} → ${to.join(' > ')}`), ['direct → proxy:15001 > direct']);
});
