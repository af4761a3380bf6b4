/**
One command on a table, as in a dump, a restore text or a command line: `-A CHAIN rule`, `-N CHAIN` …
*/

import {problem, type Line} from '../parse-error.js';
import {RuleSyntaxError} from '../words.js';
import {normalText} from './normalize.js';
import {readRule} from './rule.js';
import {
	addRule, atLine, declareChain, findDraftChain, makeChain, rulesOfDraft, setPolicy, type TableDraft,
} from './table-builder.js';

const longNames: ReadonlyMap<string, string> = new Map([
	['--append', '-A'], ['--insert', '-I'], ['--new-chain', '-N'], ['--policy', '-P'], ['--delete', '-D'], ['--flush', '-F'],
	['--delete-chain', '-X'], ['--replace', '-R'], ['--rename-chain', '-E'], ['--zero', '-Z'],
]);

/** Commands that remove something. A program that cleans up first also runs them if there is nothing to remove. */
const undoing: ReadonlySet<string> = new Set(['-D', '-F', '-X']);

/** Whether a line is a command on a table, with or without counters before it. */
export function isCommand(text: string): boolean {
	return /^(?:\[\d+:\d+]\s*)?(?:-[AINPDFXREZ]\b|--(?:append|insert|new-chain|policy|delete|flush|delete-chain|replace|rename-chain|zero)\b|:)/.test(text);
}

/**
Executes a command.

@throws {ParseError} if iptables would reject it.
*/
export function runCommand(table: TableDraft, line: Line, body: string = line.text): void {
	const [, command = body] = body.startsWith('[') ? /^\[\d+:\d+]\s*(.*)$/.exec(body) ?? [] : [];
	if (command.startsWith(':')) {
		declareChain(table, line, command.slice(1).trim());
		return;
	}

	const [written, rest] = cutWord(command);
	const name = longNames.get(written) ?? written;
	const act = commands.get(name);
	if (act === undefined) {
		throw problem(line, written.startsWith('-') ? `unknown flag ${written} at the start of a line; a dump has -A, -I, -N and -P` : 'not a line of iptables-save');
	}

	const [chain, tail] = cutWord(rest);
	act(table, line, {chain, tail});
}

/** Whether a command failed only because there is nothing to remove. */
export function isVainUndoing(table: TableDraft, body: string): boolean {
	const [written, rest] = cutWord(body);
	const name = longNames.get(written) ?? written;
	const [chain] = cutWord(rest);
	if (!undoing.has(name)) {
		return false;
	}

	return !table.chains.has(chain) || name === '-D';
}

/** Whether iptables accepts and ignores the words after `-N CHAIN`: a comment (1.8.9, nft and legacy, measured). Linkerd writes one. */
function isIdle(tail: string, {family}: TableDraft): boolean {
	try {
		const {matches, target} = readRule(tail, family).rule;
		return target.kind === 'none' && matches.every(({kind}) => kind === 'comment');
	} catch (error) {
		if (error instanceof RuleSyntaxError) {
			return false;
		}

		throw error;
	}
}

type Command = (table: TableDraft, line: Line, parts: {readonly chain: string; readonly tail: string}) => void;

const commands: ReadonlyMap<string, Command> = new Map<string, Command>([
	['-A', (table, line, {chain, tail}) => {
		addRule(table, line, {name: chain, text: tail, place: undefined});
	}],
	['-I', (table, line, {chain, tail}) => {
		const found = /^(\d+)(?:\s+(.*))?$/.exec(tail);
		addRule(table, line, {name: chain, text: found === null ? tail : found[2] ?? '', place: Number(found?.[1] ?? 1)});
	}],
	['-N', (table, line, {chain, tail}) => {
		makeChain(table, line, isIdle(tail, table) ? chain : `${chain} ${tail}`);
	}],
	['-P', (table, line, {chain, tail}) => {
		const [policy, rest] = cutWord(tail);
		if (rest !== '' && !/^-c \d+ \d+$/.test(rest)) {
			throw problem(line, `bad counters "${rest}": expected -c packets bytes`);
		}

		setPolicy(table, line, {name: chain, policy});
	}],
	['-D', deleteRule],
	['-R', (table, line, {chain, tail}) => {
		const [place, text] = cutWord(tail);
		removeAt(table, line, {chain, place: Number(place)});
		addRule(table, line, {name: chain, text, place: Number(place)});
	}],
	['-F', (table, line, {chain}) => {
		for (const draft of chain === '' ? table.chains.values() : [findDraftChain(table, line, chain)]) {
			draft.rules = [];
			draft.front = [];
		}
	}],
	['-X', deleteChain],
	['-E', (table, line, {chain, tail}) => {
		const draft = findDraftChain(table, line, chain);
		makeChain(table, line, tail);
		Object.assign(findDraftChain(table, line, tail), {rules: rulesOfDraft(draft)});
		table.chains.delete(chain);
	}],
	// Counters are not part of a rule set.
	['-Z', (table, line, {chain}) => {
		if (chain !== '') {
			findDraftChain(table, line, chain);
		}
	}],
]);

function deleteRule(table: TableDraft, line: Line, {chain, tail}: {readonly chain: string; readonly tail: string}): void {
	if (/^\d+$/.test(tail)) {
		removeAt(table, line, {chain, place: Number(tail)});
		return;
	}

	const rules = rulesOfDraft(findDraftChain(table, line, chain));
	const wanted = atLine(line, () => normalText(tail, table.family));
	const index = rules.findIndex(({text}) => normalText(text, table.family) === wanted);
	if (index === -1) {
		throw problem(line, `no such rule in chain ${chain}`);
	}

	rules.splice(index, 1);
}

function removeAt(table: TableDraft, line: Line, {chain, place}: {readonly chain: string; readonly place: number}): void {
	const rules = rulesOfDraft(findDraftChain(table, line, chain));
	if (!Number.isInteger(place) || place < 1 || place > rules.length) {
		throw problem(line, `no rule ${place} in chain ${chain}, which has ${rules.length} rules`);
	}

	rules.splice(place - 1, 1);
}

function deleteChain(table: TableDraft, line: Line, {chain}: {readonly chain: string}): void {
	if (chain === '') {
		for (const {name, policy} of table.chains.values()) {
			if (policy === undefined) {
				table.chains.delete(name);
			}
		}

		return;
	}

	const draft = findDraftChain(table, line, chain);
	if (draft.policy !== undefined || rulesOfDraft(draft).length > 0) {
		throw problem(line, draft.policy === undefined ? `chain ${chain} still has rules` : `${chain} is a built-in chain`);
	}

	table.chains.delete(chain);
}

function cutWord(text: string): readonly [string, string] {
	const trimmed = text.trimStart();
	const end = trimmed.search(/\s/);
	return end === -1 ? [trimmed, ''] : [trimmed.slice(0, end), trimmed.slice(end).trim()];
}
