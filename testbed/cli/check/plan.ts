/**
What a command would do, for `--check`: printed instead of doing it.
*/

import {familyNames} from '../../../src/netfilter/address.js';
import type {AddressFamily} from '../../../src/netfilter/types.js';
import {cutText} from '../../../src/report/terminal/cut.js';
import {hang} from '../../../src/report/terminal/wrap.js';
import {identityOf} from '../../inputs/mesh-of-rules.js';
import type {RuleInput} from '../../inputs/types.js';
import {writeOut} from '../../system/streams.js';
import {isQuiet, readerOf} from '../output/terminal.js';

/** A line of a plan. */
export type PlanRow = readonly [label: string, value: string];

/** What a command would do. `command` is its name, `leftOut` what it would report as not run, `unknown` what only the command itself finds out. */
export type Plan = {
	readonly command: string;
	readonly rows: readonly PlanRow[];
	readonly leftOut?: readonly string[];
	readonly inputs?: readonly RuleInput[];
	readonly unknown?: readonly string[];
};

/** What no check can tell that asks no kernel. */
const alwaysUnknown = [
	'Whether the kernel and its tools accept the rules: they are asked when the command runs.',
	'Whether this machine has what the command needs: testbed doctor tells.',
] as const;

/** Why the numbers of a live pod are missing. */
export function unreadPod(source: string): string {
	return `What ${source} holds: a live pod is read when the command runs. So nothing that depends on its rules was checked or counted.`;
}

/** The rule sets of a plan: their names, back ends and families. */
export function rowsOfRules(inputs: readonly RuleInput[], families: readonly AddressFamily[]): readonly PlanRow[] {
	const sources = [...new Set(inputs.map(({source, release}) => release === null || source.includes(release) ? source : `${source} (${release})`))];
	return [
		['rule sets', counted(inputs.length, sources)],
		['back ends', [...new Set(inputs.map(({backend}) => backend))].join(', ')],
		['families', namesOf(families)],
	];
}

/** The names of families, as people say them. */
export function namesOf(families: readonly AddressFamily[]): string {
	return families.map(family => familyNames[family]).join(', ');
}

/** A number, and what it counts. */
export function counted(count: number, names: readonly string[]): string {
	return names.length === 0 ? String(count) : cutText(`${count}: ${names.join(', ')}`, {more: ''});
}

/** A plan in lines of limited width. */
export function printPlan({command, rows, leftOut = [], inputs = [], unknown = []}: Plan, {width}: {readonly width: number}): string {
	const column = Math.max(...rows.map(([label]) => label.length)) + 2;
	const list = (heading: string, sentences: readonly string[]): readonly string[] => sentences.length === 0
		? []
		: [heading, ...sentences.flatMap(text => hang({
			indent: 2, label: '-', column: 2, text: cutText(text, {more: ''}), width,
		}))];
	return `${[
		`testbed ${command}: no fault found. Nothing was sent.`,
		...rows.flatMap(([label, text]) => hang({
			indent: 2, label, column, text, width,
		})),
		...list('Would be reported as not run:', leftOut),
		...list('Notes:', [...new Set(inputs.flatMap(input => remarksOn(input)))]),
		...list('Not known without the kernel:', [...unknown, ...alwaysUnknown]),
	].join('\n')}\n`;
}

/** What the command would say about its rules. A release is identified by its name. */
function remarksOn(input: RuleInput): readonly string[] {
	const {text, assumed} = identityOf(input);
	return [...(input.release === null ? [`${input.source}: ${text}`, ...assumed.map(sentence => `Assumed: ${sentence}`)] : []), ...input.notes, ...input.warnings];
}

/** Prints a plan, unless `--quiet` was given, and returns the exit status. */
export async function endCheck(plan: Plan): Promise<number> {
	if (!isQuiet()) {
		await writeOut(printPlan(plan, readerOf()));
	}

	return 0;
}
