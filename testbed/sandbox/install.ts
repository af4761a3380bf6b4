/**
Puts a rule set into a namespace by the tools of its back end, and reads back what the kernel holds.
*/

import {tableFamily} from '../../src/netfilter/lookup.js';
import {differencesInMeaning} from '../../src/netfilter/compare-rules.js';
import {printNft} from '../../src/netfilter/nftables/ruleset.js';
import {printSave, ruleOfLine} from '../../src/netfilter/iptables/save.js';
import type {
	AddressFamily, Backend, IptablesBackend, Rule, RuleSet, Table,
} from '../../src/netfilter/types.js';
import {TestbedError} from '../errors.js';
import {CommandError} from '../system/exec.js';
import {parseHeld, type RulesText} from './rules-text.js';
import type {Netns} from './netns.js';
import {machineFaultOf, type Refusal} from './rejection.js';
import {restoreRules, tool} from './tools.js';
import {refuseUnchecked} from './rule-check.js';

/** Where and by which tools rules are put. */
export type Installation = {
	readonly backend: Backend;
	readonly families: readonly AddressFamily[];
	/** The lock that iptables-legacy takes. Rules of a namespace of our own need not wait for anybody else's. */
	readonly lockFile: string;
	/** What the namespace holds of an earlier set; it is replaced. */
	readonly held?: RuleSet;
	/** The lines of the user's text that rules came from, for telling which of them was rejected. */
	readonly lines?: ReadonlyMap<Rule, number> | undefined;
	/** Matches and targets that are not known here and were allowed all the same. */
	readonly allowedModules?: readonly string[] | undefined;
};

/** What the kernel holds after an installation, and the words of the tools that say so. */
export type InstalledRules = {readonly ruleSet: RuleSet; readonly texts: readonly RulesText[]};

/**
Installs the rules of the given families and returns what the kernel then holds: numbers, texts and roles are taken from there.

@throws {TestbedError} RULES_REJECTED with the line and the tool's reason. Nothing of the set is loaded then, of no family.
*/
export async function installRules(netns: Netns, request: Installation & {readonly ruleSet: RuleSet}): Promise<RuleSet> {
	const held = await installHeld(netns, request);
	return held.ruleSet;
}

/**
The same, with the words of the tools: for a recording.

@throws {TestbedError} as {@link installRules}.
*/
export async function installHeld(netns: Netns, {ruleSet, ...installation}: Installation & {readonly ruleSet: RuleSet}): Promise<InstalledRules> {
	const {backend} = installation;
	refuseUnchecked({ruleSet, ...installation});
	const texts = backend === 'nftables' ? await installNft(netns, ruleSet, installation) : await installIptables(netns, ruleSet, {...installation, backend});
	const held = parseHeld(texts);
	const asked: RuleSet = {tables: ruleSet.tables.filter(table => isOfFamilies(table, installation.families))};
	const differences = differencesInMeaning(asked, held);
	if (differences.length > 0) {
		// A rule that the tool took and the kernel does not hold would make every result one of another rule set.
		throw new TestbedError('RULES_REJECTED', {
			message: `The kernel does not hold what was installed.\n${differences.join('\n')}`,
			state: 'No traffic was sent.',
		});
	}

	return {ruleSet: held, texts};
}

/** Takes tables away that nft or iptables-nft made, whole: another back end comes. */
export async function removeNftTables(netns: Netns, {tables}: RuleSet): Promise<void> {
	if (tables.length > 0) {
		await netns.runConfined('nft', ['-f', '-'], {input: tables.map(({family, name}) => `delete table ${family} ${name}\n`).join('')});
	}
}

function isOfFamilies({family}: Table, families: readonly AddressFamily[]): boolean {
	return family === 'inet' || families.some(wanted => tableFamily(wanted) === family);
}

type IptablesInstallation = Installation & {readonly backend: IptablesBackend};

/** Its tool commits a family table by table (measured), so when something is rejected, all tables of all families are emptied again. */
async function installIptables(netns: Netns, ruleSet: RuleSet, {backend, families, lockFile, held, lines}: IptablesInstallation): Promise<readonly RulesText[]> {
	const restore = async (family: AddressFamily, text: string): Promise<void> => restoreRules(netns, {
		backend, family, text, lockFile,
	});
	const results = await Promise.allSettled(families.map(async (family): Promise<RulesText> => {
		const input = printSave({tables: [...ruleSet.tables, ...emptied(held, ruleSet)]}, family);
		try {
			await restore(family, input);
		} catch (error) {
			throw await rejectionOf(error, {
				backend, family, input, program: tool(backend, family, 'restore'), lineOf: line => userLine(ruleOfLine(ruleSet, {family, line}), lines),
			});
		}

		return {family, text: await netns.runConfined(tool(backend, family, 'save'), [], {environment: {XTABLES_LOCKFILE: lockFile}})};
	}));
	const failures = results.flatMap(result => result.status === 'rejected' ? [result.reason as Error] : []);
	// A machine that cannot do it is the reason why, also where the other family's tool calls the rules wrong.
	const failed = failures.find(error => !isRejection(error)) ?? failures[0];
	if (failed !== undefined) {
		const nothing: RuleSet = {tables: emptied({tables: [...ruleSet.tables, ...emptied(held, ruleSet)]}, {tables: []})};
		const emptyings = await Promise.allSettled(families.map(async family => restore(family, printSave(nothing, family))));
		const left = emptyings.find(result => result.status === 'rejected');
		throw left === undefined || !isRejection(failed) ? failed : notTakenOut(failed, left.reason as Error);
	}

	return results.flatMap(result => result.status === 'fulfilled' ? [result.value] : []);
}

function isRejection(error: Error): error is TestbedError {
	return error instanceof TestbedError && error.code === 'RULES_REJECTED';
}

/** Whoever gets a rejection may go on with the next rules, so a namespace that may still hold some of these is another error. What went wrong first goes first. */
function notTakenOut(rejected: TestbedError, cause: Error): TestbedError {
	return new TestbedError('MACHINE', {
		message: `${rejected.message}\nWhat had been loaded before could not be taken out again: ${cause.message}`,
		state: 'No traffic was sent. The sandbox is given up.',
		cause: rejected,
	});
}

/** The tables of a set without their rules, but for those that another set has as well. */
function emptied(ruleSet: RuleSet | undefined, except: RuleSet): readonly Table[] {
	return (ruleSet?.tables ?? [])
		.filter(({family, name}) => except.tables.every(other => other.family !== family || other.name !== name))
		.map(table => ({...table, chains: []}));
}

/** All of it is one transaction of nft. */
async function installNft(netns: Netns, ruleSet: RuleSet, {families, held}: Installation): Promise<readonly RulesText[]> {
	const own = {tables: ruleSet.tables.filter(table => isOfFamilies(table, families))};
	const removals = (held?.tables ?? []).map(({family, name}) => `delete table ${family} ${name}\n`).join('');
	const input = removals + printNft(own);
	try {
		await netns.runConfined('nft', ['-f', '-'], {input});
	} catch (error) {
		throw await rejectionOf(error, {
			backend: 'nftables', family: null, input, alone: printNft(own), program: 'nft -f', lineOf: () => undefined,
		});
	}

	return [{family: null, text: await netns.runConfined('nft', ['-s', 'list', 'ruleset'])}];
}

/** The line that a tool names: `line 5`, `line: 5`; nft's `/dev/stdin:5:1-7`. */
const linePattern = /line:? (?<line>\d+)|\/dev\/stdin:(?<nftLine>\d+):/u;

function userLine(rule: Rule | undefined, lines: Installation['lines']): number | undefined {
	return rule === undefined ? undefined : lines?.get(rule);
}

/** What a tool says, without anything that it may quote of another file than the text it was given: nft names the file in front of each message, and shows the line behind it. */
function ownWords(stderr: string): string {
	const lines = stderr.trim().split('\n');
	let isOwn = true;
	return lines.filter(line => {
		const [, file] = /^(?:In file included from )?(?<file>\S+):\d+:\d+(?:-\d+)?:/u.exec(line) ?? [];
		isOwn = file === undefined ? isOwn : file === '/dev/stdin';
		return isOwn;
	}).join('\n');
}

/** What an error of a tool means: the machine cannot do it, or the rules were rejected, by the tool's own line and, where there is one, the user's: `lineOf`. `alone` is the input without what it says of rules that are there. */
async function rejectionOf(error: unknown, {backend, family, input, alone = input, program, lineOf}: Pick<Refusal, 'backend' | 'family' | 'input'> & {
	readonly alone?: string; readonly program: string; readonly lineOf: (line: number) => number | undefined;
}): Promise<unknown> {
	if (!(error instanceof CommandError)) {
		return error;
	}

	const {line: ofIptables, nftLine} = linePattern.exec(error.stderr)?.groups ?? {};
	const said = ownWords(error.stderr);
	const line = Number(ofIptables ?? nftLine ?? 0);
	const text = input.split('\n')[line - 1]?.trim();
	// Of iptables the end of a table, or a chain, can be the line that is named; nft names what it means.
	const isRule = text !== undefined && (family === null || text.startsWith('-'));
	const fault = await machineFaultOf({
		backend, family, input: alone, line: isRule ? text : undefined, error,
	});
	if (fault !== undefined) {
		return fault;
	}

	const own = lineOf(line);
	const where = own === undefined ? `line ${line}` : `line ${own} of what was given`;
	return new TestbedError('RULES_REJECTED', {
		message: `${program} rejected ${isRule ? `${where}, \`${text}\`` : 'the rules'}${said === '' ? '' : `: ${said}`}`,
		state: 'No traffic was sent and nothing stays installed.',
		hint: 'This machine has every table, match and target that is named there and that the testbed knows: look at the rule itself.',
		cause: error,
	});
}
