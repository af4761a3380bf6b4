/**
Random results, with all that a text can hold: halves of surrogate pairs, control characters, and what each format takes for its own.
*/

import fc from 'fast-check';
import type {CaseOutcome, ResultCase, Results} from '../../src/report/formats/results.js';

/** Any text at all. */
export const anyText = fc.oneof(
	fc.string({unit: fc.integer({min: 0, max: 0xFF_FF}).map(unit => String.fromCodePoint(unit))}),
	fc.string({unit: 'binary'}),
	fc.array(fc.constantFrom('|', '\\', '`', '```', '<code>', '</details>', '&#124;', '&amp;', ']]>', '<![CDATA[', '::', ':', ',', '=', '%', '%0A', '%25', '\r', '\n', '\r\n', '\t', '\u0000', '\u001B', '\uFFFE', '\u2028', '\u0085', '"', '\'', '# SKIP', '@all', ' ', 'a', 'true', '')).map(parts => parts.join('')),
);

const outcome: fc.Arbitrary<CaseOutcome> = fc.oneof(
	fc.constant({kind: 'pass' as const}),
	fc.record({kind: fc.constantFrom('fail' as const, 'inconclusive' as const), message: anyText, reasons: fc.array(anyText, {maxLength: 3})}),
	fc.record({kind: fc.constant('unavailable' as const), message: anyText}),
);

const resultCase = fc.record({
	name: anyText,
	outcome,
	expected: anyText,
	observed: anyText,
	notes: fc.array(fc.tuple(fc.constantFrom('path', 'article'), anyText), {maxLength: 2}),
	place: fc.record({file: anyText, line: fc.integer({min: 1, max: 100_000})}, {requiredKeys: ['file']}),
	durationMs: fc.integer({min: 0, max: 10_000_000}),
}, {requiredKeys: ['name', 'outcome']}) as fc.Arbitrary<ResultCase>;

/** Any results at all. */
export const anyResults = fc.record({
	name: anyText,
	suites: fc.array(fc.record({
		name: anyText,
		about: anyText,
		properties: fc.dictionary(fc.constantFrom('rules', 'backend', 'kernel'), anyText),
		cases: fc.array(resultCase, {maxLength: 4}),
		hints: fc.array(anyText, {maxLength: 2}),
		durationMs: fc.integer({min: 0, max: 10_000_000}),
	}, {requiredKeys: ['name', 'properties', 'cases', 'durationMs']}), {maxLength: 3}),
	durationMs: fc.integer({min: 0, max: 10_000_000}),
}) as fc.Arbitrary<Results>;
