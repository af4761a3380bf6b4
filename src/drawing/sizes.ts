/**
The measures of a drawing, in units of the drawing.
*/

import type {Type} from './text-measure.js';

/** Natural width of every drawing: at the width of GitHub's text column, and on A4 in portrait format, its smallest type is still readable. */
export const drawingWidth = 980;

/** The same without the purposes of the rules. */
export const narrowWidth = 660;

/** Margin around it. */
export const margin = 20;

/** From one track to the next: two stations of a row do not touch. */
export const trackStep = 24;

/** From one line next to the hooks to the next, and from one line of a fan to the next. */
export const sideStep = 13;

/** Room for the purpose of a rule. */
export const purposeWidth = 270;

/** From a chain's edge to the rule's text; its number ends left of that. */
export const numberWidth = 40;

/** Between the number of a rule and its text. */
export const numberGap = 11;

/** How much a chain is indented from the one that leads to it. */
export const indent = 16;

/** The kinds of type. */
export const types = {
	title: {face: 'bold', size: 19},
	summary: {face: 'mono', size: 13.5},
	body: {face: 'sans', size: 12},
	panel: {face: 'bold', size: 12},
	chain: {face: 'mono', size: 12.5},
	rule: {face: 'mono', size: 12},
	purpose: {face: 'sans', size: 11.5},
	stand: {face: 'bold', size: 13},
	small: {face: 'sans', size: 11},
	port: {face: 'mono', size: 11.5},
} as const satisfies Readonly<Record<string, Type>>;

/** The line height of a text in rows. */
export const lineHeight = 16;
