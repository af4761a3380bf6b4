/**
A report as the JSON document of the contract (`docs/formats.md`, version 2). Optional values are null, so that every key is always present.
*/

import {
	printLegEnd, stepsOfPath, stopsOfPath, type Leg, type RuleHit, type Traversal,
} from '../../netfilter/path.js';
import type {Role} from '../../mesh/roles.js';
import type {RuleNote} from '../../judge/rule-notes.js';
import type {Cause, Difference} from '../../judge/outcome.js';
import type {LegDocument, RuleHitDocument, TraversalDocument} from '../shared-schema.js';
import {summarize} from './summary.js';
import {causesOf, describeCause, describeDifference} from './describe-differences.js';
import {
	jsonVersion, type DifferenceDocument, type NoteDocument, type ReportDocument, type ResultDocument,
} from './schema.js';
import type {Report, TypeResult} from './types.js';

/** The report as plain data for `JSON.stringify`. */
export function reportToJson(report: Report): ReportDocument {
	return {
		version: jsonVersion,
		...(report.scenario === undefined ? {} : {scenario: report.scenario}),
		environment: {...report.environment, proxy: report.environment.proxy ?? null},
		rules: report.rules,
		types: report.types.map(result => typeToJson(result)),
		others: (report.others ?? []).map(({actor, uid, gid, types}) => ({
			actor, uid, gid, types: types.map(result => typeToJson(result)),
		})),
		ruleNotes: report.ruleNotes.map(note => noteToJson(note)),
		hints: report.hints,
		summary: summarize(report),
		durationMs: report.durationMs,
	};
}

function typeToJson(result: TypeResult): ResultDocument {
	const {outcome, legs, expected, observedRoles} = result;
	return {
		id: result.id,
		name: result.name,
		family: result.family,
		actors: result.actors,
		outcome: outcome.kind,
		stops: stopsOfPath({legs}),
		path: stepsOfPath({legs}),
		loop: result.loop,
		expected: {
			stops: expected.legs.map(({stop}) => stop),
			roles: expected.legs.flatMap(({roles}) => roles ?? []),
			...(expected.path === undefined ? {} : {path: expected.path}),
			...(expected.loop === undefined ? {} : {loop: true}),
			...(expected.closed === undefined ? {} : {closed: true}),
			legs: expected.legs,
		},
		published: result.published,
		...(result.fault === undefined ? {} : {fault: result.fault}),
		differences: outcome.kind === 'fail' ? outcome.differences.map(difference => differenceToJson(difference)) : [],
		gaps: outcome.kind === 'inconclusive' ? outcome.reasons : result.gaps,
		legs: legs.map((leg, index) => legToJson(leg, observedRoles[index] ?? [])),
		roles: result.decidingRoles,
	};
}

function differenceToJson(difference: Difference): DifferenceDocument {
	const message = describeDifference(difference);
	if (!('rule' in difference)) {
		return {...difference, message};
	}

	const causes = causesOf(difference).map(cause => causeToJson(cause));
	return {
		...difference, rule: difference.rule === null ? null : hitToJson(difference.rule, difference.observedRole), causes, message,
	};
}

/** The purpose of a missing role is part of the message. */
function causeToJson(cause: Cause) {
	const message = describeCause(cause);
	if (cause.kind !== 'missing') {
		return {...cause, message};
	}

	const {purpose: _, ...rest} = cause;
	return {...rest, message};
}

function noteToJson(note: RuleNote): NoteDocument {
	return note.kind === 'missing' ? {...note, coveredBy: note.coveredBy === null ? null : hitToJson(note.coveredBy)} : note;
}

/** One leg with everything that it met, and the role of each rule. */
export function legToJson({
	actor, family, protocol, from, to, socket, traversals, end, flow,
}: Leg, roles: ReadonlyArray<Role | null>): LegDocument {
	let used = 0;
	return {
		actor,
		family,
		protocol,
		from,
		to,
		socket: socket ?? null,
		hooks: traversals.map(traversal => {
			const own = roles.slice(used, used + traversal.hits.length);
			used += traversal.hits.length;
			return traversalToJson(traversal, own);
		}),
		end: printLegEnd(end),
		...(end.kind === 'accepted' && end.handedTo !== undefined ? {handedTo: end.handedTo} : {}),
		...(end.kind === 'accepted' && end.closed !== undefined ? {closed: end.closed} : {}),
		...(flow === undefined ? {} : {flow}),
		endReason: 'reason' in end ? end.reason : null,
		...('at' in end ? {lost: {kind: end.kind, at: end.at, rule: end.by === undefined ? null : hitToJson(end.by)}} : {}),
	};
}

function traversalToJson(traversal: Traversal, roles: ReadonlyArray<Role | null>): TraversalDocument {
	return {
		hook: traversal.hook,
		table: traversal.table,
		chain: traversal.chain,
		source: traversal.source,
		destination: traversal.destination,
		inInterface: traversal.inInterface ?? null,
		outInterface: traversal.outInterface ?? null,
		rules: traversal.hits.map((hit, index) => hitToJson(hit, roles[index])),
		end: {by: traversal.end.by, verdict: traversal.end.by === 'open' ? null : traversal.end.verdict ?? null},
	};
}

function hitToJson({family, table, chain, number, handle, text, verdict}: RuleHit, role?: Role | null): RuleHitDocument {
	return {
		family, table, chain, number: number ?? null, handle: handle ?? null, role: role ?? null, text: text ?? null, verdict: verdict ?? null,
	};
}
