/**
The command line: parses and dispatches. Each command is a file in `commands/`, loaded when it is called.
*/

import {Command, CommanderError, Option} from 'commander';
import {exitStatusOf} from '../errors.js';
import {guardStreams, tell, writeOut} from '../system/streams.js';
import {coverageCommandLine} from './definitions/coverage.js';
import {diffCommandLine} from './definitions/diff.js';
import {mutateCommandLine} from './definitions/mutate.js';
import {baselineCommandLine} from './definitions/baseline.js';
import {isForRoot, needsRoot} from './definitions/needs-root.js';
import {guardProcess, reportError} from './faults.js';
import {complaintAboutNpm, hintsOfNpm, type NpmStart} from './taken-by-npm.js';
import {version} from './version.js';
import {examples, runCommandLine} from './definitions/run.js';
import {rulesCommandLine} from './definitions/rules.js';
import {probeCommandLine} from './definitions/probe.js';
import {replayCommandLine} from './definitions/replay.js';

function createProgram(setStatus: (status: number) => void): Command {
	const program = new Command('testbed')
		.description('Which way does the traffic of a sidecar mesh take? The kernel is the judge.')
		.option('--version', 'versions of the testbed, the kernel, iptables, nft and Node')
		.addHelpText('after', examples)
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
	program.addCommand(baselineCommandLine(setStatus));
	program.addCommand(rulesCommandLine(setStatus));
	program.addCommand(replayCommandLine(setStatus));
	program.command('doctor')
		.description('try on this machine everything that a run needs, and name what is missing')
		.addOption(new Option('--format <name>', 'what to print').choices(['text', 'json']).default('text'))
		.action(async ({format}: {format: 'text' | 'json'}) => {
			const {doctorCommand} = await import('./commands/doctor.js');
			setStatus(await doctorCommand(format));
		});
	needsRoot(program.command('clean'))
		.description('remove the namespaces that --keep left, and only those')
		.action(async () => {
			const {cleanCommand} = await import('./commands/clean.js');
			setStatus(await cleanCommand());
		});
	return program;
}

/** A command with everything below it. */
function withSubcommands(command: Command): readonly Command[] {
	return [command, ...command.commands.flatMap(one => withSubcommands(one))];
}

/** The commands that need Linux, root and the netfilter programs. */
export function commandsForRoot(): readonly string[] {
	return createProgram(() => undefined).commands.filter(command => isForRoot(command)).map(command => command.name());
}

/** The long options of all commands and the commands' names, from their definitions. */
export function knownToCommandLine(program = createProgram(() => undefined)): Parameters<typeof complaintAboutNpm>[1] {
	const defined = withSubcommands(program).flatMap(({options}) => options);
	const options = new Map(defined.flatMap(({long, required, optional}) => long ? [[long, {long, takesValue: required || optional}]] : []));
	return {options: [...options.values()], commands: new Set(program.commands.flatMap(command => [command.name(), ...command.commands.map(below => `${command.name()} ${below.name()}`)]))};
}

/**
The program: arguments without `node` and the script's name → exit status. Prints its own errors, and stands for the whole process: streams that break and errors that nobody caught are handled here.

`npm` is how npm started it, if it did.
*/
export async function main(argv: readonly string[], {npm}: {readonly npm?: NpmStart | undefined} = {}): Promise<number> {
	guardStreams();
	const about = {argv, version};
	guardProcess(about);
	try {
		return await dispatch(argv, npm);
	} catch (error) {
		const status = reportError(error, about);
		if (npm !== undefined) {
			tell(hintsOfNpm(error, argv, npm).map(line => `${line}\n`).join(''));
		}

		return status;
	}
}

async function dispatch(argv: readonly string[], npm: NpmStart | undefined): Promise<number> {
	let status = 0;
	const program = createProgram(result => {
		status = result;
	});
	// What commander prints goes the way of everything else.
	const printed: string[] = [];
	for (const command of withSubcommands(program)) {
		command.exitOverride();
		command.configureOutput({
			writeOut(text) {
				printed.push(text);
			},
			writeErr: tell,
		});
	}

	const complaint = npm === undefined ? undefined : complaintAboutNpm(argv, knownToCommandLine(program), npm);
	if (complaint !== undefined) {
		tell(`${complaint}\n`);
		return exitStatusOf.USAGE;
	}

	// Anything else than a command belongs to `run`, which is what `testbed` alone means.
	const known = new Set([...program.commands.map(command => command.name()), 'help', '--help', '-h', '--version']);
	const [first] = argv;
	try {
		await program.parseAsync(first !== undefined && known.has(first) ? [...argv] : ['run', ...argv], {from: 'user'});
		return status;
	} catch (error) {
		if (!(error instanceof CommanderError)) {
			throw error;
		}

		// Commander has printed it.
		if (error.code === 'commander.unknownOption' && argv.some(word => /^(?:release|ambient):/u.test(word))) {
			tell('→ Options of the rules belong into the quotes of their input: \'release:1.30 --redirect-dns\'\n');
		}

		await writeOut(printed.join(''));
		return error.exitCode === 0 ? 0 : exitStatusOf.USAGE;
	}
}
