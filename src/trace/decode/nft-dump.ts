/**
Requests and answers of nf_tables about what it holds: all rules with their counters, and a set's elements with theirs (linux/netfilter/nf_tables.h). Rules are read in place: a large set is megabytes of messages, and only the place, the handle and the counter of each rule are needed. For 10,000 rules this takes some hundredths of the time of `nft -j list ruleset` and of reading its JSON.
*/

import {addressBits, printAddressBytes} from '../../netfilter/address.js';
import type {Endpoint} from '../../netfilter/path.js';
import type {Family} from '../../netfilter/types.js';
import type {LoadedRule} from '../loaded-rules.js';
import type {OwnerRecord, OwnerSet} from '../owner-sets.js';
import {
	eachAttribute, eachMessage, isText, requestMessage, textAt, type DumpState,
} from './in-place.js';
import {generalHeaderBytes, NetlinkFormatError} from './netlink.js';

const subsystem = 10 << 8; // `NFNL_SUBSYS_NFTABLES << 8`.
const messages = {
	newRule: subsystem | 6, getRule: subsystem | 7, newElements: subsystem | 12, getElements: subsystem | 13,
} as const;
const listElement = 1; // `NFTA_LIST_ELEM`.
const rule = {
	table: 1, chain: 2, handle: 3, expressions: 4,
} as const;
const expression = {name: 1, data: 2} as const;
const counterPackets = 2; // `NFTA_COUNTER_PACKETS`.
const elements = {table: 1, set: 2, elements: 3} as const;
const element = {key: 1, expression: 7, expressions: 11} as const;
const dataValue = 1; // `NFTA_DATA_VALUE`.

const families: Readonly<Record<number, Family>> = {1: 'inet', 2: 'ip', 10: 'ip6'}; // NFPROTO_INET, _IPV4, _IPV6.
const inet = 1;

/** The request for all rules of all families. */
export function ruleDumpRequest(): Uint8Array {
	return requestMessage(messages.getRule, 0, []);
}

/** The request for the elements of a set in a table of family inet. */
export function elementDumpRequest({table, set}: {readonly table: string; readonly set: string}): Uint8Array {
	return requestMessage(messages.getElements, inet, [[elements.table, table], [elements.set, set]]);
}

/** Collects the rules of a dump. The kernel lists them table by table and chain by chain, in their order, so counting gives the number. */
export class RuleDump {
	readonly rules: LoadedRule[] = [];
	readonly #numbers = new Map<string, number>();
	readonly #exceptTables: ReadonlySet<string>;
	#family: Family = 'ip';
	#table = '';
	#chain = '';
	#number = 0;

	/** `exceptTables` are left out. */
	constructor(exceptTables: readonly string[]) {
		this.#exceptTables = new Set(exceptTables);
	}

	/**
	Reads one datagram.

	@throws {NetlinkFormatError} if a length does not fit, or if a rule lacks a part. {DumpError} if the kernel refuses.
	*/
	add(bytes: Uint8Array): DumpState {
		return eachMessage(bytes, messages.newRule, (view, start, end) => {
			this.#addRule(view, start, end);
		});
	}

	#addRule(view: DataView, start: number, end: number): void {
		const family = families[view.getUint8(start)];
		let table = '';
		let chain = '';
		let handle: number | undefined;
		let packets: number | undefined;
		eachAttribute(view, {start: start + generalHeaderBytes, end}, (type, from, to) => {
			switch (type) {
				case rule.table: {
					table = textAt(view, from, to);
					break;
				}

				case rule.chain: {
					chain = textAt(view, from, to);
					break;
				}

				case rule.handle: {
					handle = Number(view.getBigUint64(from));
					break;
				}

				case rule.expressions: {
					packets = packetsOf(view, from, to);
					break;
				}

				default: // Its userdata, position and the like.
			}
		});
		if (family === undefined) {
			return; // Of a family that no packet of a pod has: bridge, arp, netdev.
		}

		if (table === '' || chain === '' || handle === undefined) {
			throw new NetlinkFormatError('A rule of nf_tables lacks its table, chain or handle.');
		}

		if (this.#exceptTables.has(table)) {
			return;
		}

		if (family !== this.#family || table !== this.#table || chain !== this.#chain) {
			this.#numbers.set(`${this.#family} ${this.#table} ${this.#chain}`, this.#number);
			[this.#family, this.#table, this.#chain] = [family, table, chain];
			this.#number = this.#numbers.get(`${family} ${table} ${chain}`) ?? 0;
		}

		this.#number++;
		this.rules.push({
			family, table: this.#table, chain: this.#chain, number: this.#number, handle, packets,
		});
	}
}

/** Calls `visit` with each element of a set in a datagram. */
function eachElement(bytes: Uint8Array, visit: (view: DataView, start: number, end: number) => void): DumpState {
	return eachMessage(bytes, messages.newElements, (view, start, end) => {
		eachAttribute(view, {start: start + generalHeaderBytes, end}, (type, from, to) => {
			if (type === elements.elements) {
				eachAttribute(view, {start: from, end: to}, (_, first, last) => {
					visit(view, first, last);
				});
			}
		});
	});
}

/** Calls `visit` with the key of an element, if it has so many bytes. */
function keyOf(view: DataView, {start, end, length}: {readonly start: number; readonly end: number; readonly length: number}, visit: (at: number) => void): void {
	eachAttribute(view, {start, end}, (kind, first, last) => {
		if (kind === dataValue && last - first === length) {
			visit(first);
		}
	});
}

/**
Collects the elements of a set of owners. Its key is address, port, address, port, user or group (`keyOfOwners`). Each part has four bytes, or as many as an address of IPv6: numbers of the packet are in network order at their beginning, those of the machine in its own.
*/
export class OwnerDump {
	readonly records: OwnerRecord[] = [];
	readonly #set: Omit<OwnerSet, 'name'>;

	constructor(set: Omit<OwnerSet, 'name'>) {
		this.#set = set;
	}

	/**
	Reads one datagram.

	@throws {NetlinkFormatError} if a length does not fit, or if an element is of another form. {DumpError} if the kernel refuses.
	*/
	add(bytes: Uint8Array): DumpState {
		const endBytes = (addressBits[this.#set.family] / 8) + 4;
		return eachElement(bytes, (view, start, end) => {
			let record: OwnerRecord | undefined;
			eachAttribute(view, {start, end}, (type, from, to) => {
				if (type === element.key) {
					keyOf(view, {start: from, end: to, length: (2 * endBytes) + 4}, at => {
						record = this.#recordAt(view, at, endBytes);
					});
				}
			});
			if (record === undefined) {
				throw new NetlinkFormatError('An element of a set of owners has a key of another form.');
			}

			this.records.push(record);
		});
	}

	#recordAt(view: DataView, at: number, endBytes: number): OwnerRecord {
		const {family, protocol, of} = this.#set;
		const endAt = (offset: number): Endpoint => ({address: printAddressBytes(new Uint8Array(view.buffer, view.byteOffset + offset, endBytes - 4)), port: view.getUint16(offset + endBytes - 4)});
		return {
			family, protocol, of, from: endAt(at), to: endAt(at + endBytes), number: view.getUint32(at + (2 * endBytes), true),
		};
	}
}

/** Collects the counted elements of a set whose key is two numbers, by `ONE:OTHER`. */
export class PairDump {
	readonly counts = new Map<string, number>();

	/**
	Reads one datagram.

	@throws {NetlinkFormatError} if a length does not fit, or if an element lacks a part. {DumpError} if the kernel refuses.
	*/
	add(bytes: Uint8Array): DumpState {
		return eachElement(bytes, (view, start, end) => {
			this.#addElement(view, start, end);
		});
	}

	#addElement(view: DataView, start: number, end: number): void {
		let name: string | undefined;
		let packets: number | undefined;
		eachAttribute(view, {start, end}, (type, from, to) => {
			switch (type) {
				case element.key: {
					keyOf(view, {start: from, end: to, length: 8}, at => {
						// Numbers of the machine, one after the other.
						name = `${view.getUint32(at, true)}:${view.getUint32(at + 4, true)}`;
					});
					break;
				}

				case element.expression: {
					packets = counterOf(view, from, to);
					break;
				}

				case element.expressions: {
					packets = packetsOf(view, from, to);
					break;
				}

				default: // Its flags and times.
			}
		});
		if (name === undefined || packets === undefined) {
			throw new NetlinkFormatError('An element of a set lacks its key or its counter.');
		}

		this.counts.set(name, packets);
	}
}

/** The packets of the first counter in a list of expressions; undefined if there is none. */
function packetsOf(view: DataView, start: number, end: number): number | undefined {
	let packets: number | undefined;
	eachAttribute(view, {start, end}, (type, from, to) => {
		if (type === listElement) {
			packets ??= counterOf(view, from, to);
		}
	});
	return packets;
}

/** The packets of an expression, if it is a counter of its own. */
function counterOf(view: DataView, start: number, end: number): number | undefined {
	let isCounter = false;
	let packets: number | undefined;
	eachAttribute(view, {start, end}, (type, from, to) => {
		if (type === expression.name) {
			isCounter = isText(view, {from, to}, 'counter');
		} else if (isCounter && type === expression.data) {
			eachAttribute(view, {start: from, end: to}, (kind, first) => {
				packets = kind === counterPackets ? Number(view.getBigUint64(first)) : packets;
			});
		}
	});
	return packets;
}
