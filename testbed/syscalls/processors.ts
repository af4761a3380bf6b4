/**
The processors that this thread may run on (sched_setaffinity(2)).
*/

import {checked, libc} from './libc.js';

const libcGetaffinity = libc.func('int sched_getaffinity(int thread, size_t length, void *mask)');
const libcSetaffinity = libc.func('int sched_setaffinity(int thread, size_t length, const void *mask)');

const self = 0;
const maskBytes = 1024; // 8,192 processors, the maximum a kernel can be built for (NR_CPUS, arch/x86/Kconfig).

/**
The processors that this thread may run on, as a mask for {@link runOn}.

@throws {TestbedError} SYSCALL_FAILED.
*/
export function ownProcessors(): Uint8Array {
	const mask = new Uint8Array(maskBytes);
	checked('sched_getaffinity', libcGetaffinity(self, mask.length, mask) as number);
	return mask;
}

/** Splits a mask into masks of one processor each. */
export function eachProcessor(mask: Uint8Array): readonly Uint8Array[] {
	return [...mask.entries()].flatMap(([index, byte]) => [0, 1, 2, 3, 4, 5, 6, 7].filter(bit => (byte & (1 << bit)) !== 0).map(bit => {
		const one = new Uint8Array(maskBytes);
		one[index] = 1 << bit;
		return one;
	}));
}

/** Moves this thread to the processors of a mask. Returns false if the kernel refuses: none of them exists any more, or the thread's cgroup no longer includes them. */
export function runOn(mask: Uint8Array): boolean {
	return libcSetaffinity(self, mask.length, mask) as number === 0;
}
