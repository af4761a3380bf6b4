/**
A rule set in the syntax of its back end: for `iptables-restore`, `ip6tables-restore` or `nft -f`. Anything besides the rules is printed as a comment.
*/

import {languageOf} from '../../netfilter/backends.js';
import {printTexts} from '../../netfilter/rule-texts.js';
import type {AddressFamily, RuleSet} from '../../netfilter/types.js';
import type {SidecarRouting} from '../../mesh/routing.js';
import type {ShownRules} from './types.js';

const headings = {ipv4: '# iptables (IPv4)', ipv6: '# ip6tables (IPv6)'} as const satisfies Record<AddressFamily, string>;

/** The rules as text. A heading separates the families if both are asked for, because iptables-restore accepts only one of them; nft accepts both at once. */
export function printRules({backend, families, ruleSet, routing}: Pick<ShownRules, 'backend' | 'families' | 'routing'> & {readonly ruleSet: RuleSet}): string {
	return printTexts(languageOf(backend), ruleSet, families).map(({family, text}) => [
		...(family !== null && families.length > 1 ? [headings[family]] : []),
		...(family === null ? families : [family]).flatMap(each => printRouting(routing, each)).map(command => `# ${command}`),
		text.trimEnd(),
	].filter(line => line !== '').map(line => `${line}\n`).join('')).join('');
}

/** The rules alone, all families in one text: what is installed and checksummed. */
export function printRuleSet({backend, families, ruleSet}: Pick<ShownRules, 'backend' | 'families'> & {readonly ruleSet: RuleSet}): string {
	return printTexts(languageOf(backend), ruleSet, families).map(({text}) => text).join('');
}

/** The iproute2 commands that set up what one family needs besides its rules. */
export function printRouting({loopbackAddresses, markRules, localRoutes}: SidecarRouting, family: AddressFamily): readonly string[] {
	const ip = family === 'ipv4' ? 'ip' : 'ip -6';
	return [
		...loopbackAddresses.filter(item => item.family === family).map(({address}) => `${ip} addr add ${address} dev lo`),
		...markRules.filter(item => item.family === family).map(({mark, mask, priority, table}) =>
			`${ip} rule add fwmark ${hexadecimal(mark)}${mask === undefined ? '' : `/${hexadecimal(mask)}`}${priority === undefined ? '' : ` pref ${priority}`} lookup ${table}`),
		...localRoutes.filter(item => item.family === family).map(({destination, table}) => `${ip} route add local ${destination} dev lo table ${table}`),
	];
}

function hexadecimal(value: number): string {
	return `0x${value.toString(16)}`;
}
