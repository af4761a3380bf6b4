/**
`--watch`: a round whenever a file has changed, until a signal.
*/

import {existsSync} from 'node:fs';
import path from 'node:path';
import type {Command} from 'commander';
import {visibleForeign} from '../../../src/parsing/visible-text.js';
import {optionOf} from '../../../src/scenario/probe-spec.js';
import {exitStatusOf, printError, TestbedError} from '../../errors.js';
import {liveNameOf, parseSource} from '../../inputs/source.js';
import {tell, writeOut} from '../../system/streams.js';
import {applySettingsAnew} from '../config/apply.js';
import {configNames, sourcesOfProcess} from '../config/sources.js';
import {choosePrinting} from '../output/terminal.js';
import {untilSignal} from '../signals.js';
import {FileWatch} from './file-watch.js';
import type {Rounds} from './rounds.js';

/** The option. */
export type WatchFlags = {readonly watch?: boolean};

/** Options that are for one report, or for no run at all. */
const notWatched = ['check', 'list', 'output', 'json', 'record', 'pcap', 'keep', 'keepFor', 'bail', 'shard', 'shardOutput', 'shardTimes', 'consecutive'] as const;

/**
Refuses options and rule inputs that `--watch` cannot use.

@throws {TestbedError} USAGE.
*/
export function refuseToWatch(flags: Readonly<Record<string, unknown>>, sources: ReadonlyArray<string | undefined>): void {
	const wrong = notWatched.find(name => flags[name] !== undefined);
	if (wrong !== undefined) {
		throw new TestbedError('USAGE', {message: `--watch runs again and again and prints each round, so ${optionOf(wrong)} cannot be used with it.`, hint: `Omit ${optionOf(wrong)}, or --watch.`});
	}

	if (flags['format'] !== 'text') {
		throw new TestbedError('USAGE', {message: `--watch prints text, one round after the other, so the format ${String(flags['format'])} cannot be used with it.`, hint: 'Omit --format, or --watch.'});
	}

	const live = sources.find(source => source !== undefined && liveNameOf(source) !== undefined);
	if (live !== undefined) {
		throw new TestbedError('USAGE', {message: `${live} is a live pod: what it holds changes without a file, so --watch cannot see it.`, hint: 'Save its rules to a file, or run the command again.'});
	}

	if (sources.some(source => source !== undefined && parseSource(source).file === '-')) {
		throw new TestbedError('USAGE', {message: 'Standard input can be read only once, so --watch cannot use it.', hint: 'Save it to a file.'});
	}
}

/** What is watched. `operands` names files and folders that the command line names, each time again; `round` does the work with the options as they are then, and returns a summary. */
export type Watching<Flags> = {
	readonly command: Command;
	readonly rounds: Rounds;
	readonly operands: (flags: Flags) => readonly string[];
	readonly round: (flags: Flags) => Promise<string>;
};

/**
Does a round, waits for a change, and so on. Returns the exit status of everything as it ended last, once a signal comes while it waits.

@throws {TestbedError} USAGE if no file is read; an error of the first round that no file can fix; INTERRUPTED after a signal in a round.
*/
export async function watchRounds<Flags extends WatchFlags>({command, rounds, operands, round}: Watching<Flags>): Promise<number> {
	let flags: Flags = command.opts();
	const paths = (): readonly string[] => {
		rounds.reads(operands(flags));
		return rounds.files;
	};

	const configs = configFiles();
	refuseWithoutFiles([...paths(), ...configs.filter(file => existsSync(file))]);
	rounds.reads(configs);
	const state = {isWaiting: false, hasFault: false};
	const oneRound = async (): Promise<string> => {
		flags = optionsNow(command);
		choosePrinting({...flags, quiet: true});
		return round(flags);
	};

	try {
		return await untilSignal(async signal => {
			using watch = new FileWatch(paths);
			let because: readonly string[] = [];
			for (let number = 1; ; number++) {
				watch.mark();
				const summary = await orFault(oneRound, {isFirst: number === 1, state}); // eslint-disable-line no-await-in-loop -- One round after the other.
				await writeOut(visibleForeign(`round ${number}, ${timeNow()}${because.length === 0 ? '' : `, ${describe(because)} changed`}: ${summary}\n`)); // eslint-disable-line no-await-in-loop -- As above.
				state.isWaiting = true;
				because = await watch.changed(signal); // eslint-disable-line no-await-in-loop -- As above.
				state.isWaiting = false;
			}
		});
	} catch (error) {
		if (!state.isWaiting || !(error instanceof TestbedError) || error.code !== 'INTERRUPTED') {
			throw error;
		}

		tell('testbed: No longer watching.\n');
		return state.hasFault ? exitStatusOf.INPUT : rounds.standing;
	}
}

/** The summary of a round; after an error, the error is printed, and the next change gets another round. */
async function orFault(round: () => Promise<string>, {isFirst, state}: {readonly isFirst: boolean; readonly state: {hasFault: boolean}}): Promise<string> {
	try {
		state.hasFault = false;
		return await round();
	} catch (error) {
		if (!(error instanceof TestbedError) || error.code === 'INTERRUPTED' || (isFirst && !canBeFixed(error))) {
			throw error;
		}

		state.hasFault = true;
		tell(`${printError(error)}\n`);
		return 'not run, because of the error above';
	}
}

/** Whether an error may go away when a file changes. */
function canBeFixed({code}: TestbedError): boolean {
	return ['INPUT', 'RULES_REJECTED', 'LIMIT', 'ACTOR_FAILED'].includes(code);
}

/** The configuration files that can count here, whether they exist or not. */
function configFiles(): readonly string[] {
	const {folder, environment} = sourcesOfProcess();
	const named = environment['TESTBED_CONFIG'];
	return (named === undefined ? configNames : (named === '' ? [] : [named])).map(name => path.resolve(folder, name));
}

function refuseWithoutFiles(files: readonly string[]): void {
	if (files.length === 0) {
		throw new TestbedError('USAGE', {message: '--watch has no file to watch: the rules are made from a release, and there are no scenarios.', hint: 'Name a dump, a manifest or a scenario.'});
	}
}

/** The options of a command as the command line, variables and the configuration file say now. */
function optionsNow<Flags extends WatchFlags>(command: Command): Flags {
	applySettingsAnew(command, sourcesOfProcess());
	return command.opts();
}

function timeNow(): string {
	return new Date().toTimeString().slice(0, 8);
}

function describe(files: readonly string[]): string {
	const [first = '', ...others] = files.map(file => path.basename(file));
	return others.length === 0 ? first : `${first} and ${others.length} more`;
}
