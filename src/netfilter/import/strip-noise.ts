/**
What stands between rules because people copy what a terminal or a log shows: prompts, and lines that name a program of iptables.
*/

import type {AddressFamily} from '../types.js';

const tool = String.raw`(?:[\w./-]*/)?(?:ip6?tables|xtables)(?:-legacy|-nft)?`;
const toolPattern = new RegExp(String.raw`(?:^|[\s:"'=])${tool}(?:-restore\b|\s+-)`);
/** A bare number sign begins a comment as well, so the command must follow at once. */
const promptPattern = new RegExp(String.raw`^(?:#\s+(?:sudo\s+)?|(?:\$|\S+[$#>%]|\[\S+ \S+\][$#])\s+(?:\S+\s+)*?)${tool}(?:-save\b|-restore\b|\s|$)`);
const readingPattern = new RegExp(String.raw`${tool}(?:-save\b|\s(?:.*\s)?(?:-S|-L|--list|--list-rules)\b)`);

/** Whether a line tells of a run of `iptables` or `iptables-restore` that writes. */
export function isToolCommand(text: string): boolean {
	return text.includes('tables') && toolPattern.test(text) && !readingPattern.test(text) && !text.startsWith('#');
}

/** Whether a line is a prompt with the command behind it: `root@node:~# iptables-save`. */
export function isShellPrompt(text: string): boolean {
	return text.includes('tables') && promptPattern.test(text) && (readingPattern.test(text) || /^#\s/.test(text));
}

/** Whether a line names a run of a program of iptables or a file of rules for one: what follows it in a log is that run's. */
export function namesProgram(text: string): boolean {
	return /ip6?tables(?:-\S|\s+-)/.test(text) && !text.startsWith('#');
}

/** What kubectl says on its standard error, which lands in a file with `2>&1`. */
export function isKubectlNotice(text: string): boolean {
	return /^Default(?:ed|ing) container /.test(text);
}

/** The family of the program that a line names, if it names one of one family only. */
export function familyOfTool(text: string): AddressFamily | undefined {
	const names = new Set(text.match(/\bip6?tables/gu));
	return names.size === 1 ? (names.has('iptables') ? 'ipv4' : 'ipv6') : undefined;
}
