/**
The JSON of a baseline. Additional keys are accepted, because a later testbed may write more keys in the same version.
*/

import * as z from 'zod/mini';
import {
	about, atLeast, count, listOf, mapOf, maybe, named, number, oneOf, orNull, text, whole, type DataOf,
} from '../parsing/schema.js';
import {backends} from '../netfilter/types.js';

/** The kind of the file. */
export const baselineKind = 'sidecar-netfilter-baseline';

/** The version of the format that is written, and the only one that is read. 2: the proxy's request on localhost for its ports 15090 and 15021 is a leg of its own, and connections that it closes are recorded. */
export const baselineVersion = 2;

const family = oneOf(['ipv4', 'ipv6']);
const texts = listOf(text);

const markRule = named('markRule', atLeast({
	family, mark: count, table: count, mask: maybe(count), priority: maybe(count),
}));

const recordedClass = named('class', atLeast({
	family,
	traffic: about('The packets in words, for readers: the probe determines which are meant.', texts),
	probe: about('The probe that represents the class, with the keys of a line of testbed probe --batch.', atLeast({
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
	roles: about('For each leg, the rules that decided, by role.', listOf(texts, {min: 1})),
}));

const recordedCase = named('case', atLeast({
	of: about('types, or the scenario\'s file.', text), id: text, name: text, family, stops: texts, roles: about('For all legs, in order; null for a rule without a role.', listOf(orNull(text))),
}));

/** The beginning of a file that a newer testbed may have written: enough to say so. */
export const baselineHead = atLeast({version: number});

/** A whole baseline of this version. */
export const baselineSchema = atLeast({
	version: about('The version of the format.', z.literal(baselineVersion)),
	kind: about('What the file is.', z.literal(baselineKind)),
	environment: about('The machine and the programs, for readers only.', mapOf(text)),
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
	proxy: about('The proxy\'s user and group.', atLeast({uid: count, gid: count})),
	ruleText: about('The rules line by line: by family for iptables (ipv4, ipv6), in one list for nftables (nft).', mapOf(texts)),
	classes: about('What happened to each class of packets.', listOf(recordedClass, {min: 1, of: 'classes'})),
	cases: about('What happened to each connection of the six types, or of a scenario.', listOf(recordedCase)),
});

/** A baseline as JSON. */
export type BaselineData = DataOf<typeof baselineSchema>;
