/**
A comparison as JSON, version 1 of the contract in `docs/formats.md`.
*/

import {printReplay} from '../terminal/probe-command.js';
import type {ComparisonDocument} from './schema.js';
import type {ComparisonReport} from './types.js';

/** Plain data for `JSON.stringify`. */
export function comparisonToJson({environment, from, to, outcome, families, statements, gaps, replayWith, hints, drift, durationMs}: ComparisonReport): ComparisonDocument {
	return {
		version: 1,
		environment,
		from,
		to,
		outcome,
		compared: families,
		moved: statements.map(({severity, families: of, traffic, from: was, to: is, cause, classes, example: {index: _, kind, ...probe}}) => ({
			severity,
			families: of,
			traffic,
			was,
			is,
			because: cause,
			classes,
			witness: {kind, ...probe},
			replay: {from: printReplay({index: 0, kind, ...probe}, from, {more: replayWith.from}), to: printReplay({index: 0, kind, ...probe}, to, {more: replayWith.to})},
		})),
		gaps,
		hints,
		...(drift === undefined ? {} : {drift}),
		summary: {
			classes: families.reduce((sum, {classes}) => sum + classes, 0),
			probes: families.reduce((sum, {probes}) => sum + probes, 0),
			moved: statements.reduce((sum, {classes}) => sum + classes, 0),
		},
		durationMs,
	};
}
