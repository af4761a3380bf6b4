/**
Which connections can meet a DNS server: the listeners to which a mesh redirects queries, and the name servers outside the pod. These take part only where they are needed.
*/

import type {Endpoint} from '../netfilter/path.js';
import type {ActorRequest, ActorSet} from './actor-set.js';
import type {Mesh} from './mesh.js';

type Request = Pick<ActorRequest, 'topology' | 'intent' | 'credentials'> & {readonly mesh: Pick<Mesh, 'traffic'>};

/** Whether DNS servers must take part in a connection: datagrams may be queries wherever they go, and over TCP the port says so. */
export function needsDns({protocol, to}: {readonly protocol: 'tcp' | 'udp'; readonly to: Pick<Endpoint, 'port'>}, request: Request): boolean {
	return protocol === 'udp' || dnsPortsOf(request).has(to.port);
}

/** The TCP ports on which somebody listens only if DNS servers take part. */
function dnsPortsOf({mesh: {traffic}, ...request}: Request): ReadonlySet<number> {
	const portsOf = (withDns: boolean): readonly number[] => portsIn(traffic.actors({...request, names: ['proxy', 'agent'], withDns}));
	const others = new Set(portsOf(false));
	return new Set(portsOf(true).filter(port => !others.has(port)));
}

function portsIn({actors}: ActorSet): readonly number[] {
	return actors.flatMap(({listeners}) => listeners.flatMap(({protocol, port}) => protocol === 'tcp' ? [port] : []));
}
