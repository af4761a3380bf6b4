/**
Recognizes what surrounds rules that were copied from a terminal or a log: prompts with their commands, messages of kubectl, oc, ssh and sudo, and lines that name an iptables program.
*/

import type {AddressFamily} from '../types.js';

const tool = String.raw`(?:[\w./-]*/)?(?:ip6?tables|xtables)(?:-legacy|-nft)?`;
const toolPattern = new RegExp(String.raw`(?:^|[\s:"'=])${tool}(?:-restore\b|\s+-)`);
/** A lone number sign also starts a comment, so the command must follow immediately. */
const promptPattern = new RegExp(String.raw`^(?:#\s+(?:sudo\s+)?|(?:\$|\S+[$#>%]|\[\S+ \S+\][$#])\s+(?:\S+\s+)*?)${tool}(?:-save\b|-restore\b|\s|$)`);
const readingPattern = new RegExp(String.raw`${tool}(?:-save\b|\s(?:.*\s)?(?:-S|-L|--list|--list-rules|-[vnxw]*[LS][vnxw]*)\b)`);
const nftWritingPattern = /\bnft\s+(?:(?:-\S+|--\S+)\s+)*["']?(?:add|create|insert|delete|destroy|flush|replace|rename|-f|--file)\b/u;

/** Shell prompts, with or without a command: bash, sh, ash, zsh, fish, PowerShell, cmd. */
const prompts: readonly RegExp[] = [
	/^(?:\([^()\s]+\)\s*)?\[[\w.-]+(?:@[\w.-]+)?(?: \S+)?\][$#%](?:\s|$)/u,
	/^(?:\([^()\s]+\)\s*)?[\w.-]+@[\w.-]+(?::\S*|\s\S+)?\s?[$#%>❯](?:\s|$)/u,
	/^[\w.-]+@[\w.-]+:\S*[$#%>]\S*/u,
	/^[\w.-]*sh(?:-[\d.]+)?[$#](?:\s|$)/u,
	/^(?:~|\/[\w./-]*) [$#%](?:\s|$)/u,
	/^PS\s?\S*>(?:\s|$)/u,
	/^[A-Z]:\\[^<>|]*>/u,
	/^[➜❯»λ▶](?:\s|$)/u,
	/^[$%](?:\s|$)/u,
];

/** Commands that only show something, copied without a prompt. */
const showing = /^(?:sudo\s+)?(?:kubectl|k|oc|microk8s|minikube|k3s|docker|podman|nerdctl|crictl|nsenter|ssh|istioctl|kuma-dp|linkerd|nft|ip6?tables\S*|ip netns exec \S+)(?:\s.*)?$/u;

/** Messages of the programs that people use to get at rules, each at the beginning of a line. */
const notices: readonly RegExp[] = [
	// Kubectl exec, debug, attach, logs, run.
	/^Default(?:ed|ing) (?:debug )?container (?:name )?\S/u,
	/^Use 'kubectl describe \S+/u,
	/^If you don't see (?:a command prompt|processes from this container)/u,
	/^All commands and output from this session will be recorded/u,
	/^Targeting container "/u,
	/^Creating debugging pod \S+/u,
	/^--profile=\S+ is deprecated|^Flag --\S+ has been deprecated/u,
	/^Unable to use a TTY|^the input device is not a TTY/u,
	/^[Ww]arning: /u,
	/^command terminated with (?:non-zero )?exit code/u,
	/^pod \S+ (?:deleted|terminated|attached|created)/u,
	/^Session ended, resume using/u,
	/^Error from server/u,
	// Oc debug.
	/^Starting pod\/\S+|^Removing debug pod|^To use host binaries, run|^Pod IP: |^Temporary namespace \S+ /u,
	// Klog, from any of them.
	/^[IWE]\d{4} \d\d:\d\d:\d\d\.\d+\s+\d+ \S+:\d+\] /u,
	// Stern.
	/^[+-] \S+ › \S+$/u,
	// Sudo, ssh, script, the shell.
	/^\[sudo\] password for |^sudo: |^Connection to \S+ closed|^Last login: |^Script (?:started|done) on /u,
	/^(?:exit|logout)$/u,
];

/** Whether a line shows a run of `iptables` or `iptables-restore` that writes. */
export function isToolCommand(text: string): boolean {
	return text.includes('tables') && toolPattern.test(text) && !readingPattern.test(text) && !text.startsWith('#');
}

/** Whether a line is a bare prompt, or a prompt with a command that does not write rules: `root@node:~# iptables-save`, `/ # exit`. */
export function isShellPrompt(text: string): boolean {
	if (text.includes('tables') && promptPattern.test(text) && (readingPattern.test(text) || /^#\s/.test(text))) {
		return true;
	}

	return prompts.some(pattern => pattern.test(text)) && !isWriting(text);
}

/** Whether a line among rules is not part of them: a prompt, a command that shows rules, or a message of a program. */
export function isNoise(text: string): boolean {
	return isShellPrompt(text) || (showing.test(text) && !isWriting(text)) || isNotice(text);
}

/** Messages of kubectl and others on standard error, which `2>&1` writes into the file. */
export function isNotice(text: string): boolean {
	return notices.some(pattern => pattern.test(text));
}

function isWriting(text: string): boolean {
	return isToolCommand(text) || /ip6?tables\S*-restore\b/u.test(text) || nftWritingPattern.test(text);
}

/** Whether a line names a run of an iptables program or a rules file for one; the lines after it in a log belong to that run. */
export function namesProgram(text: string): boolean {
	return /ip6?tables(?:-\S|\s+-)/.test(text) && !text.startsWith('#');
}

/** The family of the program that a line names, if the program is for one family only. */
export function familyOfTool(text: string): AddressFamily | undefined {
	const names = new Set(text.match(/\bip6?tables/gu));
	return names.size === 1 ? (names.has('iptables') ? 'ipv4' : 'ipv6') : undefined;
}
