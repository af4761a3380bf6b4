/**
Sentences about which rules are reached, shared by all printers.
*/

import type {RuleCoverage, Unreached} from '../../judge/rule-coverage.js';
import {nameOfMatch} from '../rules/describe-rule.js';

/** Beyond this many rules or conditions, only the number is printed. */
const namedMax = 4;

/** `ISTIO_OUTPUT#4 proxy-uid-bypass`; for a rule without a role, its text. */
export function describeRule({place, role, rule}: Pick<RuleCoverage, 'place' | 'role' | 'rule'>): string {
	return `${place} ${role ?? `(${rule.text})`}`;
}

/** Why no packet of this topology reaches a rule. */
export function describeUnreached(unreached: Unreached, {language}: Pick<RuleCoverage, 'language'>): string {
	switch (unreached.kind) {
		case 'shadowed': {
			return `shadowed: what it would match is handled earlier, by ${listOf(unreached.by.map(({place, role, packets}) => `${place}${role === null ? '' : ` ${role}`} (${packets} ${packets === 1 ? 'packet' : 'packets'})`))}`;
		}

		case 'no-match': {
			const {packets, conditions} = unreached;
			return `${packets} ${packets === 1 ? 'packet enters' : 'packets enter'} its chain, and none meets its conditions: ${listOf(conditions.map(({match, protocol, packets: failed}) => `${nameOfMatch(match, {protocol}, {language})} (${failed})`))}`;
		}

		case 'cut-off': {
			return `earlier rules end the path of all ${unreached.packets} packets that enter its chain, and it would match none of them`;
		}

		case 'no-packet': {
			return unreached.from.length === 0 ? 'no rule leads to its chain' : `no packet enters its chain; ${listOf(unreached.from)} would lead there`;
		}

		case 'no-hook': {
			return 'no packet reaches the hook of its chain';
		}
	}
}

function listOf(items: readonly string[]): string {
	return `${items.slice(0, namedMax).join(', ')}${items.length > namedMax ? ` and ${items.length - namedMax} more` : ''}`;
}
