/**
`testbed rules`: the rules of an input as text or data, what each is for, and how two inputs differ. Nothing is installed, and the kernel is not involved.
*/

import {createHash} from 'node:crypto';
import type {AddressFamily, Backend} from '../../../src/netfilter/types.js';
import {diffRuleSets, isEqualDiff} from '../../../src/judge/rule-diff/rule-diff.js';
import {explainerOf, rolesBeyondIntent, type Explainer} from '../../../src/judge/explain/explain-rule.js';
import {printRulesDiff} from '../../../src/report/rules/diff-text.js';
import {printExplanation} from '../../../src/report/rules/explain.js';
import {rulesDiffToJson, rulesToJson} from '../../../src/report/rules/json.js';
import {cutText} from '../../../src/report/terminal/cut.js';
import {printRuleSet, printRules} from '../../../src/report/rules/text.js';
import type {ShownRules} from '../../../src/report/rules/types.js';
import {defaultTopology} from '../../../src/mesh/topology.js';
import type {TrafficType} from '../../../src/mesh/traffic-types.js';
import type {Intent} from '../../../src/mesh/traffic.js';
import {TestbedError} from '../../errors.js';
import type {RuleInput} from '../../inputs/types.js';
import {
	argumentOptions, defaultInput, type InputRequest, type LoadedInputs,
} from '../../inputs/request.js';
import {loadRuleInputs} from '../../inputs/rules.js';
import {tell, writeOut} from '../../system/streams.js';
import {pickKeys} from '../output/json-keys.js';
import {readerOf} from '../output/terminal.js';
import {identityOf} from '../../inputs/mesh-of-rules.js';
import {rulesOfMesh, type Mesh, type MeshRules} from '../../../src/mesh/mesh.js';

/** The options as the command line gives them. */
export type RulesFlags = {
	readonly rules6?: string;
	readonly backend?: readonly Backend[];
	readonly family: readonly AddressFamily[];
	readonly format: 'text' | 'json';
	readonly explain?: boolean;
	readonly diff?: string;
	readonly diff6?: string;
	readonly dnsServers?: readonly string[];
	readonly cni?: boolean;
	readonly release?: string;
	readonly json?: readonly string[];
};

/** What is printed where, and the exit status. */
export type RulesOutput = {readonly stdout: string; readonly stderr: string; readonly status: number};

/**
Prints rules, an explanation or a diff; returns the exit status: 1 for sets that differ, 0 otherwise.

@throws {TestbedError} USAGE or INPUT.
*/
export async function rulesCommand(input: string | undefined, flags: RulesFlags): Promise<number> {
	const {stdout, stderr, status} = showRules(input, flags, {
		terminal: readerOf(),
	});
	tell(stderr);
	await writeOut(stdout);
	return status;
}

type Loader = (request: InputRequest) => LoadedInputs;

/**
The same, without writing to the process's streams.

@throws {TestbedError} USAGE or INPUT.
*/
export function showRules(input: string | undefined, flags: RulesFlags, {terminal, load = loadRuleInputs}: {readonly terminal: Printing['terminal']; readonly load?: Loader}): RulesOutput {
	refuseContradictions(input, flags);
	const {family: families, backend: backends, dnsServers, cni, release} = flags;
	const loadOne = (source: string, {source6, options}: Pick<InputRequest, 'source6' | 'options'>, own: readonly Backend[] | undefined): RuleInput => single(load({
		source, source6, options, families, backends: own, dnsServers, cni, release, isForShow: true, isForPrint: true, allowModules: true,
	}), source);
	const rules = loadOne(input ?? defaultInput, {source6: flags.rules6, options: argumentOptions}, flags.diff === undefined ? backends : backends?.slice(0, 1));
	const shown = shownRules(rules, families);
	if (flags.diff !== undefined) {
		return diffOutput({from: shown, to: shownRules(loadOne(flags.diff, {source6: flags.diff6, options: {rules: '--diff', rules6: '--diff6'}}, backends?.slice(-1)), families)}, flags, terminal);
	}

	// Plain text is meant for a restore program; JSON and explanations already say what kind of rules these are.
	const kind = flags.format === 'text' && flags.explain !== true && rules.release === null ? describeKind(shown) : '';
	return {stdout: printOne(shown, rules, {...flags, terminal}), stderr: `${kind}${printWarnings([shown])}`, status: 0};
}

function refuseContradictions(input: string | undefined, {explain, diff, rules6, diff6, backend = []}: RulesFlags): void {
	if (diff !== undefined && backend.length > 2) {
		throw new TestbedError('USAGE', {message: `--diff compares two rule sets, but --backend names ${backend.length} back ends.`, hint: 'Name one for both, or one for each.'});
	}

	if (diff !== undefined && explain === true) {
		throw new TestbedError('USAGE', {message: '--explain is about one rule set, but --diff compares two.', hint: 'Use one or the other.'});
	}

	if (diff6 !== undefined && diff === undefined) {
		throw new TestbedError('USAGE', {message: '--diff6 works only with --diff.', hint: 'Add --diff FILE with the matching IPv4 dump.'});
	}

	if ([input, rules6, diff, diff6].filter(name => name === '-').length > 1) {
		throw new TestbedError('USAGE', {message: 'Standard input can be read only once, but - is given twice.', hint: 'Save one of them to a file.'});
	}
}

function single({inputs, missing}: LoadedInputs, source: string): RuleInput {
	const [first] = inputs;
	if (first === undefined || inputs.length + missing.length > 1) {
		const [reason] = missing.map(entry => `${source}: ${entry.reason}`);
		const names = [...inputs.slice(0, 1), ...inputs.slice(1).slice(-1)].map(({release, source: own, backend}) => `${release ?? own} by ${backend}`).join(inputs.length > 2 ? ' … ' : ', ');
		throw new TestbedError('USAGE', inputs.length === 0 && reason !== undefined
			? {message: reason}
			: {message: `${source} names ${inputs.length + missing.length} rule sets (${names}), but rules shows or compares one at a time.`, hint: 'Name one release and one back end.'});
	}

	return first;
}

function shownRules(input: RuleInput, families: readonly AddressFamily[]): ShownRules {
	const {source, release, backend, ruleSet, routing, warnings, notes} = input;
	return {
		source,
		release,
		backend,
		identity: identityOf(input),
		families,
		ruleSet: rulesOfMesh(input.ruleSet, input.mesh),
		routing,
		warnings,
		notes,
		sha256: createHash('sha256').update(printRuleSet({backend, families, ruleSet})).digest('hex'),
	};
}

function describeKind({identity: {text, assumed}}: ShownRules): string {
	return [`kind: ${text}\n`, ...assumed.map(sentence => `assumed: ${sentence}\n`)].join('');
}

function printWarnings(inputs: readonly ShownRules[]): string {
	// With two sides, each warning names its side.
	return inputs.flatMap(({source, notes, warnings}) => [...notes.map(text => ['note', text] as const), ...warnings.map(text => ['warning', text] as const)]
		.map(([label, text]) => `${label}: ${inputs.length > 1 ? `${source}: ` : ''}${cutText(text, {more: ''})}\n`)).join('');
}

type Printing = Pick<RulesFlags, 'format' | 'explain' | 'json'> & {readonly terminal: {readonly color: boolean; readonly width: number}};

function printOne(shown: ShownRules, rules: RuleInput, {format, explain, json, terminal}: Printing): string {
	const explained = explain === true ? explanationOf(rules, shown.families) : undefined;
	if (format === 'json') {
		return printJson(rulesToJson(shown, explained), json);
	}

	return explained === undefined ? printRules(shown) : printExplanation({rules: shown, ...explained}, terminal);
}

function printJson(value: unknown, keys: readonly string[] | undefined): string {
	return `${JSON.stringify(pickKeys(value, keys), undefined, 2)}\n`;
}

/** A rule set with options or roles that the expectations do not cover is explained without the types. */
function explanationOf(input: RuleInput, families: readonly AddressFamily[]): {readonly explain: Explainer; readonly trafficTypes: readonly TrafficType[]; readonly unknownTypes: string | null} {
	const {release, intent} = input;
	const ruleSet = rulesOfMesh(input.ruleSet, input.mesh);
	const unknown = release === null ? reasonOfDump(ruleSet) : reasonOfOptions(intent, ruleSet.mesh);
	return {
		explain: explainerOf({
			mesh: ruleSet.mesh, intent: unknown === null ? intent : null, topology: defaultTopology, families,
		}),
		trafficTypes: ruleSet.mesh.traffic.types,
		unknownTypes: unknown,
	};
}

function reasonOfDump(ruleSet: MeshRules): string | null {
	const roles = rolesBeyondIntent(ruleSet);
	return roles.length === 0 ? null : `a dump does not show which options led to ${roles.join(', ')}`;
}

function reasonOfOptions(intent: Intent, mesh: Mesh): string | null {
	const unsupported = mesh.unsupported(intent);
	return unsupported.length === 0 ? null : `the types have no expectation for ${unsupported.join(', ')}`;
}

function diffOutput(sides: {readonly from: ShownRules; readonly to: ShownRules}, {format, json}: RulesFlags, terminal: Printing['terminal']): RulesOutput {
	const diff = diffRuleSets({from: sides.from.ruleSet, to: sides.to.ruleSet}, sides.to.families);
	return {
		stdout: format === 'json' ? printJson(rulesDiffToJson({...sides, diff}), json) : printRulesDiff({...sides, diff}, terminal),
		stderr: printWarnings([sides.from, sides.to]),
		status: isEqualDiff(diff) ? 0 : 1,
	};
}
