/**
What Envoy's admin interface says of its listeners. It is asked over an abstract Unix socket, so that no packet of it can meet a rule.
*/

import {request} from 'node:http';
import {Socket} from 'node:net';
import type {Netns} from '../../sandbox/netns.js';
import {connectAbstract} from '../../syscalls/abstract-socket.js';
import {adminSocket, statPrefix} from './bootstrap.js';

/** The counters of the listeners of the spec, not those of single workers. */
const counterName = String.raw`listener\.${statPrefix}-\d+-ipv[46]\.downstream_cx_total`;

/** How many connections the listeners of the spec accepted, by the text of `/stats`. Undefined where it has no such counter. */
export function parseAccepted(stats: string): number | undefined {
	const counts = [...stats.matchAll(new RegExp(`^${counterName}: (?<count>\\d+)$`, 'gmu'))].map(({groups}) => Number(groups!['count']));
	return counts.length === 0 ? undefined : counts.reduce((sum, count) => sum + count, 0);
}

/** Whether the workers take connections, by the text of `/stats`: Envoy listens before that (its gauge `listener_manager.workers_started` is then 0). */
export function parseStarted(stats: string): boolean {
	return /^listener_manager\.workers_started: 1$/mu.test(stats);
}

/** Asks how many connections the listeners accepted since the start. Undefined where there is no answer within the limit. */
export async function askAccepted(netns: Netns, limitMs: number): Promise<number | undefined> {
	const stats = await askStats(netns, counterName, limitMs);
	return stats === undefined ? undefined : parseAccepted(stats);
}

/** Asks whether the workers take connections. False also where there is no answer within the limit. */
export async function askStarted(netns: Netns, limitMs: number): Promise<boolean> {
	const stats = await askStats(netns, String.raw`listener_manager\.workers_started`, limitMs);
	return stats !== undefined && parseStarted(stats);
}

/** The text of `/stats`, as far as names match a pattern. */
async function askStats(netns: Netns, pattern: string, limitMs: number): Promise<string | undefined> {
	let fd: number;
	try {
		fd = netns.enter(() => connectAbstract(adminSocket));
	} catch {
		return undefined; // Nobody listens: the process is not there yet, or gone, which its end tells.
	}

	return new Promise(resolve => {
		const asked = request({
			createConnection: () => new Socket({fd, readable: true, writable: true}),
			host: 'testbed',
			path: `/stats?filter=${encodeURIComponent(`^${pattern}$`)}`,
		}, response => {
			let text = '';
			response.setEncoding('utf8').on('data', (chunk: string) => {
				text += chunk;
			}).once('end', () => {
				resolve(response.statusCode === 200 ? text : undefined);
			}).once('error', () => {
				resolve(undefined);
			});
		});
		// Not the option `timeout`: whoever makes the socket has to see to that one.
		asked.setTimeout(limitMs, () => {
			asked.destroy();
		}).once('error', () => {
			resolve(undefined);
		}).end();
	});
}
