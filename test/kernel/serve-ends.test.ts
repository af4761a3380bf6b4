/** How \`testbed serve\` ends, and what it refuses before it begins. */

import test from 'ava';
import {testbed} from './_cli.js';
import {RunningServer} from './_serve.js';

for (const signal of ['SIGTERM', 'SIGINT', 'SIGKILL'] as const) {
	test.serial(`after ${signal} nothing is left of a server and its sandbox`, async t => {
		await using server = await RunningServer.start();
		await server.ready();
		t.true(server.run.noteNamespaces() > 0);
		server.run.process.kill(signal);
		const {exitCode, stderr} = await server.run.process;
		t.is(exitCode, signal === 'SIGKILL' ? undefined : 130);
		if (signal !== 'SIGKILL') {
			t.regex(String(stderr), new RegExp(`^testbed: Interrupted by ${signal}\\.$`, 'mu'));
		}

		await t.notThrowsAsync(server.run.nothingLeft());
	});
}

test.serial('a server that nobody uses ends by itself, with its sandbox', async t => {
	await using server = await RunningServer.start(['--idle', '0.05']);
	const {exitCode, stderr} = await server.run.process;
	t.is(exitCode, 0);
	t.regex(String(stderr), /Nobody has used the page for 0\.05 minutes/u);
	await t.notThrowsAsync(server.run.nothingLeft());
});

test.serial('wrong uses are told before anything is built', async t => {
	await using server = await RunningServer.start();
	for (const [given, message] of [
		[['serve', '--port', String(server.port)], /Nothing can listen on 127\.0\.0\.1:\d+: .*EADDRINUSE/u],
		[['serve', '--port', '70000'], /0 to 65535|70000/u],
		[['serve', '--listen', '0.0.0.0'], /one address of this machine/u],
		[['serve', '--listen', 'localhost'], /one address of this machine/u],
		[['serve', '--listen', '203.0.113.7'], /Nothing can listen on 203\.0\.113\.7/u],
		[['serve', '--idle', '0'], /number of minutes/u],
		[['serve', 'no-such-file'], /no-such-file/u],
		[['serve', 'release:all'], /rule sets|takes one/u],
	] as const) {
		const {exitCode, stderr} = await testbed([...given]); // eslint-disable-line no-await-in-loop -- One after the other.
		t.is(exitCode, 2, given.join(' '));
		t.regex(stderr, message, given.join(' '));
	}
});

test.serial('a lesson is asked on the kernel, step by step, and gives nothing away before its time', async t => {
	await using server = await RunningServer.start();
	await server.ready();
	t.is(await server.actStatus({kind: 'answer', answer: ['1']}), 409);
	t.is(await server.actStatus({kind: 'lesson', name: 'no-such-lesson'}), 409);
	t.is(await server.actStatus({kind: 'lesson', name: '../../etc/passwd'}), 422);
	t.is(await server.actStatus({kind: 'lesson', name: 'out-of-the-pod'}), 200);
	const asked = await server.shown(({lesson}) => lesson!);
	t.deepEqual([asked.phase, asked.right, asked.ending, asked.drawings, asked.hints], ['ask', null, [], [], []]);
	t.true(asked.choices.length > 5);
	t.is(await server.actStatus({kind: 'answer', answer: ['no choice']}), 409);
	t.is(await server.actStatus({kind: 'answer', answer: ['4']}), 200);
	t.is(await server.shown(({lesson}) => lesson!.hints.length), 1);
	t.is(await server.actStatus({kind: 'answer', answer: ['9']}), 200);
	const told = await server.shown(({lesson}) => lesson!);
	t.deepEqual([told.phase, told.right, told.result?.kind, told.drawings.length], ['told', ['9'], 'right', 1]);
	t.is(await server.actStatus({kind: 'next'}), 200);
	t.is(await server.shown(({lesson}) => lesson!.index), 1);
	t.is(await server.actStatus({kind: 'close-lesson'}), 200);
	t.is(await server.shown(({lesson}) => lesson), null);
});
