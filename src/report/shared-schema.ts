/**
Parts that several of the JSON documents share.
*/

import {
	about, count, fields, flag, listOf, maybe, named, number, oneOf, orNull, text, type DocumentOf,
} from '../parsing/schema.js';
import {backends} from '../netfilter/types.js';

/** The families of packets. */
export const familySchema = oneOf(['ipv4', 'ipv6']);

/** The protocols of connections. */
export const protocolSchema = oneOf(['tcp', 'udp']);

/** The machine on which a run ran. */
export const environmentFields = {
	kernel: text, iptables: text, nft: text, node: text,
} as const;

/** The same as a part of a document. */
export const environmentSchema = named('environment', fields(environmentFields));

/** What kind of rules they are. */
export const identitySchema = named('identity', fields({
	kind: about('istio-sidecar, istio-ambient, istio-ambient-host, another mesh by its name, node, nothing or unknown.', text),
	text: about('The same as a sentence.', text),
	releases: about('The releases that have every mark found in the rules; null if there are none, or if the marks contradict each other. A bound that no mark sets is null.', orNull(fields({from: orNull(text), to: orNull(text)}))),
	missing: about('What the rules lack to capture any traffic, as after a failed init.', listOf(text)),
	assumed: about('What was assumed because the rules do not say it.', listOf(text)),
}));

/** Which rules were judged. */
export const rulesSummarySchema = named('rulesSummary', fields({
	source: about('The rule input as the user wrote it.', text),
	release: about('The known release that writes these rules; null for a user\'s own rules.', orNull(text)),
	backend: oneOf(backends),
	identity: identitySchema,
	sha256: about('Of the rules as the kernel has them as text, all families. The order of iptables tables, and tables that do nothing, make no difference.', text),
	notes: about('A sentence for each case in which something other than what the source names was used.', listOf(text)),
}));

/** A user and a group. */
export const credentialsSchema = named('credentials', fields({uid: count, gid: count}));

/** An address with its port. */
export const endpointSchema = named('endpoint', fields({address: text, port: count}));

/** Why the evidence is incomplete. */
export const gapSchema = named('gap', fields({
	kind: oneOf(['lost-events', 'not-understood', 'not-traced', 'open-traversal', 'counter-mismatch', 'unwitnessed', 'no-end', 'credentials', 'ambiguous', 'actor-ended', 'unclaimed', 'rules-differ', 'not-sent', 'not-recorded', 'reading']),
	message: text,
}));

/** The families of tables. */
export const tableFamilySchema = oneOf(['ip', 'ip6', 'inet']);

/** The hooks at which the kernel consults chains. */
export const hookSchema = oneOf(['prerouting', 'input', 'forward', 'output', 'postrouting']);

const verdict = oneOf(['accept', 'drop', 'stolen', 'queue', 'repeat', 'jump', 'goto', 'return', 'continue']);

/** A rule of the set under test. */
export const ruleReferenceSchema = named('rule', fields({
	family: tableFamilySchema, table: text, chain: text, number: about('Its number in the chain, from 1.', count), text,
}));

/** A rule that matched a packet. */
export const ruleHitSchema = named('ruleHit', fields({
	family: tableFamilySchema,
	table: text,
	chain: text,
	number: about('Its number in the chain, from 1; null if the kernel named a rule that is not in the installed set.', orNull(count)),
	handle: about('The handle that nft assigns to it for life; null on iptables-legacy.', orNull(count)),
	role: about('The purpose of the rule; null for a rule that no sidecar writes.', orNull(text)),
	text: orNull(text),
	verdict: about('The verdict that the kernel reported; null on iptables-legacy.', orNull(verdict)),
}));

const traversal = named('traversal', fields({
	hook: hookSchema,
	table: text,
	chain: about('The base chain.', text),
	source: about('As the packet had it when it entered this chain.', endpointSchema),
	destination: about('As the packet had it when it entered this chain.', endpointSchema),
	inInterface: orNull(text),
	outInterface: orNull(text),
	rules: about('What matched here, and in the chains reached from here.', listOf(ruleHitSchema)),
	end: about('What ended the path through this chain; open if the trace does not say.', fields({by: oneOf(['rule', 'policy', 'open']), verdict: orNull(verdict)})),
}));

/** The keys of one leg: one socket pair, what its packet met, and where it arrived. */
export const legShape = {
	actor: about('Who opened the socket.', text),
	family: familySchema,
	protocol: protocolSchema,
	from: endpointSchema,
	to: endpointSchema,
	socket: about('The owner that the kernel saw on the socket; null if the packet did not leave a socket under trace.', orNull(credentialsSchema)),
	hooks: listOf(traversal),
	end: about('The stop that accepted it, or what happened to it.', text),
	handedTo: maybe(about('The listener of the same process that was given the connection, because it was addressed to that listener\'s port. No rule shows that.', text)),
	closed: maybe(about('Why the process that accepted it closed it, which ends the flow: it was addressed to the proxy\'s own port, or the proxy could not bind the source address of the next leg.', oneOf(['own-port', 'no-source']))),
	flow: maybe(about('The conntrack entry.', fields({zone: count, isReplied: flag}))),
	endReason: orNull(text),
	lost: maybe(about('Present if the connection failed for a reason that the evidence shows. nowhere: a rule gave it a new destination that no host in this topology has, or, if it came from outside, that is not the pod\'s. lost: it left by the device to which its socket is bound, with a loopback destination. answer-dropped: it arrived, and the rules dropped the answer.', fields({
		kind: oneOf(['nowhere', 'lost', 'answer-dropped']),
		at: about('Its destination where it was lost, after every translation.', endpointSchema),
		rule: about('The rule that set this destination, or that dropped the answer; null if none did.', orNull(ruleHitSchema)),
	}))),
};

/** One leg. */
export const legSchema = named('leg', fields(legShape));

/** A base chain, as named in an explanation. */
export const chainShape = {
	hook: hookSchema, family: tableFamilySchema, table: text, chain: text,
};

/** How many probes had each outcome. */
export const summarySchema = named('summary', fields({passed: count, failed: count, inconclusive: count}));

/** The duration in milliseconds. */
export const durationSchema = about('In milliseconds.', number);

/** Steps of a path, or stops, in order. */
export const stepsSchema = listOf(text);

/** One leg as JSON. */
export type LegDocument = DocumentOf<typeof legSchema>;

/** A base chain that a packet met, as JSON. */
export type TraversalDocument = DocumentOf<typeof traversal>;

/** A rule that matched, as JSON. */
export type RuleHitDocument = DocumentOf<typeof ruleHitSchema>;
