/**
What a native nft rule does: its acting statements as one target, and their text as nft prints it (nft 1.0.6, measured).
*/

import {parseAddress} from '../address.js';
import {wordMax} from '../iptables/values.js';
import type {Family, Target} from '../types.js';
import {hexadecimal, parseNumber} from './match.js';
import {printExpression, type Expression, type Statement} from './statements.js';

/** A statement that acts rather than tests. */
export type Acting = Extract<Statement, {kind: 'set' | 'verdict' | 'action'}>;

const portMax = 65_535;
const zoneMax = 65_535;
/** How a packet is rejected by default. */
const usualReject: Readonly<Record<Family, string>> = {ip: 'icmp', ip6: 'icmpv6', inet: 'icmpx'};

/** Whether a statement acts. */
export function isActing(statement: Statement): statement is Acting {
	return statement.kind === 'set' || statement.kind === 'verdict' || statement.kind === 'action';
}

/** The text of a statement that acts. */
export function printActing(statement: Acting, family: Family): string {
	switch (statement.kind) {
		case 'verdict': {
			return statement.chain === '' ? statement.verdict : `${statement.verdict} ${statement.chain}`;
		}

		case 'set': {
			return `${printExpression(statement.left)} set ${printAssigned(statement)}`;
		}

		case 'action': {
			const {name, options} = statement;
			return name === 'vmap' ? options : [name, printOptions(statement, family)].filter(part => part !== '').join(' ');
		}
	}
}

/** The target of one statement that acts. */
export function targetOf(statement: Acting, family: Family): Target {
	switch (statement.kind) {
		case 'verdict': {
			return targetOfVerdict(statement);
		}

		case 'set': {
			return targetOfSet(statement) ?? extensionOf(printActing(statement, family));
		}

		case 'action': {
			if (statement.name === 'vmap') {
				return {kind: 'extension', name: 'vmap', options: statement.options};
			}

			const options = printOptions(statement, family);
			return (statement.name === 'redirect' ? readRedirect(options) : undefined) ?? {kind: 'extension', name: statement.name, options};
		}
	}
}

/** `tproxy to :15006 meta mark set 0x539 accept` is one target: without `accept` the packet would continue, and with an address it would go elsewhere. */
export function readTproxy(acting: readonly Acting[]): Target | undefined {
	const [tproxy, ...rest] = acting;
	const last = rest.pop();
	const [mark, ...more] = rest;
	const [, port] = tproxy?.kind === 'action' && tproxy.name === 'tproxy' ? /^(?:ip6? )?to :(?<port>\d+)$/u.exec(tproxy.options) ?? [] : [];
	const onPort = parseNumber(port ?? '', portMax);
	if (onPort === undefined || last?.kind !== 'verdict' || last.verdict !== 'accept' || more.length > 0) {
		return undefined;
	}

	if (mark === undefined) {
		return {
			kind: 'tproxy', onPort, mark: 0, mask: 0,
		};
	}

	const set = mark.kind === 'set' ? targetOfSet(mark) : undefined;
	return set?.kind === 'set-mark'
		? {
			kind: 'tproxy', onPort, mark: set.value, mask: set.mask,
		}
		: undefined;
}

function targetOfVerdict({verdict, chain}: Extract<Acting, {kind: 'verdict'}>): Target {
	switch (verdict) {
		case 'accept':
		case 'drop':
		case 'return': {
			return {kind: 'verdict', verdict};
		}

		case 'jump':
		case 'goto': {
			return {kind: verdict, chain};
		}

		default: {
			return {kind: 'extension', name: verdict, options: ''};
		}
	}
}

type Assignment = Extract<Acting, {kind: 'set'}>;

function targetOfSet({left, right}: Assignment): Target | undefined {
	const what = printExpression(left);
	if (what === 'ct zone') {
		const zone = right.steps.length === 0 ? parseNumber(right.primary, zoneMax) : undefined;
		return zone === undefined ? undefined : {kind: 'ct-zone', zone};
	}

	if (what !== 'meta mark' && what !== 'ct mark') {
		return undefined;
	}

	const other = what === 'meta mark' ? 'ct mark' : 'meta mark';
	if (printExpression(right) === other) {
		return {kind: what === 'meta mark' ? 'restore-mark' : 'save-mark'};
	}

	const change = changeOf(what, right);
	return change === undefined ? undefined : {kind: what === 'meta mark' ? 'set-mark' : 'set-connmark', ...change};
}

/** How an assignment changes a mark: it clears the bits of `mask`, then flips those of `value`, like iptables' --set-xmark. */
function changeOf(what: string, {primary, steps}: Expression): {readonly value: number; readonly mask: number} | undefined {
	if (steps.length === 0) {
		const value = parseNumber(primary, wordMax);
		return value === undefined ? undefined : {value, mask: wordMax};
	}

	const operands = steps.map(({operand}) => parseNumber(operand, wordMax)).filter(operand => operand !== undefined);
	if (primary !== what || operands.length < steps.length) {
		return undefined;
	}

	const [first = 0, second = 0] = operands;
	switch (steps.map(({operator}) => operator).join('')) {
		case '&': {
			return {value: 0, mask: invert(first)};
		}

		case '|': {
			return {value: first, mask: first};
		}

		case '^': {
			return {value: first, mask: 0};
		}

		case '&|': {
			return {value: second, mask: invert(first & ~second)};
		}

		default: {
			return undefined;
		}
	}
}

function invert(mask: number): number {
	return (~mask) >>> 0;
}

function printAssigned({left, right}: Assignment): string {
	const what = printExpression(left);
	if (what === 'ct zone' && right.steps.length === 0) {
		return String(parseNumber(right.primary, zoneMax) ?? right.primary);
	}

	if (what !== 'meta mark' && what !== 'ct mark') {
		return printExpression(right);
	}

	const number = right.steps.length === 0 ? parseNumber(right.primary, wordMax) : undefined;
	if (number !== undefined) {
		return hexadecimal(number);
	}

	const isMasked = changeOf(what, right) !== undefined && right.steps.length === 2;
	const [first = 0, second = 0] = right.steps.map(({operand}) => parseNumber(operand, wordMax) ?? 0);
	// The kernel keeps one mask and one value; bits that are always set are in both.
	if (isMasked) {
		const kept = (first | second) >>> 0;
		return `${right.primary}${kept === wordMax ? '' : ` & ${hexadecimal(kept)}`} | ${hexadecimal(second)}`;
	}

	return printExpression({
		primary: right.primary,
		steps: right.steps.map(({operator, operand}) => {
			const value = parseNumber(operand, wordMax);
			return {operator, operand: value === undefined ? operand : hexadecimal(value)};
		}),
	});
}

function readRedirect(options: string): Target | undefined {
	if (options === '') {
		return {kind: 'redirect', toPorts: undefined};
	}

	const [, first = '', last = first] = /^to :(?<first>\d+)(?:-(?<last>\d+))?$/u.exec(options) ?? [];
	const from = parseNumber(first, portMax);
	const to = parseNumber(last, portMax);
	return from === undefined || to === undefined || from > to ? undefined : {kind: 'redirect', toPorts: {from, to}};
}

/** The options in nft's form: defaults are omitted, and the family of an address is named if the table has two. */
function printOptions({name, options}: Extract<Acting, {kind: 'action'}>, family: Family): string {
	if (name === 'redirect') {
		return options.replace(/^to (?=\d)/u, 'to :');
	}

	if (name === 'reject') {
		const plain = options.replace(/^(?<kind>with icmp(?:v6|x)?) type /u, '$<kind> ');
		return plain === `with ${usualReject[family]} port-unreachable` ? '' : plain;
	}

	if (name === 'log') {
		return options.replace(/ ?level warn\b/u, '').trimStart();
	}

	if (name === 'tproxy' && family !== 'inet') {
		return options.replace(/^ip6? to/u, 'to');
	}

	const [, address] = name === 'snat' || name === 'dnat' ? /^to (?<address>\S+)/u.exec(options) ?? [] : [];
	const found = family === 'inet' && address !== undefined ? parseAddress(address) : undefined;
	return found === undefined ? options : `${found.family === 'ipv4' ? 'ip' : 'ip6'} ${options}`;
}

/** A statement whose first word is the name of what it does. */
function extensionOf(text: string): Target {
	const [name = '', ...options] = text.split(' ');
	return {kind: 'extension', name, options: options.join(' ')};
}
