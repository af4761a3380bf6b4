/**
The output of `iptables -L -v -n`, converted to the commands that `iptables -S` would print: columns for what iptables itself knows, followed by each match and target in its own wording (iptables 1.8.9, extensions/libxt_*.c, the `print` functions). A wording that does not say everything is rejected, and so is `-L` without `-v` or `-n`.
*/

import {problem, type Line} from '../parse-error.js';
import type {SaveBlock} from '../iptables/save.js';
import {blockOf, headOf, type Section} from './list-rules.js';
import {isNoise} from './strip-noise.js';

const chainPattern = /^Chain (?<name>\S+) \((?:policy (?<policy>\S+)(?: [\d.]+[KMGT]? packets, [\d.]+[KMGT]? bytes)?|\d+ references?)\)$/u;
const columnsPattern = /^(?:num\s+)?(?<counts>pkts\s+bytes\s+)?target\s+prot\s+opt\b/u;

const noChain = 'the beginning is missing: there is no line "Chain NAME (…)" before this';

/** Whether a line is the heading of a chain in `iptables -L`. */
export function isChainHead(text: string): boolean {
	return chainPattern.test(text);
}

/** Whether a line is the column heading of `iptables -L`. */
export function isColumnHead(text: string): boolean {
	return columnsPattern.test(text);
}

type Part = {readonly name: string | undefined; readonly head: Line | undefined; readonly policies: Line[]; readonly rules: Line[]; readonly chains: Set<string>};

/**
Splits a text into listings of one table each.

@throws {ParseError} if a row does not say everything about its rule.
*/
export function splitVerboseListings(lines: readonly Line[]): {readonly blocks: readonly SaveBlock[]; readonly warnings: readonly string[]} {
	const warnings: string[] = [];
	const parts: Part[] = [];
	let chain: string | undefined;
	let isNumbered = false;
	for (const line of lines.filter(({text}) => text !== '')) {
		const {name, policy} = chainPattern.exec(line.text)?.groups ?? {};
		const head = headOf(line);
		if (name !== undefined) {
			chain = name;
			const part = partFor(parts, name);
			part.chains.add(name);
			part.policies.push({number: line.number, text: policy === undefined ? `-N ${name}` : `-P ${name} ${policy}`});
		} else if (head !== undefined) {
			parts.push({
				name: head.name, head: line, policies: [], rules: [], chains: new Set(),
			});
		} else if (columnsPattern.test(line.text)) {
			refuseNarrow(line);
			isNumbered = line.text.startsWith('num');
		} else if (isNoise(line.text)) {
			warnings.push(`line ${line.number}: ignored because it is not a rule: ${line.text}`);
		} else if (!line.text.startsWith('#')) {
			if (chain === undefined) {
				throw problem(line, noChain);
			}

			parts.at(-1)!.rules.push({number: line.number, text: `-A ${chain} ${ruleOfRow(line, isNumbered)}`.trim()});
		}
	}

	if (chain === undefined) {
		throw problem(lines.find(({text}) => columnsPattern.test(text)) ?? lines[0]!, noChain);
	}

	const sections = parts.filter(({policies}) => policies.length > 0).map(({name, head, policies, rules}): Section => ({name, head: head ?? policies[0], lines: [...policies, ...rules]}));
	return {blocks: sections.map(section => blockOf(section, warnings)), warnings: [...warnings, 'The rules were converted from iptables -L, which prints them in a form of its own; use iptables-save if exactness matters.']};
}

/** A chain that already exists begins the next table. */
function partFor(parts: Part[], chain: string): Part {
	const last = parts.at(-1);
	if (last !== undefined && !last.chains.has(chain)) {
		return last;
	}

	const part: Part = {
		name: undefined, head: undefined, policies: [], rules: [], chains: new Set(),
	};
	parts.push(part);
	return part;
}

function refuseNarrow(line: Line): void {
	if (!/\bin\s+out\b/u.test(line.text)) {
		throw problem(line, 'this is iptables -L without -v, which leaves out the interfaces of the rules (half of a sidecar\'s rules match lo); use iptables-save, or iptables -L -v -n');
	}
}

const address = /^!?(?:[\d.]+|[\da-f:]*:[\da-f:.]*)(?:\/[\d.a-f:]+)?$/iu;

/** Counts, target, protocol, options, interfaces, addresses, and the wording of matches and target. A rule without a target leaves its column empty; old `ip6tables` has no options column. */
function ruleOfRow(line: Line, isNumbered: boolean): string {
	const words = line.text.split(/\s+/u);
	const first = isNumbered ? 3 : 2;
	const isAddress = (word = ''): boolean => address.test(word) || word === 'anywhere';
	// The counts are followed by at least the protocol and the two interfaces.
	const place = words.findIndex((word, index) => index >= first + 3 && isAddress(word) && isAddress(words[index + 1]));
	if (place === -1 || !words.slice(0, first).every(word => /^\d+[KMGT]?$/u.test(word))) {
		throw problem(line, 'not a row of iptables -L -v -n; without -n, names appear instead of numbers. Use iptables-save');
	}

	const front = words.slice(first, place - 2);
	const option = /^(?:--|-f|!f)$/u.test(front.at(-1) ?? '') ? front.pop() : undefined;
	const protocol = front.pop();
	const [target, ...more] = front;
	const [incoming = '', outgoing = '', source = '', destination = ''] = words.slice(place - 2, place + 2);
	if (protocol === undefined || more.length > 0) {
		throw problem(line, 'not a row of iptables -L -v -n. Use iptables-save');
	}

	const {matches, targetOptions, isGoto} = readWords(line, {words: words.slice(place + 2).join(' '), target});
	return [
		negatable('-s', source, ['0.0.0.0/0', '::/0', 'anywhere']),
		negatable('-d', destination, ['0.0.0.0/0', '::/0', 'anywhere']),
		negatable('-i', incoming, ['*', 'any']),
		negatable('-o', outgoing, ['*', 'any']),
		negatable('-p', protocol, ['0', 'all']),
		option === '-f' ? '-f' : (option === '!f' ? '! -f' : ''),
		...matches,
		target === undefined ? '' : `${isGoto ? '-g' : '-j'} ${target}`,
		...targetOptions,
	].filter(word => word !== '').join(' ');
}

function negatable(option: string, value: string, none: readonly string[]): string {
	const plain = value.replace('!', '');
	return value.startsWith('!') ? `! ${option} ${plain}` : (none.includes(plain) ? '' : `${option} ${plain}`);
}

type Words = {readonly words: string; readonly target: string | undefined};
type Read = {readonly matches: string[]; readonly targetOptions: string[]; isGoto: boolean};
type Wording = readonly [pattern: RegExp, read: (found: Readonly<Record<string, string | undefined>>) => {readonly match?: string; readonly options?: string}];

function not(negation: string | undefined): string {
	return negation === undefined || negation === '' ? '' : '! ';
}

/** TCP flags by bit, with iptables' names (iptables-extensions(8), tcp). */
function flagsOf(bits: string | undefined): string {
	const value = Number.parseInt(bits ?? '0', 16);
	return ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG'].filter((_, place) => Math.floor(value / (2 ** place)) % 2 === 1).join(',') || 'NONE';
}

const hex = String.raw`0x[\da-f]+(?:\/0x[\da-f]+)?`;

/** What can follow the columns, and the options that it represents. Anything that matches none of these is not understood. */
const wordings: readonly Wording[] = [
	[/^(?<protocol>tcp|udp|sctp|dccp|udplite)/u, ({protocol}) => ({match: `-m ${protocol}`})],
	[/^(?<side>[sd])pts?:(?<negation>!?)(?<ports>\d+(?::\d+)?)/u, ({side, negation, ports}) => ({match: `${not(negation)}--${side}port ${ports}`})],
	[/^(?<negation>! )?owner (?<who>UID|GID) match (?<id>\d+(?:-\d+)?)/u, ({negation, who, id}) => ({match: `-m owner ${not(negation)}--${who?.toLowerCase()}-owner ${id}`})],
	[/^\/\* (?<text>.*?) \*\//u, ({text}) => ({match: `-m comment --comment "${text?.replaceAll(/["\\]/gu, String.raw`\$&`)}"`})],
	[new RegExp(String.raw`^(?<module>mark|connmark) match\s+(?<negation>! ?)?(?<value>${hex})`, 'u'), ({module, negation, value}) => ({match: `-m ${module} ${not(negation)}--mark ${value}`})],
	[/^(?<negation>! ?)?(?<module>ctstate|state) (?<states>[A-Z,]+)/u, ({negation, module, states}) => ({match: `-m ${module === 'state' ? 'state' : 'conntrack'} ${not(negation)}--${module} ${states}`})],
	[/^multiport (?<side>[sd]?ports) (?<negation>! ?)?(?<ports>[\d,:]+)/u, ({side, negation, ports}) => ({match: `-m multiport ${not(negation)}--${side} ${ports}`})],
	[/^ADDRTYPE match (?<side>src|dst)-type (?<negation>!)?(?<type>[A-Z,]+)/u, ({side, negation, type}) => ({match: `-m addrtype ${not(negation)}--${side}-type ${type}`})],
	[/^socket(?<options>(?: --(?:transparent|nowildcard|restore-skmark))*)/u, ({options}) => ({match: `-m socket${options}`})],
	[/^(?<kind>icmp|ipv6-icmp)type (?<negation>!)?(?<type>\d+)(?: code (?<code>\d+))?/u, ({kind, negation, type, code}) => ({match: kind === 'icmp' ? `-m icmp ${not(negation)}--icmp-type ${type}${code === undefined ? '' : `/${code}`}` : `-m icmp6 ${not(negation)}--icmpv6-type ${type}${code === undefined ? '' : `/${code}`}`})],
	[/^limit: avg (?<rate>\d+\/[a-z]+) burst (?<burst>\d+)/u, ({rate, burst}) => ({match: `-m limit --limit ${rate} --limit-burst ${burst}`})],
	[/^flags:(?<negation>!?)0x(?<mask>[\dA-F]{2})\/0x(?<set>[\dA-F]{2})/iu, ({negation, mask, set}) => ({match: `${not(negation)}--tcp-flags ${flagsOf(mask)} ${flagsOf(set)}`})],
	[/^redir ports (?<ports>\d+(?:-\d+)?)/u, ({ports}) => ({options: `--to-ports ${ports}`})],
	[/^to:(?<where>[\d.:a-f[\]-]+)(?<random> random)?/u, ({where, random}) => ({options: `TO ${where}${random === undefined ? '' : ' --random'}`})],
	[/^CT zone (?<zone>\d+)/u, ({zone}) => ({options: `--zone ${zone}`})],
	[new RegExp(String.raw`^TPROXY redirect (?<ip>\S+):(?<port>\d+) mark (?<mark>${hex})`, 'u'), ({ip, port, mark}) => ({options: `--on-port ${port} --on-ip ${ip} --tproxy-mark ${mark}`})],
	[new RegExp(String.raw`^MARK (?<act>set|xset|and|or|xor) (?<value>${hex})`, 'u'), ({act, value}) => ({options: act === 'xset' ? `--set-xmark ${value}` : (act === 'set' ? `--set-xmark ${value}${value?.includes('/') === true ? '' : '/0xffffffff'}` : `--${act}-mark ${value}`)})],
	[new RegExp(String.raw`^CONNMARK (?<act>set|xset) (?<value>${hex})`, 'u'), ({value}) => ({options: `--set-xmark ${value}${value?.includes('/') === true ? '' : '/0xffffffff'}`})],
	[/^CONNMARK (?<act>restore|save)(?! mask)/u, ({act}) => ({options: `--${act}-mark`})],
	[/^LOG flags 0 level 4(?: prefix "(?<text>[^"\\]*)")?/u, ({text}) => ({options: text === undefined ? '' : `--log-prefix "${text}"`})],
	[/^reject-with (?<kind>[\w-]+)/u, ({kind}) => ({options: `--reject-with ${kind}`})],
];

function readWords(line: Line, {words, target}: Words): Read {
	const read: Read = {matches: [], targetOptions: [], isGoto: false};
	for (let rest = words; rest !== '';) {
		if (rest.startsWith('[goto]')) {
			read.isGoto = true;
			rest = rest.slice('[goto]'.length).trimStart();
			continue;
		}

		const [found] = wordings.flatMap(([pattern, make]) => {
			const [text = '', groups] = [pattern.exec(rest)?.[0], pattern.exec(rest)?.groups];
			return text !== '' && /^(?:\s|$)/u.test(rest.slice(text.length)) ? [{text, ...make(groups ?? {})}] : [];
		});
		if (found === undefined) {
			throw problem(line, `iptables -L shows "${rest.split(' ').slice(0, 4).join(' ')}", which does not say everything about the rule or is not understood here; use iptables-save, which prints the options themselves`);
		}

		const {match, options} = found;
		if (match !== undefined) {
			read.matches.push(match);
		}

		if (options !== undefined) {
			read.targetOptions.push(options.replace(/^TO /u, target === 'SNAT' ? '--to-source ' : (target === 'NETMAP' ? '--to ' : '--to-destination ')));
		}

		rest = rest.slice(found.text.length).trimStart();
	}

	return read;
}
