/**
Markup for SVG and HTML. Every text in a document goes through {@link escapeMarkup}, because names and comments in rules come from others.
*/

import {visibleForeign} from '../parsing/visible-text.js';

const entities: Readonly<Record<string, string>> = {
	'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;',
};

/** A text for use between tags or in double quotes, which are the only quotes used. Control characters, which XML does not allow, are made visible. */
export function escapeMarkup(text: string): string {
	return visibleForeign(text).replaceAll(/[&<>"]/gu, character => entities[character]!);
}

/** A number with at most one decimal. */
export function printNumber(value: number): string {
	return String(Math.round(value * 10) / 10);
}
