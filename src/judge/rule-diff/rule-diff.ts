/**
The difference of two rule sets by what the rules mean and what they are for, not by their numbers or their spelling.
*/

import type {MeshRules} from '../../mesh/mesh.js';
import {baseChainOf} from '../../netfilter/built-in.js';
import type {
	AddressFamily, Family, Rule, Table, TableObject,
} from '../../netfilter/types.js';
import type {Role} from '../../mesh/roles.js';
import {align} from './alignment.js';
import type {FieldName} from './fields.js';
import {
	renamedChains, viewRules, viewSets, type DiffFamily, type Sides, type ViewedChain, type ViewedRule, type ViewedTable,
} from './view.js';

export type {DiffFamily} from './view.js';

/** A value that differs; null if one set has none. */
export type ValueDifference<Name extends string = string> = {readonly name: Name; readonly from: string | null; readonly to: string | null};

/** What happened to one rule. Numbers and texts are those of the given sets. */
export type RuleChange =
	/** The same rule, in a different order relative to the unchanged rules. */
	| {readonly kind: 'moved'; readonly role: Role | null; readonly from: Rule; readonly to: Rule}
	/** A rule for the same role, or a foreign one of the same form, between the same neighbors. */
	| {readonly kind: 'changed'; readonly role: Role | null; readonly from: Rule; readonly to: Rule; readonly values: ReadonlyArray<ValueDifference<FieldName>>}
	| {readonly kind: 'removed'; readonly role: Role | null; readonly from: Rule}
	| {readonly kind: 'added'; readonly role: Role | null; readonly to: Rule};

/** The place of a chain in one set, by its own names. */
export type ChainPlace = {readonly table: string; readonly chain: string};

/** A chain that differs. `from` or `to` is null if the chain is in one set only; two names mean that it was renamed, or is the counterpart in another back end. */
export type ChainDiff = {
	readonly family: DiffFamily;
	readonly from: ChainPlace | null;
	readonly to: ChainPlace | null;
	readonly isRenamed: boolean;
	/** Policy, hook, priority and type of a base chain. */
	readonly properties: readonly ValueDifference[];
	/** In the order of the new chain; a removed rule is listed where it was. */
	readonly changes: readonly RuleChange[];
};

/** A set, map or other object of a native table that differs. */
export type ObjectDiff = {readonly family: Family; readonly table: string; readonly kind: string; readonly name: string; readonly from: string | null; readonly to: string | null};

/** The whole difference. Equal sets have empty lists; `same` counts the rules that are in both. */
export type RuleSetDiff = {
	readonly compared: {readonly from: number; readonly to: number; readonly same: number};
	readonly chains: readonly ChainDiff[];
	readonly objects: readonly ObjectDiff[];
};

/** Compares two sets. `families` are those that both were read for. */
export function diffRuleSets(sets: Sides<MeshRules>, families: readonly AddressFamily[]): RuleSetDiff {
	const sides = viewSets(sets, families);
	const compared = {from: countRules(sides.from), to: countRules(sides.to)};
	const pairs = pairTables(sides);
	const chains = pairs.flatMap(pair => diffTable(pair));
	const changes = chains.flatMap(chain => chain.changes);
	return {
		compared: {...compared, same: compared.to - changes.filter(({kind}) => kind !== 'removed').length},
		chains,
		objects: diffObjects(sides),
	};
}

/** Whether two sets are equal in everything that was compared. */
export function isEqualDiff({chains, objects}: RuleSetDiff): boolean {
	return chains.length === 0 && objects.length === 0;
}

function countRules(tables: readonly ViewedTable[]): number {
	return tables.flatMap(({chains}) => chains.map(({rules}) => rules.length)).reduce((sum, count) => sum + count, 0);
}

type Half<Value> = {readonly from: Value | undefined; readonly to: Value | undefined};

/** Tables of the new set in their order, then removed ones. */
function pairTables({from, to}: Sides<readonly ViewedTable[]>): ReadonlyArray<Half<ViewedTable>> {
	const placeOf = ({family, counterpart}: ViewedTable): string => `${family} ${counterpart}`;
	const old = new Map(from.map(table => [placeOf(table), table]));
	const fresh = new Set(to.map(table => placeOf(table)));
	return [
		...to.map(table => ({from: old.get(placeOf(table)), to: table})),
		...from.filter(table => !fresh.has(placeOf(table))).map(table => ({from: table, to: undefined})),
	];
}

function diffTable({from, to}: Half<ViewedTable>): readonly ChainDiff[] {
	const renamed = from === undefined || to === undefined ? new Map<string, string>() : renamedChains({from, to});
	const rename = (counterpart: string): string => renamed.get(counterpart) ?? counterpart;
	const old = new Map((from?.chains ?? []).map(chain => [rename(chain.counterpart), chain]));
	const fresh = new Set((to?.chains ?? []).map(({counterpart}) => counterpart));
	const pairs: ReadonlyArray<Half<ViewedChain>> = [
		...(to?.chains ?? []).map(chain => ({from: old.get(chain.counterpart), to: chain})),
		...(from?.chains ?? []).filter(chain => !fresh.has(rename(chain.counterpart))).map(chain => ({from: chain, to: undefined})),
	];
	return pairs.flatMap(pair => {
		const chain = diffChain(pair, {rename, isRenamed: pair.from !== undefined && renamed.has(pair.from.counterpart), family: (to ?? from)?.family ?? 'both'});
		return isDifferent(chain) || isLoneUserChain(pair) ? [chain] : [];
	});
}

type ChainContext = {readonly rename: (counterpart: string) => string; readonly isRenamed: boolean; readonly family: DiffFamily};

function diffChain(pair: Half<ViewedChain>, {rename, isRenamed, family}: ChainContext): ChainDiff {
	const from = pair.from === undefined ? [] : viewRules(pair.from, rename);
	const to = pair.to === undefined ? [] : viewRules(pair.to, counterpart => counterpart);
	return {
		family, from: placeOfChain(pair.from), to: placeOfChain(pair.to), isRenamed, properties: diffProperties(pair), changes: diffRules({from, to}),
	};
}

function placeOfChain(chain: ViewedChain | undefined): ChainPlace | null {
	return chain === undefined ? null : {table: chain.table.name, chain: chain.chain.name};
}

function isDifferent({isRenamed, properties, changes}: ChainDiff): boolean {
	return isRenamed || properties.length > 0 || changes.length > 0;
}

/** Whether it is an empty chain in one set only. An empty base chain that accepts has no effect there, whether it is listed or not. */
function isLoneUserChain({from, to}: Half<ViewedChain>): boolean {
	const lone = from === undefined ? to : (to === undefined ? from : undefined);
	return lone?.chain.rules.length === 0 && baseChainOf(lone.table, lone.chain) === undefined;
}

function diffProperties({from, to}: Half<ViewedChain>): readonly ValueDifference[] {
	const [old, fresh] = [propertiesOf(from ?? to), propertiesOf(to ?? from)];
	const policies = {from: policyOf(from, to), to: policyOf(to, from)};
	return [
		...(policies.from === policies.to ? [] : [{name: 'policy', ...policies}]),
		...['type', 'hook', 'priority'].flatMap(name => {
			const [one, other] = [old.get(name) ?? null, fresh.get(name) ?? null];
			return one === other ? [] : [{name, from: one, to: other}];
		}),
	];
}

function propertiesOf(viewed: ViewedChain | undefined): ReadonlyMap<string, string> {
	const base = viewed === undefined ? undefined : baseChainOf(viewed.table, viewed.chain);
	return new Map(base === undefined ? [] : [['type', base.type], ['hook', base.hook], ['priority', String(base.priority)]]);
}

/** A base chain without a policy accepts (nft(8), CHAINS), and a missing one is like that. */
function policyOf(viewed: ViewedChain | undefined, other: ViewedChain | undefined): string | null {
	const known = viewed ?? other;
	const isBase = known !== undefined && baseChainOf(known.table, known.chain) !== undefined;
	return isBase ? viewed?.chain.policy ?? 'ACCEPT' : null;
}

function diffRules({from, to}: Sides<readonly ViewedRule[]>): readonly RuleChange[] {
	const {inPlace, moved} = align(from, to);
	const origin = new Map([...inPlace, ...moved].map(pair => [pair.to, pair.from]));
	const stayed = new Set(inPlace.map(pair => pair.to));
	const kept = new Set(origin.values());
	const changes: RuleChange[] = [];
	let next = 0;
	const tellRemoved = (end: number): void => {
		for (; next < end; next++) {
			const gone = from[next];
			if (gone !== undefined && !kept.has(next)) {
				changes.push({kind: 'removed', role: gone.role, from: gone.rule});
			}
		}
	};

	// Rules removed between two unchanged ones are listed before those added there.
	const ends = [...inPlace.map(pair => pair.from), from.length];
	let gap = 0;
	for (const [index, fresh] of to.entries()) {
		tellRemoved(ends[gap] ?? from.length);
		const place = origin.get(index);
		const change = changeOf(place === undefined ? undefined : from[place], fresh, stayed.has(index));
		if (change !== undefined) {
			changes.push(change);
		}

		gap += stayed.has(index) ? 1 : 0;
	}

	tellRemoved(from.length);
	return changes;
}

function changeOf(old: ViewedRule | undefined, fresh: ViewedRule, hasStayed: boolean): RuleChange | undefined {
	const {role, rule} = fresh;
	if (old === undefined) {
		return {kind: 'added', role, to: rule};
	}

	if (!hasStayed) {
		return {
			kind: 'moved', role, from: old.rule, to: rule,
		};
	}

	return old.key === fresh.key
		? undefined
		: {
			kind: 'changed', role, from: old.rule, to: rule, values: diffFields(old, fresh),
		};
}

function diffFields({fields: old}: ViewedRule, {fields: fresh}: ViewedRule): ReadonlyArray<ValueDifference<FieldName>> {
	return [...new Set([...old.keys(), ...fresh.keys()])]
		.map(name => ({name, from: old.get(name) ?? null, to: fresh.get(name) ?? null}))
		.filter(({from, to}) => from !== to);
}

/** Objects belong to their table, whatever the family of its packets, so they are compared once. */
function diffObjects({from, to}: Sides<readonly ViewedTable[]>): readonly ObjectDiff[] {
	const [old, fresh] = [objectsOf(from), objectsOf(to)];
	return [...new Set([...old.keys(), ...fresh.keys()])].flatMap(place => {
		const [one, other] = [old.get(place), fresh.get(place)];
		const {table: {family, name: table}, object: {kind, name}} = (other ?? one)!;
		return one?.object.text === other?.object.text
			? []
			: [{
				family, table, kind, name, from: one?.object.text ?? null, to: other?.object.text ?? null,
			}];
	});
}

type PlacedObject = {readonly table: Table; readonly object: TableObject};

function objectsOf(tables: readonly ViewedTable[]): ReadonlyMap<string, PlacedObject> {
	return new Map(tables.flatMap(({table}) => (table.objects ?? []).map(object => [`${table.family} ${table.name} ${object.kind} ${object.name}`, {table, object}] as const)));
}
