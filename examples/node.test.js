// A suite for Node's own test runner that tests your rules on the kernel. Run it with: sudo env "PATH=$PATH" node --test
import assert from 'node:assert/strict';
import process from 'node:process';
import {after, before, test} from 'node:test';
import {compare, openSandbox} from 'sidecar-netfilter-testbed/kernel';

const rules = process.env.RULES ?? 'release:1.30';

/** @type {import('sidecar-netfilter-testbed/kernel').RulesSandbox | undefined} */
let sandbox;

before(async () => {
	sandbox = await openSandbox(rules);
});

after(async () => {
	await sandbox?.close();
});

test('traffic from the app goes through the proxy, traffic from the proxy does not', async () => {
	const answers = await sandbox.probeAll([
		{from: 'app', to: 'remote:8080'},
		{from: 'proxy', to: 'remote:8080'},
	]);
	assert.deepEqual(answers.flatMap(({gaps}) => gaps), []);
	assert.deepEqual(answers.map(({stops}) => stops), [['proxy:15001', 'remote:8080'], ['remote:8080']]);
});

test('all traffic takes the same paths as with the rules of the release', async () => {
	const {outcome, statements} = await compare('release:1.30', rules);
	assert.equal(outcome, 'equal', JSON.stringify(statements.map(({traffic, from, to}) => ({traffic, from, to}))));
});
