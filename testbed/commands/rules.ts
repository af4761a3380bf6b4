/**
`testbed rules`: the rules of an input as text or data, what each is for, and how two inputs differ. Nothing is installed, and the kernel is not asked.
*/

import {createHash} from 'node:crypto';
import process from 'node:process';
import type {AddressFamily, Backend} from '../../src/netfilter/types.js';
import {parseReleaseInputs} from '../../src/istio/arguments.js';
import {diffRuleSets, isEqualDiff} from '../../src/judge/rule-diff.js';
import {explainerOf, rolesNotForetold, type Explainer} from '../../src/judge/rule-explanation.js';
import {printRulesDiff} from '../../src/report/rules-diff-text.js';
import {printExplanation} from '../../src/report/rules-explain.js';
import {rulesDiffToJson, rulesToJson} from '../../src/report/rules-json.js';
import {printRuleSet, printRules} from '../../src/report/rules-text.js';
import type {ShownRules} from '../../src/report/rules-types.js';
import {unsupportedOptions} from '../../src/scenario/intent.js';
import {defaultTopology} from '../../src/scenario/topology.js';
import {TestbedError} from '../errors.js';
import type {RuleInput} from '../options.js';
import {defaultInput, loadRuleInput} from '../rule-input.js';
import {wantsColour} from './colour.js';

/** The options as the command line gives them. */
export type RulesFlags = {
	readonly rules6?: string;
	readonly backend: Backend;
	readonly family: readonly AddressFamily[];
	readonly format: 'text' | 'json';
	readonly explain?: boolean;
	readonly diff?: string;
	readonly diff6?: string;
};

/** What is printed where, and the exit status. */
export type RulesOutput = {readonly stdout: string; readonly stderr: string; readonly status: number};

/**
Prints what is asked for; returns the exit status: 1 for sets that differ, 0 otherwise.

@throws {TestbedError} USAGE or INPUT.
*/
export async function rulesCommand(input: string | undefined, flags: RulesFlags): Promise<number> {
	const {stdout, stderr, status} = showRules(input, flags, {
		terminal: {
			colour: wantsColour({isTerminal: process.stdout.isTTY, environment: process.env}),
			width: Math.max(60, Math.min(process.stdout.columns ?? 80, 100)),
		},
	});
	process.stderr.write(stderr);
	process.stdout.on('error', (error: NodeJS.ErrnoException) => {
		// A reader that has seen enough (`| head`) has what it asked for.
		if (error.code !== 'EPIPE') {
			throw error;
		}
	});
	await new Promise<void>(resolve => {
		process.stdout.write(stdout, () => {
			resolve();
		});
	});
	return status;
}

/** What is to be loaded, and what loads it: a source can name several rule sets. */
type Asked = {readonly source: string; readonly source6: string | undefined; readonly families: readonly AddressFamily[]; readonly backend: Backend};
type Loader = (asked: Asked) => readonly RuleInput[];

const loadFromMachine: Loader = asked => [loadRuleInput(asked)];

/**
The same without a process.

@throws {TestbedError} USAGE or INPUT.
*/
export function showRules(input: string | undefined, flags: RulesFlags, {terminal, load = loadFromMachine}: {readonly terminal: Printing['terminal']; readonly load?: Loader}): RulesOutput {
	refuseContradictions(input, flags);
	const {family: families, backend} = flags;
	const rules = single(load({
		source: input ?? defaultInput, source6: flags.rules6, families, backend,
	}), input ?? defaultInput);
	const shown = shownRules(rules, families);
	if (flags.diff !== undefined) {
		const other = single(load({
			source: flags.diff, source6: flags.diff6, families, backend,
		}), flags.diff);
		return diffOutput({from: shown, to: shownRules(other, families)}, flags, terminal);
	}

	return {stdout: printOne(shown, rules, {...flags, terminal}), stderr: printWarnings([shown]), status: 0};
}

function refuseContradictions(input: string | undefined, {explain, diff, rules6, diff6}: RulesFlags): void {
	if (diff !== undefined && explain === true) {
		throw new TestbedError('USAGE', {message: '--explain tells of one rule set, and --diff compares two.', hint: 'Ask for one of them at a time.'});
	}

	if (diff6 !== undefined && diff === undefined) {
		throw new TestbedError('USAGE', {message: '--diff6 goes with a dump in --diff.', hint: 'Add --diff FILE, the IPv4 dump that it belongs to.'});
	}

	if ([input, rules6, diff, diff6].filter(name => name === '-').length > 1) {
		throw new TestbedError('USAGE', {message: 'Standard input can be read once, and - is given twice.', hint: 'Write one of the two into a file.'});
	}
}

function single(inputs: readonly RuleInput[], source: string): RuleInput {
	const [first] = inputs;
	if (first === undefined || inputs.length > 1) {
		const names = inputs.map(({release, source: own}) => release ?? own).join(', ');
		throw new TestbedError('USAGE', {
			message: `${source} names ${inputs.length} rule sets${names === '' ? '' : ` (${names})`}; rules are shown and compared one by one.`, hint: 'Name one of them.',
		});
	}

	return first;
}

function shownRules({source, release, backend, ruleSet, routing, warnings}: RuleInput, families: readonly AddressFamily[]): ShownRules {
	return {
		source,
		release,
		backend,
		families,
		ruleSet,
		routing,
		warnings,
		sha256: createHash('sha256').update(printRuleSet({backend, families, ruleSet})).digest('hex'),
	};
}

function printWarnings(inputs: readonly ShownRules[]): string {
	return inputs.flatMap(({source, warnings}) => warnings.map(warning => `warning: ${source}: ${warning}\n`)).join('');
}

type Printing = Pick<RulesFlags, 'format' | 'explain'> & {readonly terminal: {readonly colour: boolean; readonly width: number}};

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
function explanationOf({source, intent, ruleSet}: RuleInput, families: readonly AddressFamily[]): {readonly explain: Explainer; readonly unknownTypes: string | null} {
	const reasons = source.startsWith('release:')
		? [...new Set(parseReleaseInputs(source).flatMap(({options}) => unsupportedOptions(options)))]
		: rolesNotForetold(ruleSet);
	return {
		explain: explainerOf({intent: reasons.length === 0 ? intent : null, topology: defaultTopology, families}),
		unknownTypes: reasons.length === 0 ? null : `the types have no expectation for ${reasons.join(', ')}`,
	};
}

function diffOutput(sides: {readonly from: ShownRules; readonly to: ShownRules}, {format}: RulesFlags, terminal: Printing['terminal']): RulesOutput {
	const diff = diffRuleSets({from: sides.from.ruleSet, to: sides.to.ruleSet}, sides.to.families);
	return {
		stdout: format === 'json' ? printJson(rulesDiffToJson({...sides, diff})) : printRulesDiff({...sides, diff}, terminal),
		stderr: printWarnings([sides.from, sides.to]),
		status: isEqualDiff(diff) ? 0 : 1,
	};
}
