/**
Lines of limited width. Text is wrapped, never cut: what is longer than a line continues on the next.
*/

/** The layout of a text: a label in its own column with the text next to it, both wrapped. */
export type Hanging = {
	readonly indent: number;
	readonly label: string;
	/** The width of the label's column, including the gap after it. */
	readonly column: number;
	readonly text: string | readonly string[];
	readonly width: number;
	readonly paintLabel?: (text: string) => string;
	readonly paintText?: (text: string) => string;
};

/** The minimum width of a text next to a label, however narrow the terminal. */
const roomMin = 16;

/** A label with its text next to it. A label that is too long for its column is on a line of its own. */
export function hang({indent, label, column, text, width, paintLabel = same, paintText = same}: Hanging): readonly string[] {
	const room = Math.max(roomMin, width - indent - column);
	const [first = '', ...rest] = wrap(typeof text === 'string' ? text.split(' ') : text, room);
	const [margin, hanging] = [' '.repeat(indent), ' '.repeat(indent + column)];
	const lines = label.length < column || first === ''
		? [`${margin}${paintLabel(label)}${first === '' ? '' : `${' '.repeat(column - label.length)}${paintText(first)}`}`]
		: [`${margin}${paintLabel(label)}`, `${hanging}${paintText(first)}`];
	return [...lines, ...rest.map(line => `${hanging}${paintText(line)}`)];
}

/** A paragraph. */
export function paragraph(text: string, {indent, width, paint = same}: {readonly indent: number; readonly width: number; readonly paint?: (text: string) => string}): readonly string[] {
	return wrap(text.split(' '), Math.max(roomMin, width - indent)).map(line => `${' '.repeat(indent)}${paint(line)}`);
}

/** Puts pieces on lines, separated by spaces. A piece that is longer than a line is split at its own spaces or, if it has none, anywhere. */
export function wrap(pieces: readonly string[], room: number): readonly string[] {
	const lines: string[] = [];
	let line = '';
	for (const piece of pieces.flatMap(whole => whole.length <= room ? [whole] : split(whole, room))) {
		if (line !== '' && line.length + 1 + piece.length > room) {
			lines.push(line);
			line = '';
		}

		line = line === '' ? piece : `${line} ${piece}`;
	}

	return line === '' ? lines : [...lines, line];
}

function split(piece: string, room: number): readonly string[] {
	return piece.split(' ').flatMap(word => word.length <= room ? [word] : word.match(new RegExp(`.{1,${room}}`, 'gu')) ?? []);
}

/** A rule's text in pieces that read best on one line: a flag with its value, and the `!` in front of it. */
export function piecesOfRule(text: string): readonly string[] {
	const pieces: string[] = [];
	let isOpen = false;
	for (const word of text.split(' ')) {
		const last = pieces.at(-1);
		if (last === undefined || (!isOpen && (word === '!' || word.startsWith('-')))) {
			pieces.push(word);
		} else {
			pieces[pieces.length - 1] = `${last} ${word}`;
		}

		isOpen = word === '!';
	}

	return pieces;
}

function same(text: string): string {
	return text;
}
