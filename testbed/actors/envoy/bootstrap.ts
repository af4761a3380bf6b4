/**
An actor's spec → the configuration of an Envoy that does the same: the listeners of Istio's sidecar without a control plane (pilot: `virtualOutbound` and `virtualInbound` with their blackhole chains, `PassthroughCluster`, `InboundPassthroughCluster`). Every cluster is static, because Envoy does not listen before a cluster that asks a name server has its answer.

Everything is plain TCP, as the stub's is: an HTTP filter would open the next connection only when it has the headers, and the testbed's clients send nothing.
*/

import {isIPv6} from 'node:net';
import type {Endpoint} from '../../../src/netfilter/path.js';
import {addressFamilies} from '../../../src/mesh/topology.js';
import type {AddressFamily} from '../../../src/netfilter/types.js';
import type {ActorSpec} from '../protocol.js';
import {logFormatOf} from './log-line.js';

type ListenerSpec = ActorSpec['listeners'][number];

type Json = Readonly<Record<string, unknown>>;

/** The abstract Unix socket on which Envoy's admin interface listens. Its name belongs to a network namespace, and nothing of it is on any disk. */
export const adminSocket = 'testbed-envoy';

/** What the names of the counters of a listener begin with; its number in the spec follows. */
export const statPrefix = 'testbed';

/** How many connections Envoy may have open at once to the next destination of a listener. A flow that loops ends there instead of using up the machine. */
export const connectionsMax = 256;

/** The most files that Envoy may have open: enough for {@link connectionsMax} on some listeners, both ends. When they are used up, Envoy aborts. */
export const filesMax = 4096;

const wildcard = {ipv4: '0.0.0.0', ipv6: '::'} as const satisfies Record<AddressFamily, string>;

const blackHole = 'black-hole';

function typed(name: string, fields: Json = {}): Json {
	return {'@type': `type.googleapis.com/envoy.extensions.${name}`, ...fields};
}

function socketAddress(address: string, port: number): Json {
	return {socket_address: {address, port_value: port}};
}

function accessLogOf(listener: number): readonly Json[] {
	// Standard output and not the file /dev/stdout, which the proxy's user may not open.
	return [{name: 'log', typed_config: typed('access_loggers.stream.v3.StdoutAccessLog', {log_format: {json_format: logFormatOf(listener)}})}];
}

/** What a spec asks for that Envoy cannot do, as a sentence; undefined where it can do all of it. */
export function unsupportedIn({name, listeners, transparent}: Pick<ActorSpec, 'name' | 'listeners' | 'transparent'>): string | undefined {
	if (transparent?.marksOutbound === true) {
		return `Envoy cannot be ${name} in ambient mode, where ztunnel marks everything that it sends.`;
	}

	const overUdp = listeners.find(({protocol}) => protocol === 'udp');
	if (overUdp !== undefined) {
		return `Envoy cannot be ${name} here: ${overUdp.stop} listens on UDP, and only TCP is read from Envoy's log.`;
	}

	const both = listeners.find(({inboundTo}) => inboundTo !== undefined);
	if (both !== undefined) {
		return `Envoy cannot be ${name} here: ${both.stop} accepts both directions, as Istio until 1.2 configured it.`;
	}

	const handing = listeners.filter(({handsOver}) => handsOver === true);
	return handing.length > 1 || handing.some(({duty}) => duty !== 'outbound')
		? `Envoy cannot be ${name} here: only one listener, an outbound one, can hand connections over to others.`
		: undefined;
}

/** The address from which a listener carries on what a client opened; undefined where the route decides. */
export function sourceOf({passthroughSource, transparent}: Pick<ActorSpec, 'passthroughSource' | 'transparent'>, {listener: {duty, carries = {source: passthroughSource}}, family, client}: {
	readonly listener: ListenerSpec; readonly family: AddressFamily; readonly client: string | undefined;
}): string | undefined {
	if (duty !== 'inbound' && duty !== 'tunnel') {
		return undefined;
	}

	return transparent === undefined ? carries.source?.[family] : client;
}

/** The whole configuration, for `--config-yaml` (JSON is YAML). The spec must not have anything that {@link unsupportedIn} names. */
export function bootstrapOf(spec: ActorSpec): Json {
	const parts = spec.listeners.flatMap((listener, index) => addressFamilies.map(family => new ListenerParts(spec, {listener, index, family})));
	return {
		node: {id: spec.name, cluster: 'testbed'},
		admin: {address: {pipe: {path: `@${adminSocket}`}}},
		static_resources: {
			listeners: parts.map(part => part.toListener()),
			clusters: [new ClusterParts(spec).toStatic(blackHole), ...parts.flatMap(part => part.toClusters())],
		},
	};
}

/** Makes clusters, all with one timeout and one limit. */
class ClusterParts {
	readonly #common: Json;

	constructor({timeoutMs}: Pick<ActorSpec, 'timeoutMs'>) {
		this.#common = {
			connect_timeout: `${timeoutMs / 1000}s`,
			circuit_breakers: {thresholds: [{max_connections: connectionsMax, max_pending_requests: connectionsMax, max_requests: connectionsMax}]},
		};
	}

	/** One with a fixed endpoint, or with none. */
	toStatic(name: string, to?: Endpoint, source?: string): Json {
		const endpoints = to === undefined ? [] : [{lb_endpoints: [{endpoint: {address: socketAddress(to.address, to.port)}}]}];
		return {
			name, type: 'STATIC', ...this.#common, load_assignment: {cluster_name: name, endpoints}, ...bindTo(source),
		};
	}

	/** One whose endpoint is where a connection wanted to go. */
	toOriginal(name: string, source?: string): Json {
		return {
			name, type: 'ORIGINAL_DST', lb_policy: 'CLUSTER_PROVIDED', ...this.#common, ...bindTo(source),
		};
	}
}

function bindTo(source: string | undefined): Json {
	return source === undefined ? {} : {upstream_bind_config: {source_address: {address: source, port_value: 0}}};
}

/** One listener of the spec in one family: an Envoy listener and the clusters that it uses. */
class ListenerParts {
	readonly #spec: ActorSpec;
	readonly #listener: ListenerSpec;
	readonly #index: number;
	readonly #family: AddressFamily;
	readonly #cluster: string;

	constructor(spec: ActorSpec, {listener, index, family}: {readonly listener: ListenerSpec; readonly index: number; readonly family: AddressFamily}) {
		this.#spec = spec;
		this.#listener = listener;
		this.#index = index;
		this.#family = family;
		this.#cluster = `${index}-${family}`;
	}

	toListener(): Json {
		const {duty, port, only, handsOver} = this.#listener;
		const captures = duty === 'outbound' || duty === 'inbound';
		return {
			name: this.#cluster,
			address: socketAddress((only ?? wildcard)[this.#family], port),
			stat_prefix: `${statPrefix}-${this.#cluster}`,
			// A port that another process of the same user has must be an error, and not be shared with it.
			enable_reuse_port: false,
			// As Istio has it (pilot: MAX_CONNECTIONS_PER_SOCKET_EVENT_LOOP). A connection that ends before its turn is then seen to have ended.
			...(captures ? {max_connections_to_accept_per_socket_event: 1} : {}),
			// Hands a connection to the port of another listener to that one.
			...(captures && handsOver === true ? {use_original_dst: true} : {}),
			...(captures && this.#spec.transparent !== undefined ? {transparent: true} : {}),
			listener_filters: this.#listenerFilters(captures && handsOver !== true),
			...(duty === 'answer' ? {access_log: accessLogOf(this.#index)} : {}),
			filter_chains: this.#chains(),
			// Not one of the chains: a chain for a port is final for that port, even if its address is another.
			default_filter_chain: {filters: duty === 'answer' ? [this.#answer()] : this.#carry(this.#cluster)},
		};
	}

	toClusters(): readonly Json[] {
		const {duty, forwardTo} = this.#listener;
		const clusters = new ClusterParts(this.#spec);
		if (duty === 'answer') {
			return [];
		}

		if (forwardTo !== undefined) {
			return [clusters.toStatic(this.#cluster, {address: forwardTo.addresses[this.#family], port: forwardTo.port}, this.#source())];
		}

		return [clusters.toOriginal(this.#cluster, this.#source()), ...this.#services().map(({name, endpoint}) => clusters.toStatic(name, endpoint))];
	}

	/** The address that connections onward are bound to. A transparent proxy has the client's own, which a filter sees to. */
	#source(): string | undefined {
		return sourceOf(this.#spec, {listener: this.#listener, family: this.#family, client: undefined});
	}

	#listenerFilters(asksDestination: boolean): readonly Json[] {
		const {duty} = this.#listener;
		const {transparent} = this.#spec;
		return [
			...(asksDestination ? [{name: 'original-destination', typed_config: typed('filters.listener.original_dst.v3.OriginalDst')}] : []),
			...((duty === 'inbound' || duty === 'tunnel') && transparent !== undefined
				? [{name: 'original-source', typed_config: typed('filters.listener.original_src.v3.OriginalSrc', {mark: transparent.mark})}]
				: []),
		];
	}

	#chains(): readonly Json[] {
		const {closes = [], duty} = this.#listener;
		return [
			...closes.map(port => ({filter_chain_match: {destination_port: port}, filters: this.#carry(blackHole)})),
			...(duty === 'outbound' ? this.#services() : []).map(({name, address, port}) => ({
				filter_chain_match: {destination_port: port, prefix_ranges: [{address_prefix: address, prefix_len: this.#family === 'ipv4' ? 32 : 128}]},
				filters: this.#carry(name),
			})),
		];
	}

	/** What stands for a service's address, in this family. */
	#services(): ReadonlyArray<{readonly name: string; readonly address: string; readonly port: number; readonly endpoint: Endpoint}> {
		return this.#listener.duty === 'outbound'
			? Object.entries(this.#spec.services).flatMap(([key, endpoint]) => {
				const [address = '', port] = key.split(' ');
				return isIPv6(address) === (this.#family === 'ipv6')
					? [{
						name: `${this.#cluster}-${key}`, address, port: Number(port), endpoint,
					}]
					: [];
			})
			: [];
	}

	#carry(cluster: string): readonly Json[] {
		const {duty, carries} = this.#listener;
		const host = duty === 'inbound' ? carries?.host?.[this.#family] : undefined;
		const proxy = {
			name: 'tcp',
			typed_config: typed('filters.network.tcp_proxy.v3.TcpProxy', {
				stat_prefix: cluster, cluster, access_log: accessLogOf(this.#index), access_log_options: {flush_access_log_on_connected: true},
			}),
		};
		return host === undefined || cluster === blackHole
			? [proxy]
			: [
				{
					name: 'other-host',
					typed_config: typed('filters.network.set_filter_state.v3.Config', {
						on_new_connection: [{
							object_key: 'envoy.network.transport_socket.original_dst_address',
							format_string: {text_format_source: {inline_string: `${this.#family === 'ipv6' ? `[${host}]` : host}:%DOWNSTREAM_LOCAL_PORT%`}},
						}],
					}),
				},
				proxy,
			];
	}

	#answer(): Json {
		return {name: 'answer', typed_config: typed('filters.network.direct_response.v3.Config', {response: {inline_string: `${this.#listener.stop}\n`}})};
	}
}
