/**
Connections that nobody accepted, refused or dropped, but whose end is known: where the kernel sent the packet shows that no answer can come. Shared by the joiner of paths and by the prober.
*/

import {
	contains, isLoopback, parseAddress, parseRange,
} from '../netfilter/address.js';
import {findRule} from '../netfilter/lookup.js';
import {newDestinationOf} from '../netfilter/new-destination.js';
import {
	printEndpoint, printHitPlace, type Endpoint, type LostEnd, type RuleHit, type Traversal,
} from '../netfilter/path.js';
import type {RuleSet} from '../netfilter/types.js';
import {isTranslating} from './tproxy-socket.js';

/** Whether some host of the sandbox has an address. */
export type IsSomewhere = (address: string) => boolean;

/** The same by the addresses and ranges of the hosts. Some host may have any link-local address. */
export function somewhereIn(answered: readonly string[]): IsSomewhere {
	const ranges = ['fe80::/10', '169.254.0.0/16', ...answered].flatMap(text => parseRange(text) ?? []);
	return text => {
		const address = parseAddress(text);
		return address !== undefined && ranges.some(range => contains(range, address));
	};
}

/** What is known about a first packet that reached no listener. */
export type VanishedPacket = {
	/** Where it was sent. */
	readonly to: Endpoint;
	/** Its destination after every translation, according to the kernel; undefined if the kernel does not say. */
	readonly at: Endpoint | undefined;
	/** Whether the evidence shows that it passed neither the last hook of packets delivered in the pod nor that of packets that leave it. */
	readonly isStuck: boolean;
	readonly traversals: readonly Traversal[];
	/** The device that its socket is bound to. */
	readonly device: string | undefined;
	readonly ruleSet: RuleSet;
	readonly isSomewhere: IsSomewhere;
};

/** The last rule on a packet's path that set a new destination. */
function translatingHit(traversals: readonly Traversal[], ruleSet: RuleSet): {readonly hit: RuleHit; readonly isLast: boolean} | undefined {
	for (const [index, {hits}] of [...traversals.entries()].reverse()) {
		const hit = hits.findLast(each => isTranslating(each, ruleSet));
		if (hit !== undefined) {
			return {hit, isLast: traversals.slice(index + 1).every(({hook}) => hook === traversals[index]!.hook)};
		}
	}

	return undefined;
}

/** How a packet without an answer ended; undefined if the evidence does not show it. */
export function lostEndOf({to, at, isStuck, traversals, device, ruleSet, isSomewhere}: VanishedPacket): LostEnd | undefined {
	const translated = translatingHit(traversals, ruleSet);
	// The kernel, conntrack included, keeps nothing about a packet that was dropped on its path into the pod; then the last rule that it met shows its destination.
	const destination = at ?? (translated?.isLast === true ? destinationBy(translated.hit, to, ruleSet) : undefined) ?? (translated === undefined ? to : undefined);
	if (destination === undefined) {
		return undefined;
	}

	const outInterface = traversals.findLast(({hook}) => hook === 'postrouting')?.outInterface ?? device;
	const isBackInside = traversals.some(({inInterface}) => inInterface === 'lo');
	const by = translated?.hit;
	if (device !== undefined && device !== 'lo' && outInterface === device && !isBackInside && isLoopback(destination.address)) {
		return {
			kind: 'lost', at: destination, by, reason: `${by === undefined ? '' : `${printHitPlace(by)} sets the destination ${printEndpoint(destination)}, but `}its socket is bound to ${device}, so it left by ${device} for a loopback address, where nobody can answer; it is neither captured nor bypassed`,
		};
	}

	const reason = by === undefined || destination.address === to.address ? undefined : unreachableBecause(destination, {isTurnedAway: isStuck && isFromOutside(traversals), isSomewhere});
	return by === undefined || reason === undefined
		? undefined
		: {
			kind: 'nowhere', at: destination, by, reason: `decided by ${printHitPlace(by)}; the new destination ${printEndpoint(destination)} ${reason}`,
		};
}

function isFromOutside([first]: readonly Traversal[]): boolean {
	return first?.hook === 'prerouting' && first.inInterface !== 'lo';
}

/** Why a packet cannot reach its new destination. `isTurnedAway`: it came from outside, and the pod's routing dropped it. */
function unreachableBecause({address}: Endpoint, {isTurnedAway, isSomewhere}: Pick<VanishedPacket, 'isSomewhere'> & {readonly isTurnedAway: boolean}): string | undefined {
	if (isLoopback(address)) {
		return isTurnedAway ? 'is a loopback address, to which the kernel delivers no packet from outside' : undefined;
	}

	if (!isSomewhere(address)) {
		return 'does not exist in this topology';
	}

	return isTurnedAway ? 'belongs to another host, and the pod forwards nothing' : undefined;
}

function destinationBy(hit: RuleHit, to: Endpoint, ruleSet: RuleSet): Endpoint | undefined {
	const target = hit.number === undefined ? undefined : findRule(ruleSet, {...hit, number: hit.number})?.target;
	const found = target === undefined ? undefined : newDestinationOf(target);
	return found === undefined ? undefined : {address: found.address, port: found.port ?? to.port};
}

/** The end of a connection whose answer the rules dropped, according to the answer's own path. Undefined if it was not dropped. */
export function droppedAnswer({at, traversals}: {readonly at: Endpoint; readonly traversals: readonly Traversal[]}): LostEnd | undefined {
	const last = traversals.at(-1);
	if (last === undefined || last.end.by === 'open' || last.end.verdict !== 'drop') {
		return undefined;
	}

	const by = last.end.by === 'rule' ? last.hits.at(-1) : undefined;
	return {
		kind: 'answer-dropped', at, by, reason: `it arrived at ${printEndpoint(at)}, and ${by === undefined ? `the policy of ${last.table} ${last.chain}` : printHitPlace(by)} dropped the answer${by?.text === undefined ? '' : ` (${by.text})`}`,
	};
}
