/**
What a sidecar's rules are for. A role survives renumbering: it is read off the shape of a rule, never off its number or its values.
*/

import type {Chain, Rule} from '../../netfilter/types.js';
import {ambientPurposes, ambientRoleShapes} from './role-shapes-ambient.js';
import type {AmbientRole, Role} from './role.js';
import {roleShapes, shapeOf, type RoleShape} from './role-shapes.js';
import {twinChain, twinTable} from './backend-names.js';

export type {Role} from './role.js';

/** What is true of a role in every rule set that holds it. */
export type RoleFacts = {
	/** One sentence. */
	readonly purpose: string;
	/** When all of these stand earlier in the chain, in the form of a set without DNS capture, ordinary traffic never reaches the role. */
	readonly shadowedBy: readonly Role[];
	readonly shadowedBecause?: string;
};

/** No role of ambient mode is shadowed by others. */
function liveAmbient(): Readonly<Record<AmbientRole, RoleFacts>> {
	return Object.fromEntries(Object.entries(ambientPurposes).map(([role, purpose]) => [role, live(purpose)])) as Record<AmbientRole, RoleFacts>;
}

const loopbackIsTaken: readonly Role[] = ['hairpin-by-uid', 'loopback-not-proxy-uid', 'proxy-uid-bypass'];
const loopbackIsTakenBecause = 'On lo, loopback-not-proxy-uid returns every packet that is not of the proxy\'s UID; hairpin-by-uid and proxy-uid-bypass take the proxy\'s own.';

function live(purpose: string): RoleFacts {
	return {purpose, shadowedBy: []};
}

function shadowed(purpose: string, because: string): RoleFacts {
	return {purpose, shadowedBy: loopbackIsTaken, shadowedBecause: because};
}

/** Every role with its purpose. Shadows are measured: iptables 1.8.9, both back ends, Linux 6.18. */
export const roles: Readonly<Record<Role, RoleFacts>> = {
	'inbound-jump': live('Hands TCP that comes into the pod to ISTIO_INBOUND.'),
	'inbound-tunnel-port': live('Leaves the HBONE tunnel port alone, because the proxy listens on it itself.'),
	'inbound-ssh': live('Leaves SSH alone where all inbound ports are captured, until 1.12.'),
	'inbound-port-exclude': live('Leaves an excluded inbound port alone, so that it is reached without the inbound listener.'),
	'inbound-port-include': live('Captures one included inbound port.'),
	'inbound-capture': live('Captures all inbound TCP that no earlier rule of the chain left alone.'),
	'inbound-redirect': live('Redirects captured TCP to the proxy\'s inbound listener.'),
	'outbound-jump': live('Hands what the pod\'s processes send to ISTIO_OUTPUT.'),
	'outbound-redirect': live('Redirects captured TCP to the proxy\'s outbound listener.'),
	'outbound-port-exclude': live('Leaves an excluded outbound port alone.'),
	'outbound-port-include': live('Captures one included outbound port, whatever its address.'),
	'outbound-capture': live('Captures everything that no earlier rule of the chain let go.'),
	'range-exclude': live('Leaves an excluded address range alone.'),
	'range-include': live('Captures one included address range.'),
	'range-rest': live('Lets everything that no included range names go without the proxy, until 1.22.'),
	'passthrough-source': live('Lets the proxy\'s inbound connections, which have the passthrough address as their source, reach the app over lo.'),
	'hairpin-by-uid': live('Sends the proxy\'s own connections to the pod\'s own addresses through the inbound listener, by UID.'),
	'loopback-not-proxy-uid': live('Lets processes with another UID than the proxy\'s talk over lo without the proxy.'),
	'proxy-uid-bypass': live('Lets the proxy\'s own traffic out, by UID, so that it is not captured again.'),
	'hairpin-by-gid': shadowed('Sends the proxy\'s own connections to the pod\'s own addresses through the inbound listener, by GID.', loopbackIsTakenBecause),
	'loopback-not-proxy-gid': shadowed('Lets processes with another GID than the proxy\'s talk over lo without the proxy.', loopbackIsTakenBecause),
	'proxy-gid-bypass': live('Lets traffic of the proxy\'s group out, whatever the UID, so that it is not captured.'),
	'group-include': live('Lets traffic of all groups but the included ones out without the proxy.'),
	'group-exclude': live('Lets traffic of an excluded group out without the proxy.'),
	'localhost-bypass': shadowed(
		'Lets connections to the host\'s loopback address go without the proxy.',
		`Traffic to a loopback address leaves over lo, unless its socket is bound to another device. ${loopbackIsTakenBecause}`,
	),
	'interface-exclude-inbound': live('Leaves alone what comes in from an excluded or virtual interface.'),
	'interface-exclude-outbound': live('Leaves alone what goes out through an excluded interface.'),
	'virtual-interface-capture': live('Captures as outbound what a virtual machine sends through its interface.'),
	'invalid-jump': live('Hands packets that conntrack cannot place to their end.'),
	'invalid-drop': live('Drops packets that conntrack cannot place.'),
	'dns-jump': live('Hands what was not let go so far to the DNS rules.'),
	'dns-udp-jump': live('Hands UDP to ISTIO_OUTPUT, at whose end the DNS rules stand in 1.23 and 1.24.'),
	'dns-query-bypass': live('Lets DNS queries of the proxy, its agent or an excluded group go to the real servers, until 1.24.'),
	'dns-group-include': live('Lets DNS queries of all groups but the included ones go to the real servers, 1.14 to 1.24.'),
	'dns-translate': live('Sends DNS over UDP to the agent or to Envoy by a new destination, in 1.7 and 1.8.'),
	'dns-translate-source': live('Gives translated DNS queries a loopback source, so that their answers come back the same way, in 1.7 and 1.8.'),
	'dns-redirect-tcp': live('Redirects DNS over TCP to the agent.'),
	'dns-redirect-udp': live('Redirects DNS over UDP to the agent.'),
	'dns-zone-jump': live('Hands outgoing packets to the rules that choose a conntrack zone for DNS.'),
	'dns-zone-proxy-query': live('Puts the proxy\'s own DNS queries into the zone of the real servers.'),
	'dns-zone-agent-answer': live('Puts the agent\'s DNS answers into the zone of the captured queries.'),
	'dns-zone-query': live('Puts captured DNS queries into a zone of their own.'),
	'dns-answer-jump': live('Hands incoming packets to the rules that choose a conntrack zone for DNS answers.'),
	'dns-zone-answer': live('Puts the answers of the real DNS servers into the zone of the proxy\'s queries.'),
	'tproxy-mark-bypass': live('Leaves alone what carries the proxy\'s mark already.'),
	'tproxy-passthrough-source': live('Leaves alone what the proxy sends over lo from the passthrough address.'),
	'tproxy-loopback-not-hairpin': live('Leaves alone what goes over lo without the mark of the proxy\'s own hairpin connections.'),
	'tproxy-divert-established': live('Keeps packets of connections that the proxy has accepted in the pod.'),
	'tproxy-capture': live('Captures inbound TCP for the transparent listener.'),
	'tproxy-divert-mark': live('Marks packets so that they are delivered locally.'),
	'tproxy-divert-accept': live('Ends the way of packets that were marked for local delivery.'),
	'tproxy-redirect': live('Gives captured TCP to the transparent inbound listener, with its destination unchanged.'),
	'tproxy-mark-save': live('Notes the proxy\'s mark on the connection.'),
	'tproxy-loopback-marked': live('Leaves alone what carries the proxy\'s mark and goes over lo.'),
	'tproxy-hairpin-mark-by-uid': live('Marks the proxy\'s own connections to the pod\'s own addresses, by UID, so that they are captured inbound.'),
	'tproxy-hairpin-mark-by-gid': live('Marks the proxy\'s own connections to the pod\'s own addresses, by GID, so that they are captured inbound.'),
	'tproxy-loopback-mark': live('Marks what is sent from the loopback address to another one, so that it is captured inbound, until 1.8.'),
	'tproxy-mark-restore': live('Puts the mark of the connection back on replies, so that they go to the proxy.'),
	...liveAmbient(),
};

/** A role with its purpose, for people. */
export function describeRole(role: Role): string {
	const {purpose, shadowedBecause} = roles[role];
	return shadowedBecause === undefined ? `${role}: ${purpose}` : `${role}: ${purpose} Not reached by ordinary traffic without DNS capture: ${shadowedBecause}`;
}

/**
The role of a rule, or undefined for a rule of another shape. Some roles have one shape in common; what stands before the rule in its chain tells them apart, so give the chain where it is known.
*/
export function roleOf(rule: Rule, table: string, chain?: Chain): Role | undefined {
	const candidates = candidatesFor(rule, table);
	return candidates.find(({unless}) => unless?.(rule, earlierRules(rule, table, chain)) !== true)?.role;
}

/** The rules of a chain before this one, each with the roles that its shape allows. */
function earlierRules(rule: Rule, table: string, chain: Chain | undefined): ReadonlyArray<{readonly rule: Rule; readonly roles: readonly Role[]}> | undefined {
	return chain?.rules
		.filter(({number}) => number < rule.number)
		.map(earlier => ({rule: earlier, roles: candidatesFor(earlier, table).map(({role}) => role)}));
}

/** The rows by the place that they are for, so that a rule is compared with those of its own chain only. */
const shapesByPlace: ReadonlyMap<string, readonly RoleShape[]> = groupShapes();

function groupShapes(): ReadonlyMap<string, readonly RoleShape[]> {
	const groups = new Map<string, RoleShape[]>();
	for (const row of [...roleShapes, ...ambientRoleShapes]) {
		const place = `${row.table} ${row.chain}`;
		groups.set(place, [...groups.get(place) ?? [], row]);
	}

	return groups;
}

function candidatesFor(rule: Rule, table: string): readonly RoleShape[] {
	const shape = shapeOf(rule, table);
	const place = `${twinTable(table)} ${twinChain(table, rule.chain)}`;
	return (shapesByPlace.get(place) ?? []).filter(row =>
		row.target === shape.target
		&& row.matches.every(match => shape.matches.has(match))
		&& [...shape.matches].every(match => row.matches.includes(match) || row.also?.includes(match))
		&& row.when?.(rule) !== false);
}
