/**
Keeps anything out of native nft text that makes nft open a file or run a command instead of reading a rule. Tokens are as nft(8) describes its lexical conventions: a string ends at the next quote, a comment begins at `#` and ends with its line, a word is letters, digits and `_ . / -`.

This concerns text that is kept as it is. It is checked while rules are parsed, so that the error has a line, and again when they are printed, so that nothing can bypass the check.
*/

import {conntrackHelpers} from '../iptables/extensions.js';
import type {
	Chain, RuleSet, Table, TableObject,
} from '../types.js';
import {RuleSyntaxError} from '../words.js';

/** Statements of an nft script that are not rules (nft(8), INCLUDE FILES and SYMBOLIC VARIABLES). No version of nft accepts one of these words as a name. */
const commandWords: ReadonlySet<string> = new Set(['include', 'define', 'undefine', 'redefine']);

const tokenPattern = /"[^"]*"|[A-Za-z_.][\w./-]*|[^]/gu;

/** The words that begin a line of a set, a map or another object (nft(8), SETS, MAPS, FLOWTABLES, STATEFUL OBJECTS). */
const objectWords: Readonly<Record<string, ReadonlySet<string>>> = {
	set: new Set(['type', 'typeof', 'flags', 'timeout', 'gc-interval', 'elements', 'size', 'policy', 'auto-merge', 'comment', 'counter', 'limit', 'quota', 'ct']),
	map: new Set(['type', 'typeof', 'flags', 'timeout', 'gc-interval', 'elements', 'size', 'policy', 'auto-merge', 'comment', 'counter', 'limit', 'quota', 'ct']),
	flowtable: new Set(['hook', 'priority', 'devices', 'flags', 'counter', 'comment']),
	counter: new Set(['packets', 'comment']),
	quota: new Set(['over', 'until', 'comment']),
	limit: new Set(['rate', 'comment']),
	secmark: new Set(['comment']),
	synproxy: new Set(['mss', 'wscale', 'timestamp', 'sack-perm', 'comment']),
	'ct helper': new Set(['type', 'protocol', 'l3proto', 'comment']),
	'ct timeout': new Set(['protocol', 'l3proto', 'policy', 'comment']),
	'ct expectation': new Set(['protocol', 'l3proto', 'dport', 'timeout', 'size', 'comment']),
};

/**
Rejects the words with which nft reads another file or defines a variable, anywhere outside of a string: at the top, in a table, a chain, or a set.

@throws {RuleSyntaxError} naming the word.
*/
export function refuseCommandWords(text: string): void {
	for (const [token] of text.startsWith('"') ? [] : text.matchAll(tokenPattern)) {
		if (commandWords.has(token.toLowerCase()) || token === '$') {
			checkToken(token);
		}
	}
}

/**
Checks the text of one rule.

@throws {RuleSyntaxError} if nft would read anything but one rule in it.
*/
export function checkNftRule(text: string): void {
	let depth = 0;
	for (const [token] of text.matchAll(tokenPattern)) {
		checkToken(token);
		if (token === ';' || token === '\n') {
			throw new RuleSyntaxError(`${JSON.stringify(token)} within a rule, where nft begins another statement`);
		}

		depth += depthOf(token);
		if (depth < 0) {
			throw new RuleSyntaxError('"}" without its beginning');
		}
	}

	if (depth > 0) {
		throw new RuleSyntaxError('"{" without its end');
	}
}

/**
Checks the name of a table, a chain or an object.

@throws {RuleSyntaxError} if nft would read anything but one name.
*/
export function checkNftName(name: string, what: string): void {
	if (!/^[A-Za-z_.][\w./-]*$/u.test(name) || commandWords.has(name.toLowerCase())) {
		throw new RuleSyntaxError(`${JSON.stringify(name)} is not a ${what} name that nft accepts`);
	}
}

/**
Checks text that is printed in quotes.

@throws {RuleSyntaxError} if it contains a quote, which would end it (nft knows no escapes), or a control character.
*/
export function checkNftString(text: string, what: string): void {
	if (text.includes('"') || hasControl(text)) {
		throw new RuleSyntaxError(`${what} with ${text.includes('"') ? 'a quote' : 'a control character'} in it, which nft cannot write`);
	}
}

/**
Checks a set, a map, another object of a table, or one of the table's own lines.

@throws {RuleSyntaxError} if it is not one block with the lines of its kind.
*/
export function checkNftObject({kind, name, text}: TableObject): void {
	if (kind === 'flags' || kind === 'comment') {
		if (!/^(?:flags [a-z][a-z, ]*|comment "[^"]*")$/u.test(text) || hasControl(text)) {
			throw new RuleSyntaxError(`"${kind}" of a table in a form that is not understood`);
		}

		return;
	}

	checkNftName(name, kind);
	const head = `${kind} ${name}`;
	if (text === head) {
		return;
	}

	if (!text.startsWith(`${head} {`) || !text.endsWith('}')) {
		throw new RuleSyntaxError(`${head} is not one block`);
	}

	checkBlock(text.slice(head.length + 2, -1), {kind, head});
}

/**
Checks everything that {@link printNft} would print.

@throws {RuleSyntaxError} naming the first thing that is not a rule.
*/
export function checkNftRuleSet({tables}: RuleSet): void {
	for (const table of tables) {
		checkTable(table);
	}
}

function checkTable({name, chains, objects = []}: Table): void {
	checkNftName(name, 'table');
	for (const object of objects) {
		checkNftObject(object);
	}

	for (const chain of chains) {
		checkChain(chain);
	}
}

function checkChain({name, comment, rules}: Chain): void {
	checkNftName(name, 'chain');
	if (comment !== undefined) {
		checkNftString(comment, 'a comment');
	}

	for (const {text} of rules) {
		checkNftRule(text);
	}
}

/** Line ends and semicolons separate the lines of the block, but not inside braces, which contain the elements of a set. */
function checkBlock(text: string, {kind, head}: {readonly kind: string; readonly head: string}): void {
	let depth = 0;
	let line: string[] = [];
	const endLine = () => {
		checkObjectLine(line, {kind, head});
		line = [];
	};

	for (const [token] of text.matchAll(tokenPattern)) {
		checkToken(token);
		depth += depthOf(token);
		if (depth < 0 || (depth > 0 && token === ';')) {
			throw new RuleSyntaxError(`"${token}" in ${head}, where it would end the wrong block`);
		}

		if (depth === 0 && (token === ';' || token === '\n')) {
			endLine();
		} else if (line.length > 0 || token.trim() !== '') {
			line.push(token);
		}
	}

	if (depth > 0) {
		throw new RuleSyntaxError(`"{" without its end in ${head}`);
	}

	endLine();
}

function checkObjectLine(tokens: readonly string[], {kind, head}: {readonly kind: string; readonly head: string}): void {
	const [first] = tokens;
	if (first === undefined) {
		return;
	}

	const isValue = (kind === 'secmark' && first.startsWith('"')) || (kind === 'quota' && /^\d$/u.test(first));
	if (!isValue && objectWords[kind]?.has(first) !== true) {
		throw new RuleSyntaxError(`a line that begins with "${first}" is not understood in ${head}`);
	}

	const text = tokens.join('');
	const [, helper] = kind === 'ct helper' ? /^type "(?<helper>[^"]*)"/u.exec(text) ?? [] : [];
	if (helper !== undefined && !conntrackHelpers.has(helper)) {
		throw new RuleSyntaxError(`${head} names a module that the kernel would load; known are ${[...conntrackHelpers].join(', ')}`);
	}
}

function depthOf(token: string): number {
	return token === '{' ? 1 : (token === '}' ? -1 : 0);
}

function checkToken(token: string): void {
	if (token.startsWith('"')) {
		if (token.length < 2) {
			throw new RuleSyntaxError('a quote that is never closed');
		}

		checkNftString(token.slice(1, -1), 'a text');
		return;
	}

	if (commandWords.has(token.toLowerCase())) {
		throw new RuleSyntaxError(`"${token}" is an nft command, not part of a rule; only rules are read, and no file but the one that was named`);
	}

	if (token === '$' || token === '#' || token === '\\') {
		throw new RuleSyntaxError(`"${token}" outside of a string: ${token === '$' ? 'variables are not supported; write the value' : 'nft does not print it in a rule'}`);
	}

	if (token !== '\n' && token !== '\t' && hasControl(token)) {
		throw new RuleSyntaxError(`the control character ${JSON.stringify(token)}`);
	}
}

function hasControl(text: string): boolean {
	return /\p{Cc}/u.test(text);
}
