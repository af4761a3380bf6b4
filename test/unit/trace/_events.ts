/**
Events and packets as the decoders make them, for cases that no recording has.
*/

import type {LogTraceEvent, NftTraceEvent} from '../../../src/trace/decode/event.js';
import type {PacketHeader} from '../../../src/trace/decode/packet.js';
import type {KnownRule, Lookup} from '../../../src/trace/packets.js';

/** The first packet of a TCP connection from the pod's app to the remote. */
export function header(changes: Partial<PacketHeader> = {}): PacketHeader {
	return {
		family: 'ipv4',
		protocol: 6,
		source: {address: '10.244.1.10', port: 40_000},
		destination: {address: '10.244.1.20', port: 8080},
		sequence: 1000,
		identification: 7,
		tcpFlags: 2,
		...changes,
	};
}

/** A rule of nat OUTPUT that matched, as nft tells it. */
export function nftEvent(changes: Partial<NftTraceEvent>): NftTraceEvent {
	return {
		source: 'nft', kind: 'rule', family: 'ip', table: 'nat', chain: 'OUTPUT', traceId: 1, handle: 10, verdict: 'jump', target: 'MINE', packet: undefined, inInterface: 0, outInterface: 2, ...changes,
	};
}

/** The same, as legacy ip_tables tells it. */
export function logEvent(changes: Partial<LogTraceEvent>): LogTraceEvent {
	return {
		source: 'nflog', kind: 'rule', family: 'ip', table: 'nat', chain: 'OUTPUT', hook: 'output', number: 1, packet: header(), uid: 1000, gid: 1000, sequence: 0, inInterface: 0, outInterface: 2, ...changes,
	};
}

/** The end of a base chain without a verdict, as Linux 6.18 writes it: what stands before the policy. */
export function nftEnd(changes: Partial<NftTraceEvent>): NftTraceEvent {
	return nftEvent({
		kind: 'return', handle: undefined, verdict: 'continue', target: undefined, ...changes,
	});
}

/** A base chain's policy. */
export function nftPolicy(changes: Partial<NftTraceEvent> = {}): NftTraceEvent {
	return nftEvent({
		kind: 'policy', handle: undefined, verdict: 'accept', target: undefined, ...changes,
	});
}

/** Rules by `family table chain number`; a rule's handle is ten times its number. */
export function lookupOf(rules: Readonly<Record<string, Partial<KnownRule>>>): Lookup {
	const find: Lookup['ruleByNumber'] = ({family, table, chain, number}) => {
		const rule = rules[`${family} ${table} ${chain} ${number}`];
		return rule === undefined
			? undefined
			: {
				number, text: `-j ${chain}-${number}`, final: undefined, ...rule,
			};
	};

	return {
		ruleByNumber: find,
		ruleByHandle: ({handle, ...place}) => find({...place, number: handle / 10}),
		hookOf: ({chain}) => (['prerouting', 'input', 'forward', 'output', 'postrouting'] as const).find(hook => hook.toUpperCase() === chain),
		interfaceName: index => ['', 'lo', 'eth0'][index] === '' ? undefined : ['', 'lo', 'eth0'][index],
		traceTable: 'switch',
	};
}
