/**
Sets of packets in words: `TCP from any user but 1337 to 10.0.0.0/8, any port but 15008`.
*/

import {printAddress, printRange} from '../netfilter/address.js';
import {
	cutsIn, everyCut, intervalsOf, setOf, type Box,
} from './packet-set.js';
import type {ClassSet} from './classify.js';
import type {Cut, FieldName} from './fields.js';
import {printValue} from './values.js';
import type {Origin} from './packet-space.js';

/** More than these are not listed one by one. */
const listedMax = 6;

type Frame = Pick<ClassSet, 'fields' | 'places'>;

/** A box of packets of one origin. Where a box holds all that the world has, nothing is said of it. */
export function describeBox({fields, places}: Frame, origin: Origin, box: Box): string {
	const frame = {fields, places};
	const protocol = cutsIn(box.protocol).map(place => fields.protocols[place]!.toUpperCase()).join(' and ');
	const words = [box.packet === 0b10n ? `invalid ${protocol}` : protocol];
	if (origin === 'remote') {
		words.push('into the pod');
	}

	for (const [field, name] of [['uid', 'user'], ['gid', 'group']] as const) {
		const text = origin === 'remote' ? undefined : describeNumbers(frame, field, box[field], name);
		if (text !== undefined) {
			words.push(field === 'uid' ? `from ${text}` : (words.at(-1)!.startsWith('from ') ? `and ${text}` : `from ${text}`));
		}
	}

	const source = describeSource(frame, origin, box);
	if (source !== undefined) {
		words.push(`with source ${source}`);
	}

	const mark = origin === 'remote' ? undefined : describeMark(frame, box.mark);
	if (mark !== undefined) {
		words.push(mark);
	}

	const to = origin === 'remote' ? undefined : describeDestination(frame, box.destination);
	if (to !== undefined) {
		words.push(`to ${to}`);
	}

	const sourcePort = describeNumbers(frame, 'source-port', box['source-port'], 'source port');
	const port = describeNumbers(frame, 'destination-port', box['destination-port'], 'port');
	return [words.join(' '), ...[port, sourcePort].filter(text => text !== undefined)].join(', ');
}

/** Undefined where all values are in it. */
function describeNumbers({fields}: Frame, field: 'uid' | 'gid' | 'source-port' | 'destination-port', set: bigint, name: string): string | undefined {
	const cuts = fields.cuts[field];
	const rest = everyCut(cuts) & ~set;
	if (rest === 0n) {
		return undefined;
	}

	const [own, other] = [intervalsOf(cuts, set), intervalsOf(cuts, rest)];
	return other.length < own.length || (other.length === own.length && sizeOf(other) < sizeOf(own))
		? `any ${name} but ${listOf(other.map(interval => printInterval(interval)))}`
		: `${name} ${listOf(own.map(interval => printInterval(interval)))}`;
}

function describeMark({fields}: Frame, set: bigint): string | undefined {
	return set === everyCut(fields.cuts.mark) ? undefined : `with a mark like ${listOf(cutsIn(set).map(place => printValue(fields, 'mark', fields.cuts.mark[place]!.first)))}`;
}

/** The source says something only where it is not simply the pod's, or anybody's. */
function describeSource({fields, places}: Frame, origin: Origin, {source}: Box): string | undefined {
	const cuts = fields.cuts.source;
	const mine = setOf(cuts, [places.pod, ...places.loopback]);
	const never = setOf(cuts, places.unroutable);
	const usual = origin === 'pod' ? mine : everyCut(cuts) & ~mine & ~never;
	// What cannot occur has a source that is none of these.
	const domain = (source & usual) === 0n ? everyCut(cuts) : usual;
	const within = source & domain;
	return within === domain || (origin === 'pod' && source === setOf(cuts, [places.pod])) ? undefined : describeAddresses({fields, places}, 'source', {set: within, domain});
}

function describeDestination({fields, places}: Frame, destination: bigint): string | undefined {
	const cuts = fields.cuts.destination;
	const usual = everyCut(cuts) & ~setOf(cuts, places.unroutable);
	const domain = (destination & usual) === 0n ? everyCut(cuts) : usual;
	const own = setOf(cuts, [places.pod, ...places.loopback]);
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

/** Addresses that nobody has lie between others, and are no gap between them. */
function describeAddresses({fields, places}: Frame, field: 'source' | 'destination', {set, domain, whole = 'any address'}: {readonly set: bigint; readonly domain: bigint; readonly whole?: string}): string {
	const frame: AddressFrame = {
		cuts: fields.cuts[field], family: fields.family, places, never: everyCut(fields.cuts[field]) & ~domain,
	};
	const [own, other] = [partsOf(frame, set), partsOf(frame, domain & ~set)];
	return other.length < own.length ? `${whole} but ${listOf(other)}` : listOf(own);
}

type AddressFrame = {readonly cuts: readonly Cut[]; readonly family: ClassSet['fields']['family']; readonly places: ClassSet['places']; readonly never: bigint};

/** A set of addresses as ranges; the pod's own address and loopback by name. */
function partsOf(frame: AddressFrame, set: bigint): readonly string[] {
	const {cuts, places: {pod, loopback}} = frame;
	const [own, ring] = [setOf(cuts, [pod]), setOf(cuts, loopback)];
	const missing = ring & ~set;
	const isMostlyLoopback = intervalsIn(frame, missing).length < intervalsIn(frame, ring & set).length || (missing === 0n && (set & ring) !== 0n)
		|| (cutsIn(ring & set).length > 0 && sizeOf(intervalsOf(cuts, missing)) < sizeOf(intervalsOf(cuts, ring & set)) && intervalsIn(frame, missing).length <= 2);
	return [
		...((set & own) === 0n ? [] : ['the pod\'s own address']),
		...(isMostlyLoopback
			? [`any loopback address${missing === 0n ? '' : ` but ${listOf(intervalsIn(frame, missing).map(each => printAddresses(frame, missing, each)))}`}`]
			: intervalsIn(frame, set & ring).map(each => printAddresses(frame, set & ring, each))),
		...intervalsIn(frame, set & ~own & ~ring).map(each => printAddresses(frame, set & ~own & ~ring, each)),
	];
}

/** The intervals of a set, where addresses that nobody has belong to those beside them. */
function intervalsIn({cuts, never}: AddressFrame, set: bigint): readonly Cut[] {
	return intervalsOf(cuts, set | never).filter(({first, last}) => cutsIn(set).some(place => first <= cuts[place]!.first && cuts[place]!.last <= last));
}

/** An interval as a rule would write it: without nobody's addresses at its ends, or with them, if that is a CIDR. */
function printAddresses({cuts, family}: AddressFrame, set: bigint, interval: Cut): string {
	const inside = cutsIn(set).map(place => cuts[place]!).filter(({first, last}) => interval.first <= first && last <= interval.last);
	const [first, last] = [inside[0]!.first, inside.at(-1)!.last];
	if (first === last) {
		return printAddress({family, value: first});
	}

	return printRange({family, first, last}) ?? printRange({family, ...interval}) ?? `${printAddress({family, value: first})}–${printAddress({family, value: last})}`;
}

function printInterval({first, last}: Cut): string {
	return first === last ? String(first) : `${first}–${last}`;
}

function listOf(items: readonly string[]): string {
	return items.length <= listedMax ? items.join(', ') : `${items.slice(0, listedMax).join(', ')} and ${items.length - listedMax} more`;
}

function sizeOf(intervals: readonly Cut[]): bigint {
	return intervals.reduce((sum, {first, last}) => sum + last - first + 1n, 0n);
}

/** Fields that some rule looks at: of the others every value is the same. */
export function fieldsLookedAt({fields, places}: Frame): readonly FieldName[] {
	const byWorld = new Set([places.pod, ...places.loopback, places.onLink, ...places.unroutable].flatMap(({first, last}) => [first, last + 1n]));
	return (Object.keys(fields.cuts) as FieldName[]).filter(name => {
		const cuts = fields.cuts[name];
		return name === 'source' || name === 'destination' ? cuts.slice(1).some(({first}) => !byWorld.has(first)) : (name === 'packet' ? fields.asksForState : cuts.length > 1);
	});
}
