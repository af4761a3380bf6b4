/**
`testbed rules`: the rules of an input as text or data, what each is for, and how two inputs differ. Nothing is installed, and the kernel is not asked.
*/

import {createHash} from 'node:crypto';
import type {AddressFamily, Backend} from '../../../src/netfilter/types.js';
import {diffRuleSets, isEqualDiff} from '../../../src/judge/rule-diff/rule-diff.js';
import {explainerOf, rolesBeyondIntent, type Explainer} from '../../../src/judge/explain/explain-rule.js';
import {printRulesDiff} from '../../../src/report/rules/diff-text.js';
import {printExplanation} from '../../../src/report/rules/explain.js';
import {rulesDiffToJson, rulesToJson} from '../../../src/report/rules/json.js';
import {printRuleSet, printRules} from '../../../src/report/rules/text.js';
import type {ShownRules} from '../../../src/report/rules/types.js';
import {defaultTopology} from '../../../src/scenario/topology.js';
import type {Intent} from '../../../src/scenario/types.js';
import {TestbedError} from '../../errors.js';
import type {RuleInput} from '../../inputs/types.js';
import {defaultInput, type InputRequest, type LoadedInputs} from '../../inputs/request.js';
import {loadRuleInputs} from '../../inputs/rules.js';
import {tell, writeOut} from '../../system/streams.js';
import {readerOf} from '../output/terminal.js';
import {rulesWithMesh} from '../../inputs/meshes.js';
import type {Mesh, MeshRules} from '../../../src/mesh/mesh.js';

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
};

/** What is printed where, and the exit status. */
export type RulesOutput = {readonly stdout: string; readonly stderr: string; readonly status: number};

/**
Prints what is asked for; returns the exit status: 1 for sets that differ, 0 otherwise.

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
The same without a process.

@throws {TestbedError} USAGE or INPUT.
*/
export function showRules(input: string | undefined, flags: RulesFlags, {terminal, load = loadRuleInputs}: {readonly terminal: Printing['terminal']; readonly load?: Loader}): RulesOutput {
	refuseContradictions(input, flags);
	const {family: families, backend: backends, dnsServers, cni, release} = flags;
	const loadOne = (source: string, source6: string | undefined, own: readonly Backend[] | undefined): RuleInput => single(load({
		source, source6, families, backends: own, dnsServers, cni, release, isForShow: true, allowModules: true,
	}), source);
	const rules = loadOne(input ?? defaultInput, flags.rules6, flags.diff === undefined ? backends : backends?.slice(0, 1));
	const shown = shownRules(rules, families);
	if (flags.diff !== undefined) {
		return diffOutput({from: shown, to: shownRules(loadOne(flags.diff, flags.diff6, backends?.slice(-1)), families)}, flags, terminal);
	}

	return {stdout: printOne(shown, rules, {...flags, terminal}), stderr: printWarnings([shown]), status: 0};
}

function refuseContradictions(input: string | undefined, {explain, diff, rules6, diff6, backend = []}: RulesFlags): void {
	if (diff !== undefined && backend.length > 2) {
		throw new TestbedError('USAGE', {message: `--diff compares two rule sets, and --backend names ${backend.length} back ends.`, hint: 'Name one for both, or one for each.'});
	}

	if (diff !== undefined && explain === true) {
		throw new TestbedError('USAGE', {message: '--explain is about one rule set, and --diff compares two.', hint: 'Use one of them at a time.'});
	}

	if (diff6 !== undefined && diff === undefined) {
		throw new TestbedError('USAGE', {message: '--diff6 works only with --diff.', hint: 'Add --diff FILE, the IPv4 dump that it belongs to.'});
	}

	if ([input, rules6, diff, diff6].filter(name => name === '-').length > 1) {
		throw new TestbedError('USAGE', {message: 'Standard input can be read once, and - is given twice.', hint: 'Write one of the two into a file.'});
	}
}

function single({inputs, missing}: LoadedInputs, source: string): RuleInput {
	const [first] = inputs;
	if (first === undefined || inputs.length + missing.length > 1) {
		const [reason] = missing.map(entry => `${source}: ${entry.reason}`);
		const names = [...inputs.slice(0, 1), ...inputs.slice(1).slice(-1)].map(({release, source: own, backend}) => `${release ?? own} by ${backend}`).join(inputs.length > 2 ? ' … ' : ', ');
		throw new TestbedError('USAGE', inputs.length === 0 && reason !== undefined
			? {message: reason}
			: {message: `${source} names ${inputs.length + missing.length} rule sets (${names}); rules are shown and compared one by one.`, hint: 'Name one release and one back end.'});
	}

	return first;
}

function shownRules(input: RuleInput, families: readonly AddressFamily[]): ShownRules {
	const {source, release, backend, ruleSet, routing, warnings, notes} = input;
	return {
		source,
		release,
		backend,
		families,
		ruleSet: rulesWithMesh(input),
		routing,
		warnings,
		notes,
		sha256: createHash('sha256').update(printRuleSet({backend, families, ruleSet})).digest('hex'),
	};
}

function printWarnings(inputs: readonly ShownRules[]): string {
	// Of two sides, the warning says whose it is.
	return inputs.flatMap(({source, notes, warnings}) => [...notes.map(text => ['note', text] as const), ...warnings.map(text => ['warning', text] as const)]
		.map(([label, text]) => `${label}: ${inputs.length > 1 ? `${source}: ` : ''}${text}\n`)).join('');
}

type Printing = Pick<RulesFlags, 'format' | 'explain'> & {readonly terminal: {readonly color: boolean; readonly width: number}};

function printOne(shown: ShownRules, rules: RuleInput, {format, explain, terminal}: Printing): string {
	const explained = explain === true ? explanationOf(rules, shown.families) : undefined;
	if (format === 'json') {
		return printJson(rulesToJson(shown, explained));
	}

	return explained === undefined ? printRules(shown) : printExplanation({rules: shown, ...explained}, terminal);
}

function printJson(value: unknown): string {
	return `${JSON.stringify(value, undefined, 2)}\n`;
}

/** A set whose options or roles the expectations do not follow is explained without the types. */
function explanationOf(input: RuleInput, families: readonly AddressFamily[]): {readonly explain: Explainer; readonly unknownTypes: string | null} {
	const {release, intent} = input;
	const ruleSet = rulesWithMesh(input);
	const unknown = release === null ? reasonOfDump(ruleSet) : reasonOfOptions(intent, ruleSet.mesh);
	return {
		explain: explainerOf({
			mesh: ruleSet.mesh, intent: unknown === null ? intent : null, topology: defaultTopology, families,
		}),
		unknownTypes: unknown,
	};
}

function reasonOfDump(ruleSet: MeshRules): string | null {
	const roles = rolesBeyondIntent(ruleSet);
	return roles.length === 0 ? null : `a dump does not tell the options behind ${roles.join(', ')}`;
}

function reasonOfOptions(intent: Intent, mesh: Mesh): string | null {
	const unsupported = mesh.unsupported(intent);
	return unsupported.length === 0 ? null : `the types have no expectation for ${unsupported.join(', ')}`;
}

function diffOutput(sides: {readonly from: ShownRules; readonly to: ShownRules}, {format}: RulesFlags, terminal: Printing['terminal']): RulesOutput {
	const diff = diffRuleSets({from: sides.from.ruleSet, to: sides.to.ruleSet}, sides.to.families);
	return {
		stdout: format === 'json' ? printJson(rulesDiffToJson({...sides, diff})) : printRulesDiff({...sides, diff}, terminal),
		stderr: printWarnings([sides.from, sides.to]),
		status: isEqualDiff(diff) ? 0 : 1,
	};
}
