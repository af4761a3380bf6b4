/**
Which first packets belong to a proxy that does not report all its sockets: Envoy's access log names both ends of a connection that it made, but only the destination of one that failed. The trace shows the missing end, if only one packet can be meant.

A first packet of such a proxy's user that no record explains is a gap: the log has lost a line, or the proxy did something that it does not log.
*/

import {printEndpoint, type Endpoint} from '../netfilter/path.js';
import {isAnswer, protocolNumbers} from './decode/packet.js';
import type {Gap} from './gap.js';
import type {TracedPacket} from './packets.js';
import {
	ownersOf, type AttemptedSocket, type EndedSocket, type OpenedSocket, type SocketOwner, type SocketRecord, type UnsentSocket, type WatchedUser,
} from './sockets.js';

/** What the joiner reads in place of the actors' own records. */
export type Claims = {
	/** The same records, in which an attempt whose packet was found is an opened socket, and one for which the kernel sent nothing is an unsent one. */
	readonly sockets: readonly SocketRecord[];
	/** Gaps of every path. */
	readonly gaps: readonly Gap[];
	/** Gaps of a path that contains the accepted socket with this id. */
	readonly gapsByParent: ReadonlyMap<string, Gap>;
};

type Evidence = {readonly sockets: readonly SocketRecord[]; readonly packets: readonly TracedPacket[]; readonly owners: readonly SocketOwner[]};

type Ends = {readonly from: Endpoint; readonly to: Endpoint};

function keyOf({from, to}: Ends): string {
	return `${printEndpoint(from)} ${printEndpoint(to)}`;
}

/** The ends of the first packets that a user sent in the pod. A packet that was sent again has the same ends. */
function firstPacketsOf({uid, gid}: WatchedUser, {packets, owners}: Evidence): readonly Ends[] {
	const isOwners = ({header: {family, source, destination}, owner}: TracedPacket): boolean => {
		const found = ownersOf(owners, {family, from: source, to: destination});
		return (found.length > 0 ? found : [owner]).some(one => one?.uid === uid && one.gid === gid);
	};

	const sent = packets.filter(packet => packet.header.protocol === protocolNumbers.tcp && packet.entry === 'output' && !isAnswer(packet.header) && isOwners(packet));
	return [...new Map(sent.map(({header: {source, destination}}) => {
		const ends = {from: source, to: destination};
		return [keyOf(ends), ends] as const;
	})).values()];
}

/** Assigns the packets that no record names to the attempts that have no end of their own. Records of actors that report every socket stay as they are. */
export function claimPackets(evidence: Evidence): Claims {
	const {sockets} = evidence;
	// A process says who it is in every round.
	const watched = new Map(sockets.flatMap(record => record.kind === 'watched' ? [[record.actor, record] as const] : []));
	const attempts = sockets.filter(record => record.kind === 'attempted');
	if (watched.size === 0 && attempts.length === 0) {
		return {sockets, gaps: [], gapsByParent: new Map()};
	}

	const claimed = new Set(sockets.flatMap(record => record.kind === 'opened' ? [keyOf(record)] : []));
	const ended = new Map(sockets.flatMap(record => record.kind === 'ended' ? [[record.id, record] as const] : []));
	const gaps: Gap[] = [];
	const gapsByParent = new Map<string, Gap>();
	const found: Array<OpenedSocket | UnsentSocket> = [];
	const open = new Map([...watched.values()].map(user => [user.actor, firstPacketsOf(user, evidence).filter(ends => !claimed.has(keyOf(ends)))] as const));
	for (const rivals of groupsOf(attempts)) {
		const [{actor, source, to}] = rivals;
		const candidates = open.get(actor)?.filter(ends => printEndpoint(ends.to) === printEndpoint(to) && (source === undefined || ends.from.address === source)) ?? [];
		const decided = rivals.length === 1 ? decide(rivals[0], candidates, ended.get(rivals[0].id)) : undefined;
		if (decided === undefined) {
			for (const {parent} of rivals) {
				gapsByParent.set(parent, gapOf(rivals, candidates));
			}
		} else {
			found.push(decided);
		}

		if (candidates.length <= rivals.length) {
			// Each of them belongs to one of the attempts, even if it is unknown to which.
			open.set(actor, open.get(actor)?.filter(ends => !candidates.includes(ends)) ?? []);
		}
	}

	for (const [actor, left] of open) {
		gaps.push(...left.map(ends => ({kind: 'unclaimed', message: `The user of ${actor} sent a first packet from ${printEndpoint(ends.from)} to ${printEndpoint(ends.to)}, but ${actor} did not report it.`} satisfies Gap)));
	}

	return {sockets: [...sockets.filter(({kind}) => kind !== 'attempted' && kind !== 'watched'), ...found], gaps, gapsByParent};
}

type Rivals = readonly [AttemptedSocket, ...AttemptedSocket[]];

/** Attempts of one actor from one address to one destination, which can be matched with packets only together. */
function groupsOf(attempts: readonly AttemptedSocket[]): readonly Rivals[] {
	const groups = new Map<string, [AttemptedSocket, ...AttemptedSocket[]]>();
	for (const attempt of attempts) {
		const key = `${attempt.actor} ${attempt.source ?? ''} ${printEndpoint(attempt.to)}`;
		const group = groups.get(key);
		if (group === undefined) {
			groups.set(key, [attempt]);
		} else {
			group.push(attempt);
		}
	}

	return [...groups.values()];
}

function decide({kind: _, source, ...attempt}: AttemptedSocket, candidates: readonly Ends[], ended: EndedSocket | undefined): OpenedSocket | UnsentSocket | undefined {
	const [only, another] = candidates;
	if (only !== undefined && another === undefined) {
		return {...attempt, kind: 'opened', from: only.from};
	}

	return only === undefined && ended?.result === 'unreachable'
		? {
			...attempt, kind: 'unsent', source, reason: ended.reason,
		}
		: undefined;
}

function gapOf([{actor, to}, ...others]: Rivals, {length}: readonly Ends[]): Gap {
	const tries = others.length === 0 ? 'a connection' : `${others.length + 1} connections`;
	const packets = length === 0 ? 'no first packet' : (length === 1 ? 'one first packet' : `${length} first packets`);
	return {kind: length === 0 ? 'no-end' : 'ambiguous', message: `${actor} could not open ${tries} to ${printEndpoint(to)}, but the trace shows ${packets} of its user to that address that nothing else explains.`};
}
