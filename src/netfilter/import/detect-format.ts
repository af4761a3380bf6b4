/**
Which kind of text a user has brought. Recognised by its form alone, so that nobody has to say it.
*/

import {
	linesOf, ParseError, problem, type Line,
} from '../parse-error.js';
import {refuseListing} from '../iptables/save.js';
import {isShellPrompt, isToolCommand, namesProgram} from './strip-noise.js';

/** The kinds of rules that can be read. */
export type Kind = 'iptables-save' | 'iptables-S' | 'init-log' | 'nft' | 'nft-json';

const dumpHint = 'rules are what iptables-save, iptables -S, nft list ruleset or nft -j list ruleset print, or the log of the container that wrote them';

/**
Recognises what a text is.

@throws {ParseError} when it is no text of rules, with what it seems to be and how to get one.
*/
export function recognize(given: string): Kind {
	const text = withoutColors(given);
	const lines = linesOf(text);
	const first = lines.find(line => line.text !== '');
	refuseBinary(lines);
	if (first === undefined) {
		throw problem({number: 1, text: ''}, `an empty text: ${dumpHint}`);
	}

	if (first.text.startsWith('<')) {
		throw unshown(first, `this is HTML or XML; ${dumpHint}`);
	}

	const facts = factsOf(lines);
	if (/^(?:{|\[\s*(?:{|$))/.test(first.text) && !facts.hasTables) {
		return recognizeJson(text, {first, facts});
	}

	if (facts.nft !== undefined) {
		return 'nft';
	}

	if (facts.written !== undefined || (facts.hasTables && facts.logged !== undefined)) {
		return 'init-log';
	}

	// Between listings, people write the tables as a dump has them, but no dump is without an end and without its chains.
	if (facts.hasTables && (facts.isDump || facts.command === undefined)) {
		return 'iptables-save';
	}

	if (facts.command !== undefined) {
		return 'iptables-S';
	}

	throw notRules(lines, first);
}

type Facts = {
	/** There is a line `*TABLE`. */
	readonly hasTables: boolean;
	/** There is a line that no listing has. */
	readonly isDump: boolean;
	/** The first line that heads a table of nft, or commands nft. */
	readonly nft: Line | undefined;
	/** The first line that tells of a program that writes rules. */
	readonly written: Line | undefined;
	/** The first line in front of a table that no dump has. */
	readonly logged: Line | undefined;
	/** The first line that is a command without a program: `-A CHAIN …`. */
	readonly command: Line | undefined;
};

function factsOf(lines: readonly Line[]): Facts {
	const facts: {-readonly [Key in keyof Facts]: Facts[Key]} = {
		hasTables: false, isDump: false, nft: undefined, written: undefined, logged: undefined, command: undefined,
	};
	for (const line of lines) {
		const {text} = line;
		if (text === '') {
			continue;
		}

		if (/^\* ?[a-z]+$/.test(text)) {
			facts.hasTables = true;
			facts.isDump ||= text.startsWith('* ');
		} else if (text === 'COMMIT' || text.startsWith(':')) {
			facts.isDump = true;
		} else if (/^-[ANPI] \S/.test(text) || /^\[\d+:\d+] -A /.test(text)) {
			facts.command ??= line;
		} else if (/^(?:(?:add )?table (?:(?:ip6?|inet|arp|bridge|netdev) )?\S+ {|(?:add|create|insert|flush|delete|destroy) (?:table|chain|rule|set|map|ruleset)\b)/.test(text)) {
			facts.nft ??= line;
		} else if (isToolCommand(text) && !isShellPrompt(text)) {
			facts.written ??= line;
		} else if (/\* ?(?:nat|mangle|raw|filter|security)(?:\\n|$)/.test(text)) {
			facts.logged ??= line;
			facts.hasTables = true;
		} else if (namesProgram(text) && !isShellPrompt(text)) {
			facts.logged ??= line;
		}
	}

	return facts;
}

function recognizeJson(text: string, {first, facts}: {readonly first: Line; readonly facts: Facts}): Kind {
	if (/"nftables"\s*:/.test(text)) {
		return 'nft-json';
	}

	if (/"(?:apiVersion|kind)"\s*:/.test(text)) {
		throw manifest(first);
	}

	if (facts.written !== undefined || facts.logged !== undefined || /ip6?tables/.test(text)) {
		return 'init-log';
	}

	throw unshown(first, `JSON without "nftables" in it; ${dumpHint}`);
}

const colorPattern = /\u001B\[[\d;:]*m/gu; // eslint-disable-line no-control-regex -- Styles begin with one.

/** A text without the colours that a log may have: a style of a terminal switched on or off (ECMA-48, SGR). */
export function withoutColors(text: string): string {
	return text.includes('\u001B') ? text.replaceAll(colorPattern, '') : text;
}

/** What is no character of a text: control characters but the blanks, and what stands for bytes that are no UTF-8. */
function isForeign(character: string): boolean {
	const code = character.codePointAt(0)!;
	return code < 9 || code === 11 || (code > 13 && code < 32) || (code > 126 && code < 160) || code === 0xFF_FD;
}

function refuseBinary(lines: readonly Line[]): void {
	const line = lines.find(({text}) => [...text].some(character => isForeign(character)));
	if (line === undefined) {
		return;
	}

	const zeros = [...line.text].filter(character => character === '\0').length;
	const isWide = (zeros > 4 && zeros * 3 > line.text.length) || line.text.startsWith('\uFFFD\uFFFD');
	throw new ParseError({
		line: line.number,
		reason: isWide ? 'this is UTF-16, as PowerShell writes it; save it as UTF-8' : `not a text: there are bytes in it that no rules have; ${dumpHint}`,
		lineText: '',
	});
}

/** The error of a text that is no text of rules: of what it is, nothing is shown. */
function unshown({number}: Line, reason: string): ParseError {
	return new ParseError({line: number, reason, lineText: ''});
}

function manifest(line: Line): ParseError {
	return unshown(line, 'this is a manifest of Kubernetes, not rules; for the rules that a pod gets, say pod:FILE');
}

function notRules(lines: readonly Line[], first: Line): ParseError {
	for (const line of lines) {
		try {
			refuseListing(line);
		} catch (error) {
			return error as ParseError;
		}
	}

	const field = lines.find(({text}) => /^(?:apiVersion|kind|metadata):/.test(text));
	if (field !== undefined) {
		return manifest(field);
	}

	const nftCommand = lines.find(({text}) => /\badd (?:table|chain|rule) (?:ip6?|inet) /.test(text));
	if (nftCommand !== undefined) {
		return problem(nftCommand, 'a log with commands of nft; take nft list ruleset of the pod');
	}

	return unshown(first, `not rules of a known kind; ${dumpHint}`);
}
