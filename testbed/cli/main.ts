/**
The command line: parses and dispatches. Each command is a file in `commands/`, loaded when it is called.
*/

import {Command, CommanderError} from 'commander';
import {exitStatusOf} from '../errors.js';
import {takeNote} from '../rootless/note.js';
import {nameProgram} from '../system/program-name.js';
import {keepEarlyThread, type EarlyThread} from '../system/start-thread.js';
import {guardStreams, tell, writeOut} from '../system/streams.js';
import {cleanCommandLine} from './definitions/clean.js';
import {configCommandLine} from './definitions/config.js';
import {completionCommandLine} from './definitions/completion.js';
import {coverageCommandLine} from './definitions/coverage.js';
import {doctorCommandLine} from './definitions/doctor.js';
import {enterCommandLine} from './definitions/enter.js';
import {kernelsCommandLine} from './definitions/kernels.js';
import {lessonCommandLine} from './definitions/lesson.js';
import {diffCommandLine} from './definitions/diff.js';
import {mutateCommandLine} from './definitions/mutate.js';
import {baselineCommandLine} from './definitions/baseline.js';
import {addShortOptions} from './definitions/short-options.js';
import {isForMachinesRoot, isForRoot, needs, needsRoot} from './definitions/needs-root.js';
import {becomeRoot, type Started} from './become-root.js';
import {readPods} from './read-pods.js';
import {allCommands} from './all-commands.js';
import {hasSettings, sourcesOfProcess, takesSettings} from './config/sources.js';
import {guardProcess, reportError} from './faults.js';
import {complaintAboutNpm, hintsOfNpm, type NpmStart} from './taken-by-npm.js';
import {version} from './version.js';
import {examples, runCommandLine} from './definitions/run.js';
import {chooseKeys} from './output/json-keys.js';
import {choosePrinting, readerOf} from './output/terminal.js';
import {refuseUnknownCommand, unknownCommand, useOwnErrors} from './usage-errors.js';
import {reportCommandLine} from './definitions/report.js';
import {rulesCommandLine} from './definitions/rules.js';
import {probeCommandLine} from './definitions/probe.js';
import {replayCommandLine} from './definitions/replay.js';
import {serveCommandLine} from './definitions/serve.js';
import {mergeCommandLine} from './definitions/merge.js';
import {helpText} from './output/help-text.js';

function createProgram(setStatus: (status: number) => void, started?: Started): Command {
	const program = new Command('testbed')
		.description('Shows which path the traffic of a service-mesh sidecar takes. The kernel is the judge.')
		.hook('preAction', async (_, command) => {
			const sources = sourcesOfProcess();
			if (takesSettings(command) && hasSettings(sources)) {
				const {applySettings} = await import('./config/apply.js');
				applySettings(command, sources);
			}

			choosePrinting(command.opts());
			await chooseKeys(command);
			readPods(command);
			if (started !== undefined) {
				await becomeRoot(command, started);
			}
		})
		.option('--version', 'print the versions of the testbed, the kernel, iptables, nft and Node')
		.addHelpText('after', helpText(examples))
		.helpCommand(true)
		.action(async ({version: wanted}: {version?: boolean}) => {
			if (wanted === true) {
				const {printVersions} = await import('./commands/versions.js');
				await writeOut(await printVersions(version));
			}
		});
	program.addCommand(needsRoot(runCommandLine(setStatus)));
	program.addCommand(needsRoot(probeCommandLine(setStatus)));
	program.addCommand(needsRoot(diffCommandLine(setStatus)));
	program.addCommand(needsRoot(mutateCommandLine(setStatus)));
	program.addCommand(needsRoot(coverageCommandLine(setStatus)));
	program.addCommand(needsRoot(baselineCommandLine(setStatus)));
	program.addCommand(needsRoot(lessonCommandLine(setStatus)));
	program.addCommand(kernelsCommandLine(setStatus));
	program.addCommand(rulesCommandLine(setStatus));
	program.addCommand(replayCommandLine(setStatus));
	program.addCommand(needsRoot(serveCommandLine(setStatus)));
	program.addCommand(mergeCommandLine(setStatus));
	program.addCommand(needs('either', doctorCommandLine(setStatus)));
	program.addCommand(needs('root', enterCommandLine(setStatus)));
	program.addCommand(needs('root', cleanCommandLine(setStatus)));
	program.addCommand(needs('either', reportCommandLine(setStatus)));
	program.addCommand(completionCommandLine(setStatus));
	program.addCommand(configCommandLine(setStatus));
	for (const {command} of allCommands(program)) {
		addShortOptions(command);
	}

	return program;
}

/** Minimum width of the description column of an option, however narrow the terminal. */
const helpColumnMin = 8;

/** The width of help output: that of all other output, but no wider than the texts were written for. */
function helpWidth(): number {
	return Math.min(readerOf().width, 80);
}

/** The whole command line as definitions, for those who read them: help, completion, tests. Running it has no effect on the exit status. */
export function programOf(): Command {
	return createProgram(() => undefined);
}

/** The commands that need Linux, root and the netfilter programs. */
export function commandsForRoot(): readonly string[] {
	return programOf().commands.filter(command => isForRoot(command)).map(command => command.name());
}

/** Those of them that only work for the machine's root. */
export function commandsForMachinesRoot(): readonly string[] {
	return programOf().commands.filter(command => isForMachinesRoot(command)).map(command => command.name());
}

/** The long options of all commands and the commands' names, from their definitions. */
export function knownToCommandLine(program = programOf()): Parameters<typeof complaintAboutNpm>[1] {
	const defined = allCommands(program).flatMap(({command}) => command.options);
	const options = new Map(defined.flatMap(({long, required, optional}) => long ? [[long, {long, takesValue: required || optional}]] : []));
	return {options: [...options.values()], commands: new Set(program.commands.flatMap(command => [command.name(), ...command.commands.map(below => `${command.name()} ${below.name()}`)]))};
}

/** How the program was started. `npm`: how npm started it, if it did. `called`: how the user runs it in a shell (`testbed` by default). `earlyThread`: the thread of the rule tools, if the launcher has started it. */
type Start = {readonly npm?: NpmStart | undefined; readonly called?: string | undefined; readonly earlyThread?: EarlyThread | undefined};

/**
The program: arguments without `node` and the script's name → exit status. Prints its own errors and owns the process: broken streams and uncaught errors are handled here.
*/
export async function main(argv: readonly string[], {npm, called, earlyThread}: Start = {}): Promise<number> {
	guardStreams();
	keepEarlyThread(earlyThread);
	takeNote();
	nameProgram(called);
	const about = {argv, version};
	guardProcess(about);
	try {
		return await dispatch(argv, {npm, called});
	} catch (error) {
		const status = reportError(error, about);
		if (npm !== undefined) {
			tell(hintsOfNpm(error, argv, npm).map(line => `${line}\n`).join(''));
		}

		return status;
	}
}

async function dispatch(argv: readonly string[], context: {readonly npm: NpmStart | undefined; readonly called: string | undefined}): Promise<number> {
	const {npm} = context;
	let status = 0;
	const program = createProgram(result => {
		status = result;
	}, {argv, context});
	// Commander's output goes through the same stream handling as all other output.
	const printed: string[] = [];
	for (const {command} of allCommands(program)) {
		command.exitOverride();
		useOwnErrors(command, argv);
		command.configureHelp({minWidthToWrap: helpColumnMin});
		command.configureOutput({
			writeOut(text) {
				printed.push(text);
			},
			writeErr: tell,
			getOutHelpWidth: helpWidth,
			getErrHelpWidth: helpWidth,
		});
	}

	const complaint = npm === undefined ? undefined : complaintAboutNpm(argv, knownToCommandLine(program), npm);
	if (complaint !== undefined) {
		tell(`${complaint}\n`);
		return exitStatusOf.USAGE;
	}

	// Anything but a command belongs to `run`, the default command.
	const names = new Set(program.commands.map(command => command.name()));
	const [first, second] = argv;
	const isCommand = first !== undefined && (names.has(first) || ['help', '--help', '-h', '--version', '-V'].includes(first));
	if (first === 'help' && second !== undefined && !names.has(second)) {
		throw unknownCommand(second, program);
	}

	if (first !== undefined && !isCommand) {
		refuseUnknownCommand(first, program);
	}

	try {
		await program.parseAsync(isCommand ? [...argv] : ['run', ...argv], {from: 'user'});
		return status;
	} catch (error) {
		if (!(error instanceof CommanderError)) {
			throw error;
		}

		// Requested help or version output; errors are thrown as `TestbedError`s.
		await writeOut(printed.join(''));
		return error.exitCode === 0 ? 0 : exitStatusOf.USAGE;
	}
}
