/**
The heading and the gaps of a text report, shared by all kinds of reports.
*/

import type {AddressFamily} from '../../netfilter/types.js';
import type {Gap} from '../../trace/gap.js';
import type {RulesSummary} from '../shared-types.js';
import type {Style} from '../run/text-path.js';
import type {Report} from '../run/types.js';
import {cutList, cutText, describeRest} from './cut.js';
import {hang} from './wrap.js';

/** Print options. `width` is the terminal's, in columns. `program` is how a shell calls the testbed in the printed commands (default: `testbed`). */
export type TextOptions = {readonly color: boolean; readonly verbose: boolean; readonly width: number; readonly program?: string | undefined};

const headColumn = 9;

export const bodyIndent = 4;

/** A label with its text, in pieces that are not broken when the text is wrapped. */
export type HeadRow = readonly [label: string, text: readonly string[]];

/** The rules that were run, and the system. */
export function headRows({environment, rules, families}: Pick<Report, 'environment' | 'rules'> & {readonly families: readonly AddressFamily[]}): readonly HeadRow[] {
	return [
		...identityRows(rules),
		['rules', [`${rules.source}${rules.release === null || rules.source.includes(rules.release) ? '' : ` (release ${rules.release})`}, ${rules.backend}, ${families.join(' and ')}, sha256 ${rules.sha256.slice(0, 12)}`]],
		...noteRows(rules),
		['system', listOf([named('Linux', environment.kernel), named('iptables', environment.iptables), named('nft', environment.nft), named('Node', environment.node)])],
		...(environment.proxy === undefined ? [] : [['proxy', [environment.proxy]] satisfies HeadRow]),
	];
}

/** What kind of rules they are, and what was assumed about them. */
export function identityRows({identity: {text, assumed}}: Pick<RulesSummary, 'identity'>): readonly HeadRow[] {
	return [['kind', text.split(' ')], ...assumed.map((sentence): HeadRow => ['assumed', sentence.split(' ')])];
}

/** Where rules other than the named ones were used. */
export function noteRows({notes}: Pick<RulesSummary, 'notes'>): readonly HeadRow[] {
	return notes.map(note => ['note', note.split(' ')]);
}

/** Prints the heading of a report. */
export function printRows(rows: readonly HeadRow[], {paint, width}: Style): readonly string[] {
	return rows.flatMap(([label, text]) => hang({
		indent: 2, label, column: headColumn, text, width, paintLabel: paint.dim,
	}));
}

/** Gaps, one paragraph each. A long list is shortened to the first ones and a count. */
export function printGaps(gaps: readonly Gap[], {paint, width, verbose}: Style): readonly string[] {
	return cutList(gaps, {
		isWhole: verbose,
		print: ({kind, message}) => hang({
			indent: bodyIndent, label: 'gap', column: 5, text: `${kind}: ${verbose ? message : cutText(message)}`, width, paintLabel: paint.yellow,
		}),
		rest: count => `${' '.repeat(bodyIndent)}${paint.yellow(describeRest(count, 'gaps'))}`,
	});
}

/** Hints, one paragraph each. A long list or a long hint is shortened, with a count. */
export function printHints(hints: readonly string[], {paint, width, verbose}: Pick<Style, 'paint' | 'width' | 'verbose'>): readonly string[] {
	return cutList(hints, {
		isWhole: verbose,
		print: hint => hang({
			indent: 2, label: 'hint', column: 6, text: verbose ? hint : cutText(hint), width, paintLabel: paint.yellow,
		}),
		rest: count => `  ${paint.yellow(describeRest(count, 'hints'))}`,
	});
}

/** A version with its program's name, which some programs print themselves. */
function named(name: string, version: string): string {
	return version.toLowerCase().startsWith(name.toLowerCase()) ? version : `${name} ${version}`;
}

/** Items as pieces that are not broken when they are wrapped. */
export function listOf(items: readonly string[]): readonly string[] {
	return items.map((item, index) => index === items.length - 1 ? item : `${item},`);
}
