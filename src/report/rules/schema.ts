/**
The JSON documents of `testbed rules`: a rule set, and the difference of two.
*/

import * as z from 'zod/mini';
import {
	about, count, fields, flag, listOf, maybe, named, number, oneOf, orNull, text, type DocumentOf, type Schema,
} from '../../parsing/schema.js';
import {backends, type Match, type Target} from '../../netfilter/types.js';
import {addressFamilies} from '../../mesh/topology.js';
import {
	familySchema, hookSchema, identitySchema, tableFamilySchema,
} from '../shared-schema.js';

/** The version of both documents. */
export const rulesJsonVersion = 1;

const negated = about('Whether it is negated with "!".', flag);
const portRange = named('portRange', fields({from: count, to: count}));

/** The conditions of rules: one member of the union for each kind of {@link Match}. */
export const matchSchema = named('match', z.discriminatedUnion('kind', [
	fields({kind: z.literal('protocol'), negated, protocol: text}),
	fields({kind: oneOf(['source', 'destination']), negated, address: text}),
	fields({kind: oneOf(['in-interface', 'out-interface']), negated, name: text}),
	fields({kind: oneOf(['source-port', 'destination-port']), negated, ranges: listOf(portRange)}),
	fields({kind: oneOf(['uid', 'gid']), negated, from: count, to: count}),
	fields({kind: z.literal('socket-exists'), negated}),
	fields({kind: oneOf(['mark', 'connmark']), negated, value: count, mask: count}),
	fields({kind: z.literal('conntrack-state'), negated, states: listOf(text)}),
	fields({kind: z.literal('comment'), text}),
	fields({kind: z.literal('opaque'), text: about('The text of a match that the testbed installs unchanged but does not understand.', text)}),
])) satisfies Schema<Mutable<Match>>;

/** What rules do: one member of the union for each kind of {@link Target}. */
export const targetSchema = named('target', z.discriminatedUnion('kind', [
	fields({kind: z.literal('verdict'), verdict: oneOf(['accept', 'drop', 'return', 'queue'])}),
	fields({kind: oneOf(['jump', 'goto']), chain: text}),
	fields({kind: z.literal('redirect'), toPorts: about('Null if the packet keeps its port.', orNull(portRange))}),
	fields({kind: z.literal('tproxy'), onPort: count, mark: count, mask: count}),
	fields({kind: oneOf(['set-mark', 'set-connmark']), value: count, mask: count}),
	fields({kind: oneOf(['save-mark', 'restore-mark'])}),
	fields({kind: z.literal('ct-zone'), zone: count}),
	fields({kind: z.literal('extension'), name: text, options: text}),
	fields({kind: about('The rule only counts.', z.literal('none'))}),
])) satisfies Schema<{kind: Target['kind']}>;

type Mutable<T> = T extends object ? {-readonly [Key in keyof T]: Mutable<T[Key]>} : T;

/** A rule by its number in its chain, from 1, and its text. */
const numberedRule = named('numberedRule', fields({number: about('Its number in the chain, from 1.', count), text}));

const explanation = named('explanation', fields({
	purpose: about('The purpose of the rule; null for a rule that no mesh writes.', orNull(text)),
	since: about('The first release that writes it.', orNull(text)),
	until: about('The last release that writes it; null where the newest still does.', orNull(text)),
	sinceSource: about('The evidence for these releases.', orNull(text)),
	types: about('By family: the types of traffic whose first packets should match it. Null if that is not known; the head gives the reason.', orNull(z.partialRecord(oneOf(addressFamilies), listOf(text)))),
	shadow: about('Why ordinary traffic does not reach it.', orNull(fields({by: listOf(count), because: text}))),
}));

const chain = named('chain', fields({
	name: text,
	policy: orNull(oneOf(['ACCEPT', 'DROP'])),
	base: about('For a base chain of a native nft table.', orNull(fields({type: oneOf(['filter', 'nat', 'route']), hook: hookSchema, priority: number}))),
	rules: listOf(fields({
		...numberedRule.shape,
		role: orNull(text),
		opaque: about('The parts that are kept as text.', listOf(text)),
		matches: listOf(matchSchema),
		target: targetSchema,
		explanation: maybe(about('With --explain.', explanation)),
	})),
}));

const table = named('table', fields({
	family: tableFamilySchema,
	name: text,
	chains: listOf(chain),
	objects: about('Sets, maps and other objects of a native nft table, as nft prints them.', listOf(fields({kind: text, name: text, text}))),
}));

const routing = named('routing', fields({
	loopbackAddresses: about('Addresses that the loopback device needs.', listOf(fields({family: familySchema, address: text}))),
	markRules: about('ip rule add fwmark MARK lookup TABLE.', listOf(fields({
		family: familySchema, mark: count, mask: maybe(count), table: count, priority: maybe(count),
	}))),
	localRoutes: about('ip route add local DESTINATION dev lo table TABLE.', listOf(fields({family: familySchema, destination: text, table: count}))),
}));

const head = {
	source: about('The rule input as the user wrote it.', text),
	release: orNull(text),
	backend: oneOf(backends),
	identity: identitySchema,
	families: listOf(familySchema),
	sha256: about('Of the rules as text, all families. The order of iptables tables, and tables that do nothing, make no difference.', text),
	rules: about('How many there are.', count),
	notes: listOf(text),
	warnings: listOf(text),
	routing: about('What the mesh sets up besides its rules.', routing),
};

/** A rule set. */
export const rulesSchema = fields({
	version: z.literal(rulesJsonVersion),
	...head,
	unknownTypes: maybe(about('With --explain: the reason if it is not known which types should match a rule; null if it is known.', orNull(text))),
	tables: listOf(table),
});

const valueDifference = fields({name: text, from: orNull(text), to: orNull(text)});
const chainPlace = orNull(named('chainPlace', fields({table: text, chain: text})));

const chainDiff = named('chainDiff', fields({
	family: oneOf(['ipv4', 'ipv6', 'both']),
	from: about('Null if the chain is only in the other set.', chainPlace),
	to: about('Null if the chain is only in the other set.', chainPlace),
	renamed: flag,
	properties: about('Policy, hook, priority and type of a base chain.', listOf(valueDifference)),
	changes: about('In the order of the new chain; a removed rule is listed where it was.', listOf(fields({
		kind: oneOf(['moved', 'changed', 'removed', 'added']),
		role: orNull(text),
		from: orNull(numberedRule),
		to: orNull(numberedRule),
		values: about('What differs in a changed rule.', listOf(valueDifference)),
		message: text,
	}))),
}));

/** The difference of two rule sets. */
export const rulesDiffSchema = fields({
	version: z.literal(rulesJsonVersion),
	from: named('rulesHead', fields(head)),
	to: fields(head),
	equal: flag,
	compared: about('The number of rules.', fields({from: count, to: count, same: count})),
	chains: listOf(chainDiff),
	objects: listOf(fields({
		family: tableFamilySchema, table: text, kind: text, name: text, from: orNull(text), to: orNull(text),
	})),
});

/** The document for a rule set. */
export type RulesDocument = DocumentOf<typeof rulesSchema>;

/** A table in it. */
export type TableDocument = RulesDocument['tables'][number];

/** A chain in it. */
export type ChainDocument = TableDocument['chains'][number];

/** A condition of a rule in it. */
export type MatchDocument = DocumentOf<typeof matchSchema>;

/** The target of a rule in it. */
export type TargetDocument = DocumentOf<typeof targetSchema>;

/** The explanation of a rule in it. */
export type ExplanationDocument = DocumentOf<typeof explanation>;

/** The document for a difference. */
export type RulesDiffDocument = DocumentOf<typeof rulesDiffSchema>;

/** A chain in it. */
export type ChainDiffDocument = RulesDiffDocument['chains'][number];
