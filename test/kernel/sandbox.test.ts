/** The sandbox and its actors: their users and namespaces according to the kernel, and that the machine stays unchanged. */

import {execFileSync} from 'node:child_process';
import {readFileSync, readlinkSync} from 'node:fs';
import process from 'node:process';
import test from 'ava';
import {addressFamilies, defaultTopology} from '../../src/mesh/topology.js';
import {actorsFor} from '../../src/mesh/traffic-types.js';
import {ActorGroup} from '../../testbed/actors/actor-group.js';
import {TestbedError} from '../../testbed/errors.js';
import {Netns} from '../../testbed/sandbox/netns.js';
import {unreadyAddresses, untilAddressesAreReady} from '../../testbed/sandbox/ready-addresses.js';
import {Sandbox} from '../../testbed/sandbox/sandbox.js';
import {until} from './_cli.js';
import {
	bothBackends, optionsOf, run, systemPath,
} from './_run.js';

/** The lines of `/proc/PID/status` that tell who a process is. */
function credentialsIn(pid: number): Readonly<Record<string, readonly number[]>> {
	const status = readFileSync(`/proc/${pid}/status`, 'utf8');
	return Object.fromEntries(['Uid', 'Gid', 'Groups'].map(name => [name, new RegExp(String.raw`^${name}:[ \t]*(?<ids>.*)$`, 'mu').exec(status)!.groups!['ids']!.trim().split(/\s+/u).filter(id => id !== '').map(Number)]));
}

function four(id: number): readonly number[] {
	return [id, id, id, id]; // Real, effective, saved, and of the file system, which the owner match reads.
}

test.serial('actors have the right user in all four ids, no other groups, and the right namespace', async t => {
	const {credentials, rules} = optionsOf({credentials: {agent: {uid: 0, gid: 1337}, proxy: {uid: 2000, gid: 3000}}});
	await using sandbox = Sandbox.create();
	await sandbox.configure(defaultTopology);
	await using actorGroup = await ActorGroup.start({
		sandbox,
		topology: defaultTopology,
		intent: rules.intent,
		actorSet: rules.mesh.traffic.actors({
			topology: defaultTopology, intent: rules.intent, names: actorsFor(rules.mesh.traffic, rules.intent, ['1', '2', '3', '6']), credentials,
		}),
		timeoutMs: 1000,
	});
	const homes = {pod: `net:[${sandbox.pod.inode}]`, remote: `net:[${sandbox.remote.inode}]`};
	const machine = readlinkSync('/proc/self/ns/net');
	t.is(new Set([homes.pod, homes.remote, machine]).size, 3);
	const wanted = {
		proxy: {uid: 2000, gid: 3000, home: homes.pod},
		app: {uid: 1000, gid: 1000, home: homes.pod},
		agent: {uid: 0, gid: 1337, home: homes.pod},
		remote: {uid: 0, gid: 0, home: homes.remote},
		istiod: {uid: 0, gid: 0, home: homes.remote},
		prometheus: {uid: 0, gid: 0, home: homes.remote},
	} as const;
	t.deepEqual([...actorGroup.actors.keys()].toSorted(), Object.keys(wanted).toSorted() as Array<keyof typeof wanted>);
	for (const [name, actor] of actorGroup.actors) {
		const {uid, gid, home} = wanted[name as keyof typeof wanted];
		t.is(actor.gap, undefined);
		t.is(actor.made, undefined);
		t.is(actor.pid === undefined, name === 'prometheus', `${name}: who listens is a process`);
		if (actor.pid !== undefined) {
			t.deepEqual(credentialsIn(actor.pid), {Uid: four(uid), Gid: four(gid), Groups: []}, name);
			t.deepEqual(actor.credentials(), {uid, gid}, name);
			t.is(readlinkSync(`/proc/${actor.pid}/ns/net`), home, name);
		}

		const {pod, remote, prometheus} = defaultTopology.places;
		const from = home === homes.pod ? pod.ipv4 : (name === 'prometheus' ? prometheus.ipv4 : remote.ipv4);
		await actor.open('one', {address: home === homes.pod ? remote.ipv4 : pod.ipv4, port: 9}); // eslint-disable-line no-await-in-loop -- One after the other.
		t.deepEqual(actor.made, {uid, gid}, name);
		t.deepEqual(actor.records.map(record => record.kind === 'opened' ? record.from.address : record.kind === 'ended' && record.result), [from, 'refused'], name);
	}

	t.deepEqual([process.geteuid!(), process.getegid!()], [0, 0]);
	t.regex(readFileSync('/proc/thread-self/status', 'utf8'), /^Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0$/mu, 'the testbed itself is who it was');

	t.is(readlinkSync('/proc/self/ns/net'), machine);
	t.is(readlinkSync('/proc/thread-self/ns/net'), machine);
});

test.serial('programs start in the namespace, and the next one outside of it', async t => {
	const machine = readlinkSync('/proc/self/ns/net');
	await using one = Netns.create('one');
	await using other = Netns.create('other');
	const born = await Promise.all([one, other, one].map(async netns => netns.run('readlink', ['/proc/self/ns/net'])));
	t.deepEqual(born, [one, other, one].map(({inode}) => `net:[${inode}]`));
	t.is(execFileSync('readlink', ['/proc/self/ns/net'], {encoding: 'utf8'}).trim(), machine);
	t.throws(() => {
		one.enter(() => {
			throw new Error('inside');
		});
	}, {message: 'inside'});
	t.is(readlinkSync('/proc/thread-self/ns/net'), machine, 'also after an error inside');
});

test.serial('the sandbox: addresses and routes of both families, and none that the kernel added by itself', async t => {
	await using sandbox = Sandbox.create();
	await sandbox.configure(defaultTopology);
	const addresses = await sandbox.pod.run('ip', ['-brief', 'address', 'show', 'dev', 'eth0']);
	t.regex(addresses, /10\.244\.1\.10\/24 2001:db8:1::10\/64 *$/u, 'and no address of link scope');
	for (const family of addressFamilies) {
		const {remote, vip} = defaultTopology.places;
		const route = await sandbox.pod.run('ip', ['route', 'get', vip[family]]); // eslint-disable-line no-await-in-loop -- Two of them.
		t.true(route.includes(`via ${remote[family]} dev eth0`), route);
		const local = await sandbox.remote.run('ip', ['route', 'get', vip[family]]); // eslint-disable-line no-await-in-loop -- As above.
		t.true(local.startsWith(`local ${vip[family]}`), local);
	}
});

/** All that a run could change on the machine, as text. */
function machineState(): Readonly<Record<string, string>> {
	const read = (file: string, ...given: readonly string[]): string => execFileSync(file, given, {encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], env: {...process.env, PATH: systemPath}});
	const withoutCounters = (text: string): string => text.replaceAll(/\[\d+:\d+\]|packets \d+ bytes \d+|^#.*$/gmu, '');
	return {
		...Object.fromEntries(['iptables', 'ip6tables'].flatMap(name => ['nft', 'legacy'].map(kind => [`${name}-${kind}`, withoutCounters(read(`${name}-${kind}-save`))]))),
		nft: withoutCounters(read('nft', 'list', 'ruleset')),
		links: read('ip', '-o', 'link').replaceAll(/qlen \d+/gu, ''),
		addresses: read('ip', '-o', 'address').replaceAll(/\d+sec/gu, ''),
		routes: read('ip', 'route', 'show', 'table', 'all') + read('ip', '-6', 'route', 'show', 'table', 'all').replaceAll(/expires \d+sec/gu, ''),
		rules: read('ip', 'rule') + read('ip', '-6', 'rule'),
		neighbors: read('ip', 'netns', 'list'),
		sysctls: ['ipv4/ip_forward', 'ipv4/conf/all/route_localnet', 'ipv6/conf/all/disable_ipv6', 'ipv6/conf/default/accept_dad', 'ipv6/conf/default/addr_gen_mode', 'ipv6/conf/default/router_solicitations', 'netfilter/nf_log/2', 'netfilter/nf_log/10', 'netfilter/nf_conntrack_max']
			.map(name => `${name} ${readIfThere(`/proc/sys/net/${name}`)}`).join(''),
	};
}

function readIfThere(file: string): string {
	try {
		return readFileSync(file, 'utf8');
	} catch {
		return 'is not there\n';
	}
}

test.serial('the machine\'s own rules, links, addresses, routes and sysctls do not change', async t => {
	const before = machineState();
	for (const backend of bothBackends) {
		const report = await run({backend, families: addressFamilies}); // eslint-disable-line no-await-in-loop -- One at a time.
		t.true(report.types.every(({outcome}) => outcome.kind === 'pass'));
	}

	t.deepEqual(machineState(), before);
});

test.serial('the sandbox waits for its IPv6 addresses, which the kernel adds in the background', async t => {
	await using netns = Netns.create('addresses', ['lo']);
	netns.setSysctl('net/ipv6/conf/default/accept_dad', '1');
	netns.setSysctl('net/ipv6/conf/default/dad_transmits', '1');
	await netns.run('ip', ['link', 'add', 'one', 'type', 'veth', 'peer', 'name', 'two']);
	for (const device of ['lo', 'one', 'two']) {
		await netns.run('ip', ['link', 'set', device, 'up']); // eslint-disable-line no-await-in-loop -- Both ends, so that the link has a carrier.
	}

	// The kernel gives the devices theirs when it has noticed the carrier.
	await until('both devices have link-local addresses', () => netns.enter(() => readFileSync('/proc/thread-self/net/if_inet6', 'latin1')).match(/^fe80/gmu)?.length === 2 ? true : undefined);
	await untilAddressesAreReady(netns);
	await netns.run('ip', ['addr', 'add', '2001:db8:1::10/64', 'dev', 'one']);
	// Duplicate address detection takes a second.
	const error = await t.throwsAsync(untilAddressesAreReady(netns, 20), {instanceOf: TestbedError, code: 'MACHINE'});
	t.regex(error.message, /^The kernel has not finished adding the IPv6 address 20010db8000100000000000000000010 in the namespace addresses for 0\.02 s\.$/u);
	await untilAddressesAreReady(netns);
	t.regex(await netns.run('ip', ['-6', 'route', 'get', '2001:db8:1::10']), /^local 2001:db8:1::10 .*dev lo /u);
});

test.serial('every address of a sandbox can be used as soon as it is configured', async t => {
	for (let count = 0; count < 20; count++) {
		await using sandbox = Sandbox.create(); // eslint-disable-line no-await-in-loop -- One after the other.
		await sandbox.configure(defaultTopology); // eslint-disable-line no-await-in-loop -- As above.
		for (const netns of sandbox.namespaces()) {
			const [addresses, routes] = netns.enter(() => ['if_inet6', 'ipv6_route'].map(name => readFileSync(`/proc/thread-self/net/${name}`, 'latin1')));
			t.deepEqual(unreadyAddresses(addresses!, routes!), []);
		}
	}
});
