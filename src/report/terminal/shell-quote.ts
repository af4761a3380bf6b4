/**
Words for a POSIX shell.
*/

/** A word as it has to be written. */
export function quote(text: string): string {
	return /^[\w.:/=@%+-]+$/u.test(text) ? text : `'${text.replaceAll('\'', String.raw`'\''`)}'`;
}
