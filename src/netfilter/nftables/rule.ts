/**
The grammar of one native nft rule: `tcp dport 80 counter return` as matches and a target. Nothing is dropped: a part without a field becomes an `opaque` match or an `extension` target with its words. The text is the one that nft prints for the rule.
*/

import type {ParsedRule} from '../iptables/rule.js';
import type {Family, Match, Target} from '../types.js';
import {
	protocolLookedAt, readMatch,
} from './match.js';
import {checkNftRule} from './safety.js';
import {splitStatements, type Statement} from './statements.js';
import {
	isActing, printActing, readTproxy, targetOf, type Acting,
} from './target.js';

/**
Parses one rule as `nft list ruleset` prints it or as a user wrote it, with or without counts. `text` is what `nft -s list ruleset` 1.0.6 prints: `meta l4proto tcp tcp dport 80 skuid 5` becomes `tcp dport 80 meta skuid 5`. The rule is taken as one of an `inet` table unless a family is given.
It does not reproduce how nft joins and reorders conditions on adjacent fields of one header, or repeated ones.
Throws `RuleSyntaxError` for a text that is not a rule: an unclosed quote, a jump without a chain, anything that makes nft read a file.
*/
export function parseNftRule(text: string, family: Family = 'inet'): ParsedRule {
	const bare = text.replace(/\s*# handle \d+\s*$/u, '');
	checkNftRule(bare);
	const statements = withoutImplied(splitStatements(bare), family);
	const acting = statements.filter(statement => isActing(statement));
	const {target, used} = readTarget(statements, acting, family);
	const parts = statements.map(statement => readPart(statement, {family, isTarget: isActing(statement) && used.includes(statement)}));
	return {
		matches: withoutRepeatedProtocol(parts.flatMap(({matches}) => matches)),
		target,
		text: parts.map(part => part.text).join(' '),
	};
}

function readPart(statement: Statement, {family, isTarget}: {readonly family: Family; readonly isTarget: boolean}): {readonly matches: readonly Match[]; readonly text: string} {
	if (isActing(statement)) {
		const text = printActing(statement, family);
		return {matches: isTarget ? [] : [{kind: 'opaque', text}], text};
	}

	switch (statement.kind) {
		case 'match': {
			return readMatch(statement, family);
		}

		case 'condition': {
			return {matches: [{kind: 'opaque', text: statement.text}], text: statement.text};
		}

		case 'comment': {
			return {matches: [{kind: 'comment', text: statement.text}], text: `comment "${statement.text}"`};
		}

		case 'counter': {
			return {matches: [], text: 'counter'};
		}
	}
}

/** The target is the last acting statement, unless a condition follows it: then it acts on more packets than the matches say, and no part can be a field. */
function readTarget(statements: readonly Statement[], acting: readonly Acting[], family: Family): {readonly target: Target; readonly used: readonly Acting[]} {
	const last = acting.at(-1);
	const lastQuestion = statements.findLastIndex(({kind}) => kind === 'match' || kind === 'condition');
	if (last === undefined || statements.indexOf(last) < lastQuestion) {
		return {target: {kind: 'none'}, used: []};
	}

	const fromTproxy = acting.slice(acting.findIndex(statement => statement.kind === 'action' && statement.name === 'tproxy'));
	const [first] = fromTproxy;
	const tproxy = first !== undefined && statements.indexOf(first) > lastQuestion ? readTproxy(fromTproxy) : undefined;
	return tproxy === undefined ? {target: targetOf(last, family), used: [last]} : {target: tproxy, used: fromTproxy};
}

/** Headers that only packets of one family have. */
const headersOf = {ip: ['ip', 'icmp'], ip6: ['ip6', 'icmpv6']} as const;

type Implied = {readonly statement: Statement; readonly isImpliedBy: (primary: string) => boolean};

/**
Removes conditions that a later one implies, as nft does: `meta l4proto tcp` before `tcp dport`, `meta nfproto ipv4` before `ip daddr`. Only conditions may be in between.
*/
function withoutImplied(statements: readonly Statement[], family: Family): readonly Statement[] {
	const left = new Set<Statement>();
	let protocol: Implied | undefined;
	let network: Implied | undefined;
	let transport: string | undefined;
	const kept = statements.map((statement): Statement => {
		const looked = lookedAt(statement);
		if (looked === undefined) {
			protocol = undefined;
			network = undefined;
			return statement;
		}

		const renamed = transport === undefined ? statement : renameHeader(statement, transport);
		const primaries = lookedAt(renamed) ?? looked;
		for (const implied of [protocol, network]) {
			if (implied !== undefined && primaries.some(primary => implied.isImpliedBy(primary))) {
				left.add(implied.statement);
			}
		}

		const asked = askedProtocol(renamed, family);
		const askedFamily = family === 'inet' ? askedNetwork(renamed) : undefined;
		protocol = asked === undefined ? protocol : {statement: renamed, isImpliedBy: primary => protocolLookedAt(primary) === asked};
		network = askedFamily === undefined ? network : {statement: renamed, isImpliedBy: primary => headersOf[askedFamily].some(header => primary.startsWith(`${header} `))};
		transport = asked ?? primaries.map(primary => protocolLookedAt(primary)).find(name => name !== undefined) ?? transport;
		return renamed;
	});
	return kept.filter(statement => !left.has(statement));
}

/** What a condition reads, one entry for each value of a concatenation; undefined for a statement that is not a condition. A verdict map counts as one. */
function lookedAt(statement: Statement): readonly string[] | undefined {
	if (statement.kind === 'action' && statement.name === 'vmap') {
		return [statement.options];
	}

	return statement.kind === 'match' ? [statement.left.primary, ...statement.left.steps.map(({operand}) => operand)] : undefined;
}

/** `th dport` after `meta l4proto tcp` or any field of TCP becomes `tcp dport`. */
function renameHeader(statement: Statement, protocol: string): Statement {
	if (statement.kind !== 'match' || !/^th [sd]port$/u.test(statement.left.primary) || !['tcp', 'udp', 'sctp', 'dccp', 'udplite'].includes(protocol)) {
		return statement;
	}

	return {...statement, left: {...statement.left, primary: statement.left.primary.replace('th', protocol)}};
}

function askedProtocol(statement: Statement, family: Family): string | undefined {
	if (statement.kind !== 'match') {
		return undefined;
	}

	const {left: {primary}} = statement;
	if (primary !== 'meta l4proto' && !(primary === 'ip protocol' && family === 'ip')) {
		return undefined;
	}

	const [match, ...more] = readMatch(statement, family).matches;
	return match?.kind === 'protocol' && !match.negated && more.length === 0 ? match.protocol : undefined;
}

function askedNetwork(statement: Statement): 'ip' | 'ip6' | undefined {
	if (statement.kind !== 'match' || statement.left.primary !== 'meta nfproto' || !['', '=='].includes(statement.operator)) {
		return undefined;
	}

	return statement.right === 'ipv4' ? 'ip' : (statement.right === 'ipv6' ? 'ip6' : undefined);
}

/** Each port implies its protocol; one mention is enough. */
function withoutRepeatedProtocol(matches: readonly Match[]): readonly Match[] {
	const seen = new Set<string>();
	return matches.filter(match => {
		if (match.kind !== 'protocol' || match.negated) {
			return true;
		}

		const isNew = !seen.has(match.protocol);
		seen.add(match.protocol);
		return isNew;
	});
}
