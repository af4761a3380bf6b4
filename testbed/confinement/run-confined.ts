/**
How the rule tools are run: behind the walls of `confinement/`. What they are given is text of a user, and they run as root; whatever else the testbed runs, `exec.ts` runs it, and it sees the whole machine.
*/

import process from 'node:process';
import {existsSync} from 'node:fs';
import {backendTools} from '../../src/netfilter/backends.js';
import {
	CommandError, run, searchPath, timeLimitOf, tookTooLong, type RunOptions,
} from '../system/exec.js';
import {ConfinedTools, type Confinement} from './confined-tools.js';
import {confinedPrograms} from './programs.js';

/** The environment variable that names further programs to see behind the walls, for scripts that stand in the places of tools. */
export const furtherPrograms = 'TESTBED_CONFINED_PROGRAMS';

let tools: ConfinedTools | undefined;

/** The thread of the rule tools; the first call starts it. */
function confinedTools(): ConfinedTools {
	tools ??= new ConfinedTools({searchPath, programs: [...confinedPrograms, ...(process.env[furtherPrograms] ?? '').split(':').filter(name => name !== '')]});
	return tools;
}

/** Starts the thread of the rule tools if it does not run yet, and waits for nothing: to call it early in a run saves the time that it takes. */
export function prepareConfinement(): void {
	confinedTools();
}

/**
What stands between the rule tools and the machine.

@throws {TestbedError} MACHINE where the tools cannot be confined.
*/
export async function loadConfinement(): Promise<Confinement> {
	return confinedTools().loadConfinement();
}

/** A file that a tool can lock and that nobody else has: its input. For who names no lock. */
const ownLock = '/proc/self/fd/0';

/** As {@link RunOptions}, but the namespace must be one. `inherited` are descriptors that the tool finds under their own numbers, as /proc/self/fd/N. */
export type ConfinedRunOptions = RunOptions & {readonly netns: number; readonly inherited?: readonly number[]};

/** Descriptors of this process that an environment names by the way on which other processes reach them, and the environment with the way on which a tool does that inherits them: to look into another process is denied to it. */
export function inheritNamed(environment: Readonly<Record<string, string>>): {readonly environment: Readonly<Record<string, string>>; readonly inherited: readonly number[]} {
	const inherited: number[] = [];
	const named = Object.entries(environment).map(([name, value]) => {
		const [, pid, fd] = /^\/proc\/(\d+)\/fd\/(\d+)$/u.exec(value) ?? [];
		if (Number(pid) !== process.pid) {
			return [name, value] as const;
		}

		inherited.push(Number(fd));
		return [name, `/proc/self/fd/${fd!}`] as const;
	});
	return {environment: Object.fromEntries(named), inherited};
}

/**
Runs one of the rule tools to its end and returns what it printed. It sees a root of its own with its libraries and little else, all of it read-only, and lives in a PID namespace of its own, with no right but that over networks. Of the environment it gets what is named here.

@throws {TestbedError} MISSING_PROGRAM, with the Debian package that has it; MACHINE where the tools cannot be confined, or when one does not come to its end within a minute, and a second more for each 20 kB of its input.
@throws {CommandError} when its status is not 0 and not accepted.
*/
export async function runConfined(file: string, arguments_: readonly string[], {
	netns, input, environment = {}, acceptStatus = [], inherited = [], timeoutMs,
}: ConfinedRunOptions): Promise<string> {
	await loadModulesFor(file);

	const {TZ} = process.env;
	const named = inheritNamed(environment);
	const limit = timeLimitOf(input, timeoutMs);
	const {exitCode, signal, timedOut, stdout, stderr} = await confinedTools().run({
		program: file, arguments: arguments_, netns, input, timeoutMs: limit, inherited: [...inherited, ...named.inherited],
		// The time zone, because nft reads and prints the hours of `meta hour` by it.
		environment: {PATH: searchPath, LC_ALL: 'C', XTABLES_LOCKFILE: ownLock, ...(TZ === undefined ? {} : {TZ}), ...named.environment},
	});
	if (exitCode !== null && [0, ...acceptStatus].includes(exitCode)) {
		return stdout.replace(/\r?\n$/u, '');
	}

	const command = [file, ...arguments_].join(' ');
	if (timedOut) {
		throw tookTooLong(command, limit);
	}

	throw new CommandError(command, {exitCode: exitCode ?? undefined, stderr: signal === null ? stderr : `${stderr}\nIt was ended by ${signal}.`, cause: undefined});
}

/** The kernel modules that each tool would load itself, if it could see modprobe. All others the kernel loads by itself, outside of any wall, when a rule or a table first asks for them. */
const modulesOf: ReadonlyMap<string, readonly string[]> = new Map(backendTools.map(({program, modules}) => [program, modules]));
const loaded = new Map<string, Promise<unknown>>();

async function loadModulesFor(file: string): Promise<void> {
	await Promise.all((modulesOf.get(file) ?? []).map(async module => {
		const loading = loaded.get(module) ?? loadModule(module);
		loaded.set(module, loading);
		return loading;
	}));
}

/** A module that is built in, or loaded, shows its tables. Where one cannot be loaded, the tool says that the kernel has no such table. */
async function loadModule(module: string): Promise<void> {
	if (!existsSync(`/proc/net/${module}_names`)) {
		await Promise.allSettled([run('modprobe', ['-q', module])]);
	}
}
