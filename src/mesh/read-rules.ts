/**
Values read from the rules of a role, for the intent of a user's set.
*/

import {familyOfAddress} from '../netfilter/address.js';
import {rulesOf} from '../netfilter/lookup.js';
import {newDestinationOf} from '../netfilter/new-destination.js';
import type {AddressFamily, Rule, RuleSet} from '../netfilter/types.js';
import {dnsPort} from './actor-set.js';
import {redirectIntent, type DnsCapture, type Intent} from './intent.js';
import type {FindRole, Role} from './roles.js';

/** All rules of a role. */
export function rulesOfRole(ruleSet: RuleSet, roleOf: FindRole, role: Role): readonly Rule[] {
	return [...rulesOf(ruleSet)].filter(({table, rule, chain}) => roleOf(rule, table, chain) === role).map(({rule}) => rule);
}

/** The single UIDs in the conditions of rules, each once. */
export function uidsOf(rules: readonly Rule[]): readonly number[] {
	return [...new Set(rules.flatMap(({matches}) => matches.flatMap(match => match.kind === 'uid' && !match.negated && match.from === match.to ? [match.from] : [])))];
}

/** The ports that rules redirect to, each once. */
export function redirectPortsOf(rules: readonly Rule[]): readonly number[] {
	return [...new Set(rules.flatMap(({target}) => target.kind === 'redirect' && target.toPorts !== undefined ? [target.toPorts.from] : []))];
}

/** The destination ports in the conditions of rules, as an intent lists them: `4190`, `a:b`. */
export function destinationPortsOf(rules: readonly Rule[]): readonly string[] {
	return [...new Set(rules.flatMap(({matches}) => matches.flatMap(match => match.kind === 'destination-port' && !match.negated ? match.ranges.map(({from, to}) => from === to ? String(from) : `${from}:${to}`) : [])))];
}

/** The destination ranges in the conditions of rules. */
export function destinationsOf(rules: readonly Rule[]): readonly string[] {
	return [...new Set(rules.flatMap(({matches}) => matches.flatMap(match => match.kind === 'destination' && !match.negated ? [match.address] : [])))];
}

/** Which role takes DNS queries, and which puts them into a zone. */
export type DnsReading = {readonly captured: Role; readonly zone?: Role};

/** Where rules take DNS queries over UDP: to a port by redirection, or to a server by a new destination. */
function dnsOf(ruleSet: RuleSet, roleOf: FindRole, {captured, zone}: DnsReading): DnsCapture | undefined {
	// The rule for TCP shows what is meant as well as that for UDP, which may be missing.
	const rules = rulesOfRole(ruleSet, roleOf, captured);
	const hasZones = zone !== undefined && rulesOfRole(ruleSet, roleOf, zone).length > 0;
	const [port] = redirectPortsOf(rules);
	if (port !== undefined) {
		return {port, hasZones};
	}

	const servers = rules.flatMap(rule => newDestinationOf(rule.target) ?? []);
	const [server] = servers;
	const asked = destinationsOf(rules).map(address => address.replace(/\/\d+$/u, ''));
	return server === undefined
		? undefined
		: {
			port: server.port ?? dnsPort, servers: byFamily(servers.map(({address}) => address)), ...(asked.length === 0 ? {} : {asked: byFamily(asked)}), hasZones,
		};
}

/** The first address of each family. */
function byFamily(addresses: readonly string[]): Readonly<Partial<Record<AddressFamily, string>>> {
	return Object.fromEntries(addresses.toReversed().map(address => [familyOfAddress(address)!, address]));
}

/** The installer's defaults. */
export type InstallerDefaults = {readonly proxyUid: number; readonly inboundPort: number; readonly outboundPort: number};

/** The intent of rules that only redirect, by the roles that such meshes have in common. Missing parts default to the installer's values, so that a test shows that they are missing. */
export function intentByRoles(ruleSet: RuleSet, {roleOf, defaults, dns}: {readonly roleOf: FindRole; readonly defaults: InstallerDefaults; readonly dns?: DnsReading}): Intent {
	const ofRole = (role: Role): readonly Rule[] => rulesOfRole(ruleSet, roleOf, role);
	const proxyUids = uidsOf(ofRole('proxy-uid-bypass'));
	const capturedDns = dns === undefined ? undefined : dnsOf(ruleSet, roleOf, dns);
	return redirectIntent({
		proxyPort: redirectPortsOf(ofRole('outbound-redirect'))[0] ?? defaults.outboundPort,
		inboundCapturePort: redirectPortsOf(ofRole('inbound-redirect'))[0] ?? defaults.inboundPort,
		proxyUids: proxyUids.length > 0 ? proxyUids : [defaults.proxyUid],
		inboundPortsExclude: destinationPortsOf(ofRole('inbound-port-exclude')),
		outboundPortsExclude: destinationPortsOf(ofRole('outbound-port-exclude')),
		outboundIpRangesExclude: destinationsOf(ofRole('range-exclude')),
		...(capturedDns === undefined ? {} : {dns: capturedDns}),
	});
}
