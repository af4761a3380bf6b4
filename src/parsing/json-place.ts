/**
The position of a JSON syntax error. The engine's own message is not used because it quotes the text, which may be confidential.
*/

/** ` at line 3, column 7`, from what `JSON.parse` threw; empty if the engine does not say. */
export function placeInJson(error: unknown, text: string): string {
	const [, position] = /at position (?<position>\d+)/u.exec((error as Error).message) ?? [];
	if (position === undefined) {
		return '';
	}

	const before = text.slice(0, Number(position)).split('\n');
	return ` at line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}
