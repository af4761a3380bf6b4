/**
Sets a seccomp filter (seccomp(2)) for this thread and the processes that it makes from then on, for good.
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
/** Leaves the processor's speculation as it is, which kernels before 5.16 would switch off for every thread with a filter: that makes it slow, and our filter keeps no secret from anybody. */
const specAllow = 4;
const prSetNoNewPrivileges = 38;

/** The bytes of one instruction of a filter (`struct sock_filter`). */
export const instructionBytes = 8;

/** From now on no program that this thread becomes or starts gains rights by its file: no setuid, no file capabilities. */
export function giveUpNewPrivileges(): void {
	checked('prctl(PR_SET_NO_NEW_PRIVS)', libcPrctl(prSetNoNewPrivileges, 1, 0, 0, 0) as number);
}

/**
Sets a filter, given as its instructions.

@throws {TestbedError} SYSCALL_FAILED on a kernel without seccomp filters.
*/
export function setFilter(instructions: Uint8Array): void {
	checked('seccomp(SECCOMP_SET_MODE_FILTER)', Number(libcSeccomp(seccompNumber, setModeFilter, specAllow, {length: instructions.length / instructionBytes, instructions})));
}
