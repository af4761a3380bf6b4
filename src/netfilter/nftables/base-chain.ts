/**
The declaration of a base chain in a native nft table: `type nat hook output priority -100`, and nft's names for priorities (nft 1.0.6, measured at every hook).
*/

import type {BaseChain, Chain, Hook} from '../types.js';
import {RuleSyntaxError} from '../words.js';

/** The declarations before a chain's rules. */
export type ChainHead = Pick<Chain, 'policy' | 'base' | 'comment'>;

/** Names of priorities (nft(8), CHAINS); the two of nat are for the hooks where destinations or sources are changed. */
const priorities: ReadonlyArray<{readonly name: string; readonly priority: number; readonly hook?: Hook}> = [
	{name: 'raw', priority: -300},
	{name: 'mangle', priority: -150},
	{name: 'dstnat', priority: -100, hook: 'prerouting'},
	{name: 'filter', priority: 0},
	{name: 'security', priority: 50},
	{name: 'srcnat', priority: 100, hook: 'postrouting'},
];

/** The largest distance from a named priority at which nft prints a priority by that name. */
const distanceMax = 10;

const hooks: readonly Hook[] = ['prerouting', 'input', 'forward', 'output', 'postrouting'];
const types = ['filter', 'nat', 'route'] as const satisfies ReadonlyArray<BaseChain['type']>;

/** Parses `type TYPE hook HOOK priority PRIORITY`. Throws `RuleSyntaxError` for a hook that packets of sockets never meet, and for anything else. */
export function parseBaseChain(text: string): BaseChain {
	const {type: typeText = '', hook: hookText = '', priority: priorityText = ''} = /^type\s+(?<type>\S+)\s+hook\s+(?<hook>\S+)(?:\s+device\s+\S+)?\s+priority\s+(?<priority>.+)$/u.exec(text)?.groups ?? {};
	if (priorityText === '') {
		throw new RuleSyntaxError('a base chain is declared as type TYPE hook HOOK priority PRIORITY');
	}

	const type = types.find(candidate => candidate === typeText);
	const hook = hooks.find(candidate => candidate === hookText);
	if (type === undefined) {
		throw new RuleSyntaxError(`unknown chain type "${typeText}"; known are ${types.join(', ')}`);
	}

	if (hook === undefined) {
		throw new RuleSyntaxError(`a chain at hook ${hookText}, which is not one of ${hooks.join(', ')}`);
	}

	return {type, hook, priority: parsePriority(priorityText)};
}

/** Parses `-100`, `dstnat`, `mangle + 5`. */
export function parsePriority(text: string): number {
	const {name, distance, number} = /^(?:(?<name>[a-z]+)\s*(?<distance>[+-]\s*\d+)?|(?<number>-?\d+))$/u.exec(text.trim())?.groups ?? {};
	const base = name === undefined ? (number === undefined ? undefined : Number(number)) : priorities.find(candidate => candidate.name === name)?.priority;
	if (base === undefined) {
		throw new RuleSyntaxError(`bad priority "${text}": expected a whole number or one of ${priorities.map(known => known.name).join(', ')}`);
	}

	return base + Number(distance?.replaceAll(/\s/gu, '') ?? 0);
}

/** The declaration as nft prints it, without the policy. */
export function printBaseChain({type, hook, priority}: BaseChain): string {
	return `type ${type} hook ${hook} priority ${printPriority({hook, priority})};`;
}

function printPriority({hook, priority}: Pick<BaseChain, 'hook' | 'priority'>): string {
	const near = priorities.find(known => Math.abs(priority - known.priority) <= distanceMax && (known.hook === undefined || known.hook === hook));
	if (near === undefined) {
		return String(priority);
	}

	const distance = priority - near.priority;
	return distance === 0 ? near.name : `${near.name} ${distance < 0 ? '-' : '+'} ${Math.abs(distance)}`;
}
