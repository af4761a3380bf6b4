/**
A minimal XML writer: elements with attributes that contain elements or text. It has only what the reports need: no namespaces, no custom entities, no parsing.
*/

/** An element: its attributes in order, and its content, which is other elements or text. */
export type XmlElement = {
	readonly name: string;
	readonly attributes?: Readonly<Record<string, string | number>>;
	readonly content?: string | readonly XmlElement[];
};

/** Prints an element that contains either only text or only elements; an empty one is self-closing. Each element is on a line of its own, indented by one tab more than its parent. */
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

/** A carriage return is left as it is, so a reader turns it into a line feed (XML 1.0, 2.11), which is what it means in a message. */
function escapeText(value: string): string {
	return printable(value).replaceAll(/[&<>"']/gu, character => escapes[character]!);
}

/** XML readers turn each line break and tab in an attribute into a space (XML 1.0, 3.3.3), so these are escaped. */
function escapeAttribute(value: string): string {
	return escapeText(value.replaceAll(/\r\n|[\r\n\t]/gu, ' '));
}

/** XML cannot represent most control characters, lone surrogates and two non-characters at all (XML 1.0, 2.2). They are replaced by a visible character. */
export function printable(value: string): string {
	return value.replaceAll(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '\u{FFFD}');
}
