/** Why a trace may not be trusted. Any gap makes an outcome inconclusive, never a pass. */
export type GapKind =
	| 'lost-events' // A netlink buffer overflowed, or a sequence number is missing.
	| 'not-understood' // A kernel message that the decoders do not know.
	| 'not-traced' // A packet that was sent does not appear in the trace.
	| 'open-traversal' // The trace does not say how a base chain was left, or which rule matched.
	| 'counter-mismatch' // A rule's counter and the trace disagree.
	| 'unwitnessed' // Nothing confirms it: an iptables rule without a counter, or a packet sent as invalid that conntrack is not seen to consider invalid.
	| 'no-end' // Nobody accepted, refused or dropped the connection in time.
	| 'credentials' // The UID or GID in the kernel is not the requested one, or is not known.
	| 'ambiguous' // Two sockets or packets are possible.
	| 'actor-ended' // A process of the run ended early.
	| 'unclaimed' // The proxy's user sent a first packet that the proxy did not report.
	| 'rules-differ' // The installed rules are not the requested ones.
	| 'not-sent' // Packets of a class that cannot be probes.
	| 'not-recorded' // A baseline does not say what happened to such packets.
	| 'reading'; // The kernel treated a packet differently than the model of the rules, so the classes may be wrong.

/** Kinds that may disappear in another run: something was lost, or arrived too late to be read. All others are caused by the rules, the input or the machine, and come back; a connection without an end has already been sent twice. */
const passing: ReadonlySet<GapKind> = new Set(['lost-events', 'not-traced', 'open-traversal', 'counter-mismatch', 'ambiguous', 'actor-ended']);

/** Whether another run may have none of these gaps. */
export function mayPass(gaps: readonly Gap[]): boolean {
	return gaps.length > 0 && gaps.every(({kind}) => passing.has(kind));
}

/** One reason, with a sentence that names what is missing. */
export type Gap = {readonly kind: GapKind; readonly message: string};
