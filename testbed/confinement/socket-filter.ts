/**
The seccomp filter of the rule tools, which restricts the sockets they may open: assembled here as classic BPF instructions over `struct seccomp_data` (linux/seccomp.h, linux/bpf_common.h).

What the tools open, measured with strace on nft, ip and both iptables, restoring and listing: netlink of the families ROUTE and NETFILTER; raw sockets of protocol RAW, through which iptables-legacy reads and writes its tables (getsockopt, setsockopt) and both query versions of matches; and, for names of users and ports, sockets that the C library can do without: nscd's UNIX socket, and a datagram socket that getaddrinfo uses to sort addresses.
*/

/** The numbers of an architecture and its system calls. */
type Architecture = {
	/** AUDIT_ARCH_… (linux/audit.h). */
	readonly audit: number;
	readonly socket: number; readonly socketpair: number; readonly clone: number; readonly unshare: number;
};

/** The architectures that Node is built for and that koffi has a library for. */
export const architectures = {
	x64: {
		audit: 0xC0_00_00_3E, socket: 41, socketpair: 53, clone: 56, unshare: 272,
	},
	arm64: {
		audit: 0xC0_00_00_B7, socket: 198, socketpair: 199, clone: 220, unshare: 97,
	},
} as const satisfies Readonly<Record<string, Architecture>>;

/** The same on both. */
const ioUringSetup = 425;
const clone3 = 435;
/** Set in the numbers of x32 calls, which are separate on x86-64. */
const x32Bit = 0x40_00_00_00;

const families = {inet: 2, inet6: 10, netlink: 16} as const;
const netlinkProtocols = {route: 0, netfilter: 12} as const;
const rawType = 3; // SOCK_RAW
const rawProtocol = 255; // IPPROTO_RAW
const typeMask = 0xF; // SOCK_TYPE_MASK: without SOCK_CLOEXEC and SOCK_NONBLOCK.
const cloneNewuser = 0x10_00_00_00;

/** What the filter answers (SECCOMP_RET_…), and the error numbers in it. */
export const answers = {allow: 0x7F_FF_00_00, deny: 0x00_05_00_00 | 1, unknown: 0x00_05_00_00 | 38} as const; // EPERM, ENOSYS

const offsets = {number: 0, audit: 4, argument: (index: number) => 16 + (8 * index)} as const; // The lower half of an argument, on little-endian machines.
const codes = {
	load: 0x20, equal: 0x15, atLeast: 0x35, anyBit: 0x45, mask: 0x54, answer: 0x06,
} as const;

type Target = string | undefined; // A label further down; undefined is the next instruction.
type Step =
	| {readonly label: string}
	| {readonly code: number; readonly value: number; readonly yes?: Target; readonly no?: Target};

const load = (offset: number): Step => ({code: codes.load, value: offset});
const answer = (label: keyof typeof answers): readonly Step[] => [{label}, {code: codes.answer, value: answers[label]}];
const equal = (value: number, yes: Target, no?: Target): Step => ({
	code: codes.equal, value, yes, no,
});

function stepsOf({audit, socket, socketpair, clone, unshare}: Architecture): readonly Step[] {
	return [
		// Calls of another architecture (32-bit on a 64-bit kernel) have other numbers.
		load(offsets.audit),
		equal(audit, undefined, 'deny'),
		load(offsets.number),
		{code: codes.atLeast, value: x32Bit, yes: 'deny'},
		equal(socket, 'socket'),
		equal(socketpair, 'deny'), // One end of a datagram pair could be connected to any UNIX socket.
		equal(ioUringSetup, 'deny'), // Its rings open sockets without a system call that the filter sees.
		equal(unshare, 'deny'),
		equal(clone, 'clone'),
		// Its flags are in memory, which a filter cannot read. Callers fall back to clone if the call does not exist.
		equal(clone3, 'unknown', 'allow'),
		// A user namespace grants all capabilities inside it.
		{label: 'clone'},
		load(offsets.argument(0)),
		{code: codes.anyBit, value: cloneNewuser, yes: 'deny', no: 'allow'},
		{label: 'socket'},
		load(offsets.argument(0)),
		equal(families.netlink, 'netlink'),
		equal(families.inet, 'raw'),
		equal(families.inet6, 'raw', 'deny'),
		{label: 'netlink'},
		load(offsets.argument(2)),
		equal(netlinkProtocols.route, 'allow'),
		equal(netlinkProtocols.netfilter, 'allow', 'deny'),
		{label: 'raw'},
		load(offsets.argument(1)),
		{code: codes.mask, value: typeMask},
		equal(rawType, undefined, 'deny'),
		load(offsets.argument(2)),
		equal(rawProtocol, 'allow', 'deny'),
		...answer('deny'),
		...answer('unknown'),
		...answer('allow'),
	];
}

/** The instructions of the filter for an architecture; undefined for one whose numbers are unknown. */
export function socketFilter(architecture: string): Uint8Array | undefined {
	if (!Object.hasOwn(architectures, architecture)) {
		return undefined;
	}

	const steps = stepsOf(architectures[architecture as keyof typeof architectures]);
	const labels = new Map<string, number>();
	const instructions: Array<Exclude<Step, {readonly label: string}>> = [];
	for (const step of steps) {
		if ('label' in step) {
			labels.set(step.label, instructions.length);
		} else {
			instructions.push(step);
		}
	}

	const bytes = new Uint8Array(instructions.length * 8);
	const view = new DataView(bytes.buffer);
	for (const [index, {code, value, yes, no}] of instructions.entries()) {
		const [ifTrue, ifFalse] = [yes, no].map(target => target === undefined ? 0 : labels.get(target)! - index - 1) as [number, number];
		view.setUint16(index * 8, code, true);
		view.setUint8((index * 8) + 2, ifTrue);
		view.setUint8((index * 8) + 3, ifFalse);
		view.setUint32((index * 8) + 4, value, true);
	}

	return bytes;
}
