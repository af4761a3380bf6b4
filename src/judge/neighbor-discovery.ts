/**
Whether rules prevent IPv6 neighbor discovery. Before a packet leaves for an address on the link, the kernel asks for its link-layer address (neighbor solicitation, RFC 4861), and both the question and the answer pass INPUT and OUTPUT. The sandbox sets its neighbors by hand, so no rule ever meets such a packet there. The model of the rules shows it instead, as a hint that does not change the result.
*/

import {usualPodInterface} from '../mesh/topology.js';
import {baseChainOf, tablesOf} from '../netfilter/lookup.js';
import {printStep} from '../netfilter/path.js';
import type {
	Chain, Match, Rule, RuleSet, Table,
} from '../netfilter/types.js';
import {finalVerdict} from '../trace/lookup.js';

/** What a rule set does to neighbor discovery. */
type Treatment = {readonly verdict: 'accept' | 'drop'; readonly place: string} | 'not-known' | undefined;

const icmpv6: ReadonlySet<string> = new Set(['icmpv6', 'ipv6-icmp', '58']);

/** Whether a condition holds for neighbor solicitations and advertisements on an interface. Conntrack does not track them (`nf_conntrack_icmpv6_error`: UNTRACKED), and no socket sends or receives them. */
function holds(match: Match, device: string): boolean | 'not-known' {
	switch (match.kind) {
		case 'protocol': {
			return icmpv6.has(match.protocol) !== match.negated;
		}

		case 'in-interface':
		case 'out-interface': {
			const isNamed = match.name.endsWith('+') ? device.startsWith(match.name.slice(0, -1)) : match.name === device;
			return isNamed !== match.negated;
		}

		case 'source-port':
		case 'destination-port': {
			return false;
		}

		case 'conntrack-state': {
			return match.states.includes('UNTRACKED') !== match.negated;
		}

		case 'comment': {
			return true;
		}

		case 'source':
		case 'destination':
		case 'uid':
		case 'gid':
		case 'socket-exists':
		case 'mark':
		case 'connmark':
		case 'opaque': {
			return 'not-known';
		}
	}
}

function holdsAll({matches}: Rule, device: string): boolean | 'not-known' {
	const answers = new Set(matches.map(match => holds(match, device)));
	return answers.has(false) ? false : (answers.has('not-known') ? 'not-known' : true);
}

function treatmentIn(table: Table, chain: Chain, device: string): Treatment {
	for (const rule of chain.rules) {
		const answer = holdsAll(rule, device);
		if (answer === false) {
			continue;
		}

		const {target} = rule;
		if (target.kind === 'verdict' && target.verdict === 'return') {
			return answer === true ? undefined : 'not-known';
		}

		const verdict = finalVerdict(target);
		const inner = target.kind === 'jump' || target.kind === 'goto' ? treatmentOfJump(table, target.chain, device) : undefined;
		const treatment: Treatment = verdict === undefined ? inner : {verdict: verdict === 'accept' ? 'accept' : 'drop', place: `${printStep(table.name, chain.name, rule.number)} (${rule.text})`};
		if (answer === true && treatment !== undefined) {
			return treatment;
		}

		// If a rule may accept it, a later drop is not certain.
		if (treatment !== undefined && (treatment === 'not-known' || treatment.verdict === 'accept')) {
			return 'not-known';
		}

		if (target.kind === 'goto' && answer === true) {
			return undefined;
		}
	}

	return undefined;
}

function treatmentOfJump(table: Table, name: string, device: string): Treatment {
	const chain = table.chains.find(one => one.name === name);
	return chain === undefined ? 'not-known' : treatmentIn(table, chain, device);
}

/** The IPv6 rules, or policies, that drop or reject neighbor discovery in INPUT or OUTPUT, each with its text, for the pod's interface. Uncertain ones are left out. */
export function rulesAgainstNeighbors(ruleSet: RuleSet, device: string = usualPodInterface): readonly string[] {
	return tablesOf(ruleSet, 'ipv6').flatMap(table => table.chains.flatMap((chain): readonly string[] => {
		const base = baseChainOf(table, chain);
		if (base === undefined || base.type === 'nat' || (base.hook !== 'input' && base.hook !== 'output')) {
			return [];
		}

		const treatment = treatmentIn(table, chain, device) ?? (chain.policy === 'DROP' ? {verdict: 'drop' as const, place: `the policy of ${printStep(table.name, chain.name)}`} : undefined);
		return treatment === undefined || treatment === 'not-known' || treatment.verdict === 'accept' ? [] : [treatment.place];
	}));
}

/** A hint for a result over IPv6: one sentence, or none. */
export function neighborHints(ruleSet: RuleSet, device?: string): readonly string[] {
	const places = rulesAgainstNeighbors(ruleSet, device);
	return places.length === 0
		? []
		: [`Neighbor discovery is dropped as well, by ${places.join(' and ')}: a pod with these rules finds no neighbor, so nothing leaves it over IPv6. The sandbox sets its neighbors by hand and does not show that. Accept ICMPv6 types 133 to 136.`];
}
