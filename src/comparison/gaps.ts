/**
Why the probes of the classes may not show everything: packets that cannot be sent, conditions that are not understood, and a kernel that does something other than the model of the rules.
*/

import type {Leg} from '../netfilter/path.js';
import type {Gap} from '../trace/gap.js';
import type {ClassSet, LeftOutClasses} from '../packet-classes/classify.js';
import type {Representative} from '../packet-classes/representatives.js';
import {isPredictedAlike} from '../packet-classes/predicted.js';
import type {WalkedRule} from '../packet-classes/symbolic-walk.js';
import {finish, type Steps} from '../packet-classes/steps.js';
import {type ProbeResult, describeClasses} from './moves.js';

/** How many rules or packets a sentence names. */
const namedMax = 3;

/**
Gaps of the classes themselves: conditions that are not understood on the path of any class; classes that cannot be probes, unless every rule set treats them alike according to the model. `places`: only for these rule sets.
*/
export function gapsOfClasses(classSet: ClassSet, places?: readonly number[]): readonly Gap[] {
	const doubts = new Map<string, WalkedRule>();
	for (const {predicted} of classSet.classes) {
		for (const rule of among(predicted, places).flatMap(each => each.doubts)) {
			doubts.set(nameOf(rule), rule);
		}
	}

	const names = [...doubts].map(([name, {text}]) => `${name} (${text})`);
	return [
		...(names.length === 0 ? [] : [{kind: 'not-sent', message: `${classSet.fields.family}: ${listOf(names)} ${names.length === 1 ? 'is' : 'are'} not understood, so no packets were made for ${names.length === 1 ? 'it' : 'them'}.`} satisfies Gap]),
		...classSet.leftOut.flatMap(left => gapOfLeftOut(left, {classSet, places})),
	];
}

function gapOfLeftOut({kind, because, classes}: LeftOutClasses, {classSet, places}: {readonly classSet: ClassSet; readonly places: readonly number[] | undefined}): readonly Gap[] {
	const different = kind === 'cannot-occur' ? [] : classes.filter(({predicted}) => !isPredictedAlike(among(predicted, places)));
	return different.length === 0 ? [] : [{kind: 'not-sent', message: `${classSet.fields.family}: not tested: ${listOf(describeClasses(different, classSet))}; ${because}.`}];
}

/** The requested ones of the rule sets that were classified together. */
function among<Each>(all: readonly Each[], places: readonly number[] | undefined): readonly Each[] {
	return places === undefined ? all : places.map(place => all[place]!);
}

/** Where the kernel's path is not the predicted one: the classes depend on that prediction. `place`: which of the rule sets. */
export function gapsOfReading(read: Read): readonly Gap[] {
	return finish(readingGapsInSteps(read));
}

type Read = {readonly classSet: ClassSet; readonly representatives: readonly Representative[]; readonly probeResults: readonly ProbeResult[]; readonly place: number};

/** How many probe results are processed between two pauses. */
const turn = 500;

/** The same as a computation that can pause. */
export function * readingGapsInSteps({classSet, representatives, probeResults, place}: Read): Steps<readonly Gap[]> {
	const differing: string[] = [];
	for (const [index, representative] of representatives.entries()) {
		if (index % turn === turn - 1) {
			yield;
		}

		const [leg] = probeResults[index]!.legs;
		const wanted = classSet.classes[representative.index]!.predicted[place]!.hits;
		if (wanted !== undefined && leg !== undefined && !isMet(wanted, leg)) {
			const [met, missed] = [leg.traversals.flatMap(({hits}) => hits), wanted].map(rules => rules.map(rule => nameOf(rule)).join(' > '));
			differing.push(`${printRepresentative(representative)} met ${met === '' ? 'no rule' : met!} and not ${missed === '' ? 'none' : missed!}`);
		}
	}

	return differing.length === 0 ? [] : [{kind: 'reading', message: `The model and the kernel disagree, so packets may be in the wrong class: ${listOf(differing)}.`}];
}

/** Whether a leg met these rules, and no others. */
function isMet(wanted: readonly WalkedRule[], {traversals}: Leg): boolean {
	let count = 0;
	for (const {hits} of traversals) {
		for (const {table, chain, number} of hits) {
			const rule = wanted[count++];
			if (rule === undefined || rule.number !== number || rule.chain !== chain || rule.table !== table) {
				return false;
			}
		}
	}

	return count === wanted.length;
}

/** A probe in short, for a message. */
export function printRepresentative({origin, protocol, uid, gid, destination: {address, port}, source, bindDevice, family}: Representative): string {
	const to = family === 'ipv6' ? `[${address}]:${port}` : `${address}:${port}`;
	return `${protocol} ${origin === 'pod' ? `of ${uid ?? '?'}:${gid ?? '?'}` : 'from outside'}${source === undefined ? '' : ` from ${source}`}${bindDevice === undefined ? '' : ` bound to ${bindDevice}`} to ${to}`;
}

function nameOf({table, chain, number}: Pick<WalkedRule, 'table' | 'chain'> & {readonly number: number | undefined}): string {
	return `${table} ${chain}#${number ?? '?'}`;
}

function listOf(items: readonly string[]): string {
	return `${items.slice(0, namedMax).join('; ')}${items.length > namedMax ? ` and ${items.length - namedMax} more` : ''}`;
}
