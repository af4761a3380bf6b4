/** The growth of the heap is held while somebody asks for it, and V8's own afterwards. Flags are those of a whole process, so each case has its own. */

import {execFileSync} from 'node:child_process';
import process from 'node:process';
import test from 'ava';

const module = new URL('../../../../testbed/system/heap-growth.js', import.meta.url).href;

/** The size of the young generation, in MiB, after many objects have survived: what V8 doubles it for. */
function youngAfter(before: string): number {
	const program = `
		import {getHeapSpaceStatistics} from 'node:v8';
		import {limitHeap} from ${JSON.stringify(module)};
		${before}
		const kept = [];
		for (let index = 0; index < 2_000_000; index++) {
			kept[index % 200_000] = {index, of: [index]};
		}

		console.log(getHeapSpaceStatistics().find(({space_name: name}) => name === 'new_space').space_size / (1 << 20));
	`;
	return Number(execFileSync(process.execPath, ['--input-type=module', '--eval', program], {encoding: 'utf8', env: {}}));
}

for (const [title, before, isLimited] of [
	['nobody asks', '', false],
	['held', 'limitHeap();', true],
	['taken back', 'limitHeap()[Symbol.dispose]();', false],
	['one of two taken back, twice', 'limitHeap(); const other = limitHeap(); other[Symbol.dispose](); other[Symbol.dispose]();', true],
] as const) {
	test(`the young generation: ${title}`, t => {
		const young = youngAfter(before);
		t.true(isLimited ? young <= 4 : young >= 16, `${young} MiB`);
	});
}
