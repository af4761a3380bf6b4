/**
What the rules of a mesh are for, as one table: a record for each role, and how a rule is recognized as having it. A role survives renumbering: it is read off the pattern of a rule, never off its number or its values.
*/

import type {
	Chain, Match, Rule, Target,
} from '../netfilter/types.js';

/** What a rule is for: a key of its mesh's table of roles, `proxy-uid-bypass`. Only the mesh itself knows its roles as a closed union. */
export type Role = string;

/** When the rules of a mesh have a role. `since` is a release; `≤ 1.5` is that one or an older one, `≥ 1.21` that one or a newer one. `until` is the last release line that has it, or null for one that still has it. */
export type RoleHistory = {readonly since: string; readonly until: string | null; readonly source: string};

/** The rules of a chain before some rule, each with the roles that its pattern allows. Undefined where the chain is not known. */
export type EarlierRules = ReadonlyArray<{readonly rule: Rule; readonly roles: readonly Role[]}> | undefined;

/** How a rule of a role looks. */
export type RolePattern<Name extends Role = Role> = {
	/** The chains that have the rule, as `table chain`, by their names under iptables. */
	readonly in: readonly string[];
	/** `MATCH MATCH > TARGET`: the kinds of its matches (`!` before a negated one), and its target: a verdict, a kind of target, the chain that it jumps to, or an extension with its first option. */
	readonly rule: string;
	/** Kinds of matches that the rule may have besides. */
	readonly also?: readonly string[];
	/** What else must be true of the rule. */
	readonly when?: (rule: Rule) => boolean;
	/** What must not be true of the rule and those before it. */
	readonly unless?: (rule: Rule, earlier: EarlierRules) => boolean;
	/** Only after a rule of one of these roles. */
	readonly behind?: readonly Name[];
	/** Not after a rule of any of these roles. */
	readonly notBehind?: readonly Name[];
};

/** All that is known of one role. */
export type RoleRecord<Name extends Role = Role> = RoleHistory & {
	/** What its rules are for, as one sentence. */
	readonly purpose: string;
	readonly patterns: ReadonlyArray<RolePattern<Name>>;
	/** When all of these roles come earlier in the chain, as in a set without DNS capture, ordinary traffic never reaches the role. */
	readonly shadow?: {readonly by: readonly Name[]; readonly because: string};
};

/** The roles of a mesh. Where the patterns of two roles fit a rule, the one that comes first in the table wins. */
export type RoleTable<Name extends Role = Role> = Readonly<Record<Name, RoleRecord<Name>>>;

/** The names by which the patterns know tables and chains: those of iptables. A mesh that names them differently under native nft translates them. */
export type CanonicalNames = {
	readonly table: (table: string) => string;
	readonly chain: (table: string, chain: string) => string;
};

/** Tells the role of a rule; undefined for a rule that no pattern fits. Some roles have one pattern in common, and the rules before tell them apart, so give the chain where it is known. */
export type FindRole<Name extends Role = Role> = (rule: Rule, table: string, chain?: Chain) => Name | undefined;

/** Why a rule is not reached, and by which earlier rules. */
export type Shadow = {readonly by: readonly Rule[]; readonly because: string};

/** A port that may be left out: a range of all ports is printed without it. */
export const anyPort = ['destination-port'];

/** Whether a rule asks for a protocol, where two roles differ by nothing else. */
export function usesProtocol(protocol: string): (rule: Rule) => boolean {
	return ({matches}) => matches.some(match => match.kind === 'protocol' && match.protocol === protocol);
}

/** One pattern in one chain, taken apart once for all rules. */
type Candidate<Name extends Role> = RolePattern<Name> & {readonly role: Name; readonly matches: readonly string[]; readonly target: string};

/** Makes the function that recognizes the roles of a table. */
export function roleFinder<Name extends Role>(table: RoleTable<Name>, names: CanonicalNames): FindRole<Name> {
	// By place, so that a rule is compared with the patterns of its own chain only.
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

	return (rule, table, chain) => {
		const candidates = candidatesFor(rule, table);
		const isOpen = candidates.some(({unless, behind, notBehind}) => unless !== undefined || behind !== undefined || notBehind !== undefined);
		const earlier = isOpen ? chain?.rules.filter(({number}) => number < rule.number).map(other => ({rule: other, roles: candidatesFor(other, table).map(({role}) => role)})) : undefined;
		const follows = (wanted: readonly Name[]): boolean => earlier?.some(({roles}) => wanted.some(role => roles.includes(role))) === true;
		return candidates.find(({unless, behind, notBehind}) =>
			unless?.(rule, earlier) !== true
			&& (behind === undefined || follows(behind))
			&& (notBehind === undefined || !follows(notBehind)))?.role;
	};
}

/** Comments say nothing, nor does a range of all addresses, which iptables does not even print. */
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
