/**
The JSON of a baseline. Keys beyond these are let through: a later testbed may write more of version 1.
*/

import * as z from 'zod/mini';
import {
	about, atLeast, count, listOf, mapOf, maybe, named, number, oneOf, orNull, text, whole, type DataOf,
} from '../parsing/schema.js';
import {backends} from '../netfilter/types.js';

/** What the file says that it is. */
export const baselineKind = 'sidecar-netfilter-baseline';

/** The version of the format that is written, and the newest that is read. */
export const baselineVersion = 1;

const family = oneOf(['ipv4', 'ipv6']);
const texts = listOf(text);

const markRule = named('markRule', atLeast({
	family, mark: count, table: count, mask: maybe(count), priority: maybe(count),
}));

const recordedClass = named('class', atLeast({
	family,
	traffic: about('The packets in words, for a reader: the probe says which are meant.', texts),
	probe: about('The probe that stands for the class, with the keys of a line of testbed probe --batch.', atLeast({
		from: oneOf(['app', 'remote']),
		proto: oneOf(['tcp', 'udp']),
		uid: maybe(count),
		gid: maybe(count),
		source: maybe(text),
		sourcePort: maybe(whole(0, 65_535)),
		mark: maybe(count),
		to: about('The address with the port: 10.0.0.1:80, [::1]:80.', text),
	})),
	arrivals: about('Where each leg arrived.', listOf(text, {min: 1})),
	stops: about('The listeners that the flow met, in order.', texts),
	roles: about('Of each leg the rules that decided, by role.', listOf(texts, {min: 1})),
}));

const recordedCase = named('case', atLeast({
	of: about('types, or the scenario\'s file.', text), id: text, name: text, family, stops: texts, roles: about('Of all legs, in order; null for a rule without a role.', listOf(orNull(text))),
}));

/** How the file begins that a newer testbed may have written: enough to say so. */
export const baselineHead = atLeast({version: number});

/** A whole baseline of version 1. */
export const baselineSchema = atLeast({
	version: about('The version of the format.', z.literal(baselineVersion)),
	kind: about('What the file is.', z.literal(baselineKind)),
	environment: about('The machine and the programs, for a reader: nothing is decided by them.', mapOf(text)),
	rules: about('Where the rules came from.', atLeast({
		source: text,
		source6: orNull(text),
		dnsServers: orNull(texts),
		release: orNull(text),
		backend: oneOf(backends),
		sha256: about('The checksum of the rules as text, all families.', text),
		families: listOf(family),
		markRules: about('Marks with which packets are delivered to the pod itself.', listOf(markRule)),
	})),
	proxy: about('Who the proxy ran as.', atLeast({uid: count, gid: count})),
	ruleText: about('The rules line by line: by family for iptables (ipv4, ipv6), in one for nftables (nft).', mapOf(texts)),
	classes: about('What became of each class of packets.', listOf(recordedClass, {min: 1, of: 'classes'})),
	cases: about('What became of each connection of the six types, or of a scenario.', listOf(recordedCase)),
});

/** A baseline as JSON has it. */
export type BaselineData = DataOf<typeof baselineSchema>;
