/**
Identifies rules: by the mesh that recognizes them, else by the programs whose chains they have.
*/

import type {Identity, MeshIdentity, ReleaseRange} from '../mesh/identity.js';
import type {Mesh} from '../mesh/mesh.js';
import {rulesOf} from '../netfilter/lookup.js';
import type {RuleSet} from '../netfilter/types.js';
import {namedMeshes, nodePrograms} from './known-chains.js';

/** What is known about rules before they are identified. */
export type Unnamed = {
	readonly ruleSet: RuleSet;
	/** The mesh that recognizes them, or whose input they come from; undefined if none does. */
	readonly mesh: Mesh | undefined;
	/** The release that they were generated for, if known; null for a user's own rules. */
	readonly release: string | null;
	/** What else is on the machine but not in the text: `iptables-legacy`. */
	readonly beside?: readonly string[] | undefined;
};

/** What kind of rules they are; see {@link Identity}. */
export function identify({ruleSet, mesh, release, beside = []}: Unnamed): Identity {
	const named = mesh === undefined ? undefined : ofMesh(mesh, {ruleSet, release});
	const identity = named ?? ofChains(ruleSet);
	const others = named === undefined ? [] : programsIn(ruleSet);
	const more = [
		...(others.length === 0 ? [] : [`also contains rules of ${others.join(', ')}`]),
		...(beside.length === 0 ? [] : [`two back ends have rules: those of ${beside.join(' and ')} are not shown here but take effect as well`]),
	];
	return {...identity, text: sentence([identity.text, ...more].join('; '))};
}

function ofMesh(mesh: Mesh, {ruleSet, release}: Pick<Unnamed, 'ruleSet' | 'release'>): Identity {
	const found: MeshIdentity = mesh.identify?.(ruleSet) ?? {
		kind: mesh.name, title: capital(mesh.name), releases: null, marks: [], missing: [], assumed: [],
	};
	if (release !== null) {
		// Generated here: nothing to guess, and nothing is missing.
		return {
			kind: found.kind, releases: {from: release, to: release}, missing: [], assumed: [], text: `${found.title}, release ${release}`,
		};
	}

	const {kind, title, releases, marks, missing, assumed} = found;
	return {
		kind, releases, missing, assumed, text: [
			`${title}${releasesText(releases, marks)}`,
			...(missing.length === 0 ? [] : [`partly installed: ${missing.join(', ')}`]),
		].join('; '),
	};
}

function releasesText(releases: ReleaseRange | null, marks: readonly string[]): string {
	if (releases === null) {
		return marks.length === 0 ? '' : `, with marks of different releases (${marks.join('; ')})`;
	}

	return `, ${rangeText(releases)} (${marks.join('; ')})`;
}

/** Releases in words: `releases 1.18 to 1.24`, `release 1.25 or newer`. */
export function rangeText({from, to}: ReleaseRange): string {
	if (from === null) {
		return `release ${to ?? 'unknown'} or older`;
	}

	return to === null ? `release ${from} or newer` : (from === to ? `release ${from}` : `releases ${from} to ${to}`);
}

/** Rules that no known mesh wrote. */
function ofChains(ruleSet: RuleSet): Identity {
	const base = {releases: null, missing: [], assumed: []} as const;
	const names = chainNames(ruleSet);
	const other = namedMeshes.find(({pattern}) => names.some(name => pattern.test(name)));
	if (other !== undefined) {
		return {...base, kind: other.kind, text: `${other.title} (${names.filter(name => other.pattern.test(name)).join(', ')})`};
	}

	const programs = programsIn(ruleSet);
	if (programs.length > 0) {
		return {...base, kind: 'node', text: `Rules of a node, not of a pod (${programs.join(', ')}): no mesh captures anything here`};
	}

	if (rulesOf(ruleSet).next().done !== true) {
		return {...base, kind: 'unknown', text: 'Not the rules of a known mesh'};
	}

	const dropping = ruleSet.tables.flatMap(({name: table, chains}) => chains.filter(({policy}) => policy === 'DROP').map(({name}) => `${table} ${name}`));
	return {
		...base, kind: 'nothing', text: `No rules at all: nothing is captured, every connection goes where it was sent${dropping.length === 0 ? '' : `, unless a policy drops it (${dropping.join(', ')})`}`,
	};
}

function chainNames({tables}: RuleSet): readonly string[] {
	return [...new Set(tables.flatMap(({chains}) => chains.map(({name}) => name)))];
}

function programsIn(ruleSet: RuleSet): readonly string[] {
	const names = chainNames(ruleSet);
	return nodePrograms.filter(({pattern}) => names.some(name => pattern.test(name))).map(({name, shown}) => `${name}: ${shown}`);
}

function sentence(text: string): string {
	return `${capital(text)}.`;
}

function capital(text: string): string {
	return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
