/**
The colors of a drawing. The legs' colors were chosen for their distance to each other as seen with each kind of color blindness; a test checks that, and their contrast. Color is never the only sign: each leg has a number at its stations and a pattern of its own.
*/

/** The colors of one scheme, as CSS writes them. */
export type Scheme = {
	readonly paper: string;
	/** A hook. */
	readonly panel: string;
	/** A chain. */
	readonly chain: string;
	readonly line: string;
	readonly ink: string;
	/** Rules that were tested and did not match, and secondary texts. */
	readonly soft: string;
	/** Rules that no packet reached. */
	readonly pale: string;
	readonly alarm: string;
	/** The number inside a station. */
	readonly onLeg: string;
	readonly legs: readonly [string, string, string, string, string, string];
};

/** Both schemes. Print uses the light one. */
export const schemes: Readonly<Record<'light' | 'dark', Scheme>> = {
	light: {
		paper: '#ffffff', panel: '#f4f6f9', chain: '#ffffff', line: '#d3d9e0', ink: '#16202b', soft: '#4d5763', pale: '#667180', alarm: '#b3121d', onLeg: '#ffffff',
		legs: ['#065bdb', '#c73905', '#ae3285', '#36082c', '#030363', '#630303'],
	},
	dark: {
		paper: '#0d1117', panel: '#151b23', chain: '#0d1117', line: '#353e4a', ink: '#edf2f7', soft: '#aab4c0', pale: '#8b96a3', alarm: '#ff8b82', onLeg: '#0d1117',
		legs: ['#609efb', '#fa8638', '#df90c5', '#f7dcc9', '#74fb86', '#caf910'],
	},
};

/** The dash patterns of the legs, in SVG's notation. The first is a solid line. */
export const dashes = ['', '14 5', '2.5 6', '14 5 2.5 5', '7 4', '20 4 2.5 4 2.5 4'] as const;

/** The index of a leg in both lists. The seventh leg looks like the first, except for its number. */
export function styleOfLeg(leg: number): number {
	return leg % dashes.length;
}
