/**
Decodes nftables' trace messages to {@link NftTraceEvent}. Attribute numbers from linux/netfilter/nf_tables.h (Linux 6.18).
*/

import type {Family, Verdict} from '../../netfilter/types.js';
import type {Decoded, NftTraceEvent, TraceKind} from './event.js';
import {
	parseAttributes, parseMessages, stringOf, generalHeaderBytes, type Attributes, uint32Of,
} from './netlink.js';
import {parsePacket} from './packet.js';

/** `NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_TRACE`. */
export const nftTraceMessageType = (10 << 8) | 17;

/** The attributes that are read. `../fast/message-scan.ts` says for each of them what it does with it. */
export const nftAttribute = {
	table: 1, chain: 2, handle: 3, type: 4, verdict: 5, id: 6, network: 8, transport: 9, inInterface: 10, outInterface: 12, policy: 16,
} as const;
const verdictAttribute = {code: 1, chain: 2} as const;

const families: Readonly<Record<number, Family>> = {1: 'inet', 2: 'ip', 10: 'ip6'}; // NFPROTO_INET, _IPV4, _IPV6.
const kinds: Readonly<Record<number, TraceKind>> = {1: 'policy', 2: 'return', 3: 'rule'}; // `enum nft_trace_types`.

/** `enum nft_verdicts`, and the verdicts of linux/netfilter.h. The upper half of a queue or drop verdict contains a number. */
const verdicts: Readonly<Record<number, Verdict>> = {
	[-1]: 'continue', [-2]: 'continue', [-3]: 'jump', [-4]: 'goto', [-5]: 'return', 0: 'drop', 1: 'accept', 2: 'stolen', 3: 'queue', 4: 'repeat',
};

/** What a rule or a policy did, and where a jump or goto leads. */
function verdictOf(attributes: Attributes): {readonly verdict: Verdict | undefined; readonly target: string | undefined} {
	const nested = attributes.get(nftAttribute.verdict);
	const given: Attributes = nested === undefined ? new Map() : parseAttributes(nested);
	const view = given.get(verdictAttribute.code) ?? attributes.get(nftAttribute.policy);
	const code = view?.byteLength === 4 ? view.getInt32(0) : undefined; // Signed: nft's own verdicts are negative.
	const target = given.get(verdictAttribute.chain);
	return {
		verdict: code === undefined ? undefined : verdicts[code < 0 ? code : code & 0xFF],
		target: target === undefined ? undefined : stringOf(target),
	};
}

function uint64(attributes: Attributes, key: number): number | undefined {
	const view = attributes.get(key);
	return view?.byteLength === 8 ? Number(view.getBigUint64(0)) : undefined;
}

function decodeEvent(body: DataView): NftTraceEvent | string {
	if (body.byteLength < generalHeaderBytes) {
		return 'an nft trace message without its header';
	}

	const attributes = parseAttributes(body, generalHeaderBytes);
	const family = families[body.getUint8(0)];
	const type = kinds[uint32Of(attributes, nftAttribute.type) ?? 0];
	const handle = uint64(attributes, nftAttribute.handle);
	// The kernels differ in the type. Linux 6.18 ends a chain that ran out of rules with an event of type rule (measured); older ones report a matching `-j RETURN` as type return (`__nft_trace_verdict`, Linux 5.10). On all of them there is a handle if and only if a rule matched.
	const kind = type === undefined || type === 'policy' ? type : (handle === undefined ? 'return' : 'rule');
	const table = attributes.get(nftAttribute.table);
	const chain = attributes.get(nftAttribute.chain);
	const traceId = uint32Of(attributes, nftAttribute.id);
	const {verdict, target} = verdictOf(attributes);
	const network = attributes.get(nftAttribute.network);
	const packet = network === undefined ? undefined : parsePacket(network, attributes.get(nftAttribute.transport));
	if (family === undefined || kind === undefined || table === undefined || chain === undefined || traceId === undefined || verdict === undefined
		|| attributes.has(nftAttribute.handle) !== (handle !== undefined) || attributes.has(nftAttribute.network) !== (packet !== undefined)) {
		return `an nft trace message of family ${body.getUint8(0)} with attributes ${[...attributes.keys()].join(', ')}`;
	}

	return {
		source: 'nft',
		kind,
		family,
		table: stringOf(table),
		chain: stringOf(chain),
		traceId,
		handle,
		verdict,
		target,
		packet,
		inInterface: uint32Of(attributes, nftAttribute.inInterface) ?? 0,
		outInterface: uint32Of(attributes, nftAttribute.outInterface) ?? 0,
	};
}

/**
The events of one datagram of the group NFNLGRP_NFTRACE.

@throws {NetlinkFormatError} if the framing is broken.
*/
export function decodeNftTrace(bytes: Uint8Array): Decoded {
	const events: NftTraceEvent[] = [];
	const notUnderstood: string[] = [];
	for (const {type, body} of parseMessages(bytes)) {
		const event = type === nftTraceMessageType ? decodeEvent(body) : `a netlink message of type ${type} among nft's trace messages`;
		if (typeof event === 'string') {
			notUnderstood.push(event);
		} else {
			events.push(event);
		}
	}

	return {events, notUnderstood};
}
