/**
Why two packets of one class took different paths: the first rule on the path that differs, and what happened to it from one rule set to the other.
*/

import type {MeshRules} from '../mesh/mesh.js';
import {printStep, type Leg, type RuleHit} from '../netfilter/path.js';
import type {AddressFamily, Rule} from '../netfilter/types.js';
import {decidingHitsOf, jumpTarget, type RoleHit} from '../judge/observed-roles.js';
import type {RuleChange, RuleSetDiff} from '../judge/rule-diff/rule-diff.js';

/** A rule by its place and role. */
export type NamedRule = {readonly place: string; readonly role: string | null; readonly text: string};

/** What made the difference. `order`: both rules are in both sets, but the other one decides first now. */
export type Cause = {
	readonly kind: 'added' | 'removed' | 'changed' | 'moved' | 'order' | 'not-found';
	readonly from: NamedRule | null;
	readonly to: NamedRule | null;
	/** One clause: `ISTIO_OUTPUT#6 exclude-range is new`. */
	readonly text: string;
};

type Walked = {readonly legs: readonly Leg[]; readonly ruleSet: MeshRules};
type Walks = {readonly from: Walked; readonly to: Walked; readonly family: AddressFamily};

/** Finds the first deciding rules that differ, by role, and by text if a leg ends elsewhere although the roles are the same; looks them up in the difference of the sets. */
export function findCause({diff, ...walked}: Walks & {readonly diff: RuleSetDiff}): Cause {
	return causeFinder(diff)(walked);
}

/** The same for many paths through the same two sets, whose difference is computed once. */
export function causeFinder(diff: RuleSetDiff): (walks: Walks) => Cause {
	const known = new Map<AddressFamily, Changes>();
	return walks => causeIn(walks, () => {
		const changes = known.get(walks.family) ?? changesOf(diff, walks.family);
		known.set(walks.family, changes);
		return changes;
	});
}

function causeIn({from, to}: Walks, changes: () => Changes): Cause {
	for (const [index, leg] of from.legs.entries()) {
		const other = to.legs[index];
		const [hits, otherHits] = [withoutSharedJumps(leg, from.ruleSet, {other}), other === undefined ? [] : withoutSharedJumps(other, to.ruleSet, {other: leg})];
		const isElsewhere = other !== undefined && endOf(leg) !== endOf(other);
		for (const keyOf of isElsewhere ? [roleKey, textKey] : [roleKey]) {
			for (let place = 0; place < Math.max(hits.length, otherHits.length); place++) {
				const [one, two] = [hits[place], otherHits[place]];
				if (one === undefined || two === undefined || keyOf(one) !== keyOf(two)) {
					return causeOf({one, two}, changes());
				}
			}
		}
	}

	return {
		kind: 'not-found', from: null, to: null, text: 'the same rules decided but acted differently',
	};
}

/** The deciding rules of a leg, without jumps that the other one has met as well: there nothing in the chain matched, so the difference is what matched here. */
function withoutSharedJumps(leg: Leg, ruleSet: MeshRules, {other}: {readonly other: Leg | undefined}): readonly RoleHit[] {
	const met = new Set(other?.traversals.flatMap(({hits}) => hits.map(hit => textKey({hit}))));
	return decidingHitsOf(leg, ruleSet).filter(({hit}) => jumpTarget(hit, ruleSet) === undefined || !met.has(textKey({hit})));
}

function endOf({end}: Leg): string {
	return end.kind === 'accepted' ? end.stop : end.kind;
}

function roleKey({hit, role}: RoleHit): string {
	return role ?? textKey({hit});
}

function textKey({hit}: Pick<RoleHit, 'hit'>): string {
	return `${hit.chain} ${hit.text ?? ''}`;
}

type Changes = {readonly from: ReadonlyMap<string, RuleChange>; readonly to: ReadonlyMap<string, RuleChange>};

function changesOf({chains}: RuleSetDiff, family: AddressFamily): Changes {
	const from = new Map<string, RuleChange>();
	const to = new Map<string, RuleChange>();
	for (const chain of chains) {
		if (chain.family !== family && chain.family !== 'both') {
			continue;
		}

		for (const change of chain.changes) {
			if ('from' in change && chain.from !== null) {
				from.set(placeOf(chain.from, change.from), change);
			}

			if ('to' in change && chain.to !== null) {
				to.set(placeOf(chain.to, change.to), change);
			}
		}
	}

	return {from, to};
}

function placeOf({table, chain}: {readonly table: string; readonly chain: string}, {number}: Pick<Rule, 'number'>): string {
	return printStep(table, chain, number);
}

function causeOf({one, two}: {readonly one: RoleHit | undefined; readonly two: RoleHit | undefined}, changes: Changes): Cause {
	const [before, after] = [nameOf(one), nameOf(two)];
	const sides = {from: before, to: after};
	const [mutantStatus, news] = [before === null ? undefined : changes.from.get(before.place), after === null ? undefined : changes.to.get(after.place)];
	if (news?.kind === 'added') {
		return {kind: 'added', ...sides, text: `${printName(after!)} is new`};
	}

	if (mutantStatus?.kind === 'removed') {
		return {kind: 'removed', ...sides, text: `${printName(before!)} is gone`};
	}

	for (const [change, name] of [[news, after], [mutantStatus, before]] as const) {
		if (change?.kind === 'changed') {
			return {kind: 'changed', ...sides, text: `${printName(name!)} changed: ${change.values.map(({name: field, from, to}) => `${field} ${from ?? 'any'} → ${to ?? 'any'}`).join('; ')}`};
		}

		if (change?.kind === 'moved') {
			return {kind: 'moved', ...sides, text: `${change.role ?? change.to.text} moved from #${change.from.number} to #${change.to.number} of ${change.to.chain}`};
		}
	}

	return {kind: 'order', ...sides, text: `${before === null ? 'no rule' : printName(before)} decided, now ${after === null ? 'none does' : printName(after)}`};
}

function nameOf(found: RoleHit | undefined): NamedRule | null {
	return found === undefined ? null : {place: printPlace(found.hit), role: found.role, text: found.hit.text ?? ''};
}

function printPlace({table, chain, number}: RuleHit): string {
	return printStep(table, chain, number ?? '?');
}

function printName({place, role, text}: NamedRule): string {
	return `${place} ${role ?? `(${text})`}`;
}
