/**
Tests one rule for one packet: whether it matches, and if not, the first condition that fails. Only conditions with a field (`Match`) are understood; for everything else the answer is "not known".
*/

import {
	contains, parseAddress, parseRange,
} from '../../netfilter/address.js';
import type {Endpoint} from '../../netfilter/path.js';
import type {
	Match, PortRange, Rule, RuleLanguage, Target,
} from '../../netfilter/types.js';
import {semanticsOf} from '../../netfilter/semantics.js';
import type {PacketFacts} from './packet-facts.js';

/** Whether a rule matches a packet, as far as its text and the known facts allow. */
export type RuleAnswer =
	| {readonly kind: 'matches'}
	/** The first condition that fails. */
	| {readonly kind: 'fails'; readonly match: Match}
	/** No understood condition fails; these conditions are not understood, or test something unknown. Empty: it is unknown whether the target takes the packet. */
	| {readonly kind: 'not-known'; readonly matches: readonly Match[]};

/** Whether one condition holds. */
export type MatchAnswer = boolean | 'not-known';

/** Tests a rule. In a native nft rule, a condition on something that the packet does not have fails, negated or not (NFT_BREAK). */
export function askRule({matches, target}: Pick<Rule, 'matches' | 'target'>, facts: PacketFacts, {language}: {readonly language: RuleLanguage}): RuleAnswer {
	const doubtful: Match[] = [];
	for (const match of matches) {
		const answer = askMatch(match, facts, {language});
		if (answer === false) {
			return {kind: 'fails', match};
		}

		if (answer === 'not-known') {
			doubtful.push(match);
		}
	}

	return doubtful.length > 0 || (semanticsOf(language).canActionFail && canPass(target, facts)) ? {kind: 'not-known', matches: doubtful} : {kind: 'matches'};
}

/** Acting statements of nft that can leave the rule without having acted: no socket is found, no map element, no connection. */
function canPass(target: Target, {connmark}: PacketFacts): boolean {
	return target.kind === 'tproxy' || target.kind === 'extension' || (target.kind === 'restore-mark' && connmark === 'none');
}

/** Tests one condition of a rule. */
export function askMatch(match: Match, facts: PacketFacts, {language}: {readonly language: RuleLanguage}): MatchAnswer {
	return (answers[match.kind] as Answering)(match, facts, language);
}

/** The member of the union that a kind belongs to; some members have two kinds. */
type Of<Kind extends Match['kind'], Each = Match> = Each extends {readonly kind: infer Own} ? (Kind extends Own ? Each : never) : never;
type Answering<Asked = Match> = (match: Asked, facts: PacketFacts, language: RuleLanguage) => MatchAnswer;

const answers = {
	comment: () => true,
	opaque: () => 'not-known',
	protocol: ({protocol, negated}, facts) => (protocol === facts.protocol) !== negated,
	source: (match, {source}) => answerAddress(match, source),
	destination: (match, {destination}) => answerAddress(match, destination),
	'in-interface': ({name, negated}, {inInterface}) => isInterface(name, inInterface) !== negated,
	'out-interface': ({name, negated}, {outInterface}) => isInterface(name, outInterface) !== negated,
	'source-port': ({ranges, negated}, {source}) => isInRanges(ranges, source.port) !== negated,
	'destination-port': ({ranges, negated}, {destination}) => isInRanges(ranges, destination.port) !== negated,
	uid: answerOwner,
	gid: answerOwner,
	'socket-exists': ({negated}, {socket}) => socket === undefined ? 'not-known' : (socket !== 'none') !== negated,
	mark: (match, {mark}) => mark === undefined ? 'not-known' : isMark(match, mark) !== match.negated,
	// Without a connection, both are false, negated or not (`connmark_mt` in net/netfilter/xt_connmark.c).
	connmark: (match, {connmark}) => connmark === undefined ? 'not-known' : connmark !== 'none' && isMark(match, connmark) !== match.negated,
	'conntrack-state': (match, {states}) => states === undefined ? 'not-known' : match.states.some(state => states.includes(state)) !== match.negated,
} satisfies {[Kind in Match['kind']]: Answering<Of<Kind>>};

/** An address implies a test of its family, before any negation: `ip daddr != 10.0.0.1` never matches an IPv6 packet. */
function answerAddress({address, negated}: Of<'source' | 'destination'>, endpoint: Endpoint): MatchAnswer {
	const [range, own] = [parseRange(address), parseAddress(endpoint.address)];
	if (range === undefined || own === undefined) {
		return 'not-known';
	}

	return range.family === own.family && contains(range, own) !== negated;
}

/** A trailing `+` matches every name with that prefix. Without an interface the name is empty, so only a negation, or `+` alone, is true. */
function isInterface(name: string, own = ''): boolean {
	return name.endsWith('+') ? own.startsWith(name.slice(0, -1)) : own === name;
}

function isInRanges(ranges: readonly PortRange[], port: number): boolean {
	return ranges.some(({from, to}) => from <= port && port <= to);
}

/** Without a socket, only a negated condition is true in iptables, and none in nft (`owner_mt` in net/netfilter/xt_owner.c; `nft_meta_get_eval_skugid`). */
function answerOwner({kind, from, to, negated}: Of<'uid' | 'gid'>, {socket}: PacketFacts, language: RuleLanguage): MatchAnswer {
	if (socket === undefined) {
		return 'not-known';
	}

	if (socket === 'none') {
		return negated && semanticsOf(language).negatedOwnerHoldsWithoutSocket;
	}

	return (from <= socket[kind] && socket[kind] <= to) !== negated;
}

function isMark({value, mask}: Of<'mark' | 'connmark'>, mark: number): boolean {
	return ((mark & mask) >>> 0) === value;
}
