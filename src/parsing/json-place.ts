/**
Where JSON is wrong: the engine's own message quotes the text, which is nobody's business when it is not what it should be.
*/

/** ` at line 3, column 7`, from what `JSON.parse` threw; empty where the engine does not tell. */
export function placeInJson(error: unknown, text: string): string {
	const [, position] = /at position (?<position>\d+)/u.exec((error as Error).message) ?? [];
	if (position === undefined) {
		return '';
	}

	const before = text.slice(0, Number(position)).split('\n');
	return ` at line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}
