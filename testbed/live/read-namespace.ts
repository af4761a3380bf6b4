/**
Reads everything that is in a live namespace, in a process of its own (`live-reader.ts`).
*/

import {closeSync, readFileSync} from 'node:fs';
import {TestbedError} from '../errors.js';
import {CommandError} from '../system/commands.js';
import {runConfined} from '../confinement/run-confined.js';
import {inNetns} from '../syscalls/netns.js';
import {ipFlags} from '../system/ip-flags.js';
import {pidOfContainer} from './containers.js';
import type {LivePod, LiveTarget} from './live-pod.js';
import {loadedModules} from './nf-tables.js';
import {openNamed, openOfProcess, unreadable} from './namespace.js';
import {
	listenersOf, nameOfProcess, processesIn, startOfProcess,
} from './processes.js';
import {readRules} from './rules.js';
import {waitingSocketsIn} from './sockets.js';
import {
	addressesIn, forBoth, loopbackAddressesIn, nameserversOf, routingIn,
} from './netns-facts.js';

/** A file of the namespace that this thread is in; undefined if the kernel has no such file. */
function fileOf(name: string): string | undefined {
	try {
		return readFileSync(`/proc/thread-self/net/${name}`, 'utf8');
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
			return undefined;
		}

		throw error;
	}
}

function enter<T>(netns: number, act: () => T): T {
	try {
		return inNetns(netns, act);
	} catch (error) {
		throw error instanceof TestbedError && error.code === 'SYSCALL_FAILED' ? unreadable(`There is no permission to enter the namespace: ${error.message}.`, 'Run it as root on the node.', error) : error;
	}
}

async function ip(netns: number, words: readonly string[]): Promise<string> {
	try {
		return await runConfined('ip', ['-j', ...words], {netns, loadsModules: false});
	} catch (error) {
		// A kernel without policy routing, or without the family, has no rules and no further tables.
		if (error instanceof CommandError && /not supported|FIB table does not exist/u.test(error.stderr)) {
			return '';
		}

		throw error;
	}
}

/**
Reads a namespace. No rule, table, sysctl or module is touched, and no program is left in it.

@throws {TestbedError} UNREADABLE if it cannot be entered, or its process ended meanwhile; MISSING_PROGRAM or MACHINE for the tools.
*/
export async function readNamespace(target: LiveTarget): Promise<LivePod> {
	const named = target.kind === 'netns' ? undefined : (target.kind === 'pid' ? target.pid : await pidOfContainer(target.id));
	const modules = loadedModules();
	const start = named === undefined ? undefined : startOfProcess(named);
	const netns = target.kind === 'netns' ? openNamed(target.name) : openOfProcess(named!);
	try {
		const {sockets, legacyTables} = enter(netns, () => ({
			sockets: (['tcp', 'udp'] as const).flatMap(protocol => ['', '6'].flatMap(suffix => waitingSocketsIn(fileOf(`${protocol}${suffix}`) ?? '', protocol))),
			legacyTables: {ipv4: fileOf('ip_tables_names'), ipv6: fileOf('ip6_tables_names')},
		}));
		// Before the tools are run in the namespace, which would be found as well.
		const pids = processesIn(netns);
		const pid = named ?? pids[0];
		const listeners = listenersOf(sockets, pids);
		const nameservers = pid === undefined ? null : nameserversOf(pid);
		const [rules, found, routed] = await Promise.all([
			readRules(netns, legacyTables),
			ip(netns, ['address']),
			forBoth(async family => routingIn(family, {rules: await ip(netns, ['-N', ipFlags[family], 'rule']), routes: await ip(netns, ['-N', ipFlags[family], 'route', 'show', 'table', 'all'])})),
		]);
		if (named !== undefined && startOfProcess(named) !== start) {
			throw unreadable(`Process ${named} ended while it was read.`);
		}

		const {devices, addresses} = addressesIn(found);
		return {
			place: placeOf(target, named),
			pid: pid ?? null,
			rules,
			addresses,
			devices,
			routing: {
				loopbackAddresses: loopbackAddressesIn(addresses),
				markRules: [...routed.ipv4.markRules, ...routed.ipv6.markRules],
				localRoutes: [...routed.ipv4.localRoutes, ...routed.ipv6.localRoutes],
			},
			modules: [...loadedModules()].filter(name => !modules.has(name)),
			listeners,
			nameservers,
		};
	} finally {
		closeSync(netns);
	}
}

function placeOf(target: LiveTarget, pid: number | undefined): string {
	const process = pid === undefined ? '' : `process ${pid} (${nameOfProcess(pid) ?? 'ended'})`;
	return target.kind === 'netns' ? `network namespace ${target.name}` : (target.kind === 'pid' ? process : `container ${target.id}, ${process}`);
}
