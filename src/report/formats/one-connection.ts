/**
Formats that draw one connection: SVG and Mermaid. If the results have more than one, the caller has to choose.
*/

import {layOut} from '../../drawing/lay-out.js';
import {printMermaid} from '../../drawing/mermaid.js';
import {printSvg} from '../../drawing/svg.js';
import type {Connection} from '../../drawing/connection.js';
import type {Results} from './results.js';

/** A connection that can be drawn, with the names of its case and of itself. */
type Drawable = {readonly name: string; readonly connection: Connection};

/** All connections in the results that can be drawn. */
export function drawablesOf({suites}: Pick<Results, 'suites'>): readonly Drawable[] {
	return suites.flatMap(({name: suite, cases}) => cases.flatMap(({name, pictures}) => (pictures?.() ?? []).map(({caption, connection}) => ({
		name: [...(suites.length === 1 ? [] : [suite]), name, ...(caption === '' ? [] : [caption])].join(', '), connection,
	}))));
}

/** The only connection as SVG. */
export function printOneSvg(connection: Connection): string {
	return printSvg(layOut(connection));
}

/** The only connection as a Mermaid flowchart. */
export function printOneMermaid(connection: Connection): string {
	return printMermaid(connection);
}
