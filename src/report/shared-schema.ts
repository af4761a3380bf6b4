/**
Parts of the JSON documents that several reports have.
*/

import {
	about, count, fields, flag, listOf, maybe, named, number, oneOf, orNull, text, type DocumentOf,
} from '../parsing/schema.js';
import {backends} from '../netfilter/types.js';

/** The families of packets. */
export const familySchema = oneOf(['ipv4', 'ipv6']);

/** The protocols of connections. */
export const protocolSchema = oneOf(['tcp', 'udp']);

/** The machine that a run ran on. */
export const environmentSchema = named('environment', fields({
	kernel: text, iptables: text, nft: text, node: text,
}));

/** Which rules were judged. */
export const rulesSummarySchema = named('rulesSummary', fields({
	source: about('The rule input as the user wrote it.', text),
	release: about('The known release whose rules they are; null for rules that somebody brought.', orNull(text)),
	backend: oneOf(backends),
	sha256: about('Of the text that was installed, all families.', text),
	notes: about('Where something else was taken than what the source names: a sentence that says so.', listOf(text)),
}));

/** A user and a group. */
export const credentialsSchema = named('credentials', fields({uid: count, gid: count}));

/** An address with its port. */
export const endpointSchema = named('endpoint', fields({address: text, port: count}));

/** Why the evidence is not whole. */
export const gapSchema = named('gap', fields({
	kind: oneOf(['lost-events', 'not-understood', 'not-traced', 'open-traversal', 'counter-mismatch', 'unwitnessed', 'no-end', 'credentials', 'ambiguous', 'actor-ended', 'rules-differ', 'not-sent', 'not-recorded', 'reading']),
	message: text,
}));

const tableFamily = oneOf(['ip', 'ip6', 'inet']);
const verdict = oneOf(['accept', 'drop', 'stolen', 'queue', 'repeat', 'jump', 'goto', 'return', 'continue']);

/** A rule of the set under test. */
export const ruleReferenceSchema = named('rule', fields({
	family: tableFamily, table: text, chain: text, number: about('Its place in the chain, from 1.', count), text,
}));

/** A rule that matched a packet. */
export const ruleHitSchema = named('ruleHit', fields({
	family: tableFamily,
	table: text,
	chain: text,
	number: about('Its place in the chain, from 1; null where the kernel named a rule that the loaded set does not hold.', orNull(count)),
	handle: about('The number that nft gives it for life; null on iptables-legacy.', orNull(count)),
	role: about('What the rule is for; null for one that no sidecar writes.', orNull(text)),
	text: orNull(text),
	verdict: about('What the kernel said that it did; null on iptables-legacy.', orNull(verdict)),
}));

const hook = oneOf(['prerouting', 'input', 'forward', 'output', 'postrouting']);

const traversal = named('traversal', fields({
	hook,
	table: text,
	chain: about('The base chain.', text),
	source: about('As the packet carried it when it entered this chain.', endpointSchema),
	destination: about('As the packet carried it when it entered this chain.', endpointSchema),
	inInterface: orNull(text),
	outInterface: orNull(text),
	rules: about('What matched here, and in the chains behind it.', listOf(ruleHitSchema)),
	end: about('Who ended the way through this chain; open where the trace does not say.', fields({by: oneOf(['rule', 'policy', 'open']), verdict: orNull(verdict)})),
}));

/** The keys of one leg: one socket pair, what its packet met, where it arrived. */
export const legShape = {
	actor: about('Who opened the socket.', text),
	family: familySchema,
	protocol: protocolSchema,
	from: endpointSchema,
	to: endpointSchema,
	socket: about('The owner that the kernel saw on the socket; null where the packet did not leave one under trace.', orNull(credentialsSchema)),
	hooks: listOf(traversal),
	end: about('The stop that accepted it, or what became of it.', text),
	flow: maybe(about('What conntrack holds of it.', fields({zone: count, isReplied: flag}))),
	endReason: orNull(text),
};

/** One leg. */
export const legSchema = named('leg', fields(legShape));

/** A base chain, as an explanation names it. */
export const chainShape = {
	hook, family: tableFamily, table: text, chain: text,
};

/** How many probes ended how. */
export const summarySchema = named('summary', fields({passed: count, failed: count, inconclusive: count}));

/** The time that it took, in milliseconds. */
export const durationSchema = about('In milliseconds.', number);

/** Steps of a path, or stops, in order. */
export const stepsSchema = listOf(text);

/** One leg as JSON. */
export type LegDocument = DocumentOf<typeof legSchema>;

/** One base chain that a packet met, as JSON. */
export type TraversalDocument = DocumentOf<typeof traversal>;

/** A rule that matched, as JSON. */
export type RuleHitDocument = DocumentOf<typeof ruleHitSchema>;
