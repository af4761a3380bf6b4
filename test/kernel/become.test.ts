/** Actors become their users even if Node refuses to change its user, as Debian 13's does. */

import assert from 'node:assert/strict';
import {fork} from 'node:child_process';
import {once} from 'node:events';
import {readdirSync, readFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import test from 'ava';
import {defaultTopology} from '../../src/mesh/topology.js';
import type {ActorSpec, FromActor} from '../../testbed/actors/protocol.js';
import {Netns} from '../../testbed/sandbox/netns.js';

const program = path.resolve('dist/testbed/actors/stub.js');
const refusal = path.resolve('test/fixtures/node/refuses-credentials.cjs');

const plain: ActorSpec = {
	name: 'proxy', uid: 1337, gid: 1338, ownSource: {ipv4: '127.0.0.1', ipv6: '::1'}, listeners: [{
		protocol: 'tcp', port: 15_001, stop: 'proxy:15001', duty: 'outbound',
	}], services: {}, passthroughSource: defaultTopology.passthroughSource, addresses: [], timeoutMs: 1000,
};

const identity = ['Uid', 'Gid', 'Groups'] as const;

function valuesIn(file: string, names: readonly string[]): Readonly<Record<string, string>> {
	const status = readFileSync(file, 'utf8');
	return Object.fromEntries(names.map(name => [name, new RegExp(String.raw`^${name}:[ \t]*(?<value>.*)$`, 'mu').exec(status)!.groups!['value']!.trim()]));
}

async function endOf(ended: Promise<unknown>): Promise<[FromActor]> {
	await ended;
	return [{type: 'failed', message: 'it ended'}];
}

/** A program that starts Node, and its arguments. */
type By = {readonly execPath: string; readonly execArgv: readonly string[]};

/** What the kernel reports about an actor's process once it is ready, or the actor's error. */
async function startedWith(spec: ActorSpec, execArgv: readonly string[], by?: By): Promise<Readonly<Record<string, string>> | string> {
	await using netns = Netns.create('become', ['lo']);
	const child = netns.enter(() => fork(program, [], {...by, execArgv: [...(by?.execArgv ?? []), '--no-warnings', ...execArgv], env: {LC_ALL: 'C'}, serialization: 'json'}));
	const ended = once(child, 'close');
	try {
		const answered = once(child, 'message');
		child.send({type: 'start', specs: [spec]});
		const [message] = await Promise.race([answered, endOf(ended)]) as [FromActor];
		if (message.type !== 'ready') {
			return message.type === 'failed' ? message.message : message.type;
		}

		const wholeProcess = valuesIn(`/proc/${child.pid}/status`, [...identity, 'CapEff', 'CapPrm', 'CapInh', 'CapAmb']);
		// The C library has to change every thread of it.
		for (const thread of readdirSync(`/proc/${child.pid}/task`)) {
			assert.deepEqual(valuesIn(`/proc/${child.pid}/task/${thread}/status`, identity), valuesIn(`/proc/${child.pid}/status`, identity));
		}

		return wholeProcess;
	} finally {
		child.kill('SIGKILL');
		await ended;
	}
}

const four = (id: number): string => [id, id, id, id].join('\t');
const none = '0'.repeat(16);
const wanted = {
	Uid: four(1337), Gid: four(1338), Groups: '', CapEff: none, CapPrm: none, CapInh: none, CapAmb: none,
};
/** CAP_NET_ADMIN is bit 12 (linux/capability.h). */
const netAdmin = '0000000000001000';

for (const [node, execArgv] of [['this Node', []], ['a Node that refuses to change its user', ['--require', refusal]]] as const) {
	test.serial(`${node}: an actor has its user, no supplementary groups and no capabilities`, async t => {
		t.deepEqual(await startedWith(plain, execArgv), wanted);
	});

	test.serial(`${node}: a transparent proxy has its user and keeps only CAP_NET_ADMIN`, async t => {
		t.deepEqual(await startedWith({...plain, transparent: {mark: 1337, marksOutbound: false}}, execArgv), {...wanted, CapEff: netAdmin, CapPrm: netAdmin});
	});
}

test.serial('an actor that may not change its user reports that', async t => {
	// Root without the right to become another user. Not another user: that one might not be let into the folder of the checkout.
	const powerless = {execPath: 'setpriv', execArgv: ['--bounding-set=-setuid,-setgid', '--inh-caps=-setuid,-setgid', process.execPath]};
	t.is(await startedWith(plain, [], powerless), 'setgroups failed: EPERM');
});
