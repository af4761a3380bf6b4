/**
Removes control sequences that act on a terminal: styles, titles, modes (ECMA-48 and xterm's control sequences). Logs and copied sessions contain them.
*/

/** Styles (SGR), erasing to the end of the line after what was written (EL), modes switched on or off, titles and other operating system commands, character sets, the keypad. Sequences that move the cursor or clear the screen are not included, because with them a terminal shows something other than the text. */
const codePattern = /\u001B(?:\[[\d;:]*m|\[[0-2]?K|\[[?>=]?[\d;]*[hlu]|\[>[\d;]*[cm]|\][^\u0007\u001B\n]*(?:\u0007|\u001B\\)|[()][0-9A-Za-z]|[=>])|[\u000E\u000F]/gu; // eslint-disable-line no-control-regex -- They begin with one.

/** The text without them. A control character outside of such a sequence stays, for the reader of the text to reject. */
export function withoutTerminalCodes(text: string): string {
	return /[\u000E\u000F\u001B]/u.test(text) ? text.replaceAll(codePattern, '') : text; // eslint-disable-line no-control-regex -- The same.
}
