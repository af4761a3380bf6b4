/**
UIDs and GIDs that do not exist in this process's user namespace. Nothing can run as them, so what they would have shown stays open: inconclusive, never a pass.
*/

import type {Credentials} from '../../src/mesh/traffic.js';
import type {Match, RuleSet} from '../../src/netfilter/types.js';
import type {ExistingIds} from '../../src/packet-classes/representatives.js';
import {TestbedError} from '../errors.js';
import {
	isSameOutside, outsideOf, ownIdMaps, type IdMaps, type IdRange,
} from '../syscalls/id-maps.js';
import {mappingFacts} from './note.js';
import {commandForRange} from './subordinate-ids.js';
import {mappingWall} from './walls.js';

/** Ranges of IDs in order, those that touch joined. */
function mergeRanges(ranges: readonly IdRange[]): ReadonlyArray<{readonly from: number; readonly to: number}> {
	const merged: Array<{from: number; to: number}> = [];
	for (const {inside, count} of ranges.toSorted((one, other) => one.inside - other.inside)) {
		const last = merged.at(-1);
		if (last?.to === inside - 1) {
			last.to += count;
		} else {
			merged.push({from: inside, to: inside + count - 1});
		}
	}

	return merged;
}

/** The IDs that exist here, for those who choose among several; empty where all exist. */
export function existingIds(maps = ownIdMaps()): ExistingIds {
	const intervals = (ranges: readonly IdRange[]) => mergeRanges(ranges).map(({from, to}) => ({first: BigInt(from), last: BigInt(to)}));
	return maps.isInitial ? {} : {uid: intervals(maps.uids), gid: intervals(maps.gids)};
}

/** IDs by name: `UIDs 0–65536`. */
function printRanges(what: 'UID' | 'GID', ranges: readonly IdRange[]): string {
	const merged = mergeRanges(ranges);
	const isOne = merged.length === 1 && merged[0]!.from === merged[0]!.to;
	return merged.length === 0 ? `no ${what}` : `only ${what}${isOne ? '' : 's'} ${merged.map(({from, to}) => from === to ? String(from) : `${from}–${to}`).join(', ')}`;
}

type Wanted = {readonly what: 'UID' | 'GID'; readonly id: number; readonly whose: string};

function rangesFor(what: 'UID' | 'GID', {uids, gids}: IdMaps): readonly IdRange[] {
	return what === 'UID' ? uids : gids;
}

/** Why IDs do not exist here, as a sentence, with the line that fixes it; undefined if all of them exist. */
function missingIn(wanted: readonly Wanted[], maps: IdMaps): {readonly message: string; readonly hint: string} | undefined {
	if (maps.isInitial) {
		return undefined;
	}

	for (const {what, whose, id} of wanted) {
		const ranges = rangesFor(what, maps);
		if (outsideOf(ranges, id) === undefined) {
			const {because, hint} = reasonAndFix(maps, id);
			return {message: `${what} ${id} (${whose}) does not exist in this user namespace, which has ${printRanges(what, ranges)}${because}`, hint};
		}
	}

	return undefined;
}

/** What is known about why an ID does not exist, as the end of a sentence, and the line that fixes it. New ranges follow those that are there. */
function reasonAndFix({uids, gids}: IdMaps, id: number): {readonly because: string; readonly hint: string} {
	const facts = mappingFacts();
	const wall = facts === undefined ? undefined : mappingWall(facts);
	if (wall !== undefined) {
		return {because: `: ${wall.message}`, hint: wall.fix};
	}

	const [{outside = 0} = {}] = uids;
	if (facts?.name !== undefined) {
		const count = id + 1 - Math.min(...[uids, gids].map(ranges => ranges.reduce((sum, range) => sum + range.count, 0)));
		return {because: '.', hint: commandForRange(facts.name, {first: facts.firstFree, count}) ?? 'Run it as root: a user cannot have so many IDs.'};
	}

	return {because: '.', hint: `Give UID ${outside} of the machine a range of IDs in /etc/subuid and /etc/subgid, or run it as root.`};
}

function idsOf({name, uid, gid}: Credentials & {readonly name: string}): readonly Wanted[] {
	return [{what: 'UID', id: uid, whose: name}, {what: 'GID', id: gid, whose: name}];
}

/** As one sentence, why nothing can run as this user here; undefined if something can. For a gap. */
export function missingUser(user: Credentials & {readonly name: string}, maps = ownIdMaps()): string | undefined {
	const missing = missingIn(idsOf(user), maps);
	return missing === undefined ? undefined : `${missing.message} → ${missing.hint}`;
}

/**
Refuses actors whose users do not exist in this user namespace.

@throws {TestbedError} UNMAPPED.
*/
export function refuseMissingUsers(users: ReadonlyArray<Credentials & {readonly name: string}>, maps = ownIdMaps()): void {
	refuse(missingIn(users.flatMap(user => idsOf(user)), maps));
}

/**
Refuses rules of iptables whose owners the kernel would refuse or mistake in this user namespace: it keeps the ends of an interval as the machine's numbers, and compares those (owner_check and owner_mt in net/netfilter/xt_owner.c). nft compares the numbers of the namespace, so its rules may name any.

@throws {TestbedError} UNMAPPED.
*/
export function refuseMissingOwners({tables}: RuleSet, maps = ownIdMaps()): void {
	if (maps.isInitial) {
		return;
	}

	const owners = tables.flatMap(({chains}) => chains.flatMap(({name, rules}) => rules.flatMap(({matches}, index) => ownersIn(matches, `${name}#${index + 1}`))));
	refuse(missingIn(owners.flatMap(({what, from, to, whose}) => [{what, whose, id: from}, {what, whose, id: to}]), maps));
	const mistaken = owners.find(({what, from, to}) => !isSameOutside(rangesFor(what, maps), {from, to}));
	if (mistaken !== undefined) {
		const {what, from, to, whose} = mistaken;
		refuse({message: `The ${what}s ${from} to ${to} (${whose}) are not an interval on this machine, where they have other numbers, and iptables compares those.`, hint: 'Use --backend nftables, which compares the numbers as written, or run it as root.'});
	}
}

/** What the owner matches of a rule name. */
function ownersIn(matches: readonly Match[], whose: string): ReadonlyArray<{readonly what: 'UID' | 'GID'; readonly from: number; readonly to: number; readonly whose: string}> {
	return matches.flatMap(match => {
		if (match.kind !== 'uid' && match.kind !== 'gid') {
			return [];
		}

		const {kind, from, to} = match;
		return [{
			what: kind === 'uid' ? 'UID' : 'GID', from, to, whose,
		}];
	});
}

function refuse(missing: {readonly message: string; readonly hint: string} | undefined): void {
	if (missing !== undefined) {
		throw new TestbedError('UNMAPPED', {...missing, state: 'No traffic was sent.'});
	}
}
