import {differencesBetween, readAnswers} from '../compare-answers.mjs';

/*
Whether two machines answer the same batch of probes with the same words. Pure.
*/

/**
Compares the answers of two runs of one batch, probe by probe: paths, stops, outcomes and gaps, with all their words but the ports that the kernel chose.

@param {string} reference JSON lines, as `probe --batch` prints them.
@param {string} answers The same of the machine that is tried. What cannot be read (a run that was stopped leaves half a line) is a difference.
@returns {{total: number, same: number, differences: string[]}} Each difference names the probe, and what both said.
*/
export function compareAnswers(reference, answers) {
	const expected = readAnswers(reference);
	try {
		const got = readAnswers(answers);
		const total = Math.max(expected.length, got.length);
		const differences = differencesBetween(expected, got).map(difference => difference.replaceAll(/\s+/g, ' '));
		return {total, same: total - differences.length, differences};
	} catch (error) {
		return {total: expected.length, same: 0, differences: [`the answers there cannot be read: ${error.message}`]};
	}
}
