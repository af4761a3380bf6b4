/**
XML as text: elements with attributes, and in them elements or text. What a program that writes reports needs of XML, and no more: no namespaces, no entities of one's own, nothing is read.
*/

/** An element: its attributes in their order, and what stands in it: other elements, or text. */
export type XmlElement = {
	readonly name: string;
	readonly attributes?: Readonly<Record<string, string | number>>;
	readonly content?: string | readonly XmlElement[];
};

/** An element whose content is text and nothing else, or one with elements in it; without content it closes itself. Each element stands on a line of its own, one tab deeper than the one around it. */
function printElement({name, attributes = {}, content = []}: XmlElement, indent: string): string {
	const pairs = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeAttribute(String(value))}"`).join('');
	if (content.length === 0) {
		return `${indent}<${name}${pairs}/>\n`;
	}

	const inner = typeof content === 'string' ? escapeText(content) : `\n${content.map(element => printElement(element, `${indent}\t`)).join('')}${indent}`;
	return `${indent}<${name}${pairs}>${inner}</${name}>\n`;
}

/** The whole document, with its declaration. */
export function printXml(element: XmlElement): string {
	return `<?xml version="1.0" encoding="UTF-8"?>\n${printElement(element, '')}`;
}

const escapes: Readonly<Record<string, string>> = {
	'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\'': '&apos;',
};

/** A carriage return stands as it is, so a reader makes a line feed of it (XML 1.0, 2.11): in a message that is what it is for. */
function escapeText(value: string): string {
	return printable(value).replaceAll(/[&<>"']/gu, character => escapes[character]!);
}

/** A reader of XML makes a space of each line break and tab in an attribute, whatever stands there (XML 1.0, 3.3.3). */
function escapeAttribute(value: string): string {
	return escapeText(value.replaceAll(/\r\n|[\r\n\t]/gu, ' '));
}

/** XML has no way at all to write most control characters, halves of surrogate pairs and two non-characters (XML 1.0, 2.2). Something was there, so something stands there. */
export function printable(value: string): string {
	return value.replaceAll(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '\u{FFFD}');
}
