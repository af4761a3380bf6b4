/**
The capabilities that programs started by this thread can have (capabilities(7)). Numbers are those of linux/capability.h and linux/prctl.h.
*/

import {checked, libc} from './libc.js';

const libcPrctl = libc.func('int prctl(int option, unsigned long one, unsigned long two, unsigned long three, unsigned long four)');
const libcCapset = libc.func('int capset(const void *header, const void *data)');
const libcCapget = libc.func('int capget(void *header, void *data)');

const prCapbsetRead = 23;
const prCapbsetDrop = 24;
const prCapAmbient = 47;
const ambientClearAll = 4;
const capabilityVersion = 0x20_08_05_22; // `_LINUX_CAPABILITY_VERSION_3`

/** Capabilities by their numbers. */
export const capabilities = {netAdmin: 12, netRaw: 13} as const;

/**
Limits programs that this thread starts to the given capabilities, even as root: a program run by root gets the bounding set plus the inheritable set. The thread itself keeps its capabilities.

@throws {TestbedError} SYSCALL_FAILED without CAP_SETPCAP.
*/
export function boundCapabilities(kept: readonly number[]): void {
	// The first number that the kernel does not know ends the list.
	for (let capability = 0; (libcPrctl(prCapbsetRead, capability, 0, 0, 0) as number) >= 0; capability++) {
		if (!kept.includes(capability)) {
			checked('prctl(PR_CAPBSET_DROP)', libcPrctl(prCapbsetDrop, capability, 0, 0, 0) as number);
		}
	}

	checked('prctl(PR_CAP_AMBIENT)', libcPrctl(prCapAmbient, ambientClearAll, 0, 0, 0) as number);
	const header = new Uint32Array([capabilityVersion, 0]);
	const sets = new Uint32Array(6); // Effective, permitted and inheritable of the lower 32 capabilities, then of the upper ones.
	checked('capget', libcCapget(header, sets) as number);
	sets[2] = 0;
	sets[5] = 0;
	checked('capset', libcCapset(header, sets) as number);
}
