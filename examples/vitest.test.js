// A vitest suite that tests your rules on the kernel. Run it with: sudo env "PATH=$PATH" npx vitest run
import process from 'node:process';
import {
	afterAll, beforeAll, expect, test,
} from 'vitest';
import {compare, openSandbox} from 'sidecar-netfilter-testbed/kernel';

const rules = process.env.RULES ?? 'release:1.30';

/** @type {import('sidecar-netfilter-testbed/kernel').RulesSandbox | undefined} */
let sandbox;

beforeAll(async () => {
	sandbox = await openSandbox(rules);
});

afterAll(async () => {
	await sandbox?.close();
});

test.each([
	{asked: {from: 'app', to: 'remote:8080'}, stops: ['proxy:15001', 'remote:8080']},
	{asked: {from: 'app', uid: 1337, to: 'remote:8080'}, stops: ['remote:8080']},
	{asked: {from: 'remote', to: 'pod:8080'}, stops: ['proxy:15006', 'app:8080']},
])('$asked.from to $asked.to', async ({asked, stops}) => {
	const answer = await sandbox.probe(asked);
	expect(answer).toMatchObject({gaps: [], stops});
});

test('all traffic takes the same paths as with the rules of the release', {timeout: 30_000}, async () => {
	const {outcome, statements} = await compare('release:1.30', rules);
	expect({outcome, statements}).toEqual({outcome: 'equal', statements: []});
});
