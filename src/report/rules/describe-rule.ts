/**
Rules and packets in words: what a rule does, which condition it has, and what the packet's own value is.
*/

import {familyNames} from '../../netfilter/address.js';
import type {
	Match, PortRange, RuleLanguage, Target,
} from '../../netfilter/types.js';
import type {PacketFacts} from '../../judge/explain/packet-facts.js';
import type {AskedRule} from '../../judge/explain/explain-leg.js';

/** A condition in the syntax of the tool that wrote the rule: `! --uid-owner 1337`, `meta skuid != 1337`. */
export function nameOfMatch(match: Match, {protocol}: Pick<PacketFacts, 'protocol'>, {language}: {readonly language: RuleLanguage}): string {
	if (match.kind === 'opaque') {
		return match.text;
	}

	if (match.kind === 'comment') {
		return `comment "${match.text}"`;
	}

	return namesOfMatches[language](match, protocol);
}

const namesOfMatches: Readonly<Record<RuleLanguage, (match: Asking, protocol: PacketFacts['protocol']) => string>> = {
	iptables: match => `${match.kind === 'connmark' ? '-m connmark ' : ''}${match.negated ? '! ' : ''}${iptablesWords(match)}`,
	nft(match, protocol) {
		const [what, value] = nftWords(match, protocol);
		return match.negated ? `${what} != ${value}` : `${what} ${value}`;
	},
};

type Asking = Exclude<Match, {readonly kind: 'comment' | 'opaque'}>;

function iptablesWords(match: Asking): string {
	switch (match.kind) {
		case 'protocol': {
			return `-p ${match.protocol}`;
		}

		case 'source':
		case 'destination': {
			return `${match.kind === 'source' ? '-s' : '-d'} ${match.address}`;
		}

		case 'in-interface':
		case 'out-interface': {
			return `${match.kind === 'in-interface' ? '-i' : '-o'} ${match.name}`;
		}

		case 'source-port':
		case 'destination-port': {
			return `--${match.kind === 'source-port' ? 'sport' : 'dport'}${match.ranges.length > 1 ? 's' : ''} ${match.ranges.map(range => printRange(range, ':')).join(',')}`;
		}

		case 'uid':
		case 'gid': {
			return `--${match.kind}-owner ${printRange(match, '-')}`;
		}

		case 'socket-exists': {
			return '--socket-exists';
		}

		case 'mark':
		case 'connmark': {
			return `--mark ${hexadecimal(match.value)}${match.mask === wholeMask ? '' : `/${hexadecimal(match.mask)}`}`;
		}

		case 'conntrack-state': {
			return `--ctstate ${match.states.join(',')}`;
		}
	}
}

const nftNames = {
	protocol: 'meta l4proto', 'in-interface': 'iifname', 'out-interface': 'oifname', uid: 'meta skuid', gid: 'meta skgid', 'socket-exists': 'socket', 'conntrack-state': 'ct state',
	source: 'saddr', destination: 'daddr', 'source-port': 'sport', 'destination-port': 'dport', mark: 'meta mark', connmark: 'ct mark',
} as const satisfies Record<Asking['kind'], string>;

function nftWords(match: Asking, protocol: string): readonly [string, string] {
	const name = nftNames[match.kind];
	switch (match.kind) {
		case 'protocol': {
			return [name, match.protocol];
		}

		case 'source':
		case 'destination': {
			const isIpv6 = match.address.includes(':');
			return [`${isIpv6 ? 'ip6' : 'ip'} ${name}`, match.address.replace(isIpv6 ? /\/128$/u : /\/32$/u, '')];
		}

		case 'in-interface':
		case 'out-interface': {
			return [name, `"${match.name.replace(/\+$/u, '*')}"`];
		}

		case 'source-port':
		case 'destination-port': {
			const ports = match.ranges.map(range => printRange(range, '-')).join(', ');
			// A port condition only applies to packets of its own protocol, so the packet's protocol is the rule's.
			return [`${protocol} ${name}`, match.ranges.length > 1 ? `{ ${ports} }` : ports];
		}

		case 'uid':
		case 'gid': {
			return [name, printRange(match, '-')];
		}

		case 'socket-exists': {
			return [name, 'exists'];
		}

		case 'mark':
		case 'connmark': {
			return [match.mask === wholeMask ? name : `${name} & ${hexadecimal(match.mask)}`, hexadecimal(match.value)];
		}

		case 'conntrack-state': {
			return [name, match.states.map(state => state.toLowerCase()).join(',')];
		}
	}
}

const wholeMask = 0xFF_FF_FF_FF;

function hexadecimal(value: number): string {
	return `0x${value.toString(16)}`;
}

function printRange({from, to}: PortRange, separator: string): string {
	return from === to ? String(from) : `${from}${separator}${to}`;
}

/** The packet's value for a condition, as a clause: `the socket's UID is 1000`. */
export function factFor(match: Match, facts: PacketFacts): string {
	switch (match.kind) {
		case 'protocol': {
			return `it is ${facts.protocol.toUpperCase()}`;
		}

		case 'source':
		case 'destination': {
			return addressFact(match, facts);
		}

		case 'in-interface':
		case 'out-interface': {
			return interfaceFact(match.kind, facts);
		}

		case 'source-port':
		case 'destination-port': {
			return match.kind === 'source-port' ? `the source port is ${facts.source.port}` : `the port is ${facts.destination.port}`;
		}

		case 'uid':
		case 'gid':
		case 'socket-exists': {
			return ownerFact(match.kind, facts);
		}

		case 'mark': {
			return facts.mark === undefined ? 'the mark is not known' : `the mark is ${hexadecimal(facts.mark)}`;
		}

		case 'connmark': {
			return connmarkFact(facts);
		}

		case 'conntrack-state': {
			return facts.states === undefined ? 'the state of the connection is not known' : `the connection is ${facts.states.join(' and ')}`;
		}

		case 'comment':
		case 'opaque': {
			return 'not understood';
		}
	}
}

function addressFact({kind, address}: Extract<Match, {readonly address: string}>, facts: PacketFacts): string {
	const isOtherFamily = address.includes(':') !== (facts.family === 'ipv6');
	return isOtherFamily ? `it is ${familyNames[facts.family]}` : `the ${kind} is ${facts[kind].address}`;
}

function interfaceFact(kind: 'in-interface' | 'out-interface', {inInterface, outInterface}: PacketFacts): string {
	if (kind === 'in-interface') {
		return inInterface === undefined ? 'it did not arrive on an interface' : `it arrives on ${inInterface}`;
	}

	return outInterface === undefined ? 'it does not leave on an interface here' : `it leaves on ${outInterface}`;
}

function ownerFact(kind: 'uid' | 'gid' | 'socket-exists', {socket}: PacketFacts): string {
	if (socket === undefined) {
		return 'the owner of the socket is not known';
	}

	if (socket === 'none') {
		return 'no local socket sent it';
	}

	return kind === 'socket-exists' ? 'a local socket sent it' : `the socket's ${kind.toUpperCase()} is ${socket[kind]}`;
}

function connmarkFact({connmark}: PacketFacts): string {
	if (connmark === undefined) {
		return 'the connection\'s mark is not known';
	}

	return connmark === 'none' ? 'it belongs to no connection yet' : `the connection's mark is ${hexadecimal(connmark)}`;
}

/** Why a rule that is not in the trace did not match, or what the model says about it, as a sentence without its period. */
export function describeAnswer({answer, facts}: Pick<AskedRule, 'answer' | 'facts'>, asked: {readonly language: RuleLanguage}): string {
	switch (answer.kind) {
		case 'fails': {
			return `${nameOfMatch(answer.match, facts, asked)}: ${factFor(answer.match, facts)}`;
		}

		case 'not-known': {
			return answer.matches.length === 0
				? 'all its conditions hold, but its target can leave a packet unchanged; the trace shows no hit'
				: `${answer.matches.map(match => `${nameOfMatch(match, facts, asked)}: ${factFor(match, facts)}`).join('; ')}; so it is not known whether it failed; the trace shows no hit`;
		}

		case 'matches': {
			return 'all its conditions hold, but the trace shows no hit';
		}
	}
}

/** What a rule does with the packets that it matches, as a sentence without a capital and a period. In a base chain, a rule that returns leaves the decision to the policy. */
export function describeTarget(target: Target, {isInBaseChain}: {readonly isInBaseChain: boolean}): string {
	switch (target.kind) {
		case 'verdict': {
			return target.verdict === 'return' && isInBaseChain ? 'returns: nothing more in this chain, its policy decides' : verdictWords[target.verdict];
		}

		case 'jump': {
			return `continues in ${target.chain}`;
		}

		case 'goto': {
			return `continues in ${target.chain} and does not come back here`;
		}

		case 'redirect': {
			return target.toPorts === undefined ? 'redirects to this host and keeps the port' : `redirects to port ${printRange(target.toPorts, ' to ')}`;
		}

		case 'tproxy': {
			return `gives it to the transparent listener on port ${target.onPort}${target.mask === 0 ? '' : `, marked ${hexadecimal(target.mark)}`}`;
		}

		case 'set-mark':
		case 'set-connmark': {
			return `sets the ${target.kind === 'set-mark' ? 'mark' : 'connection\'s mark'} to ${hexadecimal(target.value)}${target.mask === wholeMask ? '' : ` in the bits ${hexadecimal(target.mask)}`}; the next rule follows`;
		}

		case 'save-mark': {
			return 'copies the mark to the connection; the next rule follows';
		}

		case 'restore-mark': {
			return 'copies the connection\'s mark to the packet; the next rule follows';
		}

		case 'ct-zone': {
			return `puts the connection into conntrack zone ${target.zone}; the next rule follows`;
		}

		case 'extension': {
			return `does ${[target.name, target.options].filter(part => part !== '').join(' ')}`;
		}

		case 'none': {
			return 'only counts; the next rule follows';
		}
	}
}

const verdictWords = {
	accept: 'accepts: nothing more in this table here',
	drop: 'drops it',
	return: 'returns: nothing more in this chain',
	queue: 'hands it to a program in user space',
} as const;
