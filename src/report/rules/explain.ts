/**
The purpose of each rule of a set, for a terminal: chain by chain, with number, role, purpose, releases, and the types that should match it.
*/

import {builtInChains} from '../../netfilter/built-in.js';
import type {
	AddressFamily, Chain, Rule, Table,
} from '../../netfilter/types.js';
import type {RoleHistory} from '../../mesh/roles.js';
import type {Explainer, RuleExplanation} from '../../judge/explain/explain-rule.js';
import type {TrafficType} from '../../mesh/traffic-types.js';
import type {TypeId} from '../../mesh/traffic.js';
import {identityRows} from '../terminal/head.js';
import {hang, piecesOfRule} from '../terminal/wrap.js';
import {createPainter, type Painter} from '../terminal/colors.js';
import {opaqueOf} from './json.js';
import {printRouting} from './text.js';
import type {ShownRules} from './types.js';

/** Print options. `width` is the terminal's, in columns. */
export type RulesTextOptions = {readonly color: boolean; readonly width: number};

type Style = {readonly paint: Painter; readonly width: number};

const headColumn = 9;
const numberColumn = 5;
const indent = 4;

/** What to explain. `trafficTypes` are those of the mesh; `unknownTypes` is the reason if it is not known which types should match a rule. */
export type ExplainedRules = {readonly rules: ShownRules; readonly explain: Explainer; readonly trafficTypes: readonly TrafficType[]; readonly unknownTypes: string | null};

/** The explanation as text. */
export function printExplanation({rules, explain, trafficTypes, unknownTypes}: ExplainedRules, {color, width}: RulesTextOptions): string {
	const style: Style = {paint: createPainter(color), width};
	const lines = [
		'',
		...printRulesHead('rules', rules, style),
		...rules.families.flatMap(family => printRouting(rules.routing, family)).flatMap(command => row('routing', command, style)),
		...row('types', unknownTypes === null
			? ['types whose first packets should match the rule', ...trafficTypes.flatMap(({id, legend}) => legend === undefined ? [] : [`${id} is ${legend}`])].join('; ')
			: `unknown which of them should match a rule: ${unknownTypes}`, style),
		'',
		...rules.ruleSet.tables.flatMap(table => table.chains.flatMap(chain => printChain({
			table, chain, explain, trafficTypes,
		}, style))),
	];
	return `${lines.join('\n')}\n`;
}

/** A summary of the rules, in one entry. */
export function printRulesHead(label: string, {source, release, backend, identity, families, sha256}: ShownRules, style: Style): readonly string[] {
	return [...identityRows({identity}).flatMap(([name, text]) => row(name, text, style)), ...row(label, [`${source}${release === null || source.includes(release) ? '' : ` (release ${release})`},`, `${backend},`, `${families.join(' and ')},`, `sha256 ${sha256.slice(0, 12)}`], style)];
}

function row(label: string, text: string | readonly string[], {paint, width}: Style): readonly string[] {
	return hang({
		indent: 2, label, column: headColumn, text, width, paintLabel: paint.dim,
	});
}

type ExplainedChain = {readonly table: Table; readonly chain: Chain; readonly explain: Explainer; readonly trafficTypes: readonly TrafficType[]};

/** Whether a chain is a built-in one without rules that accepts, and can be left out. */
function printChain({table, chain, explain, trafficTypes}: ExplainedChain, style: Style): readonly string[] {
	const {name, policy, base, rules} = chain;
	if (rules.length === 0 && policy !== 'DROP' && (base !== undefined || builtInChains(table.name).includes(name))) {
		return [];
	}

	const {paint, width} = style;
	const notes = [
		table.family,
		...(base === undefined ? [] : [`${base.type} hook ${base.hook} priority ${base.priority}`]),
		...(policy === undefined ? [] : [`policy ${policy}`]),
	];
	const title = `${table.name} ${name}`;
	return [
		...hang({
			indent: 2, label: title, column: title.length + 1, text: `(${notes.join(', ')})`, width, paintLabel: paint.bold, paintText: paint.dim,
		}),
		...(rules.length === 0 ? [`${' '.repeat(indent)}${paint.dim('no rules')}`] : []),
		...rules.flatMap(rule => printRule(rule, explain({
			family: table.family, table: table.name, chain, rule,
		}), {...style, typeCount: trafficTypes.length})),
		'',
	];
}

function printRule(rule: Rule, explanation: RuleExplanation, {paint, width, typeCount}: Style & {readonly typeCount: number}): readonly string[] {
	const {role, purpose, history, types, shadow} = explanation;
	const beside = (text: string | readonly string[], paintText?: Painter['dim']): readonly string[] => hang({
		indent, label: '', column: numberColumn, text, width, ...(paintText === undefined ? {} : {paintText}),
	});
	const opaque = opaqueOf(rule);
	return [
		...hang({
			indent, label: `#${rule.number}`, column: numberColumn, text: role ?? 'foreign', width, paintText: role === null ? paint.yellow : paint.cyan,
		}),
		...(rule.text === '' ? [] : beside(piecesOfRule(rule.text), paint.dim)),
		...beside(purpose ?? 'Not a rule of the mesh: its purpose is unknown.'),
		...(opaque.length === 0 ? [] : beside(`Not interpreted, kept as it is: ${opaque.join('; ')}`, paint.yellow)),
		...(history === null ? [] : beside(`${lifeText(history)}${types === null ? '' : `; ${typesText(types, typeCount)}`}.`)),
		...(shadow === null ? [] : beside(`Ordinary traffic never reaches it: ${shadow.because}.`, paint.yellow)),
	];
}

function lifeText({since, until, source}: RoleHistory): string {
	if (since === null) {
		return `Seen in ${source}`;
	}

	const [sign = '', release = ''] = since.includes(' ') ? since.split(' ') : ['', since];
	return `Since ${release}${({'≤': ' or before', '≥': ' or after'})[sign] ?? ''}${until === null ? '' : `, until ${until}`}`;
}

/** Prints both families as one if they agree, which they do unless ranges of one family decide. */
function typesText(types: Readonly<Partial<Record<AddressFamily, readonly TypeId[]>>>, typeCount: number): string {
	const known = Object.entries(types) as ReadonlyArray<readonly [AddressFamily, readonly TypeId[]]>;
	const texts = new Set(known.map(([, ids]) => listTypes(ids, typeCount)));
	return texts.size === 1 ? [...texts].join('') : known.map(([family, ids]) => `${family}: ${listTypes(ids, typeCount)}`).join('; ');
}

function listTypes(ids: readonly TypeId[], typeCount: number): string {
	return ids.length === 0 ? 'matched by no type' : `matched by ${ids.length === typeCount ? 'all types' : `type${ids.length > 1 ? 's' : ''} ${ids.join(', ')}`}`;
}
