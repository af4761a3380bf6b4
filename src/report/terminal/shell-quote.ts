/**
Quoting for a POSIX shell.
*/

/** A word in single quotes. */
export function quoted(text: string): string {
	return `'${text.replaceAll('\'', String.raw`'\''`)}'`;
}

/** A word, quoted if necessary. */
export function quote(text: string): string {
	return /^[\w.:/=@%+-]+$/u.test(text) ? text : quoted(text);
}
