/**
Shortens long lists to their first items and a count, because the answer comes first and has to fit on a screen. `--verbose` shows the rest.
*/

/** The longest text of one hint, gap or message: about six lines of a terminal. */
const textMax = 480;

/** The most hints, gaps or lines of one list. */
export const listMax = 10;

/** Printed in place of the rest. */
const showsAll = '--verbose shows all';

/** A text, shortened after one of its list items if it is too long, with the number of omitted items. `more` says how to see them. */
export function cutText(text: string, {max = textMax, more = showsAll}: {readonly max?: number; readonly more?: string} = {}): string {
	if (text.length <= max) {
		return text;
	}

	const head = text.slice(0, max);
	const end = Math.max(head.lastIndexOf(', '), head.lastIndexOf('; '));
	const suffix = more === '' ? '' : ` (${more})`;
	if (end <= 0) {
		const letters = [...head].length;
		return `${[...text].slice(0, letters).join('')}… and ${[...text].length - letters} more characters${suffix}`;
	}

	const count = text.slice(end + 2).split(/[,;] /u).length;
	return `${head.slice(0, end)} and ${count} more${suffix}`;
}

/** The printed first items of a list, and one line for all others. */
export function cutList<Item>(items: readonly Item[], {isWhole, print, rest}: {
	readonly isWhole: boolean; readonly print: (item: Item) => readonly string[]; readonly rest: (count: number) => string;
}): readonly string[] {
	// A single extra item is printed, because the line about it would be just as long.
	const shown = isWhole || items.length <= listMax + 1 ? items : items.slice(0, listMax);
	return [...shown.flatMap(item => print(item)), ...(shown.length === items.length ? [] : [rest(items.length - shown.length)])];
}

/** `1,872 more hints; --verbose shows all`. */
export function describeRest(count: number, what: string): string {
	return `${count.toLocaleString('en-US')} more ${what}; ${showsAll}`;
}
