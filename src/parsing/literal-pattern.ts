/**
Texts in regular expressions.
*/

/** A pattern that matches exactly this text. (RegExp.escape does it from Node 24 on.) */
export function literalPattern(text: string): string {
	return text.replaceAll(/[.*+?^${}()|[\]\\]/gu, String.raw`\$&`);
}
