/** Why a trace may not be trusted. Any gap makes an outcome inconclusive, never a pass. */
export type GapKind =
	| 'lost-events' // A netlink buffer overflowed, or a sequence number is missing.
	| 'not-understood' // A message of the kernel that the decoders do not know.
	| 'not-traced' // A packet that was sent does not appear in the trace.
	| 'open-traversal' // The trace does not say how a base chain was left, or which rule matched.
	| 'counter-mismatch' // A rule's counter and the trace disagree.
	| 'unwitnessed' // Nothing confirms it: a rule of iptables without a counter, or a packet sent to be invalid that conntrack is not seen to call so.
	| 'no-end' // Nobody accepted, refused or dropped the connection in time.
	| 'credentials' // The UID or GID in the kernel is not the one asked for, or is not known.
	| 'ambiguous' // Two sockets or packets could be meant.
	| 'actor-ended' // A process of the run ended before its time.
	| 'rules-differ' // What the kernel holds is not what was installed.
	| 'not-sent' // Packets of a class that no probe can be.
	| 'not-recorded' // A baseline does not say what became of such packets.
	| 'reading'; // The kernel did something else with a packet than our reading of the rules, so that the classes may be cut wrongly.

/** One reason, with a sentence that names what is missing. */
export type Gap = {readonly kind: GapKind; readonly message: string};
