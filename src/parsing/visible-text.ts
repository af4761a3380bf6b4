/**
Text for a terminal, a log or a file in which nothing acts on the viewer: control characters and marks of writing direction are shown instead of sent.
*/

/** What the painter writes (report/terminal/colors.ts): one style switched on or off. No other escape sequence passes. */
const ownStyle = String.raw`\u001B\[(?:1|2|22|31|32|33|36|39)m`;

/**
Control characters except the line feed and the tab (C0, DEL, C1), marks that change the direction of what follows (Unicode Standard Annex 9: U+061C, U+200E, U+200F, U+202A–202E, U+2066–2069), the two separators that some programs treat as line ends, and the byte order mark.
*/
const acting = String.raw`[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069\uFEFF]`;

const pattern = new RegExp(`(?<style>${ownStyle})|${acting}`, 'gu');
const actingPattern = new RegExp(acting, 'u');

/**
The text with every such character as `\u202e`. JSON writes it the same way, so a JSON document stays valid and unchanged in meaning. The painter's own colors stay.
*/
export function visibleText(text: string): string {
	return actingPattern.test(text)
		? text.replaceAll(pattern, found => found.length > 1 ? found : escaped(found))
		: text;
}

/** Text from outside, which has no colors of its own: even what looks like the painter's is shown. */
export function visibleForeign(text: string): string {
	return actingPattern.test(text) ? text.replaceAll(new RegExp(acting, 'gu'), found => escaped(found)) : text;
}

function escaped(character: string): string {
	return `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`;
}
