/**
The known name that a misspelt one most likely means.
*/

/** The nearest of some names. `isClose`: so near that it is hardly another word. */
export function nearest(name: string, known: readonly string[]): {readonly name: string; readonly isClose: boolean} | undefined {
	const [best] = known
		.map(candidate => ({name: candidate, distance: distanceOf(name, candidate)}))
		.toSorted((one, other) => one.distance - other.distance);
	return best && {name: best.name, isClose: best.distance <= 2};
}

/** How many letters differ; upper or lower case does not count. The part behind the slash alone is compared when it is the same word. */
function distanceOf(one: string, other: string): number {
	const [left, right] = [one.toLowerCase(), other.toLowerCase()];
	const [leftName, rightName] = [left, right].map(text => text.slice(text.indexOf('/') + 1));
	return left.includes('/') && leftName === rightName && leftName !== 'config' && leftName !== 'port' ? 0 : editDistance(left, right);
}

/** Levenshtein's distance. */
function editDistance(one: string, other: string): number {
	let row = Array.from({length: other.length + 1}, (_, index) => index);
	for (const [index, letter] of [...one].entries()) {
		const next = [index + 1];
		for (const [column, otherLetter] of [...other].entries()) {
			const [above = 0, left = 0, diagonal = 0] = [row[column + 1], next[column], row[column]];
			next.push(Math.min(above + 1, left + 1, diagonal + (letter === otherLetter ? 0 : 1)));
		}

		row = next;
	}

	return row.at(-1) ?? 0;
}
