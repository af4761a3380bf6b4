/**
Turns a pasted text into the original lines. It removes what copying adds to every line: quote marks, frames, leading times and names, code fences, colors, unusual blanks. The lines keep their numbers. Changes that cannot be undone (dashes, quotation marks) are reported.
*/

import {withoutTerminalCodes} from '../../parsing/terminal-codes.js';
import {linesOf, problem, type Line} from '../parse-error.js';
import {isNoise} from './strip-noise.js';

/** The lines of a text without the additions. */
export type Pasted = {
	/** With the times and names that a log viewer prepends; the log reader handles these itself. */
	readonly logged: readonly Line[];
	/** Without them. */
	readonly lines: readonly Line[];
	/** The text as it was given, line by line, without terminal escape sequences. */
	readonly raw: readonly string[];
	/** What was removed from lines of rules, one sentence each. */
	readonly warnings: readonly string[];
};

/**
Removes what surrounds the lines of a text.

@throws {ParseError} for a line of rules in which a word processor or a web page replaced a plain dash or quotation mark.
*/
export function unwrap(given: string): Pasted {
	const warnings: string[] = [];
	const text = unixLines(withoutTerminalCodes(given));
	const lines = linesOf(text);
	const logged = withoutRemarks(withoutMarkdown(withoutNumbers(withoutFrames(lines.map(line => plainLine(line)))), warnings), warnings);
	const bare = withContinuedPrompts(withoutPrefixes(logged));
	for (const line of bare) {
		refuseTypography(line);
	}

	return {
		logged, lines: bare, raw: text.split('\n'), warnings,
	};
}

/** Old Macs end lines with a lone carriage return; a pseudo-TTY adds one more. */
function unixLines(text: string): string {
	const plain = text.includes('\n') ? text : text.replaceAll('\r', '\n');
	return plain.includes('\r') ? plain.replaceAll(/\r+(?=\n|$)/gu, '') : plain;
}

/** Typographic blanks, which never occur in rules, and zero-width characters. */
const foreignBlank = /[\u00A0\u1680\u2000-\u200D\u202F\u205F\u2060\u3000\uFEFF]/u;

/** A code fence, and what GitHub's forms put around a text. */
const markup = /^(?:(?:`{3,}|~{3,})[\w -]*|(?:<summary>[^<>]*<\/summary>\s*|<\/?(?:pre|code|details|p|br)\b[^<>]*>\s*)+)$/u;

/** Removes quote marks and code fences. Mail and Markdown quote with `>`, which no line of rules starts with. A line with quote marks on only some lines has them from its writer. */
function plainLine({number, text}: Line): Line {
	let plain = text;
	if (foreignBlank.test(plain) && foreignBlank.test(masked(plain))) {
		plain = plain.replaceAll(/[\u200B-\u200D\u2060\uFEFF]/gu, '').replaceAll(/[\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000]/gu, ' ');
	}

	if (plain.startsWith('>')) {
		plain = plain.replace(/^(?:>\s?)+/u, '');
	}

	plain = plain.trim();
	return {number, text: markup.test(plain) ? '' : plain.replace(/^`(?<code>[^`]+)`$/u, '$<code>')};
}

/** Removes the frames of k9s and other programs with windows; a plain `|` only if every line has one. */
function withoutFrames(lines: readonly Line[]): readonly Line[] {
	if (lines.some(({text}) => /[\u2500-\u257F]/u.test(text))) {
		return lines.map(({number, text}) => ({number, text: /^[╔╗╚╝╭╮╯╰┌┏└┗├┣─━═]/u.test(text) ? '' : text.replace(/^[│┃║▏]\s*/u, '').replace(/\s*[│┃║▕]$/u, '')}));
	}

	const full = lines.filter(({text}) => text !== '');
	return full.length > 1 && full.every(({text}) => /^(?:\||\+-[+-]*$)/u.test(text))
		? lines.map(({number, text}) => ({number, text: text.startsWith('+') ? '' : text.replace(/^\|\s?/u, '').replace(/\s*\|$/u, '').trim()}))
		: lines;
}

/** Removes line numbers, as `cat -n`, `nl` and `grep -n` add them to every line. */
function withoutNumbers(lines: readonly Line[]): readonly Line[] {
	const full = lines.filter(({text}) => text !== '');
	let last = -1;
	const isNumbered = full.length > 2 && full.every(({text}) => {
		const number = Number(/^(?<number>\d{1,7})(?:[\t :.|)]|$)/u.exec(text)?.groups?.['number'] ?? -1);
		const isNext = number > last;
		last = number;
		return isNext;
	});
	return isNumbered ? lines.map(({number, text}) => ({number, text: text.replace(/^\d+[:.|)]?\s*/u, '')})) : lines;
}

/** Markdown writes `ISTIO\_OUTPUT`; no program that prints rules has a backslash outside of quotes. */
function withoutMarkdown(lines: readonly Line[], warnings: string[]): readonly Line[] {
	const escaped = lines.find(({text}) => text.includes(String.raw`\_`) && masked(text).includes(String.raw`\_`));
	if (escaped === undefined) {
		return lines;
	}

	warnings.push(String.raw`line ${escaped.number}: the text has Markdown's backslashes (\_ for _), which were removed`);
	return lines.map(({number, text}) => ({number, text: text.replaceAll(/"(?:[^"\\]|\\.)*"|\\(?<plain>[-_*#[\]:<>!])/gu, (found, plain?: string) => plain ?? found)}));
}

/** Removes remarks that someone wrote after rules: `# no IPv6`, `<-- here`. In nft, a number sign starts a comment anyway. */
function withoutRemarks(lines: readonly Line[], warnings: string[]): readonly Line[] {
	const remarks: Line[] = [];
	const bare = lines.map((line): Line => {
		const place = placeOfRemark(line.text);
		if (place === -1) {
			return line;
		}

		remarks.push({number: line.number, text: line.text.slice(place).trim()});
		return {number: line.number, text: line.text.slice(0, place)};
	});
	const [first, ...more] = remarks;
	if (first !== undefined) {
		warnings.push(`line ${first.number}: ignored a remark after a rule${more.length === 0 ? '' : ` (and ${more.length} more)`}: ${first.text}`);
	}

	return bare;
}

function placeOfRemark(text: string): number {
	if (!/#|<[-=]|[←⟵⇐]|\/\//u.test(text) || text.startsWith('#')) {
		return -1;
	}

	const isIptables = /^(?:(?:\[\d+:\d+\]\s*)?-[AINP] |:\S|\*[a-z]+\b|COMMIT\b)/u.test(text);
	return masked(text).search(isIptables ? /\s+(?:#|<[-=]+|[←⟵⇐]|\/\/)/u : /\s+(?:<[-=]{2,}|[←⟵⇐])\s/u);
}

/** Joins the lines of a command at a prompt that continues after a backslash. */
function withContinuedPrompts(lines: readonly Line[]): readonly Line[] {
	const joined: Line[] = [];
	let open: number | undefined;
	for (const line of lines) {
		const start = open === undefined ? undefined : joined[open]!;
		if (start !== undefined) {
			joined[open!] = {number: start.number, text: `${start.text.slice(0, -1).trim()} ${line.text}`};
		}

		joined.push(start === undefined ? line : {number: line.number, text: ''});
		open = line.text.endsWith('\\') && (start !== undefined || isNoise(line.text)) ? open ?? joined.length - 1 : undefined;
	}

	return joined;
}

/** Prefixes that do not depend on the line: times of kubectl, docker and journals, the pod, the stream of a container runtime. */
const prefixes: readonly RegExp[] = [
	/^\[pod\/[^\]\s]+\]\s?/u,
	/^\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?\]?(?:\s|$)/u,
	/^(?:stdout|stderr) [FP](?: |$)/u,
];

/** Words that lines of rules start with, so that one at the start of every line is not taken for a prefix. */
const ruleWords = new Set(['add', 'insert', 'create', 'delete', 'destroy', 'flush', 'table', 'chain', 'iptables', 'ip6tables', 'nft', 'sudo', '+', '++', '$', '#', 'target', 'Chain']);

function withoutPrefixes(lines: readonly Line[]): readonly Line[] {
	let rest = lines;
	for (let round = 0; round < 6; round++) {
		const next = withoutCommonWord(rest.map(line => withoutKnownPrefix(line)));
		if (isSame(rest, next)) {
			return rest;
		}

		rest = next;
	}

	return rest;
}

function isSame(before: readonly Line[], after: readonly Line[]): boolean {
	return before.every(({text}, index) => text === after[index]!.text);
}

function withoutKnownPrefix(line: Line): Line {
	const prefix = /^[\d[s]/u.test(line.text) ? prefixes.find(pattern => pattern.test(line.text)) : undefined;
	return prefix === undefined ? line : {number: line.number, text: line.text.replace(prefix, '').trim()};
}

/** Removes a word at the start of every line, as stern and docker compose print it. */
function withoutCommonWord(lines: readonly Line[]): readonly Line[] {
	const full = lines.filter(({text}) => text !== '' && !isNoise(text));
	const [, word = '', bar = ''] = /^(\S+)(\s+\|)?(?:\s|$)/u.exec(full[0]?.text ?? '') ?? [];
	const isPrefix = full.length > 2 && /^[\w[(]/u.test(word) && !ruleWords.has(word) && !/^(?:\S*\/)?ip6?tables/u.test(word) && full.every(({text}) => text === word || (text.startsWith(word) && /^\s/u.test(text.slice(word.length))));
	if (!isPrefix) {
		return lines;
	}

	return lines.map(line => {
		const rest = line.text.startsWith(word) ? line.text.slice(word.length) : undefined;
		return rest === undefined || /^\S/u.test(rest) ? line : {number: line.number, text: (bar === '' ? rest : rest.replace(/^\s+\|/u, '')).trim()};
	});
}

const names: Readonly<Record<string, string>> = {
	'\u2010': 'a typographic hyphen', '\u2011': 'a non-breaking hyphen', '\u2012': 'a figure dash', '\u2013': 'an en dash', '\u2014': 'an em dash', '\u2015': 'a horizontal bar', '\u2212': 'a minus sign', '\uFE63': 'a small hyphen', '\uFF0D': 'a full-width hyphen',
};
const dashes = Object.keys(names).join('');
const ruleLine = new RegExp(String.raw`^(?:\[\d+:\d+\]\s*)?(?:(?:-|[${dashes}])(?:[AINPDFX]\s|[${dashes}-]?(?:append|insert|policy|new-chain)\b)|(?:\S+\s+)*?\S*ip6?tables(?:-legacy|-nft)?\s+[${dashes}-]|type \w+ hook |(?:meta|ip6?|tcp|udp|ct|[io]ifname|counter|jump|goto)\s.*\b(?:return|accept|drop|jump|goto|redirect|counter)\b)`, 'u');
const wrongDash = new RegExp(String.raw`(?:^|[\s\d])(?<dash>[${dashes}])(?=[${dashes}\-\w])`, 'u');

function refuseTypography(line: Line): void {
	const entity = line.text.includes('&') && ruleLine.test(line.text) ? /&(?:quot|amp|lt|gt|nbsp|apos|#\d+|#x[\da-f]+);/iu.exec(masked(line.text))?.[0] : undefined;
	if (entity !== undefined) {
		throw problem(line, `${entity} is HTML's notation for a character, which no rule contains. Copy the text as the page shows it, not the page's source`);
	}

	if (!/[\u2010-\u2015\u2018-\u201F\u2212\uFE63\uFF0D]/u.test(line.text) || !ruleLine.test(line.text)) {
		return;
	}

	const text = masked(line.text);
	const dash = wrongDash.exec(text)?.groups?.['dash'];
	const quote = /[\u2018-\u201F]/u.exec(text)?.[0];
	if (dash !== undefined) {
		throw problem(line, `${names[dash]!} (${codeOf(dash)}) where a plain hyphen belongs: a word processor or a web page has put it there. Replace it with "-", or with "--" before a long option`);
	}

	if (quote !== undefined) {
		throw problem(line, `a curly quotation mark (${codeOf(quote)}) where a plain one belongs: a word processor or a web page has put it there. Replace it with "`);
	}
}

function codeOf(character: string): string {
	return `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** The line with everything in quotes masked, at the same positions. */
function masked(text: string): string {
	return text.includes('"') ? text.replaceAll(/"(?:[^"\\]|\\.)*"/gu, found => '"'.repeat(found.length)) : text;
}
