// A suite of ava that asks the kernel about your rules: sudo env "PATH=$PATH" npx ava
import process from 'node:process';
import test from 'ava';
import {compare, openSandbox, runTypes} from 'sidecar-netfilter-testbed/kernel';

// A release with arguments of istio-iptables, a pod's manifest (pod:pod.yaml), or a file with a dump of your own.
const rules = process.env.RULES ?? 'release:1.30';

test.before(async t => {
	t.context.sandbox = await openSandbox(rules);
});

test.after.always(async t => {
	await t.context.sandbox?.close();
});

test('what the app sends goes by the proxy', async t => {
	const {stops, gaps} = await t.context.sandbox.probe({from: 'app', to: 'remote:8080'});
	t.deepEqual(gaps, []); // Where evidence is missing, nothing is shown.
	t.deepEqual(stops, ['proxy:15001', 'remote:8080']);
});

test('what comes in goes by the proxy, but for its own ports', async t => {
	const answers = await t.context.sandbox.probeAll([
		{from: 'remote', to: 'pod:8080'},
		{from: 'prometheus', to: 'pod:15090'},
	]);
	t.deepEqual(answers.flatMap(({gaps}) => gaps), []);
	t.deepEqual(answers.map(({stops}) => stops), [['proxy:15006', 'app:8080'], ['proxy:15090']]);
});

test('the six types of traffic take the way that they should', async t => {
	const {types} = await runTypes(rules);
	t.deepEqual(types.filter(({outcome}) => outcome.kind !== 'pass').map(({name, outcome}) => ({name, outcome})), []);
});

test('no traffic goes another way than by the rules of the release', async t => {
	const {outcome, statements, gaps} = await compare('release:1.30', rules);
	t.deepEqual({outcome, moved: statements.map(({traffic, from, to}) => ({traffic, from, to})), gaps}, {outcome: 'equal', moved: [], gaps: []});
});
