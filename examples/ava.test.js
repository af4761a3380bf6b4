// An ava suite that tests your rules on the kernel. Run it with: sudo env "PATH=$PATH" npx ava
import process from 'node:process';
import test from 'ava';
import {compare, openSandbox, runTypes} from 'sidecar-netfilter-testbed/kernel';

// A release with arguments for istio-iptables, a pod's manifest (pod:pod.yaml), or a file with your own dump.
const rules = process.env.RULES ?? 'release:1.30';

test.before(async t => {
	t.context.sandbox = await openSandbox(rules);
});

test.after.always(async t => {
	await t.context.sandbox?.close();
});

test('traffic from the app goes through the proxy', async t => {
	const {stops, gaps} = await t.context.sandbox.probe({from: 'app', to: 'remote:8080'});
	t.deepEqual(gaps, []); // If evidence is missing, the result proves nothing.
	t.deepEqual(stops, ['proxy:15001', 'remote:8080']);
});

test('inbound traffic goes through the proxy, except to the proxy\'s own ports', async t => {
	const answers = await t.context.sandbox.probeAll([
		{from: 'remote', to: 'pod:8080'},
		{from: 'prometheus', to: 'pod:15090'},
	]);
	t.deepEqual(answers.flatMap(({gaps}) => gaps), []);
	t.deepEqual(answers.map(({stops}) => stops), [['proxy:15006', 'app:8080'], ['proxy:15090', 'proxy:15000']]);
});

test('the six types of traffic take the expected paths', async t => {
	const {types} = await runTypes(rules);
	t.deepEqual(types.filter(({outcome}) => outcome.kind !== 'pass').map(({name, outcome}) => ({name, outcome})), []);
});

test('all traffic takes the same paths as with the rules of the release', async t => {
	const {outcome, statements, gaps} = await compare('release:1.30', rules);
	t.deepEqual({outcome, moved: statements.map(({traffic, from, to}) => ({traffic, from, to})), gaps}, {outcome: 'equal', moved: [], gaps: []});
});
