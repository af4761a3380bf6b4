/**
Detects the format of the rules that a user supplied, by its form alone.
*/

import {withoutTerminalCodes} from '../../parsing/terminal-codes.js';
import {
	linesOf, ParseError, problem, type Line,
} from '../parse-error.js';
import {cutOff} from '../iptables/save.js';
import {isChainHead, isColumnHead} from './list-verbose.js';
import {unwrap, type Pasted} from './pasted-text.js';
import {isNoise, isToolCommand, namesProgram} from './strip-noise.js';

/** The formats that can be read. */
export type Kind = 'iptables-save' | 'iptables-S' | 'iptables-L' | 'init-log' | 'nft' | 'nft-json';

const dumpHint = 'expected the output of iptables-save, iptables -S, nft list ruleset or nft -j list ruleset, or the log of the container that wrote the rules';

/**
Detects the format of a text.

@throws {ParseError} if it contains no rules, with what it seems to be and how to get rules.
*/
export function recognize(given: string): Kind {
	return kindOf(given, unwrap(given));
}

/**
The same for a text from which everything around the rules has been removed.

@throws {ParseError} as {@link recognize}.
*/
export function kindOf(given: string, {lines: all}: Pick<Pasted, 'lines'>): Kind {
	refuseBinary(linesOf(withoutTerminalCodes(given)));
	const lines = all.filter(({text}) => text !== '' && !(isNoise(text) && !/^(?:sudo\s+)?(?:[\w./-]*\/)?ip6?tables/u.test(text)));
	const [first] = lines;
	if (first === undefined) {
		throw unshown({number: 1, text: ''}, `${all.every(({text}) => text === '') ? 'the text is empty' : 'the text has only prompts and notices but no rules'}: ${dumpHint}`);
	}

	if (first.text.startsWith('<')) {
		throw unshown(first, `this is HTML or XML; ${dumpHint}`);
	}

	const facts = factsOf(lines);
	if (/^(?:{|\[\s*(?:{|$))/.test(first.text) && !facts.hasTables) {
		return recognizeJson(lines.map(({text}) => text).join('\n'), {first, facts});
	}

	refuseMixtures(lines, facts);
	const kind = kindByFacts(facts);
	if (kind === undefined) {
		throw notRules({lines, all}, first);
	}

	return kind;
}

/** Rejects texts that contain rules in a form that cannot be used. */
function refuseMixtures(lines: readonly Line[], facts: Facts): void {
	if (lines.some(({text}) => /^@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@/.test(text))) {
		throw unshown(lines[0]!, `this is a diff of two texts; ${dumpHint}`);
	}

	if (facts.nft !== undefined && facts.hasTables && facts.isDump) {
		throw problem(facts.nft, 'the text has both nft and iptables rules, and the two tools may show the same rules. Pass them separately, and find out which of them the pod uses');
	}
}

/**
The format according to the lines; undefined if they are not rules.

@throws {ParseError} for a dump whose beginning is missing.
*/
function kindByFacts(facts: Facts): Kind | undefined {
	if (facts.nft !== undefined) {
		return 'nft';
	}

	if (facts.written !== undefined || (facts.hasTables && facts.logged !== undefined)) {
		return 'init-log';
	}

	// People put lines such as `*nat` between listings, but only a dump has a COMMIT and chain lines.
	if (facts.hasTables && (facts.isDump || facts.command === undefined)) {
		return 'iptables-save';
	}

	if (facts.listing !== undefined && facts.command === undefined) {
		return 'iptables-L';
	}

	if (facts.isDump && (facts.command !== undefined || facts.chain !== undefined)) {
		throw cutOff(facts.chain ?? facts.command!);
	}

	return facts.command === undefined ? undefined : 'iptables-S';
}

type Facts = {
	/** Whether there is a line `*TABLE`. */
	readonly hasTables: boolean;
	/** Whether there is a line that never occurs in a listing. */
	readonly isDump: boolean;
	/** The first line that starts an nft table or is an nft command. */
	readonly nft: Line | undefined;
	/** The first line that mentions a program that writes rules. */
	readonly written: Line | undefined;
	/** The first line before a table that never occurs in a dump. */
	readonly logged: Line | undefined;
	/** The first line that is a command without a program: `-A CHAIN …`. */
	readonly command: Line | undefined;
	/** The first line `:CHAIN POLICY …`. */
	readonly chain: Line | undefined;
	/** The first line of `iptables -L`. */
	readonly listing: Line | undefined;
};

function factsOf(lines: readonly Line[]): Facts {
	const facts: {-readonly [Key in keyof Facts]: Facts[Key]} = {
		hasTables: false, isDump: false, nft: undefined, written: undefined, logged: undefined, command: undefined, chain: undefined, listing: undefined,
	};
	for (const line of lines) {
		const {text} = line;
		if (/^\* ?[a-z]+$/.test(text)) {
			facts.hasTables = true;
			facts.isDump ||= text.startsWith('* ');
		} else if (text === 'COMMIT' || /^:[^\s:;]+\s/.test(text)) {
			facts.isDump = true;
			facts.chain ??= isChainLine(text) ? line : undefined;
		} else if (isOfListing(text)) {
			facts.listing ??= line;
		} else if (/^(?:-[ANPI] \S|\[\d+:\d+] -A )/.test(text)) {
			facts.command ??= line;
		} else if (/^(?:(?:add )?table (?:(?:ip6?|inet|arp|bridge|netdev) )?\S+ {|(?:add|create|insert|flush|delete|destroy) (?:table|chain|rule|set|map|ruleset)\b)/.test(text)) {
			facts.nft ??= line;
		} else if (isToolCommand(text)) {
			facts.written ??= line;
		} else if (/\* ?(?:nat|mangle|raw|filter|security)(?:\\|"|$)/.test(text)) {
			facts.logged ??= line;
			facts.hasTables = true;
		} else if (namesProgram(text)) {
			facts.logged ??= line;
		}
	}

	return facts;
}

/** `:CHAIN POLICY [0:0]` */
function isChainLine(text: string): boolean {
	return /^:\S+ (?:ACCEPT|DROP|-)(?: \[|$)/.test(text);
}

function isOfListing(text: string): boolean {
	return isChainHead(text) || isColumnHead(text);
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

/** Characters that do not occur in text: control characters other than blanks, and the replacement for bytes that are not UTF-8. */
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
		reason: isWide ? 'this is UTF-16, as PowerShell writes it; save it as UTF-8' : `not a text file: it has bytes that never occur in rules; ${dumpHint}`,
		lineText: '',
	});
}

/** The error for a text that contains no rules. It quotes nothing from the text. */
function unshown({number}: Line, reason: string): ParseError {
	return new ParseError({line: number, reason, lineText: ''});
}

function manifest(line: Line): ParseError {
	return unshown(line, 'this is a Kubernetes manifest, not rules; for the rules that the pod gets, use pod:FILE');
}

/** What the text is instead of rules, for things that people often copy. */
function withoutRules(lines: readonly Line[]): string {
	const texts = lines.map(({text}) => text).filter(text => text !== '');
	const legacy = texts.map(text => /^# Warning: (ip6?tables-legacy) tables present/.exec(text)?.[1]).find(name => name !== undefined);
	if (legacy !== undefined) {
		return `it has no rules of iptables-nft, only a warning that ${legacy} has some: use ${legacy}-save`;
	}

	if (texts.every(text => text.startsWith('#'))) {
		return 'comments only: the program that printed this found no table (iptables-nft and iptables-legacy each show only their own; nft list ruleset shows native rules)';
	}

	const failures: ReadonlyArray<readonly [RegExp, string]> = [
		[/(?:tables|nft)\S*: (?:command )?not found|exec: "[^"]*(?:tables|nft)[^"]*": executable file not found/, 'an error message of a container without the program: use kubectl debug with an image that has it, or run it on the node'],
		[/you must be root|Permission denied|Operation not permitted/, 'an error message of a program without the privileges to read the rules: it needs root and NET_ADMIN (kubectl debug --profile=netadmin)'],
	];
	return failures.find(([pattern]) => texts.length < 10 && texts.some(text => pattern.test(text)))?.[1] ?? 'not rules of a known kind';
}

function notRules({lines, all}: {readonly lines: readonly Line[]; readonly all: readonly Line[]}, first: Line): ParseError {
	const field = lines.find(({text}) => /^(?:apiVersion|kind|metadata):/.test(text));
	if (field !== undefined) {
		return manifest(field);
	}

	const nftCommand = lines.find(({text}) => /\badd (?:table|chain|rule) (?:ip6?|inet) /.test(text));
	if (nftCommand !== undefined) {
		return problem(nftCommand, 'a log with nft commands; use the output of nft list ruleset in the pod');
	}

	const nftInside = lines.find(({text}) => /^(?:chain \S+ {|type \w+ hook \w+ priority )/.test(text));
	if (nftInside !== undefined) {
		return problem(nftInside, 'the beginning is missing: there is no line "table FAMILY NAME {" before this. Use the whole output of nft list ruleset');
	}

	return unshown(first, `${withoutRules(all)}; ${dumpHint}`);
}
