/**
What the stub and another proxy did with the same connection, compared: the same stops, and for each leg the same rules. Ports that the kernel chose, handles and packet numbers are no part of that.
*/

import {printHitPlace, printLegEnd, type Leg} from '../../../src/netfilter/path.js';
import type {RunEntry} from '../../../src/report/run/many.js';
import {allResults} from '../../../src/report/run/summary.js';
import type {Report, TypeResult} from '../../../src/report/run/types.js';

/** One connection, by the names of its case: the same for both proxies. */
export type ConnectionName = {readonly case: string; readonly backend: string; readonly connection: string};

/** The result of comparing one connection. `inconclusive`: one of the two cannot be trusted, and `reasons` says why. */
export type Comparison = ConnectionName & (
	| {readonly kind: 'equal'}
	| {readonly kind: 'different'; readonly stub: readonly string[]; readonly other: readonly string[]}
	| {readonly kind: 'inconclusive'; readonly whose: 'stub' | 'other'; readonly reasons: readonly string[]}
);

/** A leg as one text: who opened it in which family, from which address, what it met in each chain, and its end. */
export function printLeg(leg: Leg): string {
	const traversals = leg.traversals.map(({hook, family, table, chain, hits}) => {
		const met = hits.map(hit => printHitPlace(hit));
		return `${hook} ${family} ${table} ${chain}: ${met.length === 0 ? 'nothing' : met.join(', ')}`;
	});
	const {kind, ...end} = leg.end;
	const closed = 'closed' in end && end.closed !== undefined ? ` (closed: ${end.closed})` : '';
	const handed = 'handedTo' in end && end.handedTo !== undefined ? ` (for ${end.handedTo})` : '';
	// The reason of an unreachable address is told in words that differ from program to program.
	const ending = kind === 'unreachable' ? kind : `${printLegEnd(leg.end)}${handed}${closed}`;
	return [`${leg.actor} ${leg.socket === undefined ? '' : `${leg.socket.uid}:${leg.socket.gid} `}from ${leg.from.address} to ${leg.to.address} ${leg.to.port}`, ...traversals, `→ ${ending}`].join(' | ');
}

function pathOf({legs, loop}: TypeResult): readonly string[] {
	// How far a loop is followed says nothing about it.
	return loop ? ['loop', ...legs.slice(0, loopLegs).map(leg => printLeg(leg))] : legs.map(leg => printLeg(leg));
}

/** So many legs of a loop are compared. */
const loopLegs = 4;

function nameOf({id, name, family}: TypeResult): string {
	return `${id === name ? id : `${id} ${name}`} ${family}`;
}

/** Compares two reports of one case. */
export function compareReports(named: Omit<ConnectionName, 'connection'>, {stub, other: otherReport}: {readonly stub: Report; readonly other: Report}): readonly Comparison[] {
	const theirs = new Map(allResults(otherReport).map(result => [nameOf(result), result] as const));
	return allResults(stub).map((ours): Comparison => {
		const connection = nameOf(ours);
		const known = {...named, connection};
		const other = theirs.get(connection);
		if (other === undefined) {
			return {
				...known, kind: 'inconclusive', whose: 'other', reasons: ['it is not in the report'],
			};
		}

		for (const [whose, {outcome}] of [['stub', ours], ['other', other]] as const) {
			if (outcome.kind === 'inconclusive') {
				return {
					...known, kind: 'inconclusive', whose, reasons: outcome.reasons.map(({kind, message}) => `${kind}: ${message}`),
				};
			}
		}

		const [stubs, others] = [pathOf(ours), pathOf(other)];
		return JSON.stringify(stubs) === JSON.stringify(others)
			? {...known, kind: 'equal'}
			: {
				...known, kind: 'different', stub: stubs, other: others,
			};
	});
}

/** Compares two entries of one case, which may have no report. Where neither can exist there is nothing to compare. */
export function compareEntries(named: Omit<ConnectionName, 'connection'>, {stub, other}: {readonly stub: RunEntry; readonly other: RunEntry}): readonly Comparison[] {
	if (stub.kind === 'report' && other.kind === 'report') {
		return compareReports(named, {stub: stub.report, other: other.report});
	}

	const [whose, without] = stub.kind === 'report' ? ['other', other] as const : ['stub', stub] as const;
	return [{
		...named, connection: 'all', kind: 'inconclusive', whose, reasons: [without.kind === 'report' ? '' : without.reason],
	}];
}
