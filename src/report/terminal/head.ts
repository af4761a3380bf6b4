/**
The head of a report for people, and its gaps: the same for every kind of report.
*/

import type {AddressFamily} from '../../netfilter/types.js';
import type {Gap} from '../../trace/gap.js';
import type {RulesSummary} from '../shared-types.js';
import type {Style} from '../run/text-path.js';
import type {Report} from '../run/types.js';
import {hang} from './wrap.js';

/** How a report is printed. `width` is the terminal's, in columns. */
export type TextOptions = {readonly color: boolean; readonly verbose: boolean; readonly width: number};

const headColumn = 9;

export const bodyIndent = 4;

/** A label with its text, in pieces that stay whole when they are wrapped. */
export type HeadRow = readonly [label: string, text: readonly string[]];

/** Which rules were played, and on which system. */
export function headRows({environment, rules, families}: Pick<Report, 'environment' | 'rules'> & {readonly families: readonly AddressFamily[]}): readonly HeadRow[] {
	return [
		['rules', [`${rules.source}${rules.release === null || rules.source.includes(rules.release) ? '' : ` (release ${rules.release})`}, ${rules.backend}, ${families.join(' and ')}, sha256 ${rules.sha256.slice(0, 12)}`]],
		...noteRows(rules),
		['system', listOf([named('Linux', environment.kernel), named('iptables', environment.iptables), named('nft', environment.nft), named('Node', environment.node)])],
	];
}

/** What is to be known of the rules before anything else: where they are not the ones that were named. */
export function noteRows({notes}: Pick<RulesSummary, 'notes'>): readonly HeadRow[] {
	return notes.map(note => ['note', note.split(' ')]);
}

/** The head of a report. */
export function printRows(rows: readonly HeadRow[], {paint, width}: Style): readonly string[] {
	return rows.flatMap(([label, text]) => hang({
		indent: 2, label, column: headColumn, text, width, paintLabel: paint.dim,
	}));
}

/** Gaps, one paragraph each. */
export function printGaps(gaps: readonly Gap[], {paint, width}: Style): readonly string[] {
	return gaps.flatMap(({kind, message}) => hang({
		indent: bodyIndent, label: 'gap', column: 5, text: `${kind}: ${message}`, width, paintLabel: paint.yellow,
	}));
}

/** A version with its program, which some programs print themselves. */
function named(name: string, version: string): string {
	return version.toLowerCase().startsWith(name.toLowerCase()) ? version : `${name} ${version}`;
}

/** Items as pieces that stay whole when they are wrapped. */
export function listOf(items: readonly string[]): readonly string[] {
	return items.map((item, index) => index === items.length - 1 ? item : `${item},`);
}
