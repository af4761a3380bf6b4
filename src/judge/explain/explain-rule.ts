/**
The purpose of each rule of a set: its role, the releases that have it, which of the types should match it, and whether ordinary traffic can reach it at all.
*/

import {contains, parseAddress, parseRange} from '../../netfilter/address.js';
import {rulesOf, tableFamily, type PlacedRule} from '../../netfilter/lookup.js';
import type {
	AddressFamily, Match, Rule,
} from '../../netfilter/types.js';
import {transparencyOf} from '../../mesh/intent.js';
import type {Mesh, MeshRules} from '../../mesh/mesh.js';
import {
	purposeOf, type Role, type RoleHistory, type Shadow,
} from '../../mesh/roles.js';
import {livesInPod} from '../../mesh/actor-set.js';
import {trafficCases, typeIdsOf} from '../../mesh/traffic-types.js';
import {addressFamilies, type Topology} from '../../mesh/topology.js';
import type {
	ActorCredentials, Credentials, Intent, TypeId,
} from '../../mesh/traffic.js';

/** What is known about one rule. */
export type RuleExplanation = {
	/** Null for a foreign rule, which no sidecar writes. */
	readonly role: Role | null;
	readonly purpose: string | null;
	readonly history: RoleHistory | null;
	/** The types whose first packets should match it, for each family whose packets it can match; null if the paths of the set are not predicted. */
	readonly types: Readonly<Partial<Record<AddressFamily, readonly TypeId[]>>> | null;
	/** Why ordinary traffic does not reach it, or null. */
	readonly shadow: Shadow | null;
};

/** The context for explanations. */
export type Explainer = (placed: PlacedRule) => RuleExplanation;

/** One leg that some type should take, with what a rule can test of its packets. */
type Passage = {
	readonly id: TypeId;
	readonly family: AddressFamily;
	readonly roles: readonly Role[];
	/** Undefined for traffic from outside, whose socket is not in the pod. */
	readonly owner: Credentials | undefined;
	readonly destination: {readonly address: string; readonly port: number};
	readonly protocol: 'tcp' | 'udp';
};

/** The roles in a dump with options that its intent does not include, so that it is unknown which types should match a rule. */
export function rolesBeyondIntent(ruleSet: MeshRules): readonly Role[] {
	const found = [...rulesOf(ruleSet)].map(({table, chain, rule}) => ruleSet.mesh.roleOf(rule, table, chain)).filter(role => role !== undefined);
	return [...new Set(found)].filter(role => ruleSet.mesh.isBeyondIntent(role));
}

/** Creates the explainer of a set. Without an intent, it is unknown which types should match a rule. */
export function explainerOf({mesh, intent, topology, families}: {
	readonly mesh: Mesh; readonly intent: Intent | null; readonly topology: Topology; readonly families: readonly AddressFamily[];
}): Explainer {
	const passages = intent === null ? null : families.flatMap(family => passagesOf({mesh, intent, topology, family}));
	return placed => {
		const {rule, table, chain} = placed;
		const role = mesh.roleOf(rule, table, chain) ?? null;
		return {
			role,
			purpose: role === null ? null : purposeOf(mesh.roles[role]!, rule),
			history: role === null ? null : mesh.roles[role]!,
			types: passages === null ? null : typesByFamily(placed, {role, passages, mesh}),
			shadow: mesh.shadowOf(rule, table, chain) ?? null,
		};
	};
}

function typesByFamily(placed: PlacedRule, {role, passages, mesh}: {readonly role: Role | null; readonly passages: readonly Passage[]; readonly mesh: Mesh}): NonNullable<RuleExplanation['types']> {
	const families = addressFamilies.filter(family =>
		(placed.family === 'inet' || placed.family === tableFamily(family))
		&& placed.rule.matches.every(match => isOfFamily(match, family))
		&& passages.some(passage => passage.family === family));
	return Object.fromEntries(families.map(family => {
		const own = passages.filter(passage => passage.family === family && role !== null && passage.roles.includes(role) && isFirstToMatch(placed, {role, passage, mesh}));
		return [family, typeIdsOf(mesh.traffic).filter(id => own.some(passage => passage.id === id))];
	}));
}

/** Among several rules of one role, the first that matches the packet decides. */
function isFirstToMatch({rule, table, chain}: PlacedRule, {role, passage, mesh}: {readonly role: Role; readonly passage: Passage; readonly mesh: Mesh}): boolean {
	return takes(rule, passage) && !chain.rules.some(other => other.number < rule.number && mesh.roleOf(other, table, chain) === role && takes(other, passage));
}

/** Whether no condition of a rule rules out a packet. Conditions on unknown properties are left to the role. */
function takes({matches}: Rule, passage: Passage): boolean {
	return matches.every(match => isOfFamily(match, passage.family) && (!('negated' in match) || (admits(match, passage) ?? !match.negated) !== match.negated));
}

/** In a table of both families, an address match, negated or not, is false for packets of the other family (nft(8), payload expressions). */
function isOfFamily(match: Match, family: AddressFamily): boolean {
	return (match.kind !== 'source' && match.kind !== 'destination') || (parseRange(match.address)?.family ?? family) === family;
}

/** Whether a match, without its negation, is true for a packet; undefined if that is unknown. */
function admits(match: Match, {family, owner, destination, protocol}: Passage): boolean | undefined {
	switch (match.kind) {
		case 'uid':
		case 'gid': {
			return owner === undefined ? undefined : match.from <= owner[match.kind] && owner[match.kind] <= match.to;
		}

		case 'destination-port': {
			return match.ranges.some(({from, to}) => from <= destination.port && destination.port <= to);
		}

		case 'destination': {
			const [range, address] = [parseRange(match.address), parseAddress(destination.address, family)];
			return range === undefined || address === undefined ? undefined : contains(range, address);
		}

		case 'protocol': {
			return match.protocol === protocol;
		}

		case 'source':
		case 'in-interface':
		case 'out-interface':
		case 'source-port':
		case 'socket-exists':
		case 'mark':
		case 'connmark':
		case 'conntrack-state':
		case 'comment':
		case 'opaque': {
			return undefined;
		}
	}
}

/** The passages of all types in one family, for a proxy of each user that the set is meant for. */
function passagesOf({mesh: {traffic}, intent, topology, family}: {readonly mesh: Mesh; readonly intent: Intent; readonly topology: Topology; readonly family: AddressFamily}): readonly Passage[] {
	return actorGroupsOf(intent).flatMap(actors => trafficCases(traffic, {
		intent, actors, topology, family, ids: typeIdsOf(traffic),
	}).flatMap(({id, probe, expected}) => expected.legs.map(({actor, roles: wanted, stop}, index): Passage => ({
		id,
		family,
		protocol: probe.protocol,
		roles: wanted ?? [],
		owner: livesInPod[actor] ? actors[actor] : undefined,
		destination: index === 0 ? probe.destination : askedOf(topology, family, stop) ?? endpointOf(topology, family, probe.destination),
	}))));
}

/** Where a proxy sends requests for its own ports on localhost; undefined for any other leg. */
function askedOf({places, proxyAsks}: Topology, family: AddressFamily, stop: string): Passage['destination'] | undefined {
	const port = stop === `proxy:${proxyAsks?.admin}` ? proxyAsks?.admin : (stop === `agent:${proxyAsks?.agent}` ? proxyAsks?.agent : undefined);
	return port === undefined ? undefined : {address: places.localhost[family], port};
}

/** After the proxy, a service's address has become that of an endpoint. */
function endpointOf({services, places, ports}: Topology, family: AddressFamily, destination: Passage['destination']): Passage['destination'] {
	const service = services.find(({name}) => places[name][family] === destination.address);
	return service === undefined ? destination : {address: places[service.endpoint][family], port: service.endpoint === 'pod' ? ports.app : ports.remote};
}

/** The lowest UID of an ordinary user (login.defs(5), UID_MIN). */
const ordinaryIdMin = 1000;

/** The actors: one group for each user of the proxy, with an agent that runs as the proxy's user and an app that shares no ID with the proxy. A transparent proxy is root with the proxy's group, as it is when injected. */
function actorGroupsOf(intent: Intent): readonly ActorCredentials[] {
	const {proxyUids, proxyGids} = intent;
	let free = ordinaryIdMin;
	while (proxyUids.includes(free) || proxyGids.includes(free)) {
		free++;
	}

	const app = {uid: free, gid: free};
	const root = {uid: 0, gid: 0};
	const byUid = proxyUids.map((uid, index): Credentials => ({uid, gid: proxyGids[index] ?? proxyGids[0] ?? uid}));
	const byGid = proxyGids.map((gid): Credentials => ({uid: root.uid, gid}));
	const proxies = byUid.length === 0 || transparencyOf(intent) !== undefined ? byGid : byUid;
	return (proxies.length > 0 ? proxies : [root]).map(proxy => ({
		app, proxy, agent: proxy, remote: root, istiod: root, prometheus: root,
	}));
}
