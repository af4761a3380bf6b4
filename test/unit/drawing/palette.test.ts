import test from 'ava';
import {dashes, schemes, styleOfLeg, type Scheme} from '../../../src/drawing/palette.js';

type Color = readonly [number, number, number];

/** Linear light of `#rrggbb` (IEC 61966-2-1). */
function linear(hex: string): Color {
	const [red, green, blue] = [1, 3, 5].map(at => {
		const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
		return value <= 0.040_45 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
	});
	return [red!, green!, blue!];
}

/** Contrast of two colors (WCAG 2.2, contrast ratio). */
function contrast(one: string, other: string): number {
	const [dark, light] = [one, other].map(hex => linear(hex)).map(([red, green, blue]) => (0.2126 * red) + (0.7152 * green) + (0.0722 * blue)).sort((a, b) => a - b);
	return (light! + 0.05) / (dark! + 0.05);
}

/** How people see a color who lack a kind of cone (Machado, Oliveira and Fernandes 2009, severity 1). */
const sights: Readonly<Record<string, readonly [Color, Color, Color]>> = {
	usual: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
	protan: [[0.152_286, 1.052_583, -0.204_868], [0.114_503, 0.786_281, 0.099_216], [-0.003_882, -0.048_116, 1.051_998]],
	deutan: [[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_82, 0.042_94, 0.968_881]],
	tritan: [[1.255_528, -0.076_749, -0.178_779], [-0.078_411, 0.930_809, 0.147_602], [0.004_733, 0.691_367, 0.3039]],
};

/** CIELAB of a color as somebody sees it (D65). */
function lab(hex: string, sight: string): Color {
	const color = linear(hex);
	const [red, green, blue] = sights[sight]!.map(row => Math.min(1, Math.max(0, row.reduce((sum, factor, index) => sum + (factor * color[index]!), 0)))) as unknown as Color;
	const xyz = [
		((0.4124 * red) + (0.3576 * green) + (0.1805 * blue)) / 0.950_47,
		(0.2126 * red) + (0.7152 * green) + (0.0722 * blue),
		((0.0193 * red) + (0.1192 * green) + (0.9505 * blue)) / 1.088_83,
	];
	const [x, y, z] = xyz.map(value => value > 0.008_856 ? Math.cbrt(value) : (7.787 * value) + (16 / 116));
	return [(116 * y!) - 16, 500 * (x! - y!), 200 * (y! - z!)];
}

function distance(one: string, other: string, sight: string): number {
	const [a, b] = [lab(one, sight), lab(other, sight)];
	return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

/** Colors of legs that somebody could take for each other: nearer than 20, where 2 can be told apart side by side. */
function confusable({legs}: Pick<Scheme, 'legs'>): readonly string[] {
	return Object.keys(sights).flatMap(sight => legs.flatMap((one, index) => legs.slice(index + 1).filter(other => distance(one, other, sight) < 20).map(other => `${sight}: ${one} ${other}`)));
}

for (const [name, scheme] of Object.entries(schemes)) {
	test(`${name}: legs can be told apart with any kind of color vision`, t => {
		t.deepEqual(confusable(scheme), []);
	});

	test(`${name}: every text and line has contrast enough`, t => {
		for (const ground of [scheme.paper, scheme.panel, scheme.chain]) {
			for (const text of [scheme.ink, scheme.soft, scheme.pale, scheme.alarm, ...scheme.legs]) {
				t.true(contrast(text, ground) >= 4.5, `${text} on ${ground}: ${contrast(text, ground)}`);
			}
		}

		for (const leg of scheme.legs) {
			t.true(contrast(scheme.onLeg, leg) >= 4.5, `${scheme.onLeg} on ${leg}`);
		}
	});
}

test('goes red: red and green of one lightness', t => {
	t.true(confusable({legs: ['#c73905', '#5f6f00', '#ae3285', '#36082c', '#030363', '#000000']}).length > 0);
});

test('each leg has a pattern of its own', t => {
	t.is(new Set(dashes).size, schemes.light.legs.length);
	t.deepEqual([0, 5, 6].map(leg => styleOfLeg(leg)), [0, 5, 0]);
});
