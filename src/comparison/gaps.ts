/**
Why what the probes of the classes show may not be all: packets that cannot be sent, conditions that are not understood, and a kernel that does something else than our reading of the rules.
*/

import type {Gap} from '../trace/gap.js';
import type {ClassSet, LeftOutClasses, PacketClass} from '../packet-classes/classify.js';
import type {Representative} from '../packet-classes/representatives.js';
import type {PathCondition, WalkedRule} from '../packet-classes/symbolic-walk.js';
import {type ProbeResult, describeClasses} from './moves.js';

/** How many rules or packets a sentence names. */
const namedMax = 3;

/**
What the classes themselves leave open: conditions that are not understood on the path of any class; classes that no probe can be, unless every rule set treats them alike by our reading. `places`: of these rule sets only.
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
		...(names.length === 0 ? [] : [{kind: 'not-sent', message: `${classSet.fields.family}: what ${listOf(names)} asks for is not understood, so no packets were made for it.`} satisfies Gap]),
		...classSet.leftOut.flatMap(left => gapOfLeftOut(left, {classSet, places})),
	];
}

function gapOfLeftOut({kind, because, classes}: LeftOutClasses, {classSet, places}: {readonly classSet: ClassSet; readonly places: readonly number[] | undefined}): readonly Gap[] {
	const different = kind === 'cannot-occur' ? [] : classes.filter(({predicted}) => !isPredictedAlike(among(predicted, places)));
	return different.length === 0 ? [] : [{kind: 'not-sent', message: `${classSet.fields.family}: not asked of the kernel: ${listOf(describeClasses(different, classSet))}; ${because}.`}];
}

/** Of the rule sets that were cut together, those that are asked for. */
function among<Each>(all: readonly Each[], places: readonly number[] | undefined): readonly Each[] {
	return places === undefined ? all : places.map(place => all[place]!);
}

/** Whether all rule sets have the same for a class, rule by rule. One that is alone is alike. */
function isPredictedAlike(predicted: PacketClass['predicted']): boolean {
	const pathSummaries = predicted.map(each => describePath(each));
	return pathSummaries.every(pathSummary => pathSummary !== undefined && pathSummary === pathSummaries[0]);
}

function describePath({hits}: Omit<PathCondition, 'packetSet'>): string | undefined {
	return hits?.map(({table, chain, text}) => `${table} ${chain} ${text}`).join('\n');
}

/** Where the kernel's path is not the predicted one: the classes are divided by that prediction. `place`: which of the rule sets. */
export function gapsOfReading({classSet, representatives, probeResults, place}: {
	readonly classSet: ClassSet; readonly representatives: readonly Representative[]; readonly probeResults: readonly ProbeResult[]; readonly place: number;
}): readonly Gap[] {
	const differing = representatives.flatMap((representative, index): readonly string[] => {
		const [leg] = probeResults[index]!.legs;
		const wanted = classSet.classes[representative.index]!.predicted[place]!.hits?.map(rule => nameOf(rule)).join(' > ');
		const met = leg?.traversals.flatMap(({hits}) => hits.map(hit => nameOf(hit))).join(' > ');
		return wanted === undefined || met === undefined || wanted === met ? [] : [`${printRepresentative(representative)} met ${met === '' ? 'no rule' : met} and not ${wanted === '' ? 'none' : wanted}`];
	});
	return differing.length === 0 ? [] : [{kind: 'reading', message: `The model and the kernel disagree, so packets may be in the wrong class: ${listOf(differing)}.`}];
}

/** A probe in short, for a message. */
export function printRepresentative({origin, protocol, uid, gid, destination: {address, port}, source, family}: Representative): string {
	const to = family === 'ipv6' ? `[${address}]:${port}` : `${address}:${port}`;
	return `${protocol} ${origin === 'pod' ? `of ${uid ?? '?'}:${gid ?? '?'}` : 'from outside'}${source === undefined ? '' : ` from ${source}`} to ${to}`;
}

function nameOf({table, chain, number}: Pick<WalkedRule, 'table' | 'chain'> & {readonly number: number | undefined}): string {
	return `${table} ${chain}#${number ?? '?'}`;
}

function listOf(items: readonly string[]): string {
	return `${items.slice(0, namedMax).join('; ')}${items.length > namedMax ? ` and ${items.length - namedMax} more` : ''}`;
}
