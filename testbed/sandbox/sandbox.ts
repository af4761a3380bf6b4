/**
Builds a pod and its surrounding hosts in the kernel from a topology; dispose removes them.
*/

import {existsSync} from 'node:fs';
import type {SidecarRouting} from '../../src/mesh/routing.js';
import {addressesIn, furtherNamespaces, noExtension, type PodInterface, type TopologyExtension} from '../../src/scenario/topology-extension.js';
import {
	addressFamilies, defaultTopology, podInterfaceOf, type PlaceName, type Topology,
} from '../../src/mesh/topology.js';
import {contains, parseAddress, parseRange} from '../../src/netfilter/address.js';
import type {AddressFamily} from '../../src/netfilter/types.js';
import {TestbedError} from '../errors.js';
import {ipFlags} from '../system/ip-flags.js';
import {Netns} from './netns.js';
import {untilAddressesAreReady} from './ready-addresses.js';
import {answerElsewhere} from './remote-routes.js';
import {
	presetSysctls as preset, readOwnSysctls, setNeighborSysctls, setSysctls, type Sysctls,
} from './sysctls.js';
import {sysctlSettings} from './sysctl-table.js';

/** MAC addresses that identify their owner, like the last byte of the IP addresses. */
const macs = {pod: '02:00:0a:f4:01:10', remote: '02:00:0a:f4:01:20'} as const;

/** Static neighbor entries: neighbor discovery takes a second for IPv6 in a fresh namespace (measured), and would put the kernel's own packets on the link. */
function neighbors(names: readonly PlaceName[], {mac, places, device}: {readonly mac: string; readonly places: Topology['places']; readonly device: string}): readonly string[] {
	return names.flatMap(name => addressFamilies.map(family => `neigh add ${places[name][family]} lladdr ${mac} dev ${device} nud permanent`));
}

/** The MAC addresses of the two ends of a further interface, by its index. */
function macsOf(index: number): {readonly pod: string; readonly peer: string} {
	const last = (offset: number): string => (0x30 + (2 * index) + offset).toString(16);
	return {pod: `02:00:0a:f4:01:${last(0)}`, peer: `02:00:0a:f4:01:${last(1)}`};
}

/** `presetSysctls`: set in each namespace right after it is created and before the testbed sets its own, as if inherited from the machine. For tests. `topology`: the one that it will be configured with; the default one unless given. */
export type SandboxOptions = {readonly presetSysctls?: Sysctls | undefined; readonly topology?: Topology | undefined};

/** The two namespaces, joined by veth, and those behind further interfaces of the pod. The remote one is the pod's default gateway. */
export class Sandbox implements AsyncDisposable {
	/**
	Creates the namespaces with the testbed's sysctls, without interfaces. Processes can already start in them while {@link configure} runs.

	@throws {TestbedError} MACHINE without IPv6 and for sysctls that cannot be set, SYSCALL_FAILED without permission to create namespaces.
	*/
	static create(extension: TopologyExtension = noExtension, {presetSysctls, topology = defaultTopology}: SandboxOptions = {}): Sandbox {
		if (!existsSync('/proc/net/if_inet6')) {
			throw new TestbedError('MACHINE', {
				message: 'IPv6 is disabled in this kernel, but the sandbox needs addresses of both families.',
				hint: 'Boot without ipv6.disable=1.',
			});
		}

		const sandbox = new Sandbox(extension, podInterfaceOf(topology));
		try {
			for (const netns of sandbox.namespaces()) {
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
	/** The name of the pod's interface. */
	readonly podInterface: string;

	readonly #extension: TopologyExtension;
	readonly #further = new Map<string, Netns>();
	readonly #sysctls = new Map<Netns, Sysctls>();
	readonly #answered = new Set<string>();

	private constructor(extension: TopologyExtension, podInterface: string) {
		this.#extension = extension;
		this.podInterface = podInterface;
		this.pod = Netns.create('pod', ['lo', podInterface, ...extension.interfaces.map(({name}) => name)]);
		this.remote = Netns.create('remote');
		for (const name of furtherNamespaces(extension)) {
			this.#further.set(name, Netns.create(name));
		}
	}

	/**
	A namespace by its name: `pod`, `remote`, or one behind an interface.

	@throws {RangeError} for an unknown name.
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
		for (const range of answeredRanges(topology, this.#extension)) {
			this.#answered.add(range);
		}

		for (const netns of [this.remote, ...this.#further.values()]) {
			this.#note(netns, setSysctls(netns, [{name: 'net/ipv6/ip_nonlocal_bind', value: '1', why: 'Unlike IPv4, IPv6 does not allow binding an address that only a route makes local. UDP listeners must bind it to answer.'}]));
		}

		const {podAddresses: further = []} = this.#extension;
		const device = this.podInterface;
		await ipBatch(this.pod, [
			'link set lo up',
			`link add ${device} address ${macs.pod} type veth peer name eth0 address ${macs.remote} netns ${this.remote.pathInTool}`,
			...addressFamilies.map(family => `addr add ${places.pod[family]}/${prefixLength[family]} dev ${device}`),
			...further.map(address => `addr add ${address}/${prefixLength[familyOf(address)]} dev ${device}`),
			`link set ${device} up`,
			...neighbors(['remote', 'istiod', 'prometheus'], {mac: macs.remote, places, device}),
			// Istio-iptables adds it to lo (`configureIPv6Addresses`); nothing can bind ::6 otherwise.
			`addr add ${passthroughSource.ipv6}/128 dev lo`,
			// The link has no carrier until its other end is up, so `onlink` tells the kernel that the gateway is on it.
			`route add 0.0.0.0/0 via ${places.remote.ipv4} dev ${device} onlink`,
			`route add ::/0 via ${places.remote.ipv6} dev ${device} onlink`,
		], [this.remote]);
		await ipBatch(this.remote, [
			'link set lo up',
			...addressFamilies.flatMap(family => [places.remote, places.istiod, places.prometheus].map(place => `addr add ${place[family]}/${prefixLength[family]} dev eth0`)),
			'link set eth0 up',
			...neighbors(['pod'], {mac: macs.pod, places, device: 'eth0'}),
			...further.map(address => `neigh add ${address} lladdr ${macs.pod} dev eth0 nud permanent`),
			...addressFamilies.map(family => `route add local ${serviceRange[family]} dev lo`),
			...this.#extension.remoteAddresses.map(address => `route add local ${address} dev lo`),
			...addressFamilies.filter(family => !isOnLink(topology, family)).map(family => `route add ${places.pod[family]} dev eth0`),
		]);
		await this.#takeAddresses();
		await this.#addInterfaces(topology);
		for (const netns of this.namespaces()) {
			this.#note(netns, setNeighborSysctls(netns));
		}

		await Promise.all(this.namespaces().map(async netns => untilAddressesAreReady(netns)));
	}

	/** Makes the remote namespace answer for addresses that no namespace has, so that connections to them get an answer. */
	async answerElsewhere(topology: Topology, addresses: readonly string[]): Promise<void> {
		await answerElsewhere(this.remote, topology, addresses);
		for (const address of addresses) {
			this.#answered.add(address);
		}
	}

	/** The addresses and ranges that some namespace currently answers for. No other address is answered. */
	get answered(): readonly string[] {
		return [...this.#answered];
	}

	/** The values that the kernel reported for the sysctls that the testbed set, by namespace. Complete once {@link configure} is done. */
	get sysctls(): ReadonlyArray<readonly [namespace: string, sysctls: Sysctls]> {
		return this.namespaces().map(netns => [netns.label, this.#sysctls.get(netns) ?? {}]);
	}

	/** Gives the pod the addresses, ip rules and routes that its rules need, replacing those of an earlier set. */
	async applyRouting({loopbackAddresses, markRules, localRoutes}: SidecarRouting, before?: SidecarRouting): Promise<void> {
		for (const family of addressFamilies) {
			const lines = [
				...(before?.localRoutes ?? []).filter(route => route.family === family).map(({destination, table}) => `route del local ${destination} dev lo table ${table}`),
				...(before?.markRules ?? []).filter(rule => rule.family === family).map(rule => `rule del ${printMarkRule(rule)}`),
				...loopbackAddresses.filter(entry => entry.family === family && !this.#lacks(entry.address)).map(({address}) => `addr replace ${address} dev lo`),
				...markRules.filter(rule => rule.family === family).map(rule => `rule add ${printMarkRule(rule)}`),
				...localRoutes.filter(route => route.family === family).map(({destination, table}) => `route add local ${destination} dev lo table ${table}`),
			];
			if (lines.length > 0) {
				await this.pod.runConfined('ip', [ipFlags[family], '-batch', '-'], {input: `${lines.join('\n')}\n`}); // eslint-disable-line no-await-in-loop -- Two short programs; running them one after the other keeps errors readable.
			}
		}

		if (loopbackAddresses.some(({family}) => family === 'ipv6')) {
			await untilAddressesAreReady(this.pod);
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#close();
	}

	/** All namespaces: the pod's, the remote one, and those behind interfaces. */
	namespaces(): readonly Netns[] {
		return [this.pod, this.remote, ...this.#further.values()];
	}

	/** Whether the pod must not have an address, which may have a prefix length. */
	#lacks(address: string): boolean {
		return this.#extension.without?.includes(address.split('/')[0]!) === true;
	}

	/** Removes addresses from the pod's lo. Those in 127.0.0.0/8, other than 127.0.0.1, can only be removed together. */
	async #takeAddresses(): Promise<void> {
		const {without = []} = this.#extension;
		const lines = without.flatMap(address => address.includes(':') ? [`addr del ${address}/128 dev lo`] : ['addr del 127.0.0.1/8 dev lo', 'addr add 127.0.0.1/32 dev lo']);
		if (lines.length > 0) {
			await ipBatch(this.pod, lines);
		}
	}

	#note(netns: Netns, sysctls: Sysctls): void {
		this.#sysctls.set(netns, {...this.#sysctls.get(netns), ...sysctls});
	}

	#close(): void {
		for (const netns of this.namespaces()) {
			netns.close();
		}
	}

	/** Adds further interfaces. A pod with one forwards packets, like a pod with a bridge to a virtual machine. */
	async #addInterfaces({places}: Topology): Promise<void> {
		const {interfaces} = this.#extension;
		if (interfaces.length === 0) {
			return;
		}

		this.pod.setSysctl('net/ipv4/ip_forward', '1');
		this.pod.setSysctl('net/ipv6/conf/all/forwarding', '1');
		// Setting these two changes others as well.
		this.#note(this.pod, readOwnSysctls(this.pod));
		for (const name of this.#further.keys()) {
			await ipBatch(this.namespace(name), ['link set lo up']); // eslint-disable-line no-await-in-loop -- A handful at most.
		}

		for (const [index, link] of interfaces.entries()) {
			const macs = macsOf(index);
			await ipBatch(this.pod, this.#podLines(link, macs), [this.namespace(link.namespace)]); // eslint-disable-line no-await-in-loop -- The second end exists only after the first was created.
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

/** Whether the remote hosts have the pod in their own network. */
function isOnLink({places, prefixLength}: Topology, family: AddressFamily): boolean {
	const [network, pod] = [parseRange(`${places.remote[family]}/${prefixLength[family]}`), parseAddress(places.pod[family])];
	return network !== undefined && pod !== undefined && contains(network, pod);
}

/** The ranges that the namespaces answer for from the beginning. */
function answeredRanges(topology: Topology, extension: TopologyExtension): readonly string[] {
	const {serviceRange, passthroughSource} = topology;
	return [
		'127.0.0.0/8',
		passthroughSource.ipv6,
		...['pod', 'remote', ...furtherNamespaces(extension)].flatMap(name => addressesIn(name, topology, extension)),
		...addressFamilies.map(family => serviceRange[family]),
		...extension.interfaces.flatMap(({routes}) => routes),
	];
}

/** The commands for the far end of an interface: its default route goes through the pod. */
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

function familyOf(address: string): AddressFamily {
	return address.includes(':') ? 'ipv6' : 'ipv4';
}

function printMarkRule({mark, mask, table, priority}: SidecarRouting['markRules'][number]): string {
	return `fwmark ${mark}${mask === undefined ? '' : `/${mask}`} lookup ${table}${priority === undefined ? '' : ` pref ${priority}`}`;
}

/** Runs `ip` commands as a batch. `reached` are the namespaces that the lines refer to. */
async function ipBatch(netns: Netns, lines: readonly string[], reached: readonly Netns[] = []): Promise<void> {
	await netns.runConfined('ip', ['-batch', '-'], {input: lines.join('\n') + '\n', inherited: reached.map(({descriptor}) => descriptor)});
}
