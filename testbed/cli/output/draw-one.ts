/**
Formats that draw one connection, for results that may have several or none.
*/

import {drawablesOf, printOneMermaid, printOneSvg} from '../../../src/report/formats/one-connection.js';
import type {Connection} from '../../../src/drawing/connection.js';
import type {Results} from '../../../src/report/formats/results.js';
import {TestbedError} from '../../errors.js';
import {drawings, type Format} from '../parsers.js';
import {wantedReports, type PrintFlags} from './destinations.js';

/** How many connections the message about too many of them names. */
const namedMax = 8;

/** How to get a run of one connection. */
const howToChoose = 'Select one type (--types 2), one --family, one back end and one rule set; or draw all of them with --format html. testbed probe sends a single connection.';

const printers: Readonly<Record<typeof drawings[number], (connection: Connection) => string>> = {svg: printOneSvg, mermaid: printOneMermaid};

/** Whether a format draws one connection. */
export function drawsOne(format: Format): boolean {
	return (drawings as readonly Format[]).includes(format);
}

/**
Refuses to draw a run that is known beforehand not to have exactly one connection.

@throws {TestbedError} USAGE.
*/
export function checkDrawable(flags: PrintFlags, connections: number): void {
	const drawing = wantedReports(flags).find(({format}) => drawsOne(format));
	if (drawing !== undefined && connections !== 1) {
		throw new TestbedError('USAGE', {message: `${drawing.format} draws one connection, but this run has ${connections}.`, state: 'Nothing was run.', hint: howToChoose});
	}
}

/**
The only connection of some results.

@throws {TestbedError} USAGE if there are several, ACTOR_FAILED if the kernel showed none: only observed packets are drawn.
*/
export function drawOne(results: Results, format: typeof drawings[number]): string {
	const all = drawablesOf(results);
	const [only, ...others] = all;
	if (only === undefined) {
		throw new TestbedError('ACTOR_FAILED', {message: `No packet was seen, so there is nothing to draw as ${format}.`, hint: 'Use another format: the report says what is missing.'});
	}

	if (others.length > 0) {
		const names = all.slice(0, namedMax).map(({name}) => name);
		throw new TestbedError('USAGE', {message: `${format} draws one connection, but there are ${all.length}: ${names.join('; ')}${all.length > namedMax ? ' …' : ''}.`, hint: howToChoose});
	}

	return printers[format](only.connection);
}
