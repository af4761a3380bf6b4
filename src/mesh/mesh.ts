/**
The contract of a service mesh: all that the rooms behind must know of the mesh whose rules are tested. They get it as a value and name no mesh.
*/

import type {Chain, Rule, RuleSet} from '../netfilter/types.js';
import type {Intent} from './intent.js';
import type {PublishedClaims} from './published.js';
import type {
	CanonicalNames, FindRole, Role, RoleTable, Shadow,
} from './roles.js';

/** A service mesh. */
export type Mesh = {
	/** A short name without blanks: `istio`. Unique among all meshes. */
	readonly name: string;
	/** What rule inputs of this mesh begin with, without the colon: `release`, `pod`. No two meshes share one. */
	readonly inputs: readonly string[];
	/** Whether rules that somebody brought are of this mesh. One rule that it writes is enough: what is missing is what a test is to find. */
	readonly recognizes: (ruleSet: RuleSet) => boolean;
	/** What its rules are for. */
	readonly roles: RoleTable;
	/** The role of a rule; undefined for a rule that this mesh does not write. */
	readonly roleOf: FindRole;
	/** Why ordinary traffic does not reach a rule where it stands; undefined when it does. */
	readonly shadowOf: (rule: Rule, table: string, chain: Chain) => Shadow | undefined;
	/** Its names for tables and chains, brought to those of iptables, so that its back ends can be compared. */
	readonly names: CanonicalNames;
	/** The roles that every captured connection begins with: whether such a rule is there is worth telling even where nothing behind it matched. */
	readonly entryRoles: ReadonlySet<Role>;
	/** What rules that somebody brought are meant to do. */
	readonly intentOf: (ruleSet: RuleSet) => Intent;
	/** Whether a role belongs to options that `intentOf` cannot read off the rules, so that other paths than the expected ones may be right. */
	readonly isBeyondIntent: (role: Role) => boolean;
	/** What of an intent the expected paths do not model, by the names that users give it. Types of traffic are not run with it, because they would be compared with a wrong expectation. */
	readonly unsupported: (intent: Intent) => readonly string[];
	/** What is published about its routes; null where nothing is compared. */
	readonly published: PublishedClaims | null;
};

/** A rule set with the mesh by whose table its rules have roles. Not for a worker thread or a file: a mesh has functions. */
export type MeshRules = RuleSet & {readonly mesh: Mesh};

/** The rules as those of a mesh. */
export function rulesOfMesh({tables}: RuleSet, mesh: Mesh): MeshRules {
	return {tables, mesh};
}

/** Whether a place is a chain of a table, both by their names under iptables, in either back end. */
export function isChain({names}: Mesh, {table, chain}: {readonly table: string; readonly chain: string}, wanted: {readonly table: string; readonly chain: string}): boolean {
	return names.table(table) === wanted.table && names.chain(table, chain) === wanted.chain;
}
