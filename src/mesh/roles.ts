/**
The purposes of a mesh's rules as one table: a record for each role, and the patterns that identify its rules. A role survives renumbering: it depends on the pattern of a rule, never on its number or its values.
*/

import type {
	Chain, Match, Rule, Target,
} from '../netfilter/types.js';

/** The purpose of a rule: a key of its mesh's table of roles, `proxy-uid-bypass`. Only the mesh itself knows its roles as a closed union. */
export type Role = string;

/** The releases of a mesh whose rules have a role. `since` is a release; `≤ 1.5` is that one or an older one, `≥ 1.21` that one or a newer one; null if only single rule sets are known, which `source` names. `until` is the last release line that has it, or null if the newest still does. */
export type RoleHistory = {readonly since: string | null; readonly until: string | null; readonly source: string};

/** The rules of a chain before some rule, each with the roles that its pattern allows. Undefined if the chain is not known. */
export type EarlierRules = ReadonlyArray<{readonly rule: Rule; readonly roles: readonly Role[]}> | undefined;

/** The pattern of a role's rules. */
export type RolePattern<Name extends Role = Role> = {
	/** The chains that have the rule, as `table chain`, by their iptables names. */
	readonly in: readonly string[];
	/** `MATCH MATCH > TARGET`: the kinds of its matches (`!` before a negated one), and its target: a verdict, a kind of target, the chain that it jumps to, or an extension with its first option. */
	readonly rule: string;
	/** Kinds of matches that the rule may also have. */
	readonly also?: readonly string[];
	/** What else must be true for the rule. */
	readonly when?: (rule: Rule) => boolean;
	/** What must not be true for the rule and those before it. */
	readonly unless?: (rule: Rule, earlier: EarlierRules) => boolean;
	/** Only after a rule of one of these roles. */
	readonly behind?: readonly Name[];
	/** Not after a rule of any of these roles. */
	readonly notBehind?: readonly Name[];
};

/** Everything known about one role. */
export type RoleRecord<Name extends Role = Role> = RoleHistory & {
	/** The purpose of its rules, as one sentence. */
	readonly purpose: string;
	readonly patterns: ReadonlyArray<RolePattern<Name>>;
	/** Rules of this role that can never have an effect as they are written, with the reason as a sentence. */
	readonly futile?: {readonly when: (rule: Rule) => boolean; readonly because: string};
	/** If all of these roles come earlier in the chain, as in a set without DNS capture, ordinary traffic never reaches the role. */
	readonly shadow?: {readonly by: readonly Name[]; readonly because: string};
};

/** The purpose of a rule, as sentences, and why if it can never have an effect. */
export function purposeOf({purpose, futile}: RoleRecord, rule: Rule): string {
	return futile?.when(rule) === true ? `${purpose} It never has an effect: ${futile.because}` : purpose;
}

/** The roles of a mesh. If the patterns of two roles fit a rule, the first in the table wins. */
export type RoleTable<Name extends Role = Role> = Readonly<Record<Name, RoleRecord<Name>>>;

/** The names by which the patterns refer to tables and chains: those of iptables. A mesh with other names under native nft translates them. */
export type CanonicalNames = {
	readonly table: (table: string) => string;
	readonly chain: (table: string, chain: string) => string;
};

/** Determines the role of a rule; undefined if no pattern fits. Some roles share a pattern and are distinguished by the rules before, so pass the chain if it is known. */
export type FindRole<Name extends Role = Role> = (rule: Rule, table: string, chain?: Chain) => Name | undefined;

/** Why a rule is not reached, and by which earlier rules. */
export type Shadow = {readonly by: readonly Rule[]; readonly because: string};

/** A port that may be left out: a range of all ports is printed without it. */
export const anyPort = ['destination-port'];

/** Whether a rule has a protocol condition, for two roles that differ in nothing else. */
export function usesProtocol(protocol: string): (rule: Rule) => boolean {
	return ({matches}) => matches.some(match => match.kind === 'protocol' && match.protocol === protocol);
}

/** One pattern in one chain, precomputed for all rules. */
type Candidate<Name extends Role> = RolePattern<Name> & {readonly role: Name; readonly matches: readonly string[]; readonly target: string};

/** Creates the function that identifies the roles of a table. */
export function roleFinder<Name extends Role>(table: RoleTable<Name>, names: CanonicalNames): FindRole<Name> {
	// By place, so that a rule is compared only with the patterns of its own chain.
	const byPlace = new Map<string, Array<Candidate<Name>>>();
	for (const [role, {patterns}] of Object.entries<RoleRecord<Name>>(table)) {
		for (const pattern of patterns) {
			const [matches = '', target = ''] = pattern.rule.split('> ');
			const candidate = {
				...pattern, role: role as Name, target, matches: matches.split(' ').filter(match => match !== ''),
			};
			for (const place of pattern.in) {
				byPlace.set(place, [...byPlace.get(place) ?? [], candidate]);
			}
		}
	}

	const candidatesFor = (rule: Rule, table: string): ReadonlyArray<Candidate<Name>> => {
		const patterns = byPlace.get(`${names.table(table)} ${names.chain(table, rule.chain)}`) ?? [];
		if (patterns.length === 0) {
			return [];
		}

		const kinds = matchKindsOf(rule);
		const target = targetKindOf(rule.target, name => names.chain(table, name));
		return patterns.filter(pattern =>
			pattern.target === target
			&& pattern.matches.every(match => kinds.has(match))
			&& [...kinds].every(kind => pattern.matches.includes(kind) || pattern.also?.includes(kind))
			&& pattern.when?.(rule) !== false);
	};

	const roleOf: FindRole<Name> = (rule, table, chain) => {
		const candidates = candidatesFor(rule, table);
		const isOpen = candidates.some(({unless, behind, notBehind}) => unless !== undefined || behind !== undefined || notBehind !== undefined);
		const earlier = isOpen ? chain?.rules.filter(({number}) => number < rule.number).map(other => ({rule: other, roles: candidatesFor(other, table).map(({role}) => role)})) : undefined;
		const follows = (wanted: readonly Name[]): boolean => earlier?.some(({roles}) => wanted.some(role => roles.includes(role))) === true;
		return candidates.find(({unless, behind, notBehind}) =>
			unless?.(rule, earlier) !== true
			&& (behind === undefined || follows(behind))
			&& (notBehind === undefined || !follows(notBehind)))?.role;
	};

	// The paths of thousands of probes lead through the same few rules.
	const known = new WeakMap<Chain, Map<Rule, Known<Name>>>();
	return (rule, table, chain) => {
		if (chain === undefined) {
			return roleOf(rule, table);
		}

		let ofChain = known.get(chain);
		if (ofChain === undefined) {
			ofChain = new Map();
			known.set(chain, ofChain);
		}

		let found = ofChain.get(rule);
		if (found?.table !== table) {
			found = {table, role: roleOf(rule, table, chain)};
			ofChain.set(rule, found);
		}

		return found.role;
	};
}

/** The role of a rule in a table of this name. */
type Known<Name extends Role> = {readonly table: string; readonly role: Name | undefined};

/** Comments have no meaning, nor does a range of all addresses, which iptables does not even print. */
function matchKindsOf({matches}: Rule): ReadonlySet<string> {
	return new Set(matches.filter(match => match.kind !== 'comment' && !isEveryAddress(match)).map(match => 'negated' in match && match.negated ? `!${match.kind}` : match.kind));
}

function isEveryAddress(match: Match): boolean {
	return (match.kind === 'source' || match.kind === 'destination') && !match.negated && match.address.endsWith('/0');
}

function targetKindOf(target: Target, chainName: (chain: string) => string): string {
	switch (target.kind) {
		case 'verdict': {
			return target.verdict;
		}

		case 'jump':
		case 'goto': {
			return chainName(target.chain);
		}

		case 'extension': {
			return [target.name, ...target.options.split(' ').filter(word => word.startsWith('--')).slice(0, 1)].join(' ');
		}

		case 'redirect':
		case 'tproxy':
		case 'set-mark':
		case 'set-connmark':
		case 'save-mark':
		case 'restore-mark':
		case 'ct-zone':
		case 'none': {
			return target.kind;
		}
	}
}
