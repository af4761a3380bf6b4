/**
Commands of an nft script: `add table …`, `add chain …`, `add rule …`. A command that refers to something in the kernel (a handle), or that creates no rules, is rejected.
*/

import type {ParsedRule} from '../iptables/rule.js';
import type {Family} from '../types.js';
import {RuleSyntaxError} from '../words.js';
import {parseBaseChain, type ChainHead} from './base-chain.js';
import {
	addChain, addObject, addTable, extendHead, findOpenChain, findOpenTable, isFamily, readFamily, readPolicy, type OpenChain, type OpenTable, type OpenTables, type TableKey,
} from './table-builder.js';
import {parseNftRule} from './rule.js';

/** Kinds of objects in a table other than chains, by nft's keywords (nft(8), STATEFUL OBJECTS, SETS, MAPS, FLOWTABLES). */
export const objectKinds: readonly string[] = ['set', 'map', 'flowtable', 'counter', 'quota', 'limit', 'secmark', 'synproxy', 'ct helper', 'ct timeout', 'ct expectation'];

type Rest = {text: string};

/** Executes one command. Throws `RuleSyntaxError` for a command that is not understood. */
export function runCommand(tables: OpenTables, text: string): void {
	const rest: Rest = {text};
	const verb = takeWord(rest);
	const noun = takeNoun(rest);
	switch (`${verb} ${noun}`) {
		case 'flush ruleset': {
			tables.clear();
			return;
		}

		case 'add table':
		case 'create table': {
			addTable(tables, takeTable(rest));
			refuseRest(rest, text);
			return;
		}

		case 'delete table':
		case 'destroy table': {
			const key = takeTable(rest);
			tables.delete(`${key.family} ${key.name}`);
			return;
		}

		case 'flush table': {
			for (const {rules} of findOpenTable(tables, takeTable(rest)).chains.values()) {
				rules.length = 0;
			}

			return;
		}

		case 'flush chain': {
			findOpenChain(findOpenTable(tables, takeTable(rest)), takeWord(rest)).rules.length = 0;
			return;
		}

		case 'add chain':
		case 'create chain': {
			const chain = addChain(findOpenTable(tables, takeTable(rest)), takeName(rest, 'chain'));
			readHeadBlock(chain, rest.text);
			return;
		}

		case 'add rule':
		case 'insert rule': {
			const table = findOpenTable(tables, takeTable(rest));
			placeRule(findOpenChain(table, takeWord(rest)), {isInsert: verb === 'insert', rest, table});
			return;
		}

		default: {
			if (verb === 'add' && objectKinds.includes(noun)) {
				const table = findOpenTable(tables, takeTable(rest));
				const name = takeName(rest, noun);
				addObject(table, {kind: noun, name, text: `${noun} ${name} ${rest.text}`.trim()});
				return;
			}

			throw new RuleSyntaxError(`"${[verb, noun].join(' ').trim()}" is not a command that is understood here; known are add, create, flush, delete of tables and chains, and add and insert of rules`);
		}
	}
}

/** Reads one piece of a chain: its declaration, or a rule, which is returned. */
export function readChainPiece(chain: OpenChain, text: string, family: Family): ParsedRule | undefined {
	const head = readHeadPiece(text);
	if (head === undefined) {
		return readRule(text, family);
	}

	extendHead(chain, head);
	return undefined;
}

/** The part of a rule of iptables-nft of which nft shows only the name: `xt match "addrtype"` (nft 1.0.6 without the quotes). Undefined for a rule that nft shows completely. */
export function hiddenPartOf(text: string): string | undefined {
	return /\bxt (?:match|target) (?:"[^"]*"|\S+)/u.exec(text.replaceAll(/(?<!xt (?:match|target) )"[^"]*"/gu, '""'))?.[0];
}

/** Parses a rule. Rules in tables of iptables-nft are not always complete in nft's text. */
function readRule(text: string, family: Family): ParsedRule {
	const hidden = hiddenPartOf(text);
	if (hidden !== undefined) {
		throw new RuleSyntaxError(`the rule was written by iptables-nft, and nft does not show the values of ${hidden}; use iptables-save and ip6tables-save`);
	}

	return parseNftRule(text, family);
}

function readHeadPiece(text: string): Partial<ChainHead> | undefined {
	const [, word = '', value = ''] = /^(?<word>\S+)\s+(?<value>\S+)/u.exec(text) ?? [];
	switch (word) {
		case 'type': {
			return {base: parseBaseChain(text)};
		}

		case 'policy': {
			return {policy: readPolicy(value)};
		}

		case 'comment': {
			return {comment: text.replace(/^comment\s+"?(?<inner>.*?)"?$/u, '$<inner>')};
		}

		default: {
			return undefined;
		}
	}
}

/** `{ type nat hook output priority -100 ; policy accept ; }` */
function readHeadBlock(chain: OpenChain, text: string): void {
	if (text === '') {
		return;
	}

	const [, block] = /^\{(?<block>.*)\}$/u.exec(text) ?? [];
	for (const part of (block ?? text).split(';').map(item => item.trim()).filter(item => item !== '')) {
		const head = block === undefined ? undefined : readHeadPiece(part);
		if (head === undefined) {
			throw new RuleSyntaxError(`"${part}" is not understood in the declaration of a chain`);
		}

		extendHead(chain, head);
	}
}

/** `index N` counts from 0: an added rule goes after that one, an inserted one before it. */
function placeRule({name, rules}: OpenChain, {isInsert, rest, table}: {readonly isInsert: boolean; readonly rest: Rest; readonly table: OpenTable}): void {
	const {place, number, tail} = /^(?<place>index|position|handle)\s+(?<number>\d+)\s+(?<tail>.*)$/u.exec(rest.text)?.groups ?? {};
	if (place !== undefined && place !== 'index') {
		throw new RuleSyntaxError(`a rule placed by ${place}, which only the kernel knows; use index instead`);
	}

	const index = number === undefined ? undefined : Number(number);
	if (index !== undefined && index >= rules.length) {
		throw new RuleSyntaxError(`no rule with index ${index} in chain ${name}, which has ${rules.length} rules`);
	}

	const position = index === undefined ? (isInsert ? 0 : rules.length) : index + (isInsert ? 0 : 1);
	rules.splice(position, 0, readRule(tail ?? rest.text, table.family));
}

function takeTable(rest: Rest): TableKey {
	const word = takeWord(rest);
	return isFamily(word) ? {family: readFamily(word), name: takeName(rest, 'table')} : {family: 'ip', name: word === '' ? takeName(rest, 'table') : word};
}

function takeNoun(rest: Rest): string {
	const word = takeWord(rest);
	return word === 'ct' ? `ct ${takeWord(rest)}` : word;
}

function takeName(rest: Rest, what: string): string {
	const name = takeWord(rest);
	if (name === '' || /[{};]/u.test(name)) {
		throw new RuleSyntaxError(`the ${what} is missing`);
	}

	return name;
}

function takeWord(rest: Rest): string {
	const [, word = '', tail = ''] = /^(?<word>\S*)\s*(?<tail>.*)$/u.exec(rest.text) ?? [];
	rest.text = tail;
	return word;
}

function refuseRest({text}: Rest, command: string): void {
	if (text !== '') {
		throw new RuleSyntaxError(`unexpected "${text}" after "${command.slice(0, command.length - text.length).trim()}"`);
	}
}
