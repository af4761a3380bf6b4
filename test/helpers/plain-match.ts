/**
A second reading of a rule's conditions, written without a look at `src/judge/explain/match-rule.ts`, so that each can contradict the other. It knows what Istio writes, and throws at everything else.
*/

import {contains, parseAddress, parseRange} from '../../src/netfilter/address.js';
import type {Match, Rule} from '../../src/netfilter/types.js';
import type {RuleAnswer} from '../../src/judge/explain/match-rule.js';
import type {PacketFacts} from '../../src/judge/explain/packet-facts.js';

/** Reads a rule of iptables against one packet. */
export function readPlainly({matches}: Pick<Rule, 'matches'>, facts: PacketFacts): RuleAnswer {
	const failed = matches.find(match => !holds(match, facts));
	return failed === undefined ? {kind: 'matches'} : {kind: 'fails', match: failed};
}

function holds(match: Match, facts: PacketFacts): boolean {
	if (match.kind === 'comment') {
		return true;
	}

	if (match.kind === 'opaque') {
		if (match.text === '-m socket') {
			return false; // Releases up to 1.7: a first packet has no socket yet but a listener, and those on all addresses do not count (xt_socket).
		}

		throw new Error(`the second reading does not know the match ${match.text}`);
	}

	return holdsPlainly(match, facts) !== match.negated;
}

// eslint-disable-next-line complexity -- One case for each kind of match, a line each.
function holdsPlainly(match: Exclude<Match, {readonly kind: 'comment' | 'opaque'}>, facts: PacketFacts): boolean {
	switch (match.kind) {
		case 'protocol': {
			return match.protocol === facts.protocol;
		}

		case 'source':
		case 'destination': {
			const [range, address] = [parseRange(match.address), parseAddress(facts[match.kind].address)];
			return range !== undefined && address !== undefined && contains(range, address);
		}

		case 'in-interface': {
			return facts.inInterface === match.name;
		}

		case 'out-interface': {
			return facts.outInterface === match.name;
		}

		case 'source-port':
		case 'destination-port': {
			const {port} = match.kind === 'source-port' ? facts.source : facts.destination;
			return match.ranges.some(({from, to}) => from <= port && port <= to);
		}

		case 'uid':
		case 'gid': {
			const id = typeof facts.socket === 'object' ? facts.socket[match.kind] : undefined;
			return id !== undefined && match.from <= id && id <= match.to;
		}

		case 'socket-exists': {
			return typeof facts.socket === 'object';
		}

		case 'mark': {
			return facts.mark !== undefined && (BigInt(facts.mark) & BigInt(match.mask)) === BigInt(match.value);
		}

		case 'connmark': {
			return typeof facts.connmark === 'number' && (BigInt(facts.connmark) & BigInt(match.mask)) === BigInt(match.value);
		}

		case 'conntrack-state': {
			return (facts.states ?? []).some(state => match.states.includes(state));
		}
	}
}
