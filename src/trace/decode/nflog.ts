/**
Decodes TRACE messages of ip_tables and ip6_tables, delivered by NFLOG, to {@link LogTraceEvent}. Attribute numbers from linux/netfilter/nfnetlink_log.h; the prefix is written by `trace_packet` in net/ipv4/netfilter/ip_tables.c and its IPv6 counterpart: `TRACE: nat:ISTIO_OUTPUT:rule:3 `.
*/

import type {Hook} from '../../netfilter/types.js';
import type {Decoded, LogTraceEvent} from './event.js';
import {
	controlTypes, parseAttributes, parseMessages, stringOf, generalHeaderBytes, uint32Of,
} from './netlink.js';
import {parsePacket} from './packet.js';

/** `NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET`. */
export const nflogMessageType = 4 << 8;

/** The attributes that are read. `../fast/message-scan.ts` says for each of them what it does with it. */
export const nflogAttribute = {
	packetHeader: 1, inInterface: 4, outInterface: 5, payload: 9, prefix: 10, uid: 11, sequence: 12, gid: 14,
} as const;
const hooks: readonly Hook[] = ['prerouting', 'input', 'forward', 'output', 'postrouting'];
const prefixPattern = /^TRACE: (?<table>[^:]+):(?<chain>[^:]+):(?<kind>rule|return|policy):(?<number>\d+) $/u;

function decodeEvent(body: DataView): LogTraceEvent | string {
	if (body.byteLength < generalHeaderBytes) {
		return 'an NFLOG message without its header';
	}

	const attributes = parseAttributes(body, generalHeaderBytes);
	const prefixView = attributes.get(nflogAttribute.prefix);
	const prefix = prefixView === undefined ? '' : stringOf(prefixView);
	const groups = prefixPattern.exec(prefix)?.groups;
	const header = attributes.get(nflogAttribute.packetHeader);
	const payload = attributes.get(nflogAttribute.payload);
	const packet = payload === undefined ? undefined : parsePacket(payload);
	const hook = header === undefined || header.byteLength < 3 ? undefined : hooks[header.getUint8(2)];
	if (groups === undefined || packet === undefined || hook === undefined) {
		return `an NFLOG message with the prefix ${JSON.stringify(prefix)} and attributes ${[...attributes.keys()].join(', ')}`;
	}

	return {
		source: 'nflog',
		kind: groups['kind'] as LogTraceEvent['kind'],
		family: packet.family === 'ipv4' ? 'ip' : 'ip6',
		table: groups['table']!,
		chain: groups['chain']!,
		number: Number(groups['number']),
		hook,
		packet,
		uid: uint32Of(attributes, nflogAttribute.uid),
		gid: uint32Of(attributes, nflogAttribute.gid),
		sequence: uint32Of(attributes, nflogAttribute.sequence),
		inInterface: uint32Of(attributes, nflogAttribute.inInterface) ?? 0,
		outInterface: uint32Of(attributes, nflogAttribute.outInterface) ?? 0,
	};
}

/**
The events of one datagram of an NFLOG group. Control messages (NLMSG_DONE ends each batch) contain none.

@throws {NetlinkFormatError} if the framing is broken.
*/
export function decodeNflog(bytes: Uint8Array): Decoded {
	const events: LogTraceEvent[] = [];
	const notUnderstood: string[] = [];
	for (const {type, body} of parseMessages(bytes)) {
		if (type === controlTypes.done || type === controlTypes.noop) {
			continue;
		}

		const event = type === nflogMessageType ? decodeEvent(body) : `a netlink message of type ${type} among NFLOG's messages`;
		if (typeof event === 'string') {
			notUnderstood.push(event);
		} else {
			events.push(event);
		}
	}

	return {events, notUnderstood};
}
