/**
The path of a connection by the intent of rules that only redirect: the mesh decides each leg, and its proxy opens the next one. Shared by meshes whose proxy is identified by its UID. It uses the intent, not the rules under test.
*/

import {dnsPort, livesInPod, type InboundCarry} from './actor-set.js';
import type {Role} from './roles.js';
import {dnsStopOf} from './intent.js';
import {isLocal} from './selection.js';
import type {
	Connection, ExpectationContext, ExpectedRoleLeg, ExpectedRolePath,
} from './traffic.js';

/** What rules do to a connection: let it go, or redirect it to one of the proxy's listeners. Roles are null if none are expected. */
export type Decision = {readonly roles: readonly Role[] | null; readonly to: 'destination' | 'outbound-listener' | 'inbound-listener' | 'dns-listener'};

/** How a mesh decides a leg, and how its proxy opens the next leg of an inbound connection. */
export type Walk = {
	readonly decide: (context: ExpectationContext, connection: Connection) => Decision;
	readonly carries: InboundCarry;
};

/** Decides by where a connection begins: a process of the pod, or outside with one of the pod's addresses as its destination. Other connections meet no rule of the pod. */
export function bySide({leaving, arriving}: {readonly leaving: Walk['decide']; readonly arriving: Walk['decide']}): Walk['decide'] {
	return (context, connection) => {
		if (livesInPod[connection.actor]) {
			return leaving(context, connection);
		}

		return isLocal(context, connection.destination.address) ? arriving(context, connection) : {roles: [], to: 'destination'};
	};
}

/** The same for rules that only match TCP: all datagrams go where they were sent. */
export function tcpOnly(decide: Walk['decide']): Walk['decide'] {
	return (context, connection) => connection.protocol === 'udp' ? {roles: [], to: 'destination'} : decide(context, connection);
}

/** The same for rules of both families, the first of which lets one family go: everything of it goes where it was sent, by the rule of that role. */
export function unlessLeftAlone(role: Role, decide: Walk['decide']): Walk['decide'] {
	return (context, connection) => {
		const {intent: {leftAlone = []}, family} = context;
		if (!leftAlone.includes(family)) {
			return decide(context, connection);
		}

		const isOfPod = livesInPod[connection.actor] || isLocal(context, connection.destination.address);
		return {roles: isOfPod ? [role] : [], to: 'destination'};
	};
}

/** Who sends a query, as rules that take queries see it. */
export type DnsRoles = {readonly captured: readonly Role[]; readonly zones: readonly Role[]; readonly ofProxy: {readonly roles: readonly Role[]; readonly zones: readonly Role[]} | undefined};

/** The same, for rules that also take DNS queries over UDP. `roles` are those of the rules that a query meets: of a captured one, and of the proxy's own, if these are let go. */
export function withDns(roles: DnsRoles, decide: Walk['decide']): Walk['decide'] {
	return (context, connection) => {
		const {intent: {dns, proxyUids}, actors, family} = context;
		const {actor, destination: {address, port}, protocol, isProxysOwn} = connection;
		const asked = dns?.asked?.[family];
		const isCaptured = dns !== undefined && livesInPod[actor] && protocol === 'udp' && port === dnsPort && (dns.asked === undefined || asked === address);
		if (!isCaptured) {
			return decide(context, connection);
		}

		// If there is only a server of the other family, a query goes to its own. Native rules of both families meet it all the same: their new destination is none for it (measured).
		if (dns.servers !== undefined && dns.servers[family] === undefined) {
			return {roles: null, to: 'destination'};
		}

		const isProxys = isProxysOwn || proxyUids.includes(actors[actor].uid);
		if (isProxys && roles.ofProxy !== undefined) {
			return {roles: [...(dns.hasZones ? roles.ofProxy.zones : []), ...roles.ofProxy.roles], to: 'destination'};
		}

		return {roles: [...(dns.hasZones ? roles.zones : []), ...roles.captured], to: 'dns-listener'};
	};
}

/** More legs than any intent has. Rules that loop are found by the kernel, not here. */
const legsMax = 4;

/** The expected path of a connection, leg by leg, up to a listener that opens no next leg. */
export function walkPath(context: ExpectationContext, {actor, destination, protocol = 'tcp'}: Pick<Connection, 'actor' | 'destination' | 'protocol'>, {decide, carries}: Walk): ExpectedRolePath {
	const legs: ExpectedRoleLeg[] = [];
	let connection: Connection | undefined = {
		actor, source: undefined, mark: 0, isProxysOwn: false, destination, protocol,
	};
	while (connection !== undefined && legs.length < legsMax) {
		const {roles, to} = decide(context, connection);
		legs.push({actor: connection.actor, roles, stop: stopOf(context, connection, to)});
		connection = nextLeg(context, {connection, to, carries});
	}

	return {legs};
}

/** The proxy's next leg: inbound to the pod's app, outbound to the original destination, with service addresses resolved. */
function nextLeg({intent, topology, family}: ExpectationContext, {connection: {destination, protocol = 'tcp'}, to, carries}: {readonly connection: Connection; readonly to: Decision['to']; readonly carries: InboundCarry}): Connection | undefined {
	if (to === 'destination') {
		return undefined;
	}

	const own = {actor: 'proxy', mark: 0, isProxysOwn: true} as const;
	if (to === 'dns-listener') {
		return intent.dns?.servers === undefined
			? {
				...own, source: undefined, protocol, destination: {address: topology.resolver[family], port: dnsPort},
			}
			: undefined;
	}

	if (to === 'inbound-listener') {
		return {...own, source: carries.source?.[family], destination: {address: carries.host?.[family] ?? destination.address, port: destination.port}};
	}

	const service = topology.services.find(({name}) => topology.places[name][family] === destination.address);
	return {
		...own,
		source: undefined,
		destination: service === undefined
			? destination
			: {address: topology.places[service.endpoint][family], port: service.endpoint === 'pod' ? topology.ports.app : topology.ports.remote},
	};
}

/** The listener that accepts, as a stop. */
function stopOf(context: ExpectationContext, {destination: {address, port}}: Connection, to: Decision['to']): string {
	const {intent, family, topology: {places, ports, services, resolver}} = context;
	if (to === 'dns-listener') {
		return dnsStopOf(intent);
	}

	if (to !== 'destination') {
		return `proxy:${to === 'outbound-listener' ? intent.proxyPort : intent.inboundCapturePort}`;
	}

	if (isLocal(context, address)) {
		return port === ports.app ? `app:${port}` : `proxy:${port}`;
	}

	const service = services.find(({name}) => places[name][family] === address);
	return `${service?.name ?? (address === resolver[family] ? 'dns' : 'remote')}:${port}`;
}
