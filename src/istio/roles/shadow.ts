/**
Rules that ordinary traffic never reaches, determined for a chain as it is: with several UIDs, DNS capture or edited rules, the answer differs from the default one.
*/

import {isLoopback} from '../../netfilter/address.js';
import type {Chain, Rule} from '../../netfilter/types.js';
import type {Shadow} from '../../mesh/roles.js';
import {roleOf} from './roles.js';
import {iptablesChain, iptablesTable} from './backend-names.js';

/**
The shadow on a rule of nat ISTIO_OUTPUT, or of its native counterpart, or undefined if ordinary traffic can reach it.
If one rule returns every packet on lo without some UID, and another returns all packets with that UID, nothing on lo is left for the rules after them. Traffic to a loopback address goes over lo.
*/
export function shadowOf(rule: Rule, table: string, chain: Chain): Shadow | undefined {
	if (iptablesTable(table) !== 'nat' || iptablesChain(table, chain.name) !== 'ISTIO_OUTPUT' || !needsLoopback(rule)) {
		return undefined;
	}

	const earlier = chain.rules.filter(({number}) => number < rule.number);
	for (const foreign of earlier.filter(candidate => isWhole(candidate) && roleOf(candidate, table, chain) === 'loopback-not-proxy-uid')) {
		const uid = uidOf(foreign);
		const own = earlier.find(candidate => roleOf(candidate, table, chain) === 'proxy-uid-bypass' && uidOf(candidate) === uid);
		if (own !== undefined) {
			return {by: [foreign, own], because: `on lo, rule ${foreign.number} returns every UID but ${uid}, and rule ${own.number} returns ${uid}`};
		}

		// For a rule that is for another UID only, not even the bypass is needed: that UID was returned as "not the first".
		const wanted = rule.matches.some(match => match.kind === 'uid' && !match.negated) ? uidOf(rule) : undefined;
		if (wanted !== undefined && wanted !== uid) {
			return {by: [foreign], because: `on lo, rule ${foreign.number} returns every UID but ${uid}, so ${wanted} too`};
		}
	}

	return undefined;
}

/** A rule that only matches traffic over lo, or to a loopback address. */
function needsLoopback(rule: Rule): boolean {
	return rule.matches.some(match =>
		(match.kind === 'out-interface' && !match.negated && match.name === 'lo')
		|| (match.kind === 'destination' && !match.negated && isLoopback(match.address)));
}

/** With DNS capture, the loopback rule leaves UDP and TCP to port 53 to the rules after it. */
function isWhole(rule: Rule): boolean {
	return rule.matches.every(({kind}) => kind === 'out-interface' || kind === 'uid' || kind === 'comment');
}

/** The only UID that a rule matches or excludes. */
function uidOf(rule: Rule): string | undefined {
	const match = rule.matches.find(({kind}) => kind === 'uid');
	return match?.kind === 'uid' ? (match.from === match.to ? String(match.from) : `${match.from}-${match.to}`) : undefined;
}
