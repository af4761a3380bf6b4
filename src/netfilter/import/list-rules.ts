/**
The output of `iptables -S`: the commands of one table, which it does not name. A line in between shows the table (`*nat`, `# nat`, a prompt with `-t nat`), or the policies at the beginning do, or a target that only one table can have.
*/

import {builtInChains, tableNames} from '../built-in.js';
import {problem, type Line} from '../parse-error.js';
import {isCommand} from '../iptables/command.js';
import type {SaveBlock} from '../iptables/save.js';
import {isNoise} from './strip-noise.js';

/** The rules of one table. `head` is the line that names the table, if there is one. */
export type Section = {readonly name: string | undefined; readonly head: Line | undefined; readonly lines: Line[]};

/**
Splits a text into listings of one table each.

@throws {ParseError} if a line is not from `iptables -S`, or if nothing shows the table.
*/
export function splitListings(lines: readonly Line[]): {readonly blocks: readonly SaveBlock[]; readonly warnings: readonly string[]} {
	const sections: Section[] = [];
	const warnings: string[] = [];
	for (const line of lines) {
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

		if (isNoise(line.text)) {
			warnings.push(`line ${line.number}: ignored because it is not a rule: ${line.text}`);
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

/** A listing begins with the policies, so a policy after a rule starts the next one. */
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

/** The table that a line names: a prompt with its command, `# nat`, `*nat`. */
export function headOf(line: Line): {readonly name: string | undefined} | undefined {
	if ((isNoise(line.text) && /ip6?tables/.test(line.text)) || /^\+?\s*(?:[\w./-]*\/)?ip6?tables\S*\s/.test(line.text)) {
		return {name: /\s(?:-t|--table)[ =]?(\S+)/.exec(line.text)?.[1] ?? 'filter'};
	}

	const [, name = ''] = /^[*#=\-\s]*(?:table:?\s+)?[`'"]?([a-z]+)['"]?(?:\s+table)?[:=\-\s]*$/i.exec(line.text) ?? [];
	return tableNames.includes(name.toLowerCase()) ? {name: name.toLowerCase()} : undefined;
}

/** A section as a table: the named one, or the one that its rules must belong to. */
export function blockOf({name, head, lines}: Section, warnings: string[]): SaveBlock {
	const line = head ?? lines[0]!;
	return {
		name: name ?? guessTable(lines, warnings), line, lines, comments: head === undefined ? [] : [head],
	};
}

/** Targets that only one table allows (iptables-extensions(8)). */
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
	const byTarget = targetTables.find(([pattern]) => lines.some(({text}) => pattern.test(text)));
	// A partial copy of nat can have the chains of raw, which cannot redirect.
	if (byPolicy !== undefined && !(byTarget?.[1] === 'nat' && builtInChains('nat').length > policies.length && policies.every(chain => builtInChains('nat').includes(chain)))) {
		// The tables filter and security have the same chains, but the latter is rarely used.
		return byPolicy;
	}

	if (byTarget !== undefined) {
		warnings.push(`line ${lines[0]!.number}: no table is named; assumed ${byTarget[1]} because of the targets`);
		return byTarget[1];
	}

	if (used.has('PREROUTING') && used.has('POSTROUTING') && !used.has('FORWARD')) {
		warnings.push(`line ${lines[0]!.number}: no table is named; assumed nat because of the chains`);
		return 'nat';
	}

	throw problem(lines[0]!, 'nothing shows the table of these rules: put a line such as *nat before them, or use iptables-save');
}

/** Whether the policies are exactly those of a table. Before Linux 2.6.34, nat had no INPUT. */
function isOwn(table: string, policies: readonly string[]): boolean {
	const own = builtInChains(table);
	const given = new Set(policies);
	return policies.every(chain => own.includes(chain)) && own.every(chain => given.has(chain) || (table === 'nat' && chain === 'INPUT'));
}
