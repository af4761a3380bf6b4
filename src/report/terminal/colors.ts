/**
Terminal colors as functions of text. Without color, they return the text unchanged.
*/

/** The styles that the printers use. */
export type Painter = Readonly<Record<'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan', (text: string) => string>>;

/** Codes that switch a style on and off (ECMA-48, SGR). */
const codes = {
	bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], cyan: [36, 39],
} as const satisfies Record<keyof Painter, readonly [number, number]>;

/** A painter with or without color. */
export function createPainter(color: boolean): Painter {
	const style = (name: keyof Painter) => (text: string) => color && text !== '' ? `\u001B[${codes[name][0]}m${text}\u001B[${codes[name][1]}m` : text;
	return {
		bold: style('bold'), dim: style('dim'), red: style('red'), green: style('green'), yellow: style('yellow'), cyan: style('cyan'),
	};
}
