/**
What `iptables -S` prints: the commands of one table, which it does not name. The table is told by a line between (`*nat`, `# nat`, a prompt with `-t nat`), by the policies in front, or by what only one table can hold.
*/

import {builtInChains, tableNames} from '../built-in.js';
import {
	linesOf, problem, type Line,
} from '../parse-error.js';
import {isCommand} from '../iptables/command.js';
import type {SaveBlock} from '../iptables/save.js';
import {isKubectlNotice, isShellPrompt} from './strip-noise.js';

type Section = {readonly name: string | undefined; readonly head: Line | undefined; readonly lines: Line[]};

/**
Takes the listings of a text apart, one table each.

@throws {ParseError} when a line is none of `iptables -S`, or nothing tells the table.
*/
export function splitListings(text: string): {readonly blocks: readonly SaveBlock[]; readonly warnings: readonly string[]} {
	const sections: Section[] = [];
	const warnings: string[] = [];
	for (const line of linesOf(text)) {
		if (line.text === '') {
			continue;
		}

		const head = headOf(line);
		if (head !== undefined) {
			sections.push({name: head.name, head: line, lines: []});
			continue;
		}

		if (line.text.startsWith('#')) {
			continue;
		}

		if (isKubectlNotice(line.text)) {
			warnings.push(`line ${line.number}: left out, it is no rule: ${line.text}`);
			continue;
		}

		if (!isCommand(line.text)) {
			throw problem(line, 'not a line of iptables -S');
		}

		sectionFor(sections, line).lines.push(line);
	}

	const blocks = sections.filter(({lines}) => lines.length > 0).map(section => blockOf(section, warnings));
	return {blocks, warnings};
}

/** A listing begins with the policies, so a policy behind a rule is the next one's. */
function sectionFor(sections: Section[], line: Line): Section {
	const last = sections.at(-1);
	const isNext = last === undefined || (/^(?:-P|--policy)\b/.test(line.text) && last.lines.some(({text}) => /^-[AN]\b/.test(text)));
	if (!isNext) {
		return last;
	}

	const section: Section = {name: undefined, head: undefined, lines: []};
	sections.push(section);
	return section;
}

function headOf(line: Line): {readonly name: string | undefined} | undefined {
	if (isShellPrompt(line.text) || /^\+?\s*(?:[\w./-]*\/)?ip6?tables\S*\s/.test(line.text)) {
		return {name: /\s(?:-t|--table)[ =]?(\S+)/.exec(line.text)?.[1] ?? 'filter'};
	}

	const [, name = ''] = /^[*#=\-\s]*(?:table:?\s+)?[`'"]?([a-z]+)['"]?(?:\s+table)?[:=\-\s]*$/i.exec(line.text) ?? [];
	return tableNames.includes(name.toLowerCase()) ? {name: name.toLowerCase()} : undefined;
}

function blockOf({name, head, lines}: Section, warnings: string[]): SaveBlock {
	const line = head ?? lines[0]!;
	return {
		name: name ?? guessTable(lines, warnings), line, lines, comments: head === undefined ? [] : [head],
	};
}

/** Targets that only one table takes (iptables-extensions(8)). */
const targetTables: ReadonlyArray<readonly [RegExp, string]> = [
	[/-j (?:REDIRECT|DNAT|SNAT|MASQUERADE|NETMAP)\b/, 'nat'],
	[/-j (?:TPROXY|MARK|DSCP|TOS|TTL|HL|ECN|CLASSIFY)\b/, 'mangle'],
	[/-j (?:CT|NOTRACK)\b/, 'raw'],
	[/-j REJECT\b/, 'filter'],
];

function guessTable(lines: readonly Line[], warnings: string[]): string {
	const policies = lines.flatMap(({text}) => /^(?:-P|--policy) (\S+)/.exec(text)?.[1] ?? []);
	const used = new Set([...policies, ...lines.flatMap(({text}) => /^(?:-A|--append) (\S+)/.exec(text)?.[1] ?? [])].filter(chain => chain === chain.toUpperCase()));
	const byPolicy = tableNames.find(table => policies.length > 0 && isOwn(table, policies));
	if (byPolicy !== undefined) {
		// The tables filter and security have the same chains; hardly anybody has the second.
		return byPolicy;
	}

	const byTarget = targetTables.find(([pattern]) => lines.some(({text}) => pattern.test(text)));
	if (byTarget !== undefined) {
		warnings.push(`line ${lines[0]!.number}: no table is named; the targets are those of ${byTarget[1]}`);
		return byTarget[1];
	}

	if (used.has('PREROUTING') && used.has('POSTROUTING') && !used.has('FORWARD')) {
		warnings.push(`line ${lines[0]!.number}: no table is named; the chains are those of nat`);
		return 'nat';
	}

	throw problem(lines[0]!, 'nothing tells the table of these rules: put a line like *nat in front of them, or take iptables-save');
}

/** Whether policies are exactly those of a table. Before Linux 2.6.34 nat had no INPUT. */
function isOwn(table: string, policies: readonly string[]): boolean {
	const own = builtInChains(table);
	const given = new Set(policies);
	return policies.every(chain => own.includes(chain)) && own.every(chain => given.has(chain) || (table === 'nat' && chain === 'INPUT'));
}
