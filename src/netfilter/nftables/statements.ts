/**
Splits one nft rule into statements (nft(8), STATEMENTS and EXPRESSIONS). An unknown form extends to the next verdict, counter or comment, so that no part of it is mistaken for a condition of its own.
*/

import {RuleSyntaxError} from '../words.js';
import {splitNftWords} from './words.js';

/** A value that a rule reads or computes: `meta mark & 0xfff` is the primary `meta mark` with one step. */
export type Expression = {readonly primary: string; readonly steps: ReadonlyArray<{readonly operator: string; readonly operand: string}>};

/** A part of a rule. `condition` is everything that only tests and is not understood further. */
export type Statement =
	| {readonly kind: 'match'; readonly left: Expression; readonly operator: string; readonly right: string}
	| {readonly kind: 'set'; readonly left: Expression; readonly right: Expression}
	| {readonly kind: 'verdict'; readonly verdict: string; readonly chain: string}
	| {readonly kind: 'action'; readonly name: string; readonly options: string}
	| {readonly kind: 'condition'; readonly text: string}
	| {readonly kind: 'counter'}
	| {readonly kind: 'comment'; readonly text: string};

type Reader = {readonly words: readonly string[]; next: number};

const verdicts: ReadonlySet<string> = new Set(['accept', 'drop', 'return', 'continue']);
const jumps: ReadonlySet<string> = new Set(['jump', 'goto']);
/** Words that end whatever precedes them. */
const firm: ReadonlySet<string> = new Set([...verdicts, ...jumps, 'counter', 'comment']);

/** Keys of `meta` that can be written without `meta` (nft(8), META EXPRESSIONS); nft adds it to the second kind when printing. */
const plainMetaKeys: ReadonlySet<string> = new Set(['iif', 'oif', 'iifname', 'oifname', 'iifgroup', 'oifgroup']);
const shortMetaKeys: ReadonlySet<string> = new Set(['mark', 'skuid', 'skgid', 'nftrace', 'rtclassid', 'pkttype', 'cpu', 'cgroup', 'iiftype', 'oiftype', 'ibrname', 'obrname']);
/** How many words name one value to read (nft(8), PAYLOAD and other expressions): the first matching row counts. */
const primaryShapes: ReadonlyArray<readonly [RegExp, number]> = [
	[/^ct (?:original|reply) ip6? /u, 4],
	[/^ct (?:original|reply) /u, 3],
	[/^(?:tcp|ip) option \S+ (?:exists|missing)\b/u, 3],
	[/^(?:tcp|ip) option /u, 4],
	[/^rt ip6? /u, 3],
	[/^(?:meta|ct|exthdr|fib|ether|vlan|arp|ip|ip6|icmp|icmpv6|igmp|tcp|udp|udplite|sctp|dccp|ah|esp|comp|th|frag|hbh|rt|mh|dst|srh|socket) /u, 2],
	[new RegExp(`^(?:${[...plainMetaKeys, ...shortMetaKeys].join('|')})(?: |$)`, 'u'), 1],
	[/^@(?:ll|nh|th|ih),/u, 1],
];

const operators: ReadonlyMap<string, string> = new Map([
	['&', '&'], ['and', '&'], ['|', '|'], ['or', '|'], ['^', '^'], ['xor', '^'], ['<<', '<<'], ['lshift', '<<'], ['>>', '>>'], ['rshift', '>>'], ['.', '.'], ['/', '/'],
]);
const comparisons: ReadonlyMap<string, string> = new Map([
	['==', '=='], ['eq', '=='], ['!=', '!='], ['ne', '!='], ['<', '<'], ['lt', '<'], ['>', '>'], ['gt', '>'], ['<=', '<='], ['le', '<='], ['>=', '>='], ['ge', '>='], ['!', '!'],
]);

/** Acting statements, whose words extend to the next firm word: most of them end the path of the packet. */
const actions: ReadonlySet<string> = new Set('queue reject snat dnat masquerade redirect synproxy dup fwd add update delete set flow'.split(' '));
const logOptions: ReadonlySet<string> = new Set(['prefix', 'level', 'group', 'snaplen', 'queue-threshold', 'flags']);

/** Splits a rule into its statements. Throws `RuleSyntaxError` for a text that is not a rule. */
export function splitStatements(text: string): readonly Statement[] {
	const reader: Reader = {words: splitNftWords(text), next: 0};
	if (reader.words.length === 0) {
		throw new RuleSyntaxError('a rule without a statement');
	}

	const statements: Statement[] = [];
	while (reader.next < reader.words.length) {
		statements.push(readStatement(reader));
	}

	return statements;
}

/** An expression as nft prints it. */
export function printExpression({primary, steps}: Expression): string {
	return [primary, ...steps.flatMap(({operator, operand}) => [operator, operand])].join(' ');
}

function readStatement(reader: Reader): Statement {
	const [word = '', second = ''] = reader.words.slice(reader.next, reader.next + 2);
	if (verdicts.has(word)) {
		reader.next++;
		return {kind: 'verdict', verdict: word, chain: ''};
	}

	if (jumps.has(word)) {
		if (second === '' || firm.has(second)) {
			throw new RuleSyntaxError(`${word} without a chain`);
		}

		reader.next += 2;
		return {kind: 'verdict', verdict: word, chain: second};
	}

	if (word === 'counter') {
		return readCounter(reader);
	}

	if (word === 'comment') {
		if (second === '') {
			throw new RuleSyntaxError('comment without a text');
		}

		reader.next += 2;
		return {kind: 'comment', text: unquote(second)};
	}

	if (word === 'log') {
		return {kind: 'action', ...nameAndOptions(takeLog(reader))};
	}

	if (word === 'tproxy' || word === 'notrack') {
		const length = word === 'notrack' ? 1 : (second === 'to' ? 3 : 4);
		reader.next += length;
		return {kind: 'action', ...nameAndOptions(reader.words.slice(reader.next - length, reader.next))};
	}

	if (actions.has(word)) {
		return {kind: 'action', ...nameAndOptions(takeUntilFirm(reader))};
	}

	if (word === 'limit' || (word === 'ct' && second === 'count')) {
		return {kind: 'condition', text: takeLimit(reader).join(' ')};
	}

	return readExpressionStatement(reader);
}

/** `counter packets 5 bytes 300` has no effect beyond counting; a named counter is an object of its own. */
function readCounter(reader: Reader): Statement {
	const [, ...rest] = reader.words.slice(reader.next, reader.next + 5);
	if (rest[0] === 'name' && rest[1] !== undefined) {
		reader.next += 3;
		return {kind: 'action', name: 'counter', options: `name ${rest[1]}`};
	}

	reader.next += /^packets \d+ bytes \d+$/u.test(rest.join(' ')) ? 5 : 1;
	return {kind: 'counter'};
}

function takeLog(reader: Reader): readonly string[] {
	const start = reader.next++;
	while (logOptions.has(reader.words[reader.next] ?? '')) {
		const isTwofold = reader.words[reader.next] === 'flags' && ['tcp', 'ip'].includes(reader.words[reader.next + 1] ?? '');
		reader.next += isTwofold ? 3 : 2;
	}

	return reader.words.slice(start, reader.next);
}

/** `limit rate over 10/minute burst 5 packets`, `limit rate 10 kbytes/second`, `limit name "x"`, `ct count over 10`. */
function takeLimit(reader: Reader): readonly string[] {
	const start = reader.next;
	reader.next += 2;
	if (reader.words[reader.next] === 'over') {
		reader.next++;
	}

	reader.next += /^\d+$/u.test(reader.words[reader.next] ?? '') && (reader.words[reader.next + 1] ?? '').includes('/') ? 2 : 1;
	if (reader.words[reader.next] === 'burst') {
		reader.next += 3;
	}

	return reader.words.slice(start, reader.next);
}

function takeUntilFirm(reader: Reader): readonly string[] {
	const start = reader.next++;
	while (reader.next < reader.words.length && !firm.has(reader.words[reader.next] ?? '')) {
		reader.next++;
	}

	return reader.words.slice(start, reader.next);
}

function nameAndOptions([name = '', ...options]: readonly string[]): {readonly name: string; readonly options: string} {
	return {name, options: options.join(' ')};
}

function readExpressionStatement(reader: Reader): Statement {
	const start = reader.next;
	const left = takeExpression(reader);
	const word = reader.words[reader.next];
	if (left === undefined || word === undefined || firm.has(word)) {
		reader.next = start;
		return readUnknown(reader);
	}

	if (word === 'set') {
		reader.next++;
		const value = takeExpression(reader) ?? takeConstant(reader);
		if (value !== undefined && isEnd(reader, value)) {
			return {kind: 'set', left, right: value};
		}

		reader.next = start;
		return {kind: 'action', ...nameAndOptions(takeUntilFirm(reader))};
	}

	if (word === 'vmap') {
		reader.next += 2;
		return {kind: 'action', name: 'vmap', options: reader.words.slice(start, reader.next).join(' ')};
	}

	const operator = comparisons.get(word);
	reader.next += operator === undefined ? 0 : 1;
	const right = takeConstant(reader);
	if (right === undefined) {
		reader.next = start;
		return readUnknown(reader);
	}

	return {
		kind: 'match', left, operator: operator ?? '', right: printExpression(right),
	};
}

/** A verdict map decides, whatever it reads, and `set` changes something; anything else is taken for a condition. */
function readUnknown(reader: Reader): Statement {
	const words = takeUntilFirm(reader);
	if (words.includes('vmap')) {
		return {kind: 'action', name: 'vmap', options: words.join(' ')};
	}

	return words.includes('set') ? {kind: 'action', ...nameAndOptions(words)} : {kind: 'condition', text: words.join(' ')};
}

/** A `map` after a value belongs to the value, which is then more than an expression can represent. */
function isEnd(reader: Reader, {steps}: Expression): boolean {
	return reader.words[reader.next] !== 'map' && steps.every(({operand}) => operand !== 'map');
}

/** A plain value with its steps: `fin,syn / fin,syn`, `1.2.3.4 . 80`. The right side of a comparison is always one (nft 1.0.6). */
function takeConstant(reader: Reader): Expression | undefined {
	const word = reader.words[reader.next];
	if (word === undefined || firm.has(word)) {
		return undefined;
	}

	reader.next++;
	return takeSteps(reader, word);
}

function takeExpression(reader: Reader): Expression | undefined {
	const primary = takePrimary(reader);
	return primary === undefined ? undefined : takeSteps(reader, primary, takePrimary);
}

function takeSteps(reader: Reader, primary: string, takeOperand?: (reader: Reader) => string | undefined): Expression | undefined {
	const steps: Array<{readonly operator: string; readonly operand: string}> = [];
	for (let operator = operators.get(reader.words[reader.next] ?? ''); operator !== undefined; operator = operators.get(reader.words[reader.next] ?? '')) {
		reader.next++;
		const start = reader.next;
		const operand = takeOperand?.(reader) ?? reader.words[reader.next = start];
		if (operand === undefined || firm.has(operand)) {
			return undefined;
		}

		reader.next = reader.next === start ? start + 1 : reader.next;
		steps.push({operator, operand});
	}

	return {primary, steps};
}

/** The words that name one value to read; undefined if they do not. */
function takePrimary(reader: Reader): string | undefined {
	const start = reader.next;
	const words = reader.words.slice(start, start + 4);
	const length = lengthOfPrimary(words);
	const taken = words.slice(0, length);
	if (length === 0 || taken.length < length || taken.some(word => firm.has(word))) {
		return undefined;
	}

	reader.next = start + length;
	if (taken[0] === 'fib') {
		return takeFib(reader, start);
	}

	const [first = '', second = ''] = taken;
	if (first === 'meta' && plainMetaKeys.has(second)) {
		return second;
	}

	return length === 1 && shortMetaKeys.has(first) ? `meta ${first}` : taken.join(' ');
}

function lengthOfPrimary(words: readonly string[]): number {
	const text = words.join(' ');
	return primaryShapes.find(([shape]) => shape.test(text))?.[1] ?? 0;
}

/** `fib saddr . iif oif`: keys joined by dots, then what is looked up. */
function takeFib(reader: Reader, start: number): string | undefined {
	while (reader.words[reader.next] === '.') {
		reader.next += 2;
	}

	reader.next++;
	return reader.next > reader.words.length ? undefined : reader.words.slice(start, reader.next).join(' ');
}

function unquote(word: string): string {
	return word.replace(/^"(?<inner>.*)"$/u, '$<inner>');
}
