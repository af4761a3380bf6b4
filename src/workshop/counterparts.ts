/**
Rules that read the same in both address families. iptables keeps a table for each family, so a rule that is meant for both is there twice, and a change of one of them leaves the other as it was.
*/

import {findChain} from '../netfilter/lookup.js';
import type {Family, RuleSet} from '../netfilter/types.js';
import type {RuleAt, RuleEdit} from './protocol.js';

const others: Readonly<Record<Family, Family | undefined>> = {ip: 'ip6', ip6: 'ip', inet: undefined};

/** The rule of the other family that reads the same: in the chain of the same name, the first of several there for the first of several here. An `inet` table is for both families, so none of its rules has one. */
export function counterpartOf(ruleSet: RuleSet, at: RuleAt): RuleAt | undefined {
	const family = others[at.family];
	const own = findChain(ruleSet, at)?.rules ?? [];
	const text = own[at.number - 1]?.text;
	if (family === undefined || text === undefined) {
		return undefined;
	}

	const before = own.slice(0, at.number - 1).filter(rule => rule.text === text).length;
	const counterpart = (findChain(ruleSet, {...at, family})?.rules ?? []).filter(rule => rule.text === text)[before];
	return counterpart === undefined ? undefined : {...at, family, number: counterpart.number};
}

/** The same change of the counterpart of a rule. A rule that moves goes as far as the other one. */
export function counterpartEdit(edit: RuleEdit, counterpart: RuleAt): RuleEdit {
	return edit.kind === 'move' ? {...edit, at: counterpart, to: counterpart.number + edit.to - edit.at.number} : {...edit, at: counterpart};
}
