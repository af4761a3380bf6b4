/**
The result of a comparison in sentences, shared by all printers.
*/

import {familyNames} from '../../netfilter/address.js';
import type {Severity, Statement} from '../../comparison/moves.js';
import type {FieldName} from '../../packet-classes/fields.js';
import type {ComparisonReport} from './types.js';

/** What a severity means. */
export const severityWords: Readonly<Record<Severity, string>> = {
	bypass: 'now bypasses the sidecar', lost: 'is now lost', loop: 'now loops', elsewhere: 'now reaches another listener', path: 'now takes other rules to the same listener',
};

/** Field names for readers. */
const fieldWords: Readonly<Record<FieldName, string>> = {
	protocol: 'protocol', source: 'source address', 'source-port': 'source port', destination: 'destination address', 'destination-port': 'destination port', uid: 'user', gid: 'group', mark: 'mark', packet: 'conntrack state',
};

/** Where the packets arrived, leg by leg. */
export function printArrivals(arrivals: readonly string[]): string {
	return arrivals.join(' > ');
}

/** `was proxy:15001 > direct, is direct`. */
export function describeChange({severity, from, to}: Pick<Statement, 'severity' | 'from' | 'to'>): string {
	return severity === 'path' ? `was and is ${printArrivals(to)}` : `was ${printArrivals(from)}, is ${printArrivals(to)}`;
}

/** How much was compared. "Equal" means nothing without it. */
export function describeExtent({families}: Pick<ComparisonReport, 'families'>): string {
	const classes = families.map(({family, classes: count}) => `${count} ${count === 1 ? 'packet class' : 'packet classes'} in ${familyNames[family]}`).join(' and ');
	const probes = families.reduce((sum, {probes: count}) => sum + count, 0);
	const fields = [...new Set(families.flatMap(({fields: names}) => names))].map(name => fieldWords[name]);
	return `${classes}, ${probes} probes on each side, over every field that a rule looks at${fields.length === 0 ? ' (none)' : ` (${fields.join(', ')})`}`;
}

const leftOutWords: Readonly<Record<string, string>> = {'cannot-occur': 'cannot occur', 'cannot-be-sent': 'cannot be sent', 'same-rules': 'need not be sent'};

/** What was left out, and why. */
export function describeLeftOut({families}: Pick<ComparisonReport, 'families'>): readonly string[] {
	const byReason = new Map<string, {kind: string; classes: number}>();
	for (const {kind, because, classes} of families.flatMap(({leftOut}) => leftOut)) {
		byReason.set(because, {kind, classes: (byReason.get(because)?.classes ?? 0) + classes});
	}

	return [...byReason].map(([because, {kind, classes}]) => `${classes} ${leftOutWords[kind] ?? kind}: ${because}`);
}

/** The result in one sentence. */
export function summaryOf(report: Pick<ComparisonReport, 'outcome' | 'statements' | 'families' | 'gaps'>): string {
	const {outcome, statements, gaps} = report;
	if (outcome === 'moved') {
		const classes = statements.reduce((sum, {classes: count}) => sum + count, 0);
		const all = report.families.reduce((sum, {classes: count}) => sum + count, 0);
		return `Moved: ${classes} of ${all} packet classes, in ${statements.length} ${statements.length === 1 ? 'statement' : 'statements'}${gaps.length === 0 ? '' : `; ${gaps.length} ${gaps.length === 1 ? 'gap' : 'gaps'}`}.`;
	}

	return outcome === 'equal'
		? 'Equal: every packet class takes the same path.'
		: `Inconclusive: nothing moved in what could be compared, but ${gaps.length === 1 ? 'there is a gap' : `there are ${gaps.length} gaps`}.`;
}
