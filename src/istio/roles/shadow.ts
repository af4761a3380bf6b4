/**
Rules that ordinary traffic never reaches, found in a chain as it stands: with several UIDs, DNS capture or edited rules the answer differs from the default one.
*/

import {isLoopback} from '../../netfilter/address.js';
import type {Chain, Rule} from '../../netfilter/types.js';
import type {Shadow} from '../../mesh/roles.js';
import {roleOf} from './roles.js';
import {iptablesChain, iptablesTable} from './backend-names.js';

/**
The shadow on a rule of nat ISTIO_OUTPUT, or of its native twin, or undefined when ordinary traffic can reach it.
Once a rule returned every packet on lo that is not of some UID, and another returned all of that UID, nothing on lo is left for the rules behind them; traffic to a loopback address goes over lo.
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

		// Not even the bypass is needed for a rule that is for another UID only: that one was returned as "not the first".
		const wanted = rule.matches.some(match => match.kind === 'uid' && !match.negated) ? uidOf(rule) : undefined;
		if (wanted !== undefined && wanted !== uid) {
			return {by: [foreign], because: `on lo, rule ${foreign.number} returns every UID but ${uid}, so ${wanted} too`};
		}
	}

	return undefined;
}

/** A rule that matches only what goes over lo, or to a loopback address. */
function needsLoopback(rule: Rule): boolean {
	return rule.matches.some(match =>
		(match.kind === 'out-interface' && !match.negated && match.name === 'lo')
		|| (match.kind === 'destination' && !match.negated && isLoopback(match.address)));
}

/** Under DNS capture the loopback rule leaves TCP to port 53 and UDP to the rules behind it. */
function isWhole(rule: Rule): boolean {
	return rule.matches.every(({kind}) => kind === 'out-interface' || kind === 'uid' || kind === 'comment');
}

/** The single UID that a rule asks for or excludes. */
function uidOf(rule: Rule): string | undefined {
	const match = rule.matches.find(({kind}) => kind === 'uid');
	return match?.kind === 'uid' ? (match.from === match.to ? String(match.from) : `${match.from}-${match.to}`) : undefined;
}
