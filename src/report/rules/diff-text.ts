/**
The difference of two rule sets for a terminal: chain by chain, one sentence per rule, with the rule's text below it.
*/

import {
	isEqualDiff, type ChainDiff, type ChainPlace, type ObjectDiff, type RuleChange, type RuleSetDiff,
} from '../../judge/rule-diff/rule-diff.js';
import {hang, paragraph, piecesOfRule} from '../terminal/wrap.js';
import {createPainter, type Painter} from '../terminal/colors.js';
import {describeChange, describeValue} from './describe-diff.js';
import {printRulesHead, type RulesTextOptions} from './explain.js';
import type {ShownRules} from './types.js';

type Style = {readonly paint: Painter; readonly width: number};

const indent = 4;
const signs = {
	moved: '>', changed: '~', removed: '-', added: '+',
} as const satisfies Record<RuleChange['kind'], string>;
const colors = {
	moved: 'cyan', changed: 'yellow', removed: 'red', added: 'green',
} as const satisfies Record<RuleChange['kind'], keyof Painter>;

/** The difference as text. */
export function printRulesDiff({from, to, diff}: {readonly from: ShownRules; readonly to: ShownRules; readonly diff: RuleSetDiff}, {color, width}: RulesTextOptions): string {
	const style: Style = {paint: createPainter(color), width};
	const lines = [
		'',
		...printRulesHead('from', from, style),
		...printRulesHead('to', to, style),
		'',
		...diff.chains.flatMap(chain => [...printChain(chain, style), '']),
		...diff.objects.flatMap(object => [...printObject(object, style), '']),
		...paragraph(summaryOf(diff), {indent: 2, width}),
	];
	return `${lines.join('\n')}\n`;
}

function printChain(chain: ChainDiff, style: Style): readonly string[] {
	const {paint, width} = style;
	return [
		...paragraph(titleOf(chain), {indent: 2, width, paint: paint.bold}),
		...paragraph(chainRemarks(chain).join(' '), {indent, width}),
		...chain.changes.flatMap(change => printChange(change, style)),
	];
}

/** The new name of the chain, preceded by the old one if it is different. */
function titleOf({family, from, to}: ChainDiff): string {
	const name = ({table, chain}: ChainPlace): string => `${table} ${chain}`;
	const names = [from, to].flatMap(place => place === null ? [] : [name(place)]);
	return `${[...new Set(names)].join(' → ')} (${family === 'both' ? 'both families' : family})`;
}

function chainRemarks({from, to, isRenamed, properties}: ChainDiff): readonly string[] {
	return [
		...(from === null ? ['Only in the new set.'] : []),
		...(to === null ? ['Only in the old set.'] : []),
		...(isRenamed ? ['The chain has another name; jumps to it count as the same.'] : []),
		...(properties.length === 0 ? [] : [`The chain itself: ${properties.map(value => describeValue(value)).join('; ')}.`]),
	];
}

function printChange(change: RuleChange, {paint, width}: Style): readonly string[] {
	const {kind} = change;
	const text = (rule: string, sign: string, style: (text: string) => string): readonly string[] => rule === ''
		? []
		: hang({
			indent: indent + 2, label: sign, column: 2, text: piecesOfRule(rule), width, paintLabel: style, paintText: style,
		});
	const color = paint[colors[kind]];
	return [
		...hang({
			indent, label: signs[kind], column: 2, text: describeChange(change), width, paintLabel: color,
		}),
		...('from' in change && kind !== 'moved' ? text(change.from.text, '-', kind === 'changed' ? paint.red : paint.dim) : []),
		...('to' in change && kind !== 'moved' ? text(change.to.text, '+', kind === 'changed' ? paint.green : paint.dim) : []),
		...(change.kind === 'moved' ? text(change.to.text, '', paint.dim) : []),
	];
}

function printObject({table, kind, name, from, to}: ObjectDiff, {paint}: Style): readonly string[] {
	const block = (text: string | null, sign: string, style: (text: string) => string): readonly string[] =>
		text === null ? [] : text.split('\n').map(line => `${' '.repeat(indent)}${style(`${sign} ${line.replaceAll('\t', '  ')}`)}`);
	return [
		`  ${paint.bold(`${table} ${kind} ${name}`)}`,
		...block(from, '-', paint.red),
		...block(to, '+', paint.green),
	];
}

/** The totals: what differs, or that nothing does and how much was compared. */
function summaryOf(diff: RuleSetDiff): string {
	const {compared, chains, objects} = diff;
	if (isEqualDiff(diff)) {
		return compared.from === compared.to
			? `Equal: ${count(compared.to, 'rule')} compared, by what they match and do.`
			: `Equal: ${count(compared.from, 'rule')} and ${count(compared.to, 'rule')} compared, by what they match and do.`;
	}

	const changes = chains.flatMap(chain => chain.changes);
	const kinds = (['moved', 'changed', 'removed', 'added'] as const).flatMap(kind => {
		const own = changes.filter(change => change.kind === kind).length;
		return own === 0 ? [] : [`${own} ${kind}`];
	});
	return [
		`${count(changes.length, 'rule')} ${changes.length === 1 ? 'differs' : 'differ'}${kinds.length === 0 ? '' : ` (${kinds.join(', ')})`}, ${compared.same} ${compared.same === 1 ? 'is' : 'are'} the same.`,
		...(chains.length === 0 ? [] : [`Chains that differ: ${chains.length}.`]),
		...(objects.length === 0 ? [] : [`Sets and other objects that differ: ${objects.length}.`]),
	].join(' ');
}

function count(number: number, what: string): string {
	return `${number} ${what}${number === 1 ? '' : 's'}`;
}
