/**
The contract of a service mesh: everything that other rooms must know about the mesh whose rules are tested. They receive it as a value and name no mesh.
*/

import type {
	AddressFamily, Backend, Chain, Rule, RuleSet,
} from '../netfilter/types.js';
import type {MeshIdentity} from './identity.js';
import type {Intent} from './intent.js';
import type {PublishedClaims} from './published.js';
import type {
	CanonicalNames, FindRole, Role, RoleTable, Shadow,
} from './roles.js';
import type {SidecarRouting} from './routing.js';
import type {MeshTraffic} from './traffic-types.js';

/** The families and the back end of a rule set. */
export type RulesPlace = {readonly families: readonly AddressFamily[]; readonly backend: Backend};

/** A service mesh. */
export type Mesh = {
	/** A short name without blanks: `istio`. Unique among all meshes. */
	readonly name: string;
	/** The prefixes of this mesh's rule inputs, without the colon: `release`, `pod`. No two meshes share one. */
	readonly inputs: readonly string[];
	/** Whether a user's rules are of this mesh. One rule that it writes is enough, because tests are there to find what is missing. */
	readonly recognizes: (ruleSet: RuleSet) => boolean;
	/** Identifies rules that it recognizes: release, form, complete or not. Without this, a mesh is identified by its name alone. */
	readonly identify?: (ruleSet: RuleSet) => MeshIdentity;
	/** What its rules are for. */
	readonly roles: RoleTable;
	/** The role of a rule; undefined for a rule that this mesh does not write. */
	readonly roleOf: FindRole;
	/** Why ordinary traffic does not reach a rule at its place; undefined if it does. */
	readonly shadowOf: (rule: Rule, table: string, chain: Chain) => Shadow | undefined;
	/** Maps its names of tables and chains to those of iptables, so that its back ends can be compared. */
	readonly names: CanonicalNames;
	/** The roles that every captured connection begins with: such a rule is reported even if nothing after it matched. */
	readonly entryRoles: ReadonlySet<Role>;
	/** What a user's rules are meant to do. */
	readonly intentOf: (ruleSet: RuleSet) => Intent;
	/** A correct set for an intent, to report missing or moved rules in a user's set. `like` is that set: if the rules of the mesh differ by release, the result is of the release that writes such rules. */
	readonly reference: (intent: Intent, place: RulesPlace, like?: RuleSet) => RuleSet;
	/** Addresses, ip rules and routes that the mesh sets up besides such rules; `like` as for `reference`. */
	readonly routing: (intent: Intent, families: readonly AddressFamily[], like?: RuleSet) => SidecarRouting;
	/** Hints about a user's rules before anything is run, a sentence each. */
	readonly notes: (intent: Intent) => readonly string[];
	/** Whether a role belongs to options that `intentOf` cannot derive from the rules, so that paths other than the expected ones may be correct. */
	readonly isBeyondIntent: (role: Role) => boolean;
	/** The parts of an intent that the expected paths do not model, by the names that users give them. Types of traffic are not run with them, because the expectations would be wrong. */
	readonly unsupported: (intent: Intent) => readonly string[];
	/** The traffic that its rules are tested with: types, actors, and expectations. */
	readonly traffic: MeshTraffic;
	/** What is published about its routes; null if nothing is compared. */
	readonly published: PublishedClaims | null;
};

/** A rule set with the mesh whose table gives its rules their roles. It cannot be sent to a worker thread or written to a file, because a mesh has functions. */
export type MeshRules = RuleSet & {readonly mesh: Mesh};

/** The rules as those of a mesh. */
export function rulesOfMesh({tables}: RuleSet, mesh: Mesh): MeshRules {
	return {tables, mesh};
}

/** Whether a place is a chain of a table, both by their iptables names, in either back end. */
export function isChain({names}: Mesh, {table, chain}: {readonly table: string; readonly chain: string}, wanted: {readonly table: string; readonly chain: string}): boolean {
	return names.table(table) === wanted.table && names.chain(table, chain) === wanted.chain;
}

/** Whether a set has a chain with such a name, in any of its tables. */
export function hasChain({tables}: RuleSet, name: RegExp): boolean {
	return tables.some(({chains}) => chains.some(chain => name.test(chain.name)));
}
