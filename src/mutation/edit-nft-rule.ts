/**
Changes one condition or the target of a native nft rule in the text that nft prints. It tries possible positions of the words, and takes the text that parses as the intended rule.
*/

import {addressBits, parseRange, printAddress} from '../netfilter/address.js';
import {parseNftRule} from '../netfilter/nftables/rule.js';
import {wordMax} from '../netfilter/iptables/values.js';
import type {
	Family, Match, Rule, Target,
} from '../netfilter/types.js';
import {
	hexadecimal, meant, printNumbers, withMeaning, type RuleEdit,
} from './edit-iptables-rule.js';

/** The words of a condition without the negation and the value. */
const questions: Partial<Record<Match['kind'], RegExp>> = {
	protocol: /(?<head>\bmeta l4proto) (?:!= )?\S+/gu,
	source: /(?<head>\bip6? saddr) (?:!= )?\S+/gu,
	destination: /(?<head>\bip6? daddr) (?:!= )?\S+/gu,
	'in-interface': /(?<head>\biif(?:name)?) (?:!= )?"[^"]*"/gu,
	'out-interface': /(?<head>\boif(?:name)?) (?:!= )?"[^"]*"/gu,
	'source-port': /(?<head>\b(?:tcp|udp|sctp|dccp|udplite) sport) (?:!= )?(?:\{[^}]*\}|\S+)/gu,
	'destination-port': /(?<head>\b(?:tcp|udp|sctp|dccp|udplite) dport) (?:!= )?(?:\{[^}]*\}|\S+)/gu,
	uid: /(?<head>\bmeta skuid) (?:!= )?\S+/gu,
	gid: /(?<head>\bmeta skgid) (?:!= )?\S+/gu,
	mark: /(?<head>\bmeta mark(?: & 0x[\da-f]+)?) (?:(?:!=|==) )?0x\S+/gu,
	connmark: /(?<head>\bct mark(?: & 0x[\da-f]+)?) (?:(?:!=|==) )?0x\S+/gu,
	'conntrack-state': /(?<head>\bct state) (?:!= )?(?:\{[^}]*\}|\S+)/gu,
};

/** The last acting statement. A comment may follow it. */
const actions = /(?:\b(?:jump|goto) \S+|\b(?:return|accept|drop)|\bredirect(?: to :\S+)?|\btproxy (?:ip6? )?to :\S+ meta mark set \S+ accept|\b(?:meta|ct) mark set \S+)(?= comment "|$)/gu;

/** The changed rule; undefined if nft cannot express it: a protocol that is only implied by a port has no words. */
export function editNftRule(rule: Rule, edit: RuleEdit, family: Family): Rule | undefined {
	const pattern = edit.kind === 'target' ? actions : questions[rule.matches[edit.place]!.kind];
	if (pattern === undefined) {
		return undefined;
	}

	const wanted = meant(rule, edit);
	for (const found of rule.text.matchAll(pattern)) {
		const words = edit.kind === 'target' ? printTarget(edit.target, found[0]) : printMatch(edit.match, found.groups!['head']!);
		const text = words === undefined ? undefined : `${rule.text.slice(0, found.index)}${words}${rule.text.slice(found.index + found[0].length)}`;
		const changed = text === undefined ? undefined : withMeaning(rule, wanted, () => parseNftRule(text, family));
		if (changed !== undefined) {
			return changed;
		}
	}

	return undefined;
}

function printMatch(match: Match, head: string): string | undefined {
	const value = valueOf(match);
	if (value === undefined || !('negated' in match)) {
		return undefined;
	}

	const isMasked = head.includes('&');
	return `${head} ${match.negated ? '!= ' : (isMasked ? '== ' : '')}${value}`;
}

function valueOf(match: Match): string | undefined {
	switch (match.kind) {
		case 'protocol': {
			return match.protocol;
		}

		case 'source':
		case 'destination': {
			const range = parseRange(match.address);
			return range === undefined || !match.address.endsWith(`/${addressBits[range.family]}`) ? match.address : printAddress({family: range.family, value: range.first});
		}

		case 'in-interface':
		case 'out-interface': {
			return `"${match.name.replace(/\+$/u, '*')}"`;
		}

		case 'source-port':
		case 'destination-port': {
			const items = match.ranges.map(range => printNumbers(range, '-'));
			return items.length === 1 ? items[0] : `{ ${items.join(', ')} }`;
		}

		case 'uid':
		case 'gid': {
			return printNumbers(match, '-');
		}

		case 'mark':
		case 'connmark': {
			return printMark(match);
		}

		case 'conntrack-state': {
			return match.states.map(state => state.toLowerCase()).join(',');
		}

		case 'socket-exists':
		case 'comment':
		case 'opaque': {
			return undefined;
		}
	}
}

/** Under a contiguous mask nft prints a prefix; any other mask comes first. */
function printMark({value, mask}: {readonly value: number; readonly mask: number}): string {
	const prefix = Math.clz32(~mask);
	return mask === wordMax || (wordMax << (32 - prefix)) >>> 0 !== mask ? hexadecimal(value) : `${hexadecimal(value)}/${prefix}`;
}

/** `old` are the replaced words: TPROXY keeps the family that they name. */
function printTarget(target: Target, old: string): string | undefined {
	switch (target.kind) {
		case 'verdict': {
			return target.verdict === 'queue' ? undefined : target.verdict;
		}

		case 'jump':
		case 'goto': {
			return `${target.kind} ${target.chain}`;
		}

		case 'redirect': {
			return target.toPorts === undefined ? 'redirect' : `redirect to :${printNumbers(target.toPorts, '-')}`;
		}

		case 'tproxy': {
			return old.startsWith('tproxy') ? old.replace(/:\S+/u, `:${target.onPort}`).replace(/set \S+/u, `set ${hexadecimal(target.mark)}`) : undefined;
		}

		case 'set-mark':
		case 'set-connmark': {
			return target.mask === wordMax ? `${target.kind === 'set-mark' ? 'meta' : 'ct'} mark set ${hexadecimal(target.value)}` : undefined;
		}

		case 'save-mark':
		case 'restore-mark':
		case 'ct-zone':
		case 'extension':
		case 'none': {
			return undefined;
		}
	}
}
