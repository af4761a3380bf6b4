/**
Sets of packets in words: `TCP from any user but 1337 to 10.0.0.0/8, any port but 15008`.
*/

import {printAddress, printRange} from '../netfilter/address.js';
import {
	intervalsIn, everyInterval, intervalsOf, setOf, type PacketSet,
} from './packet-set.js';
import type {ClassSet} from './classify.js';
import type {Interval, FieldName} from './fields.js';
import {printValue} from './values.js';
import type {Origin} from './packet-space.js';

/** Longer lists are abbreviated. */
const listedMax = 6;

type Frame = Pick<ClassSet, 'fields' | 'places'>;

/** The packets of a set of one origin, of sockets bound to `device` if there is one. Fields that are unrestricted are not mentioned. */
export function describePacketSet({fields, places}: Frame, {origin, device}: {readonly origin: Origin; readonly device?: string | undefined}, packetSet: PacketSet): string {
	const frame = {fields, places};
	const protocol = intervalsIn(packetSet.protocol).map(place => fields.protocols[place]!.toUpperCase()).join(' and ');
	const words = [packetSet.packet === 0b10n ? `invalid ${protocol}` : protocol];
	if (origin === 'remote') {
		words.push('into the pod');
	}

	if (device !== undefined) {
		words.push(`of sockets bound to ${device}`);
	}

	for (const [field, name] of [['uid', 'user'], ['gid', 'group']] as const) {
		const text = origin === 'remote' ? undefined : describeNumbers(frame, field, packetSet[field], name);
		if (text !== undefined) {
			words.push(field === 'uid' ? `from ${text}` : (words.at(-1)!.startsWith('from ') ? `and ${text}` : `from ${text}`));
		}
	}

	const source = describeSource(frame, origin, packetSet);
	if (source !== undefined) {
		words.push(`with source ${source}`);
	}

	const mark = origin === 'remote' ? undefined : describeMark(frame, packetSet.mark);
	if (mark !== undefined) {
		words.push(mark);
	}

	const to = origin === 'remote' ? undefined : describeDestination(frame, packetSet.destination);
	if (to !== undefined) {
		words.push(`to ${to}`);
	}

	const sourcePort = describeNumbers(frame, 'source-port', packetSet['source-port'], 'source port');
	const port = describeNumbers(frame, 'destination-port', packetSet['destination-port'], 'port');
	return [words.join(' '), ...[port, sourcePort].filter(text => text !== undefined)].join(', ');
}

/** Undefined if all values are in it. */
function describeNumbers({fields}: Frame, field: 'uid' | 'gid' | 'source-port' | 'destination-port', set: bigint, name: string): string | undefined {
	const intervals = fields.intervals[field];
	const rest = everyInterval(intervals) & ~set;
	if (rest === 0n) {
		return undefined;
	}

	const [own, other] = [intervalsOf(intervals, set), intervalsOf(intervals, rest)];
	return other.length < own.length || (other.length === own.length && sizeOf(other) < sizeOf(own))
		? `any ${name} but ${listOf(other.map(interval => printInterval(interval)))}`
		: `${name} ${listOf(own.map(interval => printInterval(interval)))}`;
}

function describeMark({fields}: Frame, set: bigint): string | undefined {
	return set === everyInterval(fields.intervals.mark) ? undefined : `with a mark like ${listOf(intervalsIn(set).map(place => printValue(fields, 'mark', fields.intervals.mark[place]!.first)))}`;
}

/** The source is mentioned only if it is not simply the pod's, or anyone's. */
function describeSource({fields, places}: Frame, origin: Origin, {source}: PacketSet): string | undefined {
	const intervals = fields.intervals.source;
	const mine = setOf(intervals, [places.pod, ...places.loopback]);
	const never = setOf(intervals, places.unroutable);
	const usual = origin === 'pod' ? mine : everyInterval(intervals) & ~mine & ~never;
	// Packets that cannot occur have a source that is none of these.
	const domain = (source & usual) === 0n ? everyInterval(intervals) : usual;
	const within = source & domain;
	return within === domain || (origin === 'pod' && source === setOf(intervals, [places.pod])) ? undefined : describeAddresses({fields, places}, 'source', {set: within, domain});
}

function describeDestination({fields, places}: Frame, destination: bigint): string | undefined {
	const intervals = fields.intervals.destination;
	const usual = everyInterval(intervals) & ~setOf(intervals, places.unroutable);
	const domain = (destination & usual) === 0n ? everyInterval(intervals) : usual;
	const own = setOf(intervals, [places.pod, ...places.loopback]);
	const set = destination & domain;
	if (set === domain) {
		return undefined;
	}

	if (set === own) {
		return 'the pod itself';
	}

	if (set === (domain & ~own)) {
		return 'any other host';
	}

	return (set & own) === 0n ? describeAddresses({fields, places}, 'destination', {set, domain: domain & ~own, whole: 'any other host'}) : describeAddresses({fields, places}, 'destination', {set, domain});
}

/** Addresses that no host has may be between others without making a gap. */
function describeAddresses({fields, places}: Frame, field: 'source' | 'destination', {set, domain, whole = 'any address'}: {readonly set: bigint; readonly domain: bigint; readonly whole?: string}): string {
	const frame: AddressFrame = {
		intervals: fields.intervals[field], family: fields.family, places, never: everyInterval(fields.intervals[field]) & ~domain,
	};
	const [own, other] = [partsOf(frame, set), partsOf(frame, domain & ~set)];
	return other.length < own.length ? `${whole} but ${listOf(other)}` : listOf(own);
}

type AddressFrame = {readonly intervals: readonly Interval[]; readonly family: ClassSet['fields']['family']; readonly places: ClassSet['places']; readonly never: bigint};

/** A set of addresses as ranges; the pod's own address and loopback by name. */
function partsOf(frame: AddressFrame, set: bigint): readonly string[] {
	const {intervals, places: {pod, loopback}} = frame;
	const [own, ring] = [setOf(intervals, [pod]), setOf(intervals, loopback)];
	const missing = ring & ~set;
	const isMostlyLoopback = joinedIn(frame, missing).length < joinedIn(frame, ring & set).length || (missing === 0n && (set & ring) !== 0n)
		|| (intervalsIn(ring & set).length > 0 && sizeOf(intervalsOf(intervals, missing)) < sizeOf(intervalsOf(intervals, ring & set)) && joinedIn(frame, missing).length <= 2);
	return [
		...((set & own) === 0n ? [] : ['the pod\'s own address']),
		...(isMostlyLoopback
			? [`any loopback address${missing === 0n ? '' : ` but ${listOf(joinedIn(frame, missing).map(each => printAddresses(frame, missing, each)))}`}`]
			: joinedIn(frame, set & ring).map(each => printAddresses(frame, set & ring, each))),
		...joinedIn(frame, set & ~own & ~ring).map(each => printAddresses(frame, set & ~own & ~ring, each)),
	];
}

/** The intervals of a set, in which addresses that no host has belong to adjacent ones. */
function joinedIn({intervals, never}: AddressFrame, set: bigint): readonly Interval[] {
	return intervalsOf(intervals, set | never).filter(({first, last}) => intervalsIn(set).some(place => first <= intervals[place]!.first && intervals[place]!.last <= last));
}

/** An interval as a rule would write it: without unused addresses at its ends, or with them if that makes a CIDR. */
function printAddresses({intervals, family}: AddressFrame, set: bigint, interval: Interval): string {
	const inside = intervalsIn(set).map(place => intervals[place]!).filter(({first, last}) => interval.first <= first && last <= interval.last);
	const [first, last] = [inside[0]!.first, inside.at(-1)!.last];
	if (first === last) {
		return printAddress({family, value: first});
	}

	return printRange({family, first, last}) ?? printRange({family, ...interval}) ?? `${printAddress({family, value: first})}–${printAddress({family, value: last})}`;
}

function printInterval({first, last}: Interval): string {
	return first === last ? String(first) : `${first}–${last}`;
}

function listOf(items: readonly string[]): string {
	return items.length <= listedMax ? items.join(', ') : `${items.slice(0, listedMax).join(', ')} and ${items.length - listedMax} more`;
}

function sizeOf(joined: readonly Interval[]): bigint {
	return joined.reduce((sum, {first, last}) => sum + last - first + 1n, 0n);
}

/** Fields that some rule tests; all values of the others are equivalent. */
export function fieldsLookedAt({fields, places}: Frame): readonly FieldName[] {
	const byContext = new Set([places.pod, ...places.loopback, places.onLink, ...places.unroutable].flatMap(({first, last}) => [first, last + 1n]));
	return (Object.keys(fields.intervals) as FieldName[]).filter(name => {
		const intervals = fields.intervals[name];
		return name === 'source' || name === 'destination' ? intervals.slice(1).some(({first}) => !byContext.has(first)) : (name === 'packet' ? fields.asksForState : intervals.length > 1);
	});
}
