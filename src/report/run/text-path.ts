/**
A path for a terminal: leg by leg, each step with the rule that matched.
*/

import {
	actorOfStop, printEndpoint, printLegEnd, printStep, stepsOfTraversal, type Leg, type Traversal,
} from '../../netfilter/path.js';
import type {Role} from '../../mesh/roles.js';
import {hang, paragraph, piecesOfRule} from '../terminal/wrap.js';
import type {Painter} from '../terminal/colors.js';
import {describeClosing, describeHandOver, nameOfHit} from './describe-differences.js';
import type {TypeResult} from './types.js';

/** Print options. */
export type Style = {readonly paint: Painter; readonly verbose: boolean; readonly width: number};

const legIndent = 4;
/** The column where the steps of a leg begin. */
export const stepIndent = 6;
/** Wide enough for the longest step of a default sidecar, `ISTIO_IN_REDIRECT#1`, and a gap. */
const stepColumn = 21;

/** Wide enough for the longest hook, `postrouting`, and a gap. */
const hookColumn = 13;

/** Prints the part of a leg between its heading and its end. `index` counts from 0; `column` is the width of the longest step of the path. */
export type LegBody = (leg: Leg, index: number, style: LegStyle) => readonly string[];

/** All legs, each with its traversals unless another body is given. The rounds of a loop are printed once. */
export function printPath({legs, observedRoles}: Pick<TypeResult, 'legs' | 'observedRoles'>, style: Style, printBody?: LegBody): readonly string[] {
	const body = printBody ?? ((leg, index, legStyle) => printTraversals(leg, observedRoles[index] ?? [], legStyle));
	const {start, length, rounds} = repetitionOf(legs.map(leg => signatureOf(leg)));
	const column = Math.max(stepColumn, ...legs.flatMap(({traversals}) => traversals.flatMap(traversal => stepsOfTraversal(traversal).map(step => step.length + 2))));
	return legs.flatMap((leg, index) => {
		const isRepeated = index >= start + length && index < start + (length * rounds);
		if (isRepeated && !style.verbose) {
			return index === start + length ? paragraph(`… ${rounds - 1} more times: ${nameOfRound(legs.slice(start, start + length))}`, {indent: legIndent, width: style.width, paint: style.paint.yellow}) : [];
		}

		const legStyle = {...style, column};
		return printLeg(leg, body(leg, index, legStyle), legStyle);
	});
}

function nameOfRound(legs: readonly Leg[]): string {
	return legs.map(({actor, end}) => `${actor} → ${printLegEnd(end)}`).join(', ');
}

function signatureOf({actor, traversals, end}: Leg): string {
	return [actor, ...traversals.flatMap(traversal => stepsOfTraversal(traversal)), printLegEnd(end)].join(' > ');
}

/** The part of a list that repeats: `length` items from `start`, `rounds` times. If nothing repeats, the whole list is one round. */
export function repetitionOf(items: readonly string[]): {readonly start: number; readonly length: number; readonly rounds: number} {
	let best = {start: 0, length: items.length, rounds: 1};
	for (let length = 1; length <= items.length / 2; length++) {
		for (let start = 0; start + (2 * length) <= items.length; start++) {
			let end = start + length;
			while (end < items.length && items[end] === items[end - length]) {
				end++;
			}

			const rounds = Math.floor((end - start) / length);
			if (rounds > 1 && (rounds - 1) * length > (best.rounds - 1) * best.length) {
				best = {start, length, rounds};
			}
		}
	}

	return best;
}

/** The style of a leg's lines. */
export type LegStyle = Style & {readonly column: number};

function printLeg(leg: Leg, body: readonly string[], style: LegStyle): readonly string[] {
	const {paint, width, verbose} = style;
	const owner = leg.socket === undefined ? '' : ` (uid ${leg.socket.uid}, gid ${leg.socket.gid})`;
	// The kernel chooses the source port. Leaving it out makes the text of two runs identical.
	const from = verbose ? printEndpoint(leg.from) : leg.from.address;
	return [
		...hang({
			indent: legIndent, label: `${leg.actor}${owner}`, column: leg.actor.length + owner.length + 2, text: [from, `→ ${printEndpoint(leg.to)}`], width, paintLabel: paint.bold,
		}),
		...body,
		...printEnd(leg, style),
	];
}

function printTraversals({traversals}: Leg, roles: ReadonlyArray<Role | null>, style: LegStyle): readonly string[] {
	let used = 0;
	return traversals.flatMap(traversal => {
		const own = roles.slice(used, used + traversal.hits.length);
		used += traversal.hits.length;
		return printTraversal(traversal, own, style);
	});
}

function printEnd({end}: Leg, {paint, width}: Style): readonly string[] {
	if (end.kind === 'accepted') {
		const {stop, handedTo, closed} = end;
		return [
			`${' '.repeat(stepIndent)}${paint.green(`→ ${stop}`)}`,
			...(handedTo === undefined ? [] : paragraph(describeHandOver(handedTo), {indent: stepIndent + 2, width})),
			...(closed === undefined ? [] : paragraph(`closed by the ${actorOfStop(stop)}: ${describeClosing(closed)}`, {indent: stepIndent + 2, width, paint: paint.yellow})),
		];
	}

	return paragraph(`→ ${printLegEnd(end)}${'reason' in end ? `: ${end.reason}` : ''}`, {indent: stepIndent, width, paint: paint.red});
}

function printTraversal(traversal: Traversal, roles: ReadonlyArray<Role | null>, style: LegStyle): readonly string[] {
	const {paint, column, width, verbose} = style;
	const indent = verbose ? stepIndent + 2 : stepIndent;
	const steps = traversal.hits.length === 0
		? hang({
			indent, label: printStep(traversal.table, traversal.chain), column, text: 'no rule matched', width, paintLabel: paint.dim, paintText: paint.dim,
		})
		: traversal.hits.flatMap((hit, index) => [
			...hang({
				indent, label: nameOfHit(hit), column, text: piecesOfRule(hit.text ?? 'a rule that is not in the installed set'), width, paintLabel: paint.cyan,
			}),
			...(verbose ? paragraph(`${roles[index] ?? 'no known role'}${hit.handle === undefined ? '' : `, handle ${hit.handle}`}${hit.verdict === undefined ? '' : `, ${hit.verdict}`}`, {indent: indent + column, width, paint: paint.dim}) : []),
		]);
	return verbose ? [...printHook(traversal, style), ...steps, ...paragraph(printTraversalEnd(traversal), {indent, width, paint: paint.dim})] : steps;
}

/** Where a packet was, and with which addresses. */
export function printHook({hook, family, table, chain, inInterface, outInterface, source, destination}: Traversal, {paint, width}: Style): readonly string[] {
	const devices = [...(inInterface === undefined ? [] : [`in ${inInterface},`]), ...(outInterface === undefined ? [] : [`out ${outInterface},`])];
	return hang({
		indent: stepIndent, label: hook, column: hookColumn, text: [`${family} ${table} ${chain},`, ...devices, printEndpoint(source), `→ ${printEndpoint(destination)}`], width, paintText: paint.dim,
	});
}

/** How a base chain was left. */
export function printTraversalEnd({end}: Pick<Traversal, 'end'>): string {
	if (end.by === 'open') {
		return 'the trace does not say how this chain was left';
	}

	return `left by ${end.by === 'rule' ? 'its last rule' : 'the policy'}${end.verdict === undefined ? '' : `: ${end.verdict}`}`;
}
