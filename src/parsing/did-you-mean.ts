/**
The known name that a misspelled one most likely means. Every message that suggests a name uses this, so they all suggest the same one, and only if it is close.
*/

/** More suggestions than this do not help. */
const namesMax = 2;

/**
The known names that a misspelled one may mean, at most two, the most likely first. None if nothing is close: a wrong suggestion is worse than the full list.

Closest is a name that differs by one letter, then one whose beginning or end was given (`legacy` for `iptables-legacy`, `v4` for `ipv4`), then one that differs by two. A swap of adjacent letters is one difference, case is none, and more than half of the letters must be the same.
*/
export function closeNames(name: string, known: readonly string[]): readonly string[] {
	const differing = (letters: number): readonly string[] => known.filter(candidate => distanceOf(name, candidate) === letters && letters < Math.max(name.length, candidate.length) / 2);
	const steps = [differing(0), differing(1), known.filter(candidate => isPartOf(name, candidate)), differing(2)];
	return steps.find(names => names.length > 0 && names.length <= namesMax) ?? [];
}

/** The one name that is meant. Undefined if nothing is close, or if two names are equally close. */
export function closestName(name: string, known: readonly string[]): string | undefined {
	const [first, ...others] = closeNames(name, known);
	return others.length === 0 ? first : undefined;
}

/** The question at the end of a message, with a leading blank: ` Did you mean app?`. Empty if nothing is close. */
export function didYouMean(name: string, known: readonly string[]): string {
	const names = closeNames(name, known);
	return names.length === 0 ? '' : ` Did you mean ${names.join(' or ')}?`;
}

/** Whether a name is the beginning or the end of another one, with at least two letters. */
function isPartOf(name: string, whole: string): boolean {
	const [part, other] = [name.toLowerCase(), whole.toLowerCase()];
	return part.length >= 2 && part !== other && (other.startsWith(part) || other.endsWith(part));
}

/** How many letters differ, ignoring case. If the part before the slash is the same, only the part after it is compared. */
function distanceOf(one: string, other: string): number {
	const [left, right] = [one.toLowerCase(), other.toLowerCase()];
	const [leftName, rightName] = [left, right].map(text => text.slice(text.indexOf('/') + 1));
	return left.includes('/') && leftName === rightName && leftName !== 'config' && leftName !== 'port' ? 0 : editDistance(left, right);
}

/** Levenshtein distance, with a swap of two adjacent letters as one step (optimal string alignment). */
function editDistance(one: string, other: string): number {
	const [left, right] = [[...one], [...other]];
	let before: number[] = [];
	let row = Array.from({length: right.length + 1}, (_, index) => index);
	for (const [index, letter] of left.entries()) {
		const next = [index + 1];
		for (const [column, otherLetter] of right.entries()) {
			const [above = 0, beside = 0, diagonal = 0] = [row[column + 1], next[column], row[column]];
			const isSwap = index > 0 && column > 0 && letter === right[column - 1] && left[index - 1] === otherLetter;
			next.push(Math.min(above + 1, beside + 1, diagonal + (letter === otherLetter ? 0 : 1), isSwap ? before[column - 1]! + 1 : Number.POSITIVE_INFINITY));
		}

		[before, row] = [row, next];
	}

	return row.at(-1) ?? 0;
}
