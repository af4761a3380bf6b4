/* eslint-disable import-x/no-extraneous-dependencies, n/no-extraneous-import -- The tests' packages have it. */
import fs from 'node:fs';
import process from 'node:process';
import {chromium} from 'playwright-core';

const help = `Usage: npm run font-metrics

Measures in chromium the maximum width of each character in the fonts that
drawings use, and writes src/drawing/font-metrics.ts. These fonts must be
installed: fonts-dejavu-core fonts-liberation2 fonts-roboto fonts-inter
fonts-noto-core fonts-open-sans fonts-firacode.`;

const sans = ['DejaVu Sans', 'Liberation Sans', 'Roboto', 'Inter', 'Noto Sans', 'Open Sans'];
const mono = ['DejaVu Sans Mono', 'Liberation Mono', 'Fira Code'];
const characters = [...Array.from({length: 0x01_80 - 0x20}, (_, index) => String.fromCodePoint(0x20 + index)).filter(character => !/[\u007F-\u009F]/u.test(character)), ...'–—‘’“”…→←✔✖'];

function lines(widths) {
	const rows = [];
	for (let index = 0; index < widths.length; index += 20) {
		rows.push(`\t${widths.slice(index, index + 20).join(', ')},`);
	}

	return rows.join('\n');
}

async function writeMetrics() {
	const browser = await chromium.launch({executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox']});
	const page = await browser.newPage();
	const measured = await page.evaluate(({faces, characters}) => {
		const {document} = globalThis;
		const context = document.createElement('canvas').getContext('2d');
		const widthsIn = (family, weight) => {
			context.font = `${weight} 1000px "${family}"`;
			return characters.map(character => context.measureText(character).width);
		};

		// A missing font would be measured as its fallback.
		const reference = ['monospace', 'serif'].map(generic => `1000px "no such font", ${generic}`);
		const isThere = family => reference.some(fallback => {
			context.font = fallback;
			const without = context.measureText('mmmiiiWWW').width;
			context.font = fallback.replace('no such font', family);
			return context.measureText('mmmiiiWWW').width !== without;
		});
		return faces.map(({families, weight}) => {
			const missing = families.filter(family => !isThere(family) && family !== 'DejaVu Sans Mono');
			if (missing.length > 0) {
				throw new Error(`These fonts are not installed: ${missing.join(', ')}`);
			}

			const all = families.map(family => widthsIn(family, weight));
			return characters.map((_, index) => Math.ceil(Math.max(...all.map(widths => widths[index]))));
		});
	}, {faces: [{families: sans, weight: 400}, {families: sans, weight: 700}, {families: mono, weight: 700}], characters});
	await browser.close();
	const [regular, bold, fixed] = measured;
	const ascii = fixed.slice(0, 95);
	const text = `/**
How wide characters are at most, in thousandths of the font size. Written by \`node scripts/font-metrics.mjs\`, which measures the fonts in chromium: ${sans.join(', ')}; ${mono.join(', ')}. A drawing is shown with whatever font a reader has, so a text is given the room that the widest of them needs.
*/

/** The characters of the two tables, in their order. */
export const measuredCharacters = ${JSON.stringify(characters.join('')).replaceAll(String.raw`\"`, '"').replaceAll(/^"|"$/gu, '\'').replace('"#$%&\'(', String.raw`"#$%&\'(`)};

/** Of a sans serif at normal weight. */
export const regularWidths: readonly number[] = [
${lines(regular)}
];

/** Of a bold sans serif. */
export const boldWidths: readonly number[] = [
${lines(bold)}
];

/** Of any character of a monospaced font, bold or not. */
export const fixedWidth = ${Math.max(...ascii)};

/** For a character that was not measured: a full-width or emoji glyph with some margin. */
export const unknownWidth = 1400;
`;
	fs.writeFileSync('src/drawing/font-metrics.ts', text);
}

if (process.argv.includes('--help')) {
	console.log(help);
} else {
	await writeMetrics();
}
