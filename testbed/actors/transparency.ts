/**
What the proxy stub does with its sockets under TPROXY, loaded only then: capabilities over the change of user, transparent listeners, connections from the client's own address.
*/

import {Socket, type Server} from 'node:net';
import {addressBytes, printAddressBytes} from '../../src/netfilter/address.js';
import type {Endpoint} from '../../src/netfilter/path.js';
import {connectTransparently, setTransparent} from '../syscalls/transparent.js';
import {descriptorOf} from './descriptor.js';

export {keepCapabilities, raiseNetAdmin} from '../syscalls/transparent.js';

/** Lets a listener take connections to addresses that are not its own. */
export function makeTransparent(server: Server, family: 'ipv4' | 'ipv6'): void {
	setTransparent(descriptorOf(server), family);
}

/** Begins a connection from somebody else's address. Node's socket around it tells errors as its own do; a write waits until it is connected. */
export function connectFrom({source, to, mark}: {readonly source: string; readonly to: Endpoint; readonly mark: number}): {readonly socket: Socket; readonly from: Endpoint} {
	const {fd, own} = connectTransparently({source: addressBytes(source), destination: {address: addressBytes(to.address), port: to.port}, mark});
	return {socket: new Socket({fd, readable: true, writable: true}), from: {address: printAddressBytes(own.address), port: own.port}};
}
