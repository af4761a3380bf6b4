/**
Checks of what actors do: become another user, listen, open sockets as another user, keep a capability.
*/

import {Actor} from '../actors/actor.js';
import type {ActorSpec} from '../actors/protocol.js';
import {TestbedError} from '../errors.js';
import {refuseMissingUsers} from '../rootless/mapped-ids.js';
import type {Netns} from '../sandbox/netns.js';
import {openRawTcp} from '../syscalls/raw-tcp.js';
import {commandLine} from '../system/program-name.js';
import type {Check} from './check.js';
import {scratch} from './scratch.js';

/** Any user but root will do; this is the usual proxy's. */
const user = {uid: 1337, gid: 1337} as const;

const spec: ActorSpec = {
	...user, name: 'proxy', ownSource: {ipv4: '127.0.0.1', ipv6: '::1'}, listeners: [], services: {}, passthroughSource: {ipv4: '127.0.0.6', ipv6: '::6'}, addresses: ['127.0.0.1'], timeoutMs: 1000,
};

function assertIsUser(found: {readonly uid: number; readonly gid: number} | undefined): void {
	if (found?.uid !== user.uid || found.gid !== user.gid) {
		throw new TestbedError('MACHINE', {message: `Expected uid ${user.uid} gid ${user.gid}, but the kernel reports ${found === undefined ? 'no single user' : `uid ${found.uid} gid ${found.gid}`}.`});
	}
}

async function listenAs(netns: Netns, extra: Pick<ActorSpec, 'listeners' | 'transparent'>): Promise<void> {
	refuseMissingUsers([spec]);
	await using actor = await Actor.start(netns, {...spec, ...extra});
	assertIsUser(actor.credentials());
}

/** Each check becomes another user and reads back who that is. */
export function actorChecks(): readonly Check[] {
	const shared = {group: 'actors', needs: 'root, with CAP_SETUID, CAP_SETGID and CAP_NET_ADMIN', fix: `sudo env "PATH=$PATH" ${commandLine('doctor')}`} as const;
	return [
		{
			...shared,
			what: 'a process that becomes another user and listens, also on ports below 1024',
			use: 'actors',
			async act() {
				await scratch(async netns => {
					netns.setSysctl('net/ipv4/ip_unprivileged_port_start', '0');
					await listenAs(netns, {
						listeners: [
							{
								protocol: 'tcp', port: 15_001, stop: 'proxy:15001', duty: 'outbound',
							}, {
								protocol: 'tcp', port: 53, stop: 'proxy:53', duty: 'answer',
							},
						],
					});
				});
			},
		},
		{
			...shared,
			what: 'sockets created as another user',
			use: 'everything',
			async act() {
				await scratch(async netns => {
					refuseMissingUsers([spec]);
					await using actor = await Actor.start(netns, spec);
					await actor.open('doctor', {address: '127.0.0.1', port: 9});
					assertIsUser(actor.made);
				});
			},
		},
		{
			...shared,
			what: 'transparent sockets as another user with only CAP_NET_ADMIN',
			use: 'TPROXY',
			async act() {
				await scratch(async netns => listenAs(netns, {
					listeners: [{
						protocol: 'tcp', port: 15_006, stop: 'proxy:15006', duty: 'inbound',
					}],
					transparent: {mark: 1337, marksOutbound: false},
				}));
			},
		},
		{
			...shared,
			what: 'raw sockets, for invalid packets',
			use: 'invalid packets',
			needs: 'root, with CAP_NET_RAW',
			async act() {
				await scratch(async netns => {
					netns.enter(() => {
						openRawTcp({source: undefined, destination: new Uint8Array([127, 0, 0, 1]), timeoutMs: 100}).close();
					});
				});
			},
		},
	];
}
