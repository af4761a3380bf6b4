/**
Topology + rule set → a pod and its neighbourhood in the kernel, undone by dispose.
*/

import {existsSync} from 'node:fs';
import type {SidecarRouting} from '../../src/mesh/routing.js';
import {furtherNamespaces, noExtension, type PodInterface, type TopologyExtension} from '../../src/scenario/topology-extension.js';
import {addressFamilies, type PlaceName, type Topology} from '../../src/scenario/topology.js';
import {TestbedError} from '../errors.js';
import {Netns} from './netns.js';
import {
	presetSysctls as preset, readOwnSysctls, setNeighborSysctls, setSysctls, type Sysctls,
} from './sysctls.js';
import {sysctlSettings} from './sysctl-table.js';

/** MAC addresses that tell whose they are, like the last byte of the addresses. */
const macs = {pod: '02:00:0a:f4:01:10', remote: '02:00:0a:f4:01:20'} as const;

/** Neighbours by hand: asking for them costs IPv6 a second in a fresh namespace (measured), and would put packets of the kernel's own on the link. */
function neighbors(names: readonly PlaceName[], mac: string, places: Topology['places']): readonly string[] {
	return names.flatMap(name => addressFamilies.map(family => `neigh add ${places[name][family]} lladdr ${mac} dev eth0 nud permanent`));
}

/** The MAC addresses of the two ends of a further interface, by its place in the list. */
function macsOf(index: number): {readonly pod: string; readonly peer: string} {
	const last = (offset: number): string => (0x30 + (2 * index) + offset).toString(16);
	return {pod: `02:00:0a:f4:01:${last(0)}`, peer: `02:00:0a:f4:01:${last(1)}`};
}

/** `presetSysctls`: what each namespace is made to hold right after it was made and before the testbed sets its own, as if it had taken it from the machine. For tests. */
export type SandboxOptions = {readonly presetSysctls?: Sysctls | undefined};

/** The two namespaces, joined by veth, and those that further interfaces of the pod lead to. The remote one is the pod's default gateway. */
export class Sandbox implements AsyncDisposable {
	/**
	The namespaces with the testbed's own sysctls, still without interfaces. Processes can start in them while {@link configure} goes on.

	@throws {TestbedError} MACHINE without IPv6 and for sysctls that cannot be set, SYSCALL_FAILED without the right to make namespaces.
	*/
	static create(extension: TopologyExtension = noExtension, {presetSysctls}: SandboxOptions = {}): Sandbox {
		if (!existsSync('/proc/net/if_inet6')) {
			throw new TestbedError('MACHINE', {
				message: 'This kernel has IPv6 switched off, and the sandbox has addresses of both families.',
				hint: 'Boot without ipv6.disable=1.',
			});
		}

		const sandbox = new Sandbox(extension);
		try {
			for (const netns of sandbox.#all()) {
				preset(netns, presetSysctls ?? {});
				sandbox.#note(netns, setSysctls(netns, sysctlSettings));
			}

			return sandbox;
		} catch (error) {
			sandbox.#close();
			throw error;
		}
	}

	readonly pod: Netns;
	readonly remote: Netns;

	readonly #extension: TopologyExtension;
	readonly #further = new Map<string, Netns>();
	readonly #sysctls = new Map<Netns, Sysctls>();

	private constructor(extension: TopologyExtension) {
		this.#extension = extension;
		this.pod = Netns.create('pod', ['lo', 'eth0', ...extension.interfaces.map(({name}) => name)]);
		this.remote = Netns.create('remote');
		for (const name of furtherNamespaces(extension)) {
			this.#further.set(name, Netns.create(name));
		}
	}

	/**
	A namespace by its name: `pod`, `remote`, or one behind an interface.

	@throws {RangeError} for a name that the surroundings do not have.
	*/
	namespace(name: string): Netns {
		const found = name === 'pod' ? this.pod : (name === 'remote' ? this.remote : this.#further.get(name));
		if (found === undefined) {
			throw new RangeError(`the sandbox has no namespace ${name}`);
		}

		return found;
	}

	/** Joins the namespaces by veth and gives them their addresses and routes. */
	async configure(topology: Topology): Promise<void> {
		const {places, prefixLength, serviceRange, passthroughSource} = topology;
		for (const netns of [this.remote, ...this.#further.values()]) {
			this.#note(netns, setSysctls(netns, [{name: 'net/ipv6/ip_nonlocal_bind', value: '1', why: 'IPv6 lets nobody bind an address that a route alone makes local; IPv4 does. Who answers over UDP has to bind it.'}]));
		}

		await ipBatch(this.pod, [
			'link set lo up',
			`link add eth0 address ${macs.pod} type veth peer name eth0 address ${macs.remote} netns ${this.remote.pathInTool}`,
			...addressFamilies.map(family => `addr add ${places.pod[family]}/${prefixLength[family]} dev eth0`),
			'link set eth0 up',
			...neighbors(['remote', 'istiod', 'prometheus'], macs.remote, places),
			// Istio-iptables adds it to lo (`configureIPv6Addresses`); nothing can bind ::6 otherwise.
			`addr add ${passthroughSource.ipv6}/128 dev lo`,
			// The link has no carrier before its other end is up, so the kernel is told that the gateway is on it.
			`route add 0.0.0.0/0 via ${places.remote.ipv4} dev eth0 onlink`,
			`route add ::/0 via ${places.remote.ipv6} dev eth0 onlink`,
		], [this.remote]);
		await ipBatch(this.remote, [
			'link set lo up',
			...addressFamilies.flatMap(family => [places.remote, places.istiod, places.prometheus].map(place => `addr add ${place[family]}/${prefixLength[family]} dev eth0`)),
			'link set eth0 up',
			...neighbors(['pod'], macs.pod, places),
			...addressFamilies.map(family => `route add local ${serviceRange[family]} dev lo`),
			...this.#extension.remoteAddresses.map(address => `route add local ${address} dev lo`),
		]);
		await this.#addInterfaces(topology);
		for (const netns of this.#all()) {
			this.#note(netns, setNeighborSysctls(netns));
		}
	}

	/** What the kernel said of the sysctls that the testbed set in each namespace, by the name of the namespace. Whole once {@link configure} is over. */
	get sysctls(): ReadonlyArray<readonly [namespace: string, sysctls: Sysctls]> {
		return this.#all().map(netns => [netns.label, this.#sysctls.get(netns) ?? {}]);
	}

	/** Gives the pod the addresses, ip rules and routes that its rules need, in place of those of an earlier set. */
	async applyRouting({loopbackAddresses, markRules, localRoutes}: SidecarRouting, before?: SidecarRouting): Promise<void> {
		for (const family of addressFamilies) {
			const lines = [
				...(before?.localRoutes ?? []).filter(route => route.family === family).map(({destination, table}) => `route del local ${destination} dev lo table ${table}`),
				...(before?.markRules ?? []).filter(rule => rule.family === family).map(rule => `rule del ${printMarkRule(rule)}`),
				...loopbackAddresses.filter(entry => entry.family === family).map(({address}) => `addr replace ${address} dev lo`),
				...markRules.filter(rule => rule.family === family).map(rule => `rule add ${printMarkRule(rule)}`),
				...localRoutes.filter(route => route.family === family).map(({destination, table}) => `route add local ${destination} dev lo table ${table}`),
			];
			if (lines.length > 0) {
				await this.pod.runConfined('ip', [family === 'ipv4' ? '-4' : '-6', '-batch', '-'], {input: `${lines.join('\n')}\n`}); // eslint-disable-line no-await-in-loop -- Two short programs; one after the other keeps the second's error readable.
			}
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#close();
	}

	#all(): readonly Netns[] {
		return [this.pod, this.remote, ...this.#further.values()];
	}

	#note(netns: Netns, sysctls: Sysctls): void {
		this.#sysctls.set(netns, {...this.#sysctls.get(netns), ...sysctls});
	}

	#close(): void {
		for (const netns of this.#all()) {
			netns.close();
		}
	}

	/** Further interfaces: a pod that has one forwards, as one with a bridge to a virtual machine does. */
	async #addInterfaces({places}: Topology): Promise<void> {
		const {interfaces} = this.#extension;
		if (interfaces.length === 0) {
			return;
		}

		this.pod.setSysctl('net/ipv4/ip_forward', '1');
		this.pod.setSysctl('net/ipv6/conf/all/forwarding', '1');
		// The kernel has changed others with these two.
		this.#note(this.pod, readOwnSysctls(this.pod));
		for (const name of this.#further.keys()) {
			await ipBatch(this.namespace(name), ['link set lo up']); // eslint-disable-line no-await-in-loop -- A handful at most.
		}

		for (const [index, link] of interfaces.entries()) {
			const macs = macsOf(index);
			await ipBatch(this.pod, this.#podLines(link, macs), [this.namespace(link.namespace)]); // eslint-disable-line no-await-in-loop -- The second end is there only after the first was made.
			await ipBatch(this.namespace(link.namespace), peerLines(link, macs)); // eslint-disable-line no-await-in-loop -- See above.
			const back = addressFamilies.flatMap(family => link.addresses[family] === undefined || link.namespace === 'remote' ? [] : [`route add ${link.addresses[family].peer} via ${places.pod[family]} dev eth0`]);
			if (back.length > 0) {
				await ipBatch(this.remote, back); // eslint-disable-line no-await-in-loop -- See above.
			}
		}
	}

	#podLines({name, namespace, addresses, routes}: PodInterface, macs: {readonly pod: string; readonly peer: string}): readonly string[] {
		return [
			`link add ${name} address ${macs.pod} type veth peer name ${name} address ${macs.peer} netns ${this.namespace(namespace).pathInTool}`,
			...addressFamilies.flatMap(family => addresses[family] === undefined ? [] : [`addr add ${addresses[family].pod}/${addresses[family].prefixLength} dev ${name}`]),
			`link set ${name} up`,
			...addressFamilies.flatMap(family => addresses[family] === undefined ? [] : [`neigh add ${addresses[family].peer} lladdr ${macs.peer} dev ${name} nud permanent`]),
			...routes.flatMap(range => {
				const via = addresses[range.includes(':') ? 'ipv6' : 'ipv4'];
				return via === undefined ? [] : [`route add ${range} via ${via.peer} dev ${name} onlink`];
			}),
		];
	}
}

/** The far end of an interface: everything that it has no other way to goes through the pod. */
function peerLines({name, namespace, addresses, routes}: PodInterface, macs: {readonly pod: string; readonly peer: string}): readonly string[] {
	return [
		...addressFamilies.flatMap(family => addresses[family] === undefined ? [] : [`addr add ${addresses[family].peer}/${addresses[family].prefixLength} dev ${name}`]),
		`link set ${name} up`,
		...addressFamilies.flatMap(family => {
			const own = addresses[family];
			return own === undefined ? [] : [`neigh add ${own.pod} lladdr ${macs.pod} dev ${name} nud permanent`, ...(namespace === 'remote' ? [] : [`route add ${family === 'ipv4' ? '0.0.0.0/0' : '::/0'} via ${own.pod} dev ${name} onlink`])];
		}),
		...routes.map(range => `route add local ${range} dev lo`),
	];
}

function printMarkRule({mark, mask, table, priority}: SidecarRouting['markRules'][number]): string {
	return `fwmark ${mark}${mask === undefined ? '' : `/${mask}`} lookup ${table}${priority === undefined ? '' : ` pref ${priority}`}`;
}

/** `reached` are the namespaces that the lines name. */
async function ipBatch(netns: Netns, lines: readonly string[], reached: readonly Netns[] = []): Promise<void> {
	await netns.runConfined('ip', ['-batch', '-'], {input: lines.join('\n') + '\n', inherited: reached.map(({descriptor}) => descriptor)});
}
