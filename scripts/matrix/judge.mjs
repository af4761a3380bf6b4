import {compareAnswers} from './compare.mjs';

/*
From what a job saw to the result of a cell. Pure. A cell passes only when every step that was asked for is there and did what it should.
*/

/**
@param {string[]} asked The names of the steps, in their order.
@param {{machine: object, steps: {name: string, ok: boolean, reason: string}[]} | undefined} seen The job's result file; undefined if there is none.
@param {string} ending How the job ended, in words.
@returns {string} `passed`, or `failed: ` with the reason.
*/
export function judgeSteps(asked, seen, ending) {
	if (seen === undefined) {
		return `failed: the job left no result (${ending})`;
	}

	const bad = seen.steps.filter(({ok}) => ok !== true);
	if (bad.length > 0) {
		return `failed: ${bad.map(({name, reason}) => `${name}: ${reason}`).join('; ')}`;
	}

	const missing = asked.filter(name => !seen.steps.some(step => step.name === name));
	return missing.length === 0 ? 'passed' : `failed: not reached: ${missing.join(', ')} (${ending})`;
}

/**
Compares the batch answers of a cell with those of the machine that the matrix runs on.

@param {Record<string, string>} reference The answers by back end.
@param {Record<string, string>} answers The answers of the cell.
@returns {{ok: boolean, reason: string, differences: string[]}}
*/
export function judgeBatch(reference, answers) {
	const compared = Object.entries(reference).map(([backend, expected]) => ({backend, ...compareAnswers(expected, answers[backend] ?? '')}));
	const total = compared.reduce((sum, {total}) => sum + total, 0);
	const same = compared.reduce((sum, {same}) => sum + same, 0);
	const differences = compared.flatMap(({backend, differences}) => differences.map(difference => `${backend}, ${difference}`));
	return {ok: total > 0 && same === total, reason: total === 0 ? 'no answers to compare with' : `${same} of ${total} answers match those of this machine`, differences};
}

/** The result of a cell, including the comparison of its batch. */
export function withBatch(result, {ok, reason, differences}) {
	if (ok) {
		return result;
	}

	const words = `batch: ${reason}${differences.length === 0 ? '' : `; first: ${differences[0]}`}`;
	return result === 'passed' ? `failed: ${words}` : `${result}; ${words}`;
}
