/** The seccomp filter, run as the kernel would (linux/filter.h), on the system calls of both architectures; this machine's own is tried for real in test/kernel/confinement.test.ts. */

import test from 'ava';
import {answers, architectures, socketFilter} from '../../../../testbed/confinement/socket-filter.js';

type Call = {readonly audit: number; readonly number: number; readonly given?: readonly number[]};

/** Runs classic BPF over `struct seccomp_data`; a jump out of the program, or an instruction that is none of ours, throws. */
function run(instructions: Uint8Array, {audit, number, given = []}: Call): number {
	const data = new DataView(new ArrayBuffer(64));
	data.setInt32(0, number, true);
	data.setUint32(4, audit, true);
	for (const [index, value] of given.entries()) {
		data.setBigUint64(16 + (8 * index), BigInt(value), true);
	}

	const view = new DataView(instructions.buffer);
	let accumulator = 0;
	for (let at = 0; ; at += 8) {
		const [code, ifTrue, ifFalse, value] = [view.getUint16(at, true), view.getUint8(at + 2), view.getUint8(at + 3), view.getUint32(at + 4, true)];
		const jump = (isTrue: boolean): void => {
			at += 8 * (isTrue ? ifTrue : ifFalse);
		};

		switch (code) {
			case 0x20: {
				accumulator = data.getUint32(value, true);
				break;
			}

			case 0x54: {
				accumulator = (accumulator & value) >>> 0;
				break;
			}

			case 0x15: {
				jump(accumulator === value);
				break;
			}

			case 0x35: {
				jump(accumulator >= value);
				break;
			}

			case 0x45: {
				jump((accumulator & value) !== 0);
				break;
			}

			case 0x06: {
				return value;
			}

			default: {
				throw new RangeError(`instruction ${code} at ${at}`);
			}
		}
	}
}

const cloexec = 0o200_0000;

for (const [architecture, other] of [['x64', 'arm64'], ['arm64', 'x64']] as const) {
	const {audit, socket, socketpair, clone, unshare} = architectures[architecture];
	const cases: ReadonlyArray<readonly [what: string, call: Call, answer: keyof typeof answers]> = [
		['netlink of ROUTE', {audit, number: socket, given: [16, 3 | cloexec, 0]}, 'allow'],
		['netlink of NETFILTER', {audit, number: socket, given: [16, 3, 12]}, 'allow'],
		['netlink of AUDIT', {audit, number: socket, given: [16, 3, 9]}, 'deny'],
		['raw, protocol RAW', {audit, number: socket, given: [2, 3, 255]}, 'allow'],
		['raw, protocol RAW, IPv6, closed on exec', {audit, number: socket, given: [10, 3 | cloexec, 255]}, 'allow'],
		['raw, protocol TCP', {audit, number: socket, given: [2, 3, 6]}, 'deny'],
		['stream, protocol RAW', {audit, number: socket, given: [2, 1, 255]}, 'deny'],
		['TCP', {audit, number: socket, given: [2, 1, 0]}, 'deny'],
		['UDP of IPv6', {audit, number: socket, given: [10, 2 | cloexec, 0]}, 'deny'],
		['UNIX', {audit, number: socket, given: [1, 1, 0]}, 'deny'],
		['packet', {audit, number: socket, given: [17, 3, 0]}, 'deny'],
		['vsock', {audit, number: socket, given: [40, 1, 0]}, 'deny'],
		['a pair', {audit, number: socketpair, given: [1, 1, 0]}, 'deny'],
		['unshare', {audit, number: unshare, given: [0x10_00_00_00]}, 'deny'],
		['fork', {audit, number: clone, given: [0x01_20_00_11]}, 'allow'],
		['a user namespace', {audit, number: clone, given: [0x10_00_00_11]}, 'deny'],
		['clone3', {audit, number: 435}, 'unknown'],
		['io_uring_setup', {audit, number: 425}, 'deny'],
		['read', {audit, number: 0}, 'allow'],
		['execveat', {audit, number: 281}, 'allow'],
		['setns', {audit, number: architecture === 'x64' ? 308 : 268}, 'allow'],
		['a call of another architecture', {audit: architectures[other].audit, number: 0}, 'deny'],
		['a call of i386 (socketcall)', {audit: 0x40_00_00_03, number: 102}, 'deny'],
		['a call of x32', {audit, number: 0x40_00_00_00 + socket, given: [16, 3, 0]}, 'deny'],
	];
	for (const [what, call, answer] of cases) {
		test(`${architecture}: ${what}: ${answer}`, t => {
			t.is(run(socketFilter(architecture)!, call), answers[answer]);
		});
	}
}

test('an architecture whose numbers are not known has no filter', t => {
	t.is(socketFilter('riscv64'), undefined);
	t.is(socketFilter('toString'), undefined);
});
