/** Lines of Envoy's access log as Envoy 1.40 writes them, and a proxy's spec. */

import type {ActorSpec} from '../../../../../testbed/actors/protocol.js';
import {defaultTopology} from '../../../../../src/mesh/topology.js';
import {istioActors} from '../../../../../src/istio/traffic/actors.js';
import {redirectIntent} from '../../../../../src/mesh/intent.js';

const {passthroughSource} = defaultTopology;
const credentials = {uid: 1337, gid: 1337};

/** The proxy of Istio's sidecar: listener 0 is outbound, 1 inbound, 2 metrics, 3 the admin port, 4 health. */
export function proxySpec(changes: Partial<ActorSpec> = {}): ActorSpec {
	const {actors: [proxy], services} = istioActors({
		topology: defaultTopology,
		intent: redirectIntent({proxyPort: 15_001, inboundCapturePort: 15_006, proxyUids: [1337]}),
		names: ['proxy'],
		credentials: {
			proxy: credentials, agent: credentials, app: credentials, remote: credentials, istiod: credentials, prometheus: credentials,
		},
	});
	const {namespace: _, ...plan} = proxy!;
	return {
		...plan, services, passthroughSource, addresses: [], timeoutMs: 5000, ...changes,
	};
}

/** What a line says where nothing else is said: a connection of the app to the remote. */
const usual = {
	listener: '0',
	event: 'TcpUpstreamConnected',
	id: 3,
	peer: '10.244.1.10:40000',
	local: '127.0.0.1:15001',
	wanted: '10.244.1.20:8080',
	from: '10.244.1.10:40001',
	to: '10.244.1.20:8080',
	flags: null,
	failure: null,
};

/** What a line can say. */
export type LineFields = Partial<Record<keyof typeof usual, unknown>>;

/** One line. */
export function lineOf(changes: LineFields = {}): string {
	return JSON.stringify({...usual, ...changes});
}

/** The line of a connection that could not be carried on. */
export function failedLine(failure: string | null, changes: LineFields = {}): string {
	return lineOf({
		event: 'TcpConnectionEnd', from: null, flags: 'UF,URX', failure, ...changes,
	});
}
