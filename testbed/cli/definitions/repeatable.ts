/**
Which options may be given several times: each definition says so of its own. All others are refused if they are given twice.
*/

import type {Option} from 'commander';

const marked = new WeakSet<Option>();

/** Marks an option that may be given several times. */
export function repeatable(option: Option): Option {
	marked.add(option);
	return option;
}

/** Whether an option was marked. */
export function isRepeatable(option: Option): boolean {
	return option.variadic || marked.has(option);
}
