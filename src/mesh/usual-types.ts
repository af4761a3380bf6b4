/**
Types of traffic that every sidecar has. Where they are the same as the article's six types, they have the same ids; a mesh adds its own.
*/

import {dnsPort} from './actor-set.js';
import type {TrafficType} from './traffic-types.js';

const usual = {isDefault: true, article: null} as const;

/** Inbound traffic, and what the app sends to other hosts. */
export const betweenHosts: readonly TrafficType[] = [
	{
		...usual, id: '1', name: 'remote-to-local', actor: 'remote', place: 'pod', port: 'app', others: ['remote'],
	},
	{
		...usual, id: '2', name: 'local-to-remote', actor: 'app', place: 'remote', port: 'remote', others: ['remote'],
	},
];

/** A scrape of a port on which the proxy answers itself. */
export function scrapeOf(port: number): TrafficType {
	return {
		...usual, id: '3', name: 'prometheus-to-proxy', actor: 'prometheus', place: 'pod', port, others: ['prometheus'],
	};
}

/** What the app sends to its own pod, and to the name server. */
export const withinPod: readonly TrafficType[] = [
	{
		...usual, id: '4', name: 'local-to-local', actor: 'app', place: 'vip', port: 'service', others: ['remote'], legend: 'the app calling its own service',
	},
	{
		...usual, id: '4b', name: 'app-to-own-pod', actor: 'app', place: 'pod', port: 'app', others: [], legend: 'the app calling its own pod',
	},
	{
		...usual, id: 'lo', name: 'app-to-localhost', actor: 'app', place: 'localhost', port: 'app', others: [], legend: 'the app calling localhost',
	},
	{
		...usual, id: 'dns', name: 'app-to-dns', actor: 'app', place: 'resolver', port: dnsPort, protocol: 'udp', others: [], withDns: true, legend: 'a query over UDP',
	},
];
