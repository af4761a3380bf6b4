/**
`iptables-save` and `ip6tables-save` text to a rule set and back: `printSave(parseSave(text))` is `text`, for text without comments and counters.
*/

import {builtInChains, tableFamily, tableNames} from './built-in.js';
import {ParseError} from './parse-error.js';
import {parseRuleText, type ParsedRule} from './rule-text.js';
import type {
	AddressFamily, Chain, Rule, RuleSet, Table, Target,
} from './types.js';
import {RuleSyntaxError} from './words.js';

export {ParseError} from './parse-error.js';

/** Longest chain name: XT_EXTENSION_MAXNAMELEN - 1 (linux/netfilter/x_tables.h; iptables 1.8.9 refuses 29, measured). */
export const chainNameLengthMax = 28;

type Line = {readonly number: number; readonly text: string};

type OpenRule = ParsedRule & {readonly line: Line};

type OpenChain = {readonly name: string; policy: Chain['policy']; readonly rules: OpenRule[]; isDeclared: boolean};

type OpenTable = {readonly name: string; readonly line: Line; readonly family: AddressFamily; readonly chains: Map<string, OpenChain>};

/** Reads the dump of one family. */
export function parseSave(text: string, family: AddressFamily): RuleSet {
	const tables: Table[] = [];
	let open: OpenTable | undefined;
	const lines = text.split('\n');
	let last: Line = {number: 1, text: lines[0]?.trim() ?? ''};
	for (const [index, lineText] of lines.entries()) {
		const line: Line = {number: index + 1, text: lineText.trim()};
		if (line.text === '' || line.text.startsWith('#')) {
			continue;
		}

		last = line;
		refuseListing(line);
		if (line.text.startsWith('*')) {
			if (open !== undefined) {
				throw problem(line, `table ${open.name} has no COMMIT in front of this`);
			}

			open = openTable(line, {family, tables});
		} else if (open === undefined) {
			throw problem(line, /^(?:-|:|COMMIT$|\[)/.test(line.text) ? 'outside a table: a line *TABLE is due before it' : 'not a line of iptables-save');
		} else if (line.text === 'COMMIT') {
			tables.push(closeTable(open));
			open = undefined;
		} else {
			readLine(open, line);
		}
	}

	if (open !== undefined) {
		throw problem(last, `table ${open.name} has no COMMIT`);
	}

	if (tables.length === 0) {
		throw problem(last, 'no table in it');
	}

	return {tables};
}

/** Prints the tables of one family, in the order of the set, as `iptables-save` 1.8.9 does without comments and counters. */
export function printSave(ruleSet: RuleSet, family: AddressFamily): string {
	return ruleSet.tables.filter(table => table.family === tableFamily(family)).map(table => printTable(table)).join('');
}

function printTable({name, chains}: Table): string {
	const builtIn = builtInChains(name);
	const ordered = [
		...builtIn.map(chain => chains.find(candidate => candidate.name === chain) ?? {name: chain, policy: 'ACCEPT', rules: []}),
		...chains.filter(chain => !builtIn.includes(chain.name)),
	];
	const lines = [
		`*${name}`,
		...ordered.map(chain => `:${chain.name} ${chain.policy ?? '-'}`),
		...ordered.flatMap(chain => chain.rules.map(rule => printRule(rule))),
		'COMMIT',
	];
	return lines.map(line => `${line}\n`).join('');
}

/** A rule as a line of a dump. */
export function printRule({chain, text}: Pick<Rule, 'chain' | 'text'>): string {
	return text === '' ? `-A ${chain}` : `-A ${chain} ${text}`;
}

function problem(line: Line, reason: string): ParseError {
	return new ParseError({line: line.number, reason, lineText: line.text});
}

function refuseListing(line: Line): void {
	if (/^Chain \S+ \((?:policy |\d+ references)/.test(line.text) || /^(?:num\s+)?(?:pkts\s+bytes\s+)?target\s+prot\s+opt\b/.test(line.text)) {
		throw problem(line, 'this is the output of iptables -L, which hides the interfaces of the rules; take iptables-save instead');
	}
}

function openTable(line: Line, {family, tables}: {readonly family: AddressFamily; readonly tables: readonly Table[]}): OpenTable {
	const name = line.text.slice(1).trim();
	if (!tableNames.includes(name)) {
		throw problem(line, `unknown table "${name}"; known are ${tableNames.join(', ')}`);
	}

	if (tables.some(table => table.name === name)) {
		throw problem(line, `table ${name} is there already`);
	}

	const chains = new Map(builtInChains(name).map(chain => [chain, {
		name: chain, policy: 'ACCEPT', rules: [], isDeclared: false,
	} satisfies OpenChain as OpenChain]));
	return {
		name, line, family, chains,
	};
}

function readLine(table: OpenTable, line: Line): void {
	const [, body = line.text] = /^\[\d+:\d+]\s*(.*)$/.exec(line.text) ?? [];
	const [, command = '', rest = ''] = /^(:|\S+)\s*(.*)$/.exec(body) ?? [];
	switch (command.startsWith(':') ? ':' : command) {
		case ':': {
			declareChain(table, line, body.slice(1).trim());
			break;
		}

		case '-N':
		case '--new-chain': {
			makeChain(table, line, rest);
			break;
		}

		case '-P':
		case '--policy': {
			const [name = '', policy = ''] = rest.split(/\s+/);
			findOpenChain(table, line, name).policy = readPolicy(table, line, {name, policy});
			break;
		}

		case '-A':
		case '--append': {
			addRule(table, line, {rest, isInsert: false});
			break;
		}

		case '-I':
		case '--insert': {
			addRule(table, line, {rest, isInsert: true});
			break;
		}

		default: {
			throw problem(line, command.startsWith('-') ? `unknown flag ${command} at the start of a line; a dump has -A, -I, -N and -P` : 'not a line of iptables-save');
		}
	}
}

function declareChain(table: OpenTable, line: Line, text: string): void {
	const [, name, policy, rest] = /^(\S+)\s+(\S+)(?:\s+(.*))?$/.exec(text) ?? [];
	if (name === undefined || policy === undefined) {
		throw problem(line, 'a chain line is :CHAIN POLICY or :CHAIN -');
	}

	if (rest !== undefined && !/^\[\d+:\d+]$/.test(rest)) {
		throw problem(line, `bad counters "${rest}": [packets:bytes] is due`);
	}

	const builtIn = builtInChains(table.name).includes(name) ? table.chains.get(name) : undefined;
	if (builtIn === undefined) {
		if (policy !== '-') {
			throw problem(line, `${name} is no built-in chain of table ${table.name}, so it has no policy; "-" is due`);
		}

		makeChain(table, line, name);
		return;
	}

	if (builtIn.isDeclared) {
		throw problem(line, `chain ${name} is there already`);
	}

	builtIn.isDeclared = true;
	builtIn.policy = policy === '-' ? 'ACCEPT' : readPolicy(table, line, {name, policy});
}

function readPolicy(table: OpenTable, line: Line, {name, policy}: {readonly name: string; readonly policy: string}): 'ACCEPT' | 'DROP' {
	if (!builtInChains(table.name).includes(name)) {
		throw problem(line, `${name} is no built-in chain of table ${table.name}, so it has no policy`);
	}

	if (policy !== 'ACCEPT' && policy !== 'DROP') {
		throw problem(line, `bad policy "${policy}": ACCEPT or DROP is due`);
	}

	return policy;
}

function makeChain(table: OpenTable, line: Line, name: string): void {
	if (!/^[^\s!\-:]\S*$/.test(name) || name.length > chainNameLengthMax) {
		throw problem(line, `bad chain name "${name}": 1 to ${chainNameLengthMax} characters without blanks are due`);
	}

	if (table.chains.has(name)) {
		throw problem(line, `chain ${name} is there already`);
	}

	table.chains.set(name, {
		name, policy: undefined, rules: [], isDeclared: true,
	});
}

function findOpenChain(table: OpenTable, line: Line, name: string): OpenChain {
	const chain = table.chains.get(name);
	if (chain === undefined) {
		throw problem(line, name === '' ? 'the chain is missing' : `no chain ${name} in table ${table.name}`);
	}

	return chain;
}

function addRule(table: OpenTable, line: Line, {rest, isInsert}: {readonly rest: string; readonly isInsert: boolean}): void {
	const [, name = '', tail = ''] = /^(\S*)\s*(.*)$/.exec(rest) ?? [];
	const {rules} = findOpenChain(table, line, name);
	const [, numberText, ruleText] = isInsert ? /^(\d+)(?:\s+(.*))?$/.exec(tail) ?? [] : [];
	const number = numberText === undefined ? (isInsert ? 1 : rules.length + 1) : Number(numberText);
	if (number < 1 || number > rules.length + 1) {
		throw problem(line, `no place ${number} in chain ${name}, which has ${rules.length} rules`);
	}

	try {
		rules.splice(number - 1, 0, {...parseRuleText(numberText === undefined ? tail : ruleText ?? '', table.family), line});
	} catch (error) {
		throw error instanceof RuleSyntaxError ? problem(line, error.message) : error;
	}
}

function closeTable(table: OpenTable): Table {
	const chains = [...table.chains.values()].map(({name, policy, rules}): Chain => ({
		name,
		policy,
		rules: rules.map(({line, matches, target, text}, index): Rule => {
			checkTarget(table, line, target);
			return {
				chain: name, number: index + 1, matches, target, text,
			};
		}),
	}));
	return {family: tableFamily(table.family), name: table.name, chains};
}

/** Only a closed table knows its chains, so jumps are checked last. */
function checkTarget(table: OpenTable, line: Line, target: Target): void {
	if (target.kind === 'extension' && table.chains.has(target.name)) {
		throw problem(line, `chain ${target.name} takes no options`);
	}

	if (target.kind !== 'jump' && target.kind !== 'goto') {
		return;
	}

	if (!table.chains.has(target.chain)) {
		throw problem(line, `a jump to ${target.chain}, which is neither a chain of table ${table.name} nor a known target`);
	}

	if (builtInChains(table.name).includes(target.chain)) {
		throw problem(line, `a jump to the built-in chain ${target.chain}`);
	}
}
