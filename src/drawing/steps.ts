/**
A connection in words: what a drawing shows, for readers who cannot see it.
*/

import {nameOfStep, type Connection, type DrawnLeg, type Visit} from './connection.js';

/** One sentence for each step of each leg, leg by leg. */
export function describeSteps({legs}: Pick<Connection, 'legs'>): ReadonlyArray<{readonly head: string; readonly steps: readonly string[]}> {
	return legs.map((leg, index) => ({head: `Leg ${index + 1}: ${leg.sender.name}${leg.sender.about === null ? '' : ` (${leg.sender.about})`} opens a connection to ${leg.to}.`, steps: stepsOfLeg(leg)}));
}

function stepsOfLeg({visits, endName, end}: DrawnLeg): readonly string[] {
	return [...visits.flatMap(visit => stepsOfVisit(visit)), end.kind === 'accepted' ? `It arrives at ${endName}.` : `It ends: ${endName}.`];
}

function stepsOfVisit({table, chain, asked, rewrites}: Visit): readonly string[] {
	const hits = asked.filter(({state}) => state !== 'missed');
	const name = table === 'nat' ? chain : `${table}:${chain}`;
	return [
		...(hits.length === 0 ? [`${name}: no rule matched.`] : hits.map(step => `${nameOfStep(table, step)} ${step.state === 'decided' ? 'decides' : 'matches'}: ${step.text}`)),
		...rewrites.map(({what, from, to}) => `The ${what} becomes ${to} (was ${from}).`),
	];
}
