/**
The rules that a report is about.
*/

import type {AddressFamily, RuleSet, Table} from '../../src/netfilter/types.js';
import type {RulesSummary} from '../../src/report/shared-types.js';
import {checksumOf} from './checksum.js';
import {identityOf} from './mesh-of-rules.js';
import type {RuleInput} from './types.js';

/** Summarizes a rule input for reports. `ruleSet` is what the kernel had installed; empty tables that earlier rule sets left in the same sandbox do not count. `notes` is absent in recordings from before notes existed. */
export function summaryOfRules({notes = [], ...rules}: Pick<RuleInput, 'source' | 'release' | 'backend' | 'ruleSet' | 'beside'> & {readonly notes?: readonly string[]}, {families, ruleSet = rules.ruleSet}: {
	readonly families: readonly AddressFamily[]; readonly ruleSet?: RuleSet;
}): RulesSummary {
	const {source, release, backend} = rules;
	let identity: RulesSummary['identity'] | undefined;
	return {
		source,
		release,
		backend,
		// Found out when a report prints it: it takes as long as everything else that a report needs, and most runs with mutants are never printed.
		get identity() {
			identity ??= identityOf(rules);
			return identity;
		},
		sha256: checksumOf({backend, families, ruleSet: withoutLeftTables(ruleSet, rules.ruleSet)}),
		notes,
	};
}

/** The tables without those that do nothing and were not asked for: a table of iptables stays when its rules are deleted. */
function withoutLeftTables({tables}: RuleSet, asked: RuleSet): RuleSet {
	return {tables: tables.filter(table => !isIdle(table) || asked.tables.some(({family, name}) => family === table.family && name === table.name))};
}

function isIdle({chains, objects = []}: Table): boolean {
	return objects.length === 0 && chains.every(({policy, rules}) => policy === 'ACCEPT' && rules.length === 0);
}
