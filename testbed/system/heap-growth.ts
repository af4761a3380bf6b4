/**
How far V8 lets the heap grow. By default the young generation doubles to 32 MiB where much survives, and old objects may take four times what was left by the last full collection. Of what thousands of probes leave, nearly all is garbage that waits.

Both are flags of V8 that can be set while it runs, for all threads. V8 compares its flags with those of compiled code, so as long as they are set, a new thread compiles Node's own modules again (13 ms): they are set late, and taken back.
*/

import {getHeapSpaceStatistics, setFlagsFromString} from 'node:v8';

const youngBytesMax = 8 << 20;
/** One and a half times what survived. */
const growthPercent = 50;
let holders = 0;

/** Whether the young generation of this thread is as large as it should get. */
export function isYoungGrown(): boolean {
	return (getHeapSpaceStatistics().find(({space_name: name}) => name === 'new_space')?.space_size ?? 0) >= youngBytesMax;
}

/** Keeps the young generation as large as it is, and lets old objects grow more slowly, until the result is disposed of. */
export function limitHeap(): Disposable {
	let isOpen = true;
	set(1);
	return {
		[Symbol.dispose]() {
			if (isOpen) {
				isOpen = false;
				set(-1);
			}
		},
	};
}

function set(change: 1 | -1): void {
	holders += change;
	// V8's own defaults: twice; 0, which means that it decides.
	setFlagsFromString(`--semi-space-growth-factor=${holders > 0 ? 1 : 2}`);
	setFlagsFromString(`--heap-growing-percent=${holders > 0 ? growthPercent : 0}`);
}
