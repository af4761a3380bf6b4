/**
The world around the pod as probes need it: where they can come from, and who answers for the addresses that they go to.
*/

import {contains, parseAddress, parseRange} from '../../src/netfilter/address.js';
import type {ProbeQuestion} from '../../src/report/probe/types.js';
import {standardCompany, type Company, type ListenerPlan} from '../../src/scenario/actor-set.js';
import {livesInPod} from '../../src/scenario/expectation.js';
import type {Topology} from '../../src/scenario/topology.js';
import type {ActorCredentials, ActorName, Intent} from '../../src/scenario/types.js';
import {TestbedError} from '../errors.js';
import type {Netns} from '../sandbox/netns.js';

const dnsPort = 53;
const agentsDnsPort = 15_053; // Istio, pilot/cmd/pilot-agent/options: DNSProxyAddr.

/** Who a probe can meet beside the proxy and the app: everybody who listens somewhere. */
const hosts: readonly ActorName[] = ['remote', 'istiod'];

/** Who plays when somebody sends a probe. Where it may be a query of DNS, the agent that can be asked and the real server play as well. */
export function companyOfProbe({question: {from, to, protocol}, intent, credentials, topology}: {
	readonly question: Pick<ProbeQuestion, 'from' | 'to' | 'protocol'>; readonly intent: Intent; readonly credentials: ActorCredentials; readonly topology: Topology;
}): Company {
	const isQuery = protocol === 'udp' || to.port === dnsPort;
	const names = [...new Set<ActorName>(['proxy', 'app', ...hosts, from, ...(isQuery ? ['agent'] as const : [])])];
	const company = standardCompany({
		topology, intent, names, credentials,
	});
	if (!isQuery) {
		return company;
	}

	return withDns(company, topology);
}

/** The same company with an agent that answers queries of DNS by asking the pod's name server, and with that server. */
export function withDns(company: Company, {resolver}: Pick<Topology, 'resolver'>): Company {
	const protocols = ['tcp', 'udp'] as const;
	const asking = protocols.map((own): ListenerPlan => ({
		protocol: own, port: agentsDnsPort, duty: 'forward', stop: `agent:${agentsDnsPort}`, forwardTo: {addresses: resolver, port: dnsPort},
	}));
	const answering = protocols.map((own): ListenerPlan => ({
		protocol: own, port: dnsPort, duty: 'answer', stop: `dns:${dnsPort}`,
	}));
	return {
		...company,
		actors: [
			...company.actors.map(actor => actor.name === 'agent' ? {...actor, listeners: asking} : actor),
			{
				name: 'dns', uid: 0, gid: 0, namespace: 'remote', listeners: answering, ownSource: {},
			},
		],
	};
}

/**
A connection from outside that goes to no address of the pod never comes to it.

@throws {TestbedError} USAGE.
*/
export function refuseOutside({from, to, family, asked}: Pick<ProbeQuestion, 'from' | 'to' | 'family' | 'asked'>, {places}: Topology): void {
	if (!livesInPod[from] && to.address !== places.pod[family]) {
		throw new TestbedError('USAGE', {
			message: `A connection from ${from} to ${asked} does not come into the pod, so none of its rules is asked.`,
			hint: `From outside, ask for the pod: --to pod:${to.port}`,
		});
	}
}

/** The neighbourhood answers for every address that a probe goes to, so that a connection that leaves the pod comes to an end and not to nothing: where nobody listens it is refused. */
export async function answerElsewhere(remote: Netns, {places, serviceRange}: Topology, addresses: readonly string[]): Promise<void> {
	const known = new Set([...Object.values(places), serviceRange].flatMap(({ipv4, ipv6}) => [ipv4, ipv6]));
	const foreign = [...new Set(addresses)].filter(address => !known.has(address) && canBeElsewhere(address));
	for (const [family, flag] of [['ipv4', '-4'], ['ipv6', '-6']] as const) {
		const own = foreign.filter(address => parseAddress(address)?.family === family);
		if (own.length > 0) {
			await remote.runConfined('ip', [flag, '-batch', '-'], {input: own.map(address => `route replace local ${address} dev lo\n`).join('')}); // eslint-disable-line no-await-in-loop -- Two short programs; one after the other keeps the second's error readable.
		}
	}
}

/** A loopback address is the pod's own; a multicast address or the unspecified one cannot be routed. */
function canBeElsewhere(text: string): boolean {
	const address = parseAddress(text);
	return address !== undefined && ownRanges.every(range => !contains(range, address));
}

const ownRanges = ['0.0.0.0/8', '127.0.0.0/8', '224.0.0.0/3', '::/96', 'fe80::/10', 'ff00::/8'].flatMap(text => parseRange(text) ?? []);
