/**
Sets a permanent seccomp filter (seccomp(2)) for this thread and the processes it starts from then on.
*/

import process from 'node:process';
import koffi from 'koffi';
import {checked, libc} from './libc.js';

/** `struct sock_fprog` of linux/filter.h. */
koffi.struct('sock_fprog', {length: 'uint16_t', instructions: 'const uint8_t *'});
const libcSeccomp = libc.func('long syscall(long number, unsigned int operation, unsigned int flags, const sock_fprog *program)');
const libcPrctl = libc.func('int prctl(int option, unsigned long one, unsigned long two, unsigned long three, unsigned long four)');

const seccompNumber = process.arch === 'arm64' ? 277 : 317;
const setModeFilter = 1;
/** Keeps the processor's speculation, which kernels before 5.16 turn off for threads with a filter: that is slow, and this filter protects no secrets. */
const specAllow = 4;
const prSetNoNewPrivileges = 38;

/** The bytes of one instruction of a filter (`struct sock_filter`). */
export const instructionBytes = 8;

/** Prevents programs that this thread executes from gaining privileges from their file: no setuid, no file capabilities. */
export function giveUpNewPrivileges(): void {
	checked('prctl(PR_SET_NO_NEW_PRIVS)', libcPrctl(prSetNoNewPrivileges, 1, 0, 0, 0) as number);
}

/**
Sets a filter, given as instructions.

@throws {TestbedError} SYSCALL_FAILED on a kernel without seccomp filters.
*/
export function setFilter(instructions: Uint8Array): void {
	checked('seccomp(SECCOMP_SET_MODE_FILTER)', Number(libcSeccomp(seccompNumber, setModeFilter, specAllow, {length: instructions.length / instructionBytes, instructions})));
}
