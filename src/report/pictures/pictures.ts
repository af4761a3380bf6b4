/**
The pictures of a case: one for each connection.
*/

import {familyNames} from '../../netfilter/address.js';
import type {ShownMove, ShownProbe} from '../../comparison/moves.js';
import type {Representative} from '../../packet-classes/representatives.js';
import {explainLeg} from '../../judge/explain/explain-leg.js';
import {socketMarkOf} from '../../judge/explain/packet-facts.js';
import type {ProbeReport} from '../probe/types.js';
import type {LoadedRules, TypeResult} from '../run/types.js';
import {connectionOf} from './connection.js';
import type {Picture} from './picture.js';

/** The picture of a type or of a scenario's probe; none if no packet was seen or the rules are not known. */
export function pictureOfResult(result: TypeResult, loaded: LoadedRules | undefined): readonly Picture[] {
	const {id, name, family, legs, actors, loop, gaps} = result;
	if (loaded === undefined || legs.length === 0) {
		return [];
	}

	const {rules, intent} = loaded;
	return [{
		group: '',
		caption: '',
		connection: connectionOf({
			title: `${id} ${name}, ${familyNames[family]}`,
			family,
			legs,
			actors,
			explanations: legs.map((leg, index) => explainLeg(leg, rules, {mark: socketMarkOf(legs, index, intent)})),
			rules,
			isLoop: loop,
			notes: gaps.map(({message}) => `Evidence is missing: ${message}`),
		}),
	}];
}

/** The picture of an answer; none if no packet was seen. */
export function pictureOfProbe({question: {from, asked, family}, legs, actors, explanations, loop, gaps, isFirstLegOnly, loaded}: ProbeReport): readonly Picture[] {
	return loaded === undefined || legs.length === 0
		? []
		: [{
			group: '',
			caption: '',
			connection: connectionOf({
				title: `${from} to ${asked}, ${familyNames[family]}`,
				family,
				legs,
				actors,
				explanations,
				rules: loaded,
				isLoop: loop,
				notes: [...(isFirstLegOnly ? ['Only the first leg was asked for.'] : []), ...gaps.map(({message}) => `Evidence is missing: ${message}`)],
			}),
		}];
}

/** How many moves of one comparison are drawn, starting with the most severe. */
const drawnMoves = 20;

/** A packet that moved. */
export type DrawnMove = {readonly shown?: ShownMove; readonly example: Pick<Representative, 'family' | 'mark'>};

/** The example probe of each move, before and after; if it was sent through one rule set alone, its path there. */
export function picturesOfMoves(moves: readonly DrawnMove[]): readonly Picture[] {
	return moves.slice(0, drawnMoves).flatMap(({shown, example}, index) => {
		const shownProbes: ReadonlyArray<readonly [caption: string, shownProbe: ShownProbe | undefined]> = [['before', shown?.from], [shown?.from === undefined ? 'now' : 'after', shown?.to]];
		return shownProbes.flatMap(([caption, shownProbe]) => shownProbe === undefined
			? []
			: pictureOfShown(shownProbe, example, {group: `${index + 1}`, caption, title: `${moves.length === 1 ? '' : `${index + 1} `}${caption}, ${familyNames[example.family]}`}));
	});
}

/** The picture of a packet that reaches a rule. */
export function pictureOfExample({shown, example}: DrawnMove): readonly Picture[] {
	return shown === undefined ? [] : pictureOfShown(shown.to, example, {group: '', caption: '', title: `A packet that reaches it, ${familyNames[example.family]}`});
}

function pictureOfShown({ruleSet: rules, probeResult: {legs, isLoop, gaps}}: ShownProbe, {family, mark = 0}: DrawnMove['example'], {title, ...place}: Pick<Picture, 'group' | 'caption'> & {readonly title: string}): readonly Picture[] {
	const intent = rules.mesh.intentOf(rules);
	return legs.length === 0
		? []
		: [{
			...place,
			connection: connectionOf({
				title,
				family,
				legs,
				actors: {},
				explanations: legs.map((leg, index) => explainLeg(leg, rules, {mark: index === 0 ? mark : socketMarkOf(legs, index, intent)})),
				rules,
				isLoop,
				notes: gaps.map(({message}) => `Evidence is missing: ${message}`),
			}),
		}];
}
