/**
The positions of everything in a drawing. A layout is plain data in units of the drawing (a unit is a CSS pixel at its natural size), so that the SVG printer, a page that shows the packet step by step, and a test that looks for overlaps all use the same.
*/

import type {AskedState, Connection} from './connection.js';
import {describeSteps} from './steps.js';
import type {Type} from './text-measure.js';

/** How a box looks. */
export type BoxLook = 'panel' | 'chain' | 'base' | 'zone' | 'stand' | 'nobody' | 'decided';

/** How a text looks, besides its type. */
export type TextLook = 'ink' | 'soft' | 'pale' | 'leg' | 'alarm';

/** A point. */
export type Point = {readonly x: number; readonly y: number};

/** One thing to draw; later ones are on top. A text is placed at its baseline, and its `width` is the room that it may take. */
export type Shape =
	| {readonly kind: 'box'; readonly look: BoxLook; readonly x: number; readonly y: number; readonly width: number; readonly height: number; readonly leg?: number}
	| {readonly kind: 'text'; readonly look: TextLook; readonly type: Type; readonly text: string; readonly x: number; readonly y: number; readonly width: number; readonly anchor: 'start' | 'end'; readonly leg?: number; readonly spaced?: true}
	/** A text of several lines; `y` is the baseline of the first one. Drawings of one page can share it. */
	| {readonly kind: 'block'; readonly look: TextLook; readonly type: Type; readonly lines: readonly string[]; readonly x: number; readonly y: number; readonly isStrong: boolean; /** Placed before the first line, ending `numberGap` before it. */ readonly number?: string}
	/** From a station to its rule. */
	| {readonly kind: 'leader'; readonly x: number; readonly y: number; readonly width: number}
	/** The line of a leg, with round corners, and a head where it arrives. */
	| {readonly kind: 'track'; readonly leg: number; readonly points: readonly Point[]; readonly isArriving: boolean; readonly hasCasing: boolean}
	/** Its direction at this point. */
	| {readonly kind: 'heading'; readonly leg: number; readonly x: number; readonly y: number; readonly direction: 'up' | 'down'}
	/** `row` says what it belongs to: a rule of a chain, several folded ones, or the chain's end (`number` is null). A station of the heading or the legend has none. */
	| {readonly kind: 'station'; readonly leg: number; readonly state: AskedState | 'end'; readonly x: number; readonly y: number; readonly row?: StationRow}
	/** Where a rule dropped the packet, or where its trace ends. */
	| {readonly kind: 'stop'; readonly leg: number; readonly x: number; readonly y: number}
	/** A piece of the legend. */
	| {readonly kind: 'sample'; readonly leg: number; readonly x: number; readonly y: number; readonly width: number};

/** See the station of {@link Shape}. */
export type StationRow = {readonly chain: string; readonly number: number | null; readonly isFold?: true};

/** A drawing. */
export type Layout = {
	readonly width: number;
	readonly height: number;
	readonly title: string;
	readonly summary: string;
	/** The same in words. */
	readonly steps: ReturnType<typeof describeSteps>;
	readonly shapes: readonly Shape[];
};

/** The words of a connection, which all its layouts share. */
export function wordsOf(connection: Connection): Pick<Layout, 'title' | 'summary' | 'steps'> {
	return {title: connection.title, summary: connection.summary, steps: describeSteps(connection)};
}
