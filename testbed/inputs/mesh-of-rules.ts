/**
Finds the mesh that rules belong to.
*/

import {identify} from '../../src/identity/identify.js';
import type {Identity} from '../../src/mesh/identity.js';
import type {Mesh} from '../../src/mesh/mesh.js';
import type {TypeId} from '../../src/mesh/traffic.js';
import {defaultTypesOf, typeIdsOf} from '../../src/mesh/traffic-types.js';
import {redirects, unknownMesh} from '../../src/mesh/unknown.js';
import {meshes} from '../../src/meshes.js';
import type {RuleSet} from '../../src/netfilter/types.js';
import {didYouMean} from '../../src/parsing/did-you-mean.js';
import {TestbedError} from '../errors.js';
import {prefixOf} from './source.js';
import type {RuleInput} from './types.js';

/** The mesh whose prefix a rule input has, or that recognizes the rules; undefined if there is none. */
function ownMesh({source, ruleSet}: {readonly source: string; readonly ruleSet: RuleSet}, known: readonly Mesh[]): Mesh | undefined {
	const prefix = prefixOf(source);
	return known.find(({inputs}) => prefix !== undefined && inputs.includes(prefix)) ?? recognizedAmong(known, ruleSet);
}

/** What was recognized before: looking at the role of each of thousands of rules takes a while, and the mesh of one set is asked for again and again. */
const recognized = new WeakMap<readonly Mesh[], WeakMap<RuleSet, {readonly mesh: Mesh | undefined}>>();

function recognizedAmong(known: readonly Mesh[], ruleSet: RuleSet): Mesh | undefined {
	const sets = recognized.get(known) ?? new WeakMap<RuleSet, {readonly mesh: Mesh | undefined}>();
	recognized.set(known, sets);
	const found = sets.get(ruleSet) ?? {mesh: known.find(({recognizes}) => recognizes(ruleSet))};
	sets.set(ruleSet, found);
	return found.mesh;
}

/** The mesh of a rule input: the one whose prefix it has, else the first that recognizes the rules. Rules that redirect but that no mesh recognizes belong to an unknown mesh. Rules that do not even redirect are read as the first mesh's, with all of its rules missing. */
export function meshOf({source, ruleSet}: {readonly source: string; readonly ruleSet: RuleSet}, known: readonly [Mesh, ...Mesh[]] = meshes): Mesh {
	return ownMesh({source, ruleSet}, known) ?? (redirects(ruleSet) ? unknownMesh : known[0]);
}

/** Identifies the rules of an input. */
export function identityOf({source, release, ruleSet, beside}: Pick<RuleInput, 'source' | 'release' | 'ruleSet' | 'beside'>): Identity {
	return identify({
		ruleSet, release, beside, mesh: ownMesh({source, ruleSet}, meshes),
	});
}

/** The mesh with the name in a recording or baseline; if there is no name or it is unknown, as {@link meshOf}. */
export function meshNamed(name: string | undefined, input: Parameters<typeof meshOf>[0]): Mesh {
	return [...meshes, unknownMesh].find(mesh => mesh.name === name) ?? meshOf(input);
}

/**
The types of a run: the named ones, each once, or the mesh's defaults. `all` names every type, `1-3` a range of the defaults.

@throws {TestbedError} USAGE for types the mesh does not have.
*/
export function typesFor({name, traffic}: Mesh, named: readonly TypeId[] | undefined): readonly TypeId[] {
	const [known, standard] = [typeIdsOf(traffic), defaultTypesOf(traffic)];
	const found = named?.map(word => [word, typesNamed(word, {known, standard})] as const) ?? [];
	const unknown = found.filter(([, ids]) => ids.length === 0).map(([word]) => word);
	if (unknown.length > 0) {
		const meant = unknown.length === 1 ? didYouMean(unknown[0]!, known) : '';
		throw new TestbedError('USAGE', {message: `There is no type ${unknown.join(', ')}.${meant}`, hint: `The types of ${name} are ${known.join(', ')}. A range such as ${standard[0]!}-${standard.at(-1)!} or all works as well.`});
	}

	return named === undefined ? standard : [...new Set(found.flatMap(([, ids]) => ids))];
}

/** The types that one word names; empty if it names none. */
function typesNamed(word: string, {known, standard}: {readonly known: readonly TypeId[]; readonly standard: readonly TypeId[]}): readonly TypeId[] {
	const id = known.find(each => each === word) ?? known.find(each => each.toLowerCase() === word.toLowerCase());
	if (id !== undefined) {
		return [id];
	}

	if (word === 'all') {
		return known;
	}

	const {first, last} = /^(?<first>\w+)\s*-\s*(?<last>\w+)$/u.exec(word)?.groups ?? {};
	const [start, end] = [first, last].map(id => id === undefined ? -1 : standard.indexOf(id));
	return start === undefined || end === undefined || start === -1 || end === -1 ? [] : standard.slice(start, end + 1);
}
