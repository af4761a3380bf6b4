/**
The stub's socket handling under TPROXY, loaded only then: keeping capabilities across the change of user, transparent listeners, and connections from the client's own address.
*/

import {Socket, type Server} from 'node:net';
import {addressBytes, printAddressBytes} from '../../src/netfilter/address.js';
import type {Endpoint} from '../../src/netfilter/path.js';
import {connectTransparently, setTransparent} from '../syscalls/transparent.js';
import {descriptorOf} from './descriptor.js';

export {keepCapabilities, raiseNetAdmin} from '../syscalls/transparent.js';

/** Makes a listener accept connections to addresses that are not local. */
export function makeTransparent(server: Server, family: 'ipv4' | 'ipv6'): void {
	setTransparent(descriptorOf(server), family);
}

/** Starts a connection from an address that is not local. It is wrapped in a Node socket, which reports errors as usual; writes wait until it is connected. */
export function connectFrom({source, to, mark}: {readonly source: string; readonly to: Endpoint; readonly mark: number}): {readonly socket: Socket; readonly from: Endpoint} {
	const {fd, own} = connectTransparently({source: addressBytes(source), destination: {address: addressBytes(to.address), port: to.port}, mark});
	return {socket: new Socket({fd, allowHalfOpen: true, readable: true, writable: true}), from: {address: printAddressBytes(own.address), port: own.port}};
}
