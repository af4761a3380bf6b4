/**
A layout as SVG. Nothing in it depends on a style attribute, a script or another file, so it can stand in a page whose policy forbids all of these.
*/

import type {Layout, Point, Shape} from './layout.js';
import {escapeMarkup, printNumber as n} from './markup.js';
import {styleOfLeg} from './palette.js';
import {lineHeight, numberGap, types} from './sizes.js';
import type {Type} from './text-measure.js';
import {classOfType, drawingStyle} from './style.js';

/** Print options. */
export type SvgOptions = {
	/** Unique in the document that contains the drawing: the ids of its title and description are derived from it. */
	readonly id?: string;
	/** Present for a drawing that is part of a page: the page has {@link drawingStyle} and the texts that its drawings share. */
	readonly page?: SharedTexts;
	/** Whether the drawing includes its style if it is not part of a page. A page that has {@link drawingStyle} uses drawings without. */
	readonly hasStyle?: boolean;
	/** The id of an element next to the drawing that says the same in words. Without it, the drawing includes the words itself. */
	readonly describedBy?: string;
};

/** What the drawings of one page share, texts and signs: the page contains each of them once. */
export class SharedTexts {
	readonly #ids = new Map<string, string>();
	readonly #dots = new Set<number>();

	/** The id of a text. */
	idOf(text: string): string {
		const id = this.#ids.get(text) ?? `b${this.#ids.size + 1}`;
		this.#ids.set(text, id);
		return id;
	}

	/** The class of a line with a dot of a leg at each of its points; see {@link dotsStyle}. */
	classOfDots(style: number): string {
		this.#dots.add(style);
		return `k${style}`;
	}

	/** What the page must contain, before or after its drawings. */
	print(): string {
		const texts = [...this.#ids].map(([text, id]) => `<g id="${id}">${text}</g>`);
		const dots = [...this.#dots].map(style => `<marker id="k${style}" markerUnits="userSpaceOnUse" overflow="visible">${drawDot(style)}</marker>`);
		return `<svg class="dw" width="0" height="0" aria-hidden="true"><defs>${[...texts, ...dots].join('\n')}</defs></svg>`;
	}
}

const cornerRadius = 7;

/** Type of the texts that most drawings share: names of hooks, chains and tables, users, the legend. */
const repeated: ReadonlySet<Type> = new Set<Type>([types.panel, types.chain, types.small]);

const radii = {
	missed: 4, matched: 8, decided: 10.5, end: 4,
} as const;

/** The drawing as text, ending in a line break. */
export function printSvg(layout: Layout, options: SvgOptions = {}): string {
	return printAround(printBody(layout, options.page), layout, options);
}

/** The content of a drawing without its heading: the same for two drawings that show the same. */
export function printBody({width, height, shapes}: Layout, page?: SharedTexts): string {
	return [
		`<rect class="paper" width="${n(width)}" height="${n(height)}" rx="10"/>`,
		...inOrder(page === undefined ? shapes : withDots(shapes, page)).map(shape => printShape(shape, page)),
	].join('\n');
}

/** A drawing from the output of {@link printBody}. */
export function printAround(body: string, {width, height, title, summary, steps}: Layout, {id = 'drawing', page, describedBy, hasStyle = page === undefined}: SvgOptions): string {
	const words = steps.map(({head, steps: own}) => [head, ...own].join(' ')).join('\n');
	return [
		`<svg${page === undefined ? ' xmlns="http://www.w3.org/2000/svg"' : ''} class="dw" width="${n(width)}" height="${n(height)}" viewBox="0 0 ${n(width)} ${n(height)}" role="img" aria-labelledby="${id}-t" aria-describedby="${describedBy ?? `${id}-d`}">`,
		`<title id="${id}-t">${escapeMarkup(`${title}: ${summary}`)}</title>`,
		...(describedBy === undefined ? [`<desc id="${id}-d">${escapeMarkup(words)}</desc>`] : []),
		...(hasStyle ? [`<style>${drawingStyle}</style>`] : []),
		body,
		'</svg>',
		'',
	].join('\n');
}

/** All dots of a leg: the rules that it met and did not match. */
type Dots = {readonly kind: 'dots'; readonly name: string; readonly path: string};

/** Shapes, with those together that are printed as one element. */
type Printed = Exclude<Shape, {kind: 'leader'}> | Dots | {readonly kind: 'leaders'; readonly path: string};

/** All leaders at the position of the last one, as one path. */
function inOrder(shapes: ReadonlyArray<Shape | Dots>): readonly Printed[] {
	const last = shapes.findLastIndex(({kind}) => kind === 'leader');
	const path = shapes.flatMap(shape => shape.kind === 'leader' ? [`M${n(shape.x)} ${n(shape.y)}h${n(shape.width)}`] : []).join('');
	return shapes.flatMap((shape, index): readonly Printed[] => shape.kind === 'leader' ? (index === last ? [{kind: 'leaders', path}] : []) : [shape]);
}

/** All dots of a leg at the position of the last one, as one path with a marker at each point. They are half of what a drawing consists of. */
function withDots(shapes: readonly Shape[], page: SharedTexts): ReadonlyArray<Shape | Dots> {
	const legs = new Map<number, readonly Dot[]>();
	for (const shape of shapes) {
		if (isDot(shape)) {
			const style = styleOfLeg(shape.leg);
			legs.set(style, [...legs.get(style) ?? [], shape]);
		}
	}

	return shapes.flatMap((shape): ReadonlyArray<Shape | Dots> => {
		const style = isDot(shape) ? styleOfLeg(shape.leg) : -1;
		const dots = legs.get(style) ?? [];
		// A line needs two points.
		return dots.length < 2 ? [shape] : (shape === dots.at(-1) ? [{kind: 'dots', name: page.classOfDots(style), path: printDots(dots)}] : []);
	});
}

type Dot = Extract<Shape, {kind: 'station'}>;

function isDot(shape: Shape): shape is Dot {
	return shape.kind === 'station' && shape.state === 'missed';
}

function printDots(dots: readonly Point[]): string {
	return dots.map(({x, y}, index) => {
		const before = dots[index - 1];
		return before?.x === x ? `V${n(y)}` : `M${n(x)} ${n(y)}`;
	}).join('');
}

function printShape(shape: Printed, page: SharedTexts | undefined): string {
	switch (shape.kind) {
		case 'box': {
			return printBox(shape);
		}

		case 'text': {
			const {type, look, leg = 0, anchor, spaced, text, x, y} = shape;
			const classes = [classOfType(type), look === 'leg' ? `f${styleOfLeg(leg)}` : look, ...(anchor === 'end' ? ['end'] : []), ...(spaced === undefined ? [] : ['spaced'])];
			return page !== undefined && repeated.has(type)
				? printAt(`<text class="${classes.join(' ')}">${escapeMarkup(text)}</text>`, shape, page)
				: `<text class="${classes.join(' ')}" x="${n(x)}" y="${n(y)}">${escapeMarkup(text)}</text>`;
		}

		case 'block': {
			return printBlock(shape, page);
		}

		case 'dots': {
			return `<path class="${shape.name}" d="${shape.path}"/>`;
		}

		case 'leaders': {
			return `<path class="lead" d="${shape.path}"/>`;
		}

		case 'track': {
			return printTrack(shape);
		}

		case 'heading': {
			return `<path class="f${styleOfLeg(shape.leg)}" d="${shape.direction === 'up' ? `M${n(shape.x - 6)} ${n(shape.y + 5)}h12l-6 -11z` : `M${n(shape.x - 6)} ${n(shape.y - 5)}h12l-6 11z`}"/>`;
		}

		case 'station': {
			return printAt(drawStation(shape), shape, page);
		}

		case 'stop': {
			const {x, y} = shape;
			return `<path class="cross" d="M${n(x - 7)} ${n(y - 7)}l14 14m0 -14l-14 14"/>`;
		}

		case 'sample': {
			return `<path class="track l${styleOfLeg(shape.leg)}" d="M${n(shape.x)} ${n(shape.y)}h${n(shape.width)}"/>`;
		}
	}
}

function printBlock({type, look, isStrong, lines, x, y, number}: Extract<Shape, {kind: 'block'}>, page: SharedTexts | undefined): string {
	const classes = `${look}${isStrong ? ' strong' : ''}`;
	const before = number === undefined ? '' : `<text class="${classOfType(type)} end" x="${-numberGap}">${escapeMarkup(number)}</text>`;
	const own = before + lines.map((line, index) => `<text class="${classOfType(type)}"${index === 0 ? '' : ` y="${n(index * lineHeight)}"`}>${escapeMarkup(line)}</text>`).join('');
	return page === undefined
		? `<g class="${classes}" transform="translate(${n(x)} ${n(y)})">${own}</g>`
		: `<use href="#${page.idOf(own)}" class="${classes}" x="${n(x)}" y="${n(y)}"/>`;
}

const boxRadii = {
	panel: 10, zone: 10, base: 7, chain: 6, stand: 7, nobody: 7, decided: 4,
} as const;

function printBox({look, x, y, width, height, leg = 0}: Extract<Shape, {kind: 'box'}>): string {
	const place = `x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" rx="${boxRadii[look]}"`;
	return look === 'decided' ? `<rect class="mark f${styleOfLeg(leg)}" ${place}/>` : `<rect class="${look}" ${place}/>`;
}

function printTrack({leg, points, isArriving, hasCasing}: Extract<Shape, {kind: 'track'}>): string {
	const last = points.at(-1)!;
	const path = printPath(isArriving ? [...points.slice(0, -1), {x: last.x, y: last.y - 8}] : points);
	const style = styleOfLeg(leg);
	return [
		...(hasCasing ? [`<path class="case" d="${path}"/>`] : []),
		`<path class="track l${style}" d="${path}"/>`,
		...(isArriving ? [`<path class="f${style}" d="M${n(last.x - 7)} ${n(last.y - 11)}h14l-7 11z"/>`] : []),
	].join('\n');
}

/** A line through points at right angles, with round corners. */
export function printPath(points: readonly Point[]): string {
	const clean = points.filter((point, index) => index === 0 || Math.abs(point.x - points[index - 1]!.x) + Math.abs(point.y - points[index - 1]!.y) > 0.01);
	return clean.map((point, index) => {
		const [before, after] = [clean[index - 1], clean[index + 1]];
		if (before === undefined) {
			return `M${n(point.x)} ${n(point.y)}`;
		}

		if (after === undefined) {
			return `L${n(point.x)} ${n(point.y)}`;
		}

		const radius = Math.min(cornerRadius, distance(before, point) / 2, distance(point, after) / 2);
		const [enter, leave] = [towards(point, before, radius), towards(point, after, radius)];
		return `L${n(enter.x)} ${n(enter.y)}Q${n(point.x)} ${n(point.y)} ${n(leave.x)} ${n(leave.y)}`;
	}).join('');
}

function distance(one: Point, other: Point): number {
	return Math.abs(one.x - other.x) + Math.abs(one.y - other.y);
}

function towards(from: Point, to: Point, by: number): Point {
	return {x: from.x + (Math.sign(to.x - from.x) * by), y: from.y + (Math.sign(to.y - from.y) * by)};
}

/** A sign at its position: a page contains each kind of sign once. */
function printAt(sign: string, {x, y}: Point, page: SharedTexts | undefined): string {
	return page === undefined ? `<g transform="translate(${n(x)} ${n(y)})">${sign}</g>` : `<use href="#${page.idOf(sign)}" x="${n(x)}" y="${n(y)}"/>`;
}

/** A station around 0, 0. */
function drawStation({leg, state}: Extract<Shape, {kind: 'station'}>): string {
	const style = styleOfLeg(leg);
	const radius = radii[state];
	if (state === 'missed') {
		return drawDot(style);
	}

	if (state === 'end') {
		return `<rect class="dot s${style}" x="-4" y="-4" width="8" height="8"/>`;
	}

	return [
		...(state === 'decided' ? [`<circle class="ring s${style}" r="${radius}"/>`] : []),
		`<circle class="f${style}" r="${radii.matched - (state === 'decided' ? 0.5 : 0)}"/>`,
		`<text class="num" y="3.8">${leg + 1}</text>`,
	].join('');
}

function drawDot(style: number): string {
	return `<circle class="dot s${style}" r="${radii.missed}"/>`;
}
