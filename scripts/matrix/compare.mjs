import {differencesBetween, readAnswers} from '../compare-answers.mjs';

/*
Whether two machines answer the same batch of probes with the same words. Pure.
*/

/**
Compares the answers of two runs of one batch, probe by probe: paths, stops, outcomes and gaps, with their full text except ports chosen by the kernel.

@param {string} reference JSON lines, as `probe --batch` prints them.
@param {string} answers The same from the tested machine. A line that cannot be parsed (an aborted run may leave half a line) counts as a difference.
@returns {{total: number, same: number, differences: string[]}} Each difference names the probe and both answers.
*/
export function compareAnswers(reference, answers) {
	const expected = readAnswers(reference);
	try {
		const got = readAnswers(answers);
		const total = Math.max(expected.length, got.length);
		const differences = differencesBetween(expected, got).map(difference => difference.replaceAll(/\s+/g, ' '));
		return {total, same: total - differences.length, differences};
	} catch (error) {
		return {total: expected.length, same: 0, differences: [`its answers cannot be parsed: ${error.message}`]};
	}
}
