/** Each interference (`interferences.mjs`), so many times. */

import {interferences} from './interferences.mjs';
import {faultsOf, referenceResult, sixTypes, Tally} from './runs.mjs';

function countsOf(endings) {
	return [...new Set(endings)].toSorted().map(one => `${endings.filter(other => other === one).length} × ${one}`).join(', ');
}

/** Each interference, so many times. @param {import('./runs.mjs').Task} task @returns {Promise<import('./runs.mjs').PartResult>} */
export async function interfered(task) {
	const {count, random, say, leftBehind} = task;
	const references = new Map();
	const tally = new Tally();
	const notTried = [];
	const notes = [];
	for (const {name, act, given = sixTypes, ...expected} of interferences) {
		if (!references.has(given)) {
			references.set(given, await referenceResult(task, given)); // eslint-disable-line no-await-in-loop -- As below.
		}

		const endings = [];
		for (let index = 0; index < count && !task.isOver(); index++) {
			const ended = await act(random); // eslint-disable-line no-await-in-loop -- One after another.
			if (ended === undefined) {
				notTried.push(name);
				break;
			}

			endings.push(ended.signal ?? `status ${ended.status}`);
			const left = await leftBehind(); // eslint-disable-line no-await-in-loop
			tally.add([...faultsOf(name, ended, {reference: references.get(given), mayFail: true, ...expected}), ...left.map(one => `${name}: ${one}`)]);
		}

		if (endings.length > 0) {
			notes.push(`${name}: ${countsOf(endings)}`);
			say(`${notes.at(-1)}, ${tally.faults.length} faults`);
		}
	}

	return tally.result({notTried, note: notes.join('; ')});
}
