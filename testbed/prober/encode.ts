/**
Encodes requests as rows for the sender, and decodes its results into probes for the joiner.
*/

import type {AddressFamily} from '../../src/netfilter/types.js';
import {
	addressBytes, familyNames, familyOfAddress, unspecified,
} from '../../src/netfilter/address.js';
import {printEndpoint} from '../../src/netfilter/path.js';
import {
	fieldList, mustBe, socketOptionFields, type ProbeRequest,
} from '../../src/scenario/probe-spec.js';
import type {ProbeEnd} from '../../src/trace/fast/first-leg.js';
import type {JoinedProbe} from '../../src/trace/fast/join-probes.js';
import {addressAt} from '../../src/trace/fast/packed-packet.js';
import {TestbedError} from '../errors.js';
import {errorName} from '../syscalls/libc.js';
import {socketAddress} from '../syscalls/socket-calls.js';
import {
	kinds, probeWords, resultWords, states, steps, type SenderRequest,
} from './protocol.js';

function wrong(id: string, what: string): TestbedError {
	return new TestbedError('INPUT', {message: `Probe ${id} cannot be sent: ${what}.`});
}

/** Fields of a request that the field table can check: numbers, and texts that are passed to the kernel. */
const checkedFields = fieldList.flatMap(({name, key, values, socketOption}) => values.kind === 'number' || socketOption !== undefined ? [{name: name as 'uid' | 'gid' | 'sourcePort' | typeof socketOptionFields[number]['name'], key, values}] : []);

/** The addresses that were asked for last: thousands of requests go to a few. */
const families = new Map<string, AddressFamily | undefined>();
const familiesMax = 4096;

function knownFamily(address: string): AddressFamily | undefined {
	const known = families.get(address);
	if (known !== undefined) {
		return known;
	}

	if (families.size >= familiesMax) {
		families.clear();
	}

	const family = familyOfAddress(address);
	families.set(address, family);
	return family;
}

/**
Checks a request.

@throws {TestbedError} INPUT.
*/
export function checkRequest(request: ProbeRequest, {hasInvalid = false, podInterface}: {readonly hasInvalid?: boolean; readonly podInterface?: string | undefined} = {}): void {
	const {id, protocol, to, source, packet} = request;
	const family = knownFamily(to.address);
	if (family === undefined) {
		throw wrong(id, `${to.address} is not an address`);
	}

	if (source !== undefined && knownFamily(source) !== family) {
		throw wrong(id, `its source ${source} is not an ${familyNames[family]} address like its destination`);
	}

	if (!isPort(to.port)) {
		throw wrong(id, `its port is ${to.port}; it must be a whole number from 1 to 65535`);
	}

	for (const {name, key, values} of checkedFields) {
		const value = request[name];
		const isOwnInterface = name === 'bindDevice' && value === podInterface;
		const wanted = value === undefined || isOwnInterface ? undefined : mustBe(values, value);
		if (wanted !== undefined) {
			throw wrong(id, `its ${key} is ${JSON.stringify(value)}; it must be ${wanted}`);
		}
	}

	if (packet === 'invalid' && protocol !== 'tcp') {
		throw wrong(id, 'only TCP packets can be invalid');
	}

	if (packet === 'invalid' && !hasInvalid) {
		throw wrong(id, 'this prober was not created for invalid packets');
	}
}

function isPort(port: number): boolean {
	return Number.isInteger(port) && port >= 1 && port <= 65_535;
}

/** The rows of a batch, and what is needed to decode its results. */
export type EncodedBatch = {readonly request: Extract<SenderRequest, {type: 'send'}>; readonly toWords: readonly Int32Array[]};

/** A list, because `entries` makes an array for each field of each request. */
const placesOfOptions = socketOptionFields.map(({name}, place) => ({name, place}));

/** The requests as rows, with tables of their addresses and texts. */
export function encodeBatch(requests: readonly ProbeRequest[]): EncodedBatch {
	const probes = new Int32Array(requests.length * probeWords.words);
	const addresses: Uint8Array[] = [];
	const places = new Map<string, Map<number, number>>();
	const texts: string[] = [];
	const place = (address: string, port: number): number => {
		const ofAddress = places.get(address) ?? new Map<number, number>();
		places.set(address, ofAddress);
		let index = ofAddress.get(port);
		if (index === undefined) {
			index = addresses.push(socketAddress(addressBytes(address), port)) - 1;
			ofAddress.set(port, index);
		}

		return index;
	};

	const placeOfText = (text: string): number => texts.includes(text) ? texts.indexOf(text) : texts.push(text) - 1;

	let row = -probeWords.words;
	for (const request of requests) {
		const {uid, gid, protocol, to, source, sourcePort, packet} = request;
		row += probeWords.words;
		const isIpv6 = to.address.includes(':');
		probes[row + probeWords.uid] = uid;
		probes[row + probeWords.gid] = gid;
		probes[row + probeWords.kind] = (isIpv6 ? kinds.ipv6 : 0) | (protocol === 'udp' ? kinds.udp : 0) | (packet === undefined ? 0 : kinds.invalid);
		probes[row + probeWords.to] = place(to.address, to.port);
		probes[row + probeWords.source] = source === undefined && sourcePort === undefined ? -1 : place(source ?? unspecified[isIpv6 ? 'ipv6' : 'ipv4'], sourcePort ?? 0);
		for (const {name, place} of placesOfOptions) {
			const value = request[name];
			if (value !== undefined) {
				probes[row + probeWords.options]! |= 1 << place;
				probes[row + probeWords.firstOption + place] = typeof value === 'string' ? placeOfText(value) : value;
			}
		}
	}

	const words = addresses.map(address => addressWords(address));
	return {
		request: {
			type: 'send', probes, addresses, texts,
		},
		toWords: requests.map((_, index) => words[probes[(index * probeWords.words) + probeWords.to]!]!),
	};
}

/** The words of the address in a `struct sockaddr`. */
function addressWords(address: Uint8Array): Int32Array {
	const start = address.length === 16 ? 4 : 8;
	return new Int32Array(address.buffer, start, start === 4 ? 1 : 4);
}

/** Why the kernel sent nothing: the name of the error (`EINVAL`), and a sentence with the step that failed. */
export type Unsendable = {readonly errno: string; readonly message: string};

/** The result of a request: a probe for the joiner, or why nothing was sent. `isAnswer`: the kernel refuses such a packet, which is an answer; otherwise a resource was missing, and nothing is known. */
export type SentRequest = {readonly probe: JoinedProbe} | {readonly failure: Unsendable; readonly isAnswer: boolean};

/** Errors about missing resources: devices, descriptors, memory, ports. At `connect`, EADDRNOTAVAIL means that ports ran out. */
const shortages: ReadonlySet<string> = new Set(['ENODEV', 'EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRINUSE', 'EAGAIN', 'connect EADDRNOTAVAIL']);

/** Decodes the result of one probe; `late` is its end if that came after sending. */
export function decodeResult(request: ProbeRequest, {results, index, toWords, late}: {
	readonly results: Int32Array; readonly index: number; readonly toWords: Int32Array; readonly late?: {readonly state: number; readonly error: number} | undefined;
}): SentRequest {
	const row = index * resultWords.words;
	const state = late?.state ?? results[row + resultWords.state]!;
	const error = late?.error ?? results[row + resultWords.error]!;
	if (state >= states.failed) {
		const [step, errno] = [steps[state - states.failed]!, errorName(error)];
		return {
			failure: {errno, message: failureOf(request, step, errno)},
			isAnswer: step !== 'socket' && !shortages.has(errno) && !shortages.has(`${step} ${errno}`),
		};
	}

	const isIpv6 = request.to.address.includes(':');
	return {
		probe: {
			actor: request.actor ?? request.from,
			family: isIpv6 ? 'ipv6' : 'ipv4',
			protocol: request.protocol,
			from: {address: addressAt(results, row + resultWords.address, isIpv6), port: results[row + resultWords.port]!},
			to: request.to,
			asked: {uid: request.uid, gid: request.gid},
			made: ownerOf(results[row + resultWords.uid]! >>> 0, results[row + resultWords.gid]! >>> 0),
			isLocal: request.from === 'pod',
			hearsAnswer: results[row + resultWords.isForeign] === 0,
			packet: request.packet,
			device: request.bindDevice,
			end: endOf(state, error),
			fromWords: results,
			fromAt: row + resultWords.address,
			toWords,
		},
	};
}

type Owner = {readonly uid: number; readonly gid: number};
let lastOwner: Owner = {uid: 0, gid: 0};

/** The same object for probes of one owner, which come together (`planBatch`): every leg keeps it. */
function ownerOf(uid: number, gid: number): Owner {
	if (lastOwner.uid !== uid || lastOwner.gid !== gid) {
		lastOwner = {uid, gid};
	}

	return lastOwner;
}

const ends = {refused: {kind: 'refused'}, connected: {kind: 'connected'}, quiet: {kind: 'quiet'}} as const satisfies Record<string, ProbeEnd>;

function endOf(state: number, error: number): ProbeEnd {
	switch (state) {
		case states.refused: {
			return ends.refused;
		}

		case states.connected: {
			return ends.connected;
		}

		case states.unreachable: {
			return {kind: 'unreachable', reason: errorName(error)};
		}

		default: {
			return ends.quiet;
		}
	}
}

/** Why nothing was sent, with a likely cause. */
function failureOf({id, to, source, sourcePort}: ProbeRequest, step: string, error: string): string {
	const from = sourcePort === undefined ? '' : ` from port ${sourcePort}`;
	const why = error === 'EADDRNOTAVAIL' && step === 'connect'
		? (sourcePort === undefined ? ': no source port is free (net.ipv4.ip_local_port_range of the namespace)' : ': another socket has this pair of addresses, or had it and is in TIME_WAIT')
		: '';
	return `Probe ${id} to ${printEndpoint(to)}${source === undefined ? '' : ` from ${source}`}${from} was not sent: ${step} failed with ${error}${why}.`;
}
