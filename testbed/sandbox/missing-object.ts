/**
What a rule needs but this machine or the text lacks: an iptables extension, a kernel module, a chain, an nft set. This turns the tools' messages into a sentence, with the line that needs it. (For ipsets and other named objects see `rejection.ts`, which asks the kernel.)
*/

import {literalPattern} from '../../src/parsing/literal-pattern.js';

/** What is missing, as the end of a sentence; what to do about it; and the line (from 1) that needs it, undefined if it is not found. */
export type MissingObject = {readonly what: string; readonly hint: string; readonly line: number | undefined};

type Kind = {
	/** Matches the tool's message; its group `name` is the name of the missing object. */
	readonly says: RegExp;
	/** Matches the line that needs it. */
	readonly asks: (name: string) => RegExp;
	readonly what: (name: string) => string;
	readonly hint: string;
};

/** Messages of iptables 1.8 (libxtables/xtables.c, iptables/nft.c) and nft 1.0. */
const kinds: readonly Kind[] = [
	{
		says: /Couldn't load match `(?<name>[^']+)'/u,
		asks: name => new RegExp(String.raw`(?:-m|--match)\s+${literalPattern(name)}(?:\s|$)`, 'u'),
		what: name => `iptables on this machine has no extension for the match ${name}`,
		hint: 'Install the package that contains it, if there is one (some are in xtables-addons), or remove the rule.',
	},
	{
		says: /Couldn't load target `(?<name>[^']+)'|Chain '(?<chain>[^']+)' does not exist/u,
		asks: name => new RegExp(String.raw`(?:-j|-g|--jump|--goto)\s+${literalPattern(name)}(?:\s|$)`, 'u'),
		what: name => `${name} is neither a chain in this table nor a target of iptables on this machine`,
		hint: 'Is the chain missing from the pasted text? If not, install the package that contains the target, or remove the rule.',
	},
	{
		says: /Extension (?<name>\S+) revision \d+ not supported, missing kernel module/u,
		asks: name => new RegExp(String.raw`(?:-m|--match|-j|--jump)\s+${literalPattern(name)}(?:\s|$)`, 'u'),
		what: name => `this kernel has no module for ${name} (xt_${name})`,
		hint: 'Load the module (modprobe), or remove the rule.',
	},
	{
		says: /Error: (?:No such file or directory|Could not process rule: No such file or directory)[\s\S]*?(?<![\w-])@(?<name>[\w./-]+)/u,
		asks: name => new RegExp(String.raw`@${literalPattern(name)}(?![\w./-])`, 'u'),
		what: name => `the set @${name} is missing from this table`,
		hint: 'Is its declaration missing from the pasted text? nft list ruleset prints it with the table.',
	},
];

/** What is missing, according to a tool's message about a text; undefined if the message is about something else. */
export function missingObjectOf(said: string, input: string): MissingObject | undefined {
	for (const {says, asks, what, hint} of kinds) {
		const found = says.exec(said);
		if (found !== null) {
			const name = found.groups?.['name'] ?? found.groups?.['chain'] ?? '';
			const index = input.split('\n').findIndex(line => asks(name).test(line));
			return {what: what(name), hint, line: index === -1 ? undefined : index + 1};
		}
	}

	return undefined;
}
