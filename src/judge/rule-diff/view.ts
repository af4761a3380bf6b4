/**
Two rule sets side by side, so that chains can be compared one by one: tables that correspond to each other get one name, and if one set is iptables and the other native nft, each family is compared by itself.
*/

import type {Role} from '../../mesh/roles.js';
import {familyOfAddress, parseRange} from '../../netfilter/address.js';
import type {Mesh, MeshRules} from '../../mesh/mesh.js';
import {builtInChains} from '../../netfilter/built-in.js';
import {tablesOf} from '../../netfilter/lookup.js';
import type {
	AddressFamily, Chain, Family, Match, Rule, Table,
} from '../../netfilter/types.js';
import {
	fieldsOf, keyOf, shapeKeyOf, type Fields,
} from './fields.js';

/** Whose packets a chain of a comparison sees: those of one family, or of both in an `inet` table. */
export type DiffFamily = AddressFamily | 'both';

/** A rule of one set, with its meaning and its role. */
export type ViewedRule = {readonly rule: Rule; readonly role: Role | null; readonly fields: Fields; readonly key: string; readonly kind: string};

/** A chain of one set. `name` is its own, `twin` the one that it is compared by. */
export type ViewedChain = {readonly table: Table; readonly chain: Chain; readonly counterpart: string; readonly rules: readonly Rule[]; readonly family: DiffFamily; readonly mesh: Mesh};

/** A table of one set, with the name that it is compared by. */
export type ViewedTable = {readonly family: DiffFamily; readonly counterpart: string; readonly table: Table; readonly chains: readonly ViewedChain[]};

/** Both sides of a comparison. */
export type Sides<Value> = {readonly from: Value; readonly to: Value};

/** The tables of both sets in one form. Only `families` are compared if one set has tables for both families and the other has separate ones. */
export function viewSets({from, to}: Sides<MeshRules>, families: readonly AddressFamily[]): Sides<readonly ViewedTable[]> {
	const isSplit = hasBothFamilies(from) !== hasBothFamilies(to);
	const view = ({tables, mesh}: MeshRules): readonly ViewedTable[] => isSplit
		? families.flatMap(family => viewTables(tablesOf({tables}, family), {mesh, familyOf: () => family}))
		: (['ip', 'ip6', 'inet'] as const).flatMap(family => viewTables(tables.filter(table => table.family === family), {mesh, familyOf: diffFamilyOf}));
	return {from: view(from), to: view(to)};
}

function hasBothFamilies({tables}: MeshRules): boolean {
	return tables.some(({family}) => family === 'inet');
}

function diffFamilyOf(family: Family): DiffFamily {
	return ({ip: 'ipv4', ip6: 'ipv6', inet: 'both'} as const)[family];
}

function viewTables(tables: readonly Table[], {mesh, familyOf}: {readonly mesh: Mesh; readonly familyOf: (family: Family) => DiffFamily}): readonly ViewedTable[] {
	return tables.map(table => {
		const family = familyOf(table.family);
		// Two tables with the same counterpart (a sidecar's and a node's) keep their own names.
		const isAlone = tables.filter(({name}) => mesh.names.table(name) === mesh.names.table(table.name)).length === 1;
		const counterpart = isAlone ? mesh.names.table(table.name) : `${table.family} ${table.name}`;
		return {
			family, counterpart, table, chains: table.chains.map(chain => ({
				table, chain, family, mesh, counterpart: mesh.names.chain(table.name, chain.name), rules: chain.rules.filter(rule => family === 'both' || seesFamily(rule, family)),
			})),
		};
	});
}

/** Whether a rule can match packets of a family, judging by its addresses. */
function seesFamily({matches}: Rule, family: AddressFamily): boolean {
	return matches.every(match => !isAddress(match) || (parseRange(match.address)?.family ?? familyOfAddress(match.address) ?? family) === family);
}

function isAddress(match: Match): match is Extract<Match, {readonly kind: 'source' | 'destination'}> {
	return match.kind === 'source' || match.kind === 'destination';
}

/** The rules of a chain in the names of the comparison. `rename` maps a chain to the name that it is compared by. */
export function viewRules({table, chain, rules, family, mesh}: ViewedChain, rename: (counterpart: string) => string): readonly ViewedRule[] {
	return rules.map(rule => {
		const role = mesh.roleOf(rule, table.name, chain) ?? null;
		const fields = fieldsOf(rule, {nameOf: name => rename(mesh.names.chain(table.name, name)), bothFamilies: family === 'both'});
		return {
			rule, role, fields, key: keyOf(fields), kind: role ?? `shape ${shapeKeyOf(fields)}`,
		};
	});
}

/** The chains of one set that have another name in the other, found by their content: old name → new name. */
export function renamedChains(sides: Sides<ViewedTable>): ReadonlyMap<string, string> {
	const names = {from: new Set(sides.from.chains.map(({counterpart}) => counterpart)), to: new Set(sides.to.chains.map(({counterpart}) => counterpart))};
	const gone = sides.from.chains.filter(chain => isUserChain(chain) && !names.to.has(chain.counterpart));
	const fresh = sides.to.chains.filter(chain => isUserChain(chain) && !names.from.has(chain.counterpart));
	const unknown = new Set([...gone, ...fresh].map(({counterpart}) => counterpart));
	// A jump between two renamed chains is recognized only by the rest of its rule.
	const keysOf = (chain: ViewedChain): readonly string[] => viewRules(chain, name => unknown.has(name) ? '?' : name).map(({key}) => key);
	const candidates = gone.flatMap(old => {
		const keys = keysOf(old);
		return fresh.map(one => ({old: old.counterpart, one: one.counterpart, likeness: likenessOf(keys, keysOf(one))}));
	});
	const renamed = new Map<string, string>();
	const taken = new Set<string>();
	for (const {old, one, likeness} of candidates.toSorted((first, second) => second.likeness - first.likeness)) {
		if (likeness >= 0.5 && !renamed.has(old) && !taken.has(one)) {
			renamed.set(old, one);
			taken.add(one);
		}
	}

	return renamed;
}

function isUserChain({table, chain: {name, policy, base}}: ViewedChain): boolean {
	return policy === undefined && base === undefined && (table.family === 'inet' || !builtInChains(table.name).includes(name));
}

/** The share of rules that two chains have in common, from 0 to 1; an empty chain resembles nothing. */
function likenessOf(one: readonly string[], other: readonly string[]): number {
	const left = new Map<string, number>();
	for (const key of one) {
		left.set(key, (left.get(key) ?? 0) + 1);
	}

	let common = 0;
	for (const key of other) {
		const count = left.get(key) ?? 0;
		if (count > 0) {
			left.set(key, count - 1);
			common++;
		}
	}

	return common / Math.max(1, one.length, other.length);
}
