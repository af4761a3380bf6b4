/**
Whether two programs are the same in everything that a walk reads or tells, so that what one does with a set of packets is what the other does. Consecutive releases often write the same rules, and the kernel's reading of a set is the same as that of its copy.
*/

import type {Program} from './symbolic-walk.js';

/** For each program, the index of the first one that is the same. */
export function firstAlike(programs: readonly Program[]): readonly number[] {
	return programs.map((program, index) => programs.findIndex((other, before) => before === index || isSame(other, program)));
}

/** Whether two values of plain data are equal. The order of keys does not count. Rules that were parsed from the same text share their parts, so most of the work is to compare references. */
function isSame(one: unknown, other: unknown): boolean {
	if (one === other) {
		return true;
	}

	if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null || Array.isArray(one) !== Array.isArray(other)) {
		return false;
	}

	if (Array.isArray(one) && Array.isArray(other)) {
		return one.length === other.length && one.every((each, index) => isSame(each, other[index]));
	}

	const [names, others] = [definedKeys(one), definedKeys(other)];
	return names.length === others.length && names.every(name => isSame(one[name as keyof typeof one], other[name as keyof typeof other]));
}

function definedKeys(value: object): readonly string[] {
	return Object.keys(value).filter(name => value[name as keyof typeof value] !== undefined);
}
