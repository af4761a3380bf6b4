/**
The drawing of docs/growth.json: seconds and memory over the number of rules. The seconds are those of all processors, because time by the clock, which the data has as well, says little on a machine that others use. Both have logarithmic scales, so that a straight line is a power of the number of rules and its slope the exponent.
*/

import {escapeMarkup} from '../../src/drawing/markup.js';
import {schemes, type Scheme} from '../../src/drawing/palette.js';

/** What was measured for one number of rules. */
export type GrowthPoint = {readonly rules: number; readonly clockSeconds: number; readonly processorSeconds: number; readonly memoryMiB: number};

/** A whole measurement; each figure is a median of the rounds. */
export type Growth = {readonly what: string; readonly kernel: string; readonly node: string; readonly processors: number; readonly rounds: number; readonly points: readonly GrowthPoint[]};

type Measure = Exclude<keyof GrowthPoint, 'rules'>;

/** The exponent with which a measure grows between the least and the most rules: 1 if twice the rules take twice as much. */
export function exponentOf(points: readonly GrowthPoint[], measure: Measure): number {
	const [first, last] = [points[0]!, points.at(-1)!];
	return Math.log(last[measure] / first[measure]) / Math.log(last.rules / first.rules);
}

const width = 720;
const height = 356;
const panel = {top: 74, width: 284, height: 206} as const;
const fonts = 'system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif';

/** A line of a panel. `style`: its index among the colors of the palette. */
type Curve = {readonly measure: Measure; readonly label: string; readonly style: 0 | 1};
type Panel = {readonly left: number; readonly title: string; readonly unit: string; readonly curves: readonly Curve[]};

const panels: readonly Panel[] = [
	{
		left: 60, title: 'Time', unit: 's', curves: [{measure: 'processorSeconds', label: 'of all processors', style: 0}],
	},
	{
		left: 420, title: 'Memory', unit: 'MiB', curves: [{measure: 'memoryMiB', label: 'of the main process', style: 0}],
	},
];

/** The drawing as SVG. */
export function growthChart(growth: Growth): string {
	const about = panels.flatMap(({title, unit, curves}) => curves.map(({measure, label}) => `${title} ${label}: ${growth.points.map(point => `${point.rules} rules ${printFigure(point[measure])} ${unit}`).join(', ')}; exponent ${exponentOf(growth.points, measure).toFixed(2)}.`)).join(' ');
	return [
		`<svg xmlns="http://www.w3.org/2000/svg" class="gr" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="growth-t" aria-describedby="growth-d">`,
		`<title id="growth-t">How time and memory grow with the number of rules: ${escapeMarkup(growth.what)}</title>`,
		`<desc id="growth-d">${escapeMarkup(about)}</desc>`,
		`<style>${style}</style>`,
		`<rect class="paper" width="${width}" height="${height}" rx="6"/>`,
		`<text class="head" x="20" y="28">${escapeMarkup(growth.what)}, by the number of rules</text>`,
		...panels.flatMap(each => drawPanel(each, growth.points)),
		`<text class="soft" x="20" y="${height - 14}">Linux ${escapeMarkup(growth.kernel)}, Node ${escapeMarkup(growth.node)}, ${growth.processors} processors; median of ${growth.rounds} ${growth.rounds === 1 ? 'round' : 'rounds'}. Both scales are logarithmic.</text>`,
		'</svg>',
		'',
	].join('\n');
}

function drawPanel({left, title, unit, curves}: Panel, points: readonly GrowthPoint[]): readonly string[] {
	const values = curves.flatMap(({measure}) => points.map(point => point[measure]));
	// Room for the figures at the curves' ends.
	const ticks = ticksFor(Math.min(...values) * 0.9, Math.max(...values) * 1.1);
	const across = scale([points[0]!.rules, points.at(-1)!.rules], [left + 36, left + panel.width - 36]);
	const up = scale([ticks[0]!, ticks.at(-1)!], [panel.top + panel.height, panel.top]);
	const bottom = panel.top + panel.height;
	return [
		`<text class="head" x="${left}" y="${panel.top - 12}">${title} (${unit})</text>`,
		`<rect class="panel" x="${left}" y="${panel.top}" width="${panel.width}" height="${panel.height}"/>`,
		...ticks.flatMap(tick => [
			`<path class="grid" d="M${left} ${up(tick)}h${panel.width}"/>`,
			`<text class="soft end" x="${left - 8}" y="${up(tick) + 4}">${printFigure(tick)}</text>`,
		]),
		...points.map(({rules}) => `<text class="soft mid" x="${across(rules)}" y="${bottom + 18}">${rules.toLocaleString('en')}</text>`),
		...curves.flatMap((curve, index) => drawCurve(curve, {
			points, across, up, others: curves.filter(other => other !== curve).map(other => other.measure), legend: {x: left, y: bottom + 42 + (18 * index)},
		})),
	];
}

type Axes = {
	readonly points: readonly GrowthPoint[];
	readonly across: (value: number) => number;
	readonly up: (value: number) => number;
	readonly others: readonly Measure[];
	readonly legend: {readonly x: number; readonly y: number};
};

function drawCurve({measure, label, style: index}: Curve, {points, across, up, others, legend: {x, y}}: Axes): readonly string[] {
	const places = points.map(point => [across(point.rules), up(point[measure])] as const);
	// A figure stands on the side where no other curve is: to the left above its own, which rises, or to the right below it.
	const figureAt = (place: number): string => {
		const point = points.at(place)!;
		const isLower = others.some(other => point[other] > point[measure]);
		const [pointX, pointY] = places.at(place)!;
		return `<text class="ink ${isLower ? '' : 'end'}" x="${pointX + (isLower ? -6 : 8)}" y="${pointY + (isLower ? 19 : -9)}">${printFigure(point[measure])}</text>`;
	};

	return [
		`<path class="curve c${index}" d="${places.map(([placeX, placeY], place) => `${place === 0 ? 'M' : 'L'}${placeX} ${placeY}`).join('')}"/>`,
		...places.map(([placeX, placeY]) => `<circle class="f${index}" cx="${placeX}" cy="${placeY}" r="3.5"/>`),
		figureAt(0),
		figureAt(-1),
		`<path class="curve c${index}" d="M${x} ${y - 4}h34"/>`,
		`<text class="ink" x="${x + 42}" y="${y}">${escapeMarkup(label)}: exponent ${exponentOf(points, measure).toFixed(2)}</text>`,
	];
}

/** From values to places, by their logarithms. */
function scale([low, high]: readonly [number, number], [from, to]: readonly [number, number]): (value: number) => number {
	const [first, last] = [Math.log(low), Math.log(high)];
	return value => Math.round((from + ((to - from) * (Math.log(value) - first) / (last - first))) * 10) / 10;
}

/** 1, 2 and 5 times powers of ten, from the last below the values to the first above. */
function ticksFor(low: number, high: number): readonly number[] {
	const all = Array.from({length: 30}, (_, index) => [1, 2, 5][index % 3]! * (10 ** (Math.floor(index / 3) - 3)));
	const first = all.findLastIndex(tick => tick <= low);
	const last = all.findIndex(tick => tick >= high);
	return all.slice(first, Math.max(last, first + 1) + 1);
}

/** Three digits at most. */
function printFigure(value: number): string {
	return Number(value.toPrecision(3)).toLocaleString('en', {maximumFractionDigits: 2});
}

function variables({paper, panel: surface, line, ink, soft, legs}: Scheme): string {
	return `--paper:${paper};--panel:${surface};--line:${line};--ink:${ink};--soft:${soft};--c0:${legs[0]};--c1:${legs[1]}`;
}

const style = `.gr{${variables(schemes.light)};font-family:${fonts}}
@media screen and (prefers-color-scheme:dark){.gr{${variables(schemes.dark)}}}
.gr text{font-size:12px;fill:var(--ink)}
.gr .head{font-size:14px;font-weight:700}
.gr .soft{fill:var(--soft)}
.gr .strong{font-weight:700}
.gr .end{text-anchor:end}
.gr .mid{text-anchor:middle}
.gr .paper{fill:var(--paper)}
.gr .panel{fill:var(--panel);stroke:var(--line)}
.gr .grid{stroke:var(--line);fill:none}
.gr .curve{fill:none;stroke-width:2.5}
.gr .c0{stroke:var(--c0)}
.gr .c1{stroke:var(--c1);stroke-dasharray:7 4}
.gr .f0{fill:var(--c0)}
.gr .f1{fill:var(--c1)}`;
