/** Sockets, packets and traversals of one connection, from which the tests of legs put their evidence together. */

import type {Endpoint, RuleHit, Traversal} from '../../../src/netfilter/path.js';
import type {TracedPacket} from '../../../src/trace/packets.js';
import type {
	AcceptedSocket, OpenedSocket, SocketOwner, SocketRecord,
} from '../../../src/trace/sockets.js';
import {header} from './_events.js';

export const appPort: Endpoint = {address: '10.244.1.10', port: 40_000};
export const proxyPort: Endpoint = {address: '10.244.1.10', port: 40_001};
export const remote: Endpoint = {address: '10.244.1.20', port: 8080};
export const elsewhere: Endpoint = {address: '10.244.1.21', port: 8080};

export const opened = (changes: Partial<OpenedSocket> = {}): OpenedSocket => ({
	kind: 'opened', id: 'probe', parent: undefined, actor: 'app', family: 'ipv4', from: appPort, to: remote, ...changes,
});
export const accepted = (changes: Partial<AcceptedSocket> = {}): AcceptedSocket => ({
	kind: 'accepted', id: 'in', actor: 'remote', stop: 'remote:8080', peer: appPort, local: remote, originalDestination: undefined, ...changes,
});
export const byProxy = accepted({
	id: 'proxy-in', actor: 'proxy', stop: 'proxy:15001', local: {address: '127.0.0.1', port: 15_001}, originalDestination: remote,
});
export const onward = opened({
	id: 'proxy-out', parent: 'proxy-in', actor: 'proxy', from: proxyPort,
});
export const watched: SocketRecord = {
	kind: 'watched', id: 'proxy-user', actor: 'proxy', uid: 1337, gid: 1337,
};
export const attempted: SocketRecord = {
	kind: 'attempted', id: 'proxy-out', parent: 'proxy-in', actor: 'proxy', family: 'ipv4', to: remote,
};
export const ended = (result: 'connected' | 'refused' | 'unreachable' | 'timeout', reason = ''): SocketRecord => ({
	kind: 'ended', id: 'probe', result, reason,
});

export const hit = (number: number | undefined, chain = 'OUTPUT'): RuleHit => ({
	family: 'ip', table: 'nat', chain, number, handle: 9, text: undefined, verdict: 'accept',
});

export function traversal(changes: Partial<Traversal> = {}): Traversal {
	const {chain = 'OUTPUT'} = changes;
	return {
		hook: chain === 'OUTPUT' ? 'output' : 'postrouting',
		family: 'ip',
		table: 'nat',
		chain,
		hits: [],
		end: {by: 'policy', verdict: 'accept'},
		inInterface: undefined,
		outInterface: 'eth0',
		source: appPort,
		destination: remote,
		...changes,
	};
}

export const whole = [traversal({hits: [hit(1)]}), traversal({chain: 'POSTROUTING'})];

export const packet = (changes: Partial<TracedPacket> & {readonly from?: Endpoint; readonly to?: Endpoint} = {}): TracedPacket => ({
	header: header({source: changes.from ?? appPort, destination: changes.to ?? remote}), traversals: whole, seen: true, entry: undefined, owner: undefined, ...changes,
});
export const owner = (changes: Partial<SocketOwner> = {}): SocketOwner => ({
	family: 'ipv4', from: appPort, to: remote, uid: 1000, gid: 1000, ...changes,
});
