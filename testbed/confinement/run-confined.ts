/**
Runs the rule tools confined, because they run as root on text from users. Everything else runs through `exec.ts` and sees the whole machine.
*/

import process from 'node:process';
import {existsSync} from 'node:fs';
import {backendTools} from '../../src/netfilter/backends.js';
import {CommandError, searchPath, tookTooLong} from '../system/commands.js';
import {run, timeLimitOf, type RunOptions} from '../system/exec.js';
import {takeEarlyThread} from '../system/start-thread.js';
import {ConfinedTools, type Confinement} from './confined-tools.js';

let tools: ConfinedTools | undefined;

/** The thread of the rule tools; the first call starts it. */
function confinedTools(): ConfinedTools {
	tools ??= new ConfinedTools(takeEarlyThread());
	return tools;
}

/** Starts the thread of the rule tools if it is not running yet, without waiting. Calling it early in a run hides its start-up time. */
export function prepareConfinement(): void {
	confinedTools();
}

/**
How the rule tools are confined on this machine.

@throws {TestbedError} MACHINE if the tools cannot be confined.
*/
export async function loadConfinement(): Promise<Confinement> {
	return confinedTools().loadConfinement();
}

/** A file that only this tool can lock: its input. For callers that name no lock. */
const ownLock = '/proc/self/fd/0';

/** As {@link RunOptions}, but the namespace is required. `inherited` are descriptors that the tool gets under the same numbers, as /proc/self/fd/N. `loadsModules`: whether kernel modules that the tool needs are loaded first, by default yes. */
export type ConfinedRunOptions = RunOptions & {readonly netns: number; readonly inherited?: readonly number[]; readonly loadsModules?: boolean};

/** Finds descriptors of this process that an environment names by the path for other processes, and rewrites them to the path for a tool that inherits them: a confined tool cannot look into another process. */
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
Runs one of the rule tools to its end and returns its output. It sees a read-only root with its libraries and little else, has its own PID namespace, and only network capabilities. Its environment is only what is set here.

@throws {TestbedError} MISSING_PROGRAM, with the Debian package that has it; MACHINE if the tools cannot be confined, or if one does not finish within a minute plus a second for each 20 kB of input.
@throws {CommandError} if its status is neither 0 nor accepted.
*/
export async function runConfined(file: string, arguments_: readonly string[], {
	netns, input, environment = {}, acceptStatus = [], inherited = [], timeoutMs, loadsModules = true,
}: ConfinedRunOptions): Promise<string> {
	if (loadsModules) {
		await loadModulesFor(file);
	}

	const {TZ} = process.env;
	const named = inheritNamed(environment);
	const limit = timeLimitOf(input, timeoutMs);
	const {exitCode, signal, timedOut, stdout, stderr} = await confinedTools().run({
		program: file, arguments: arguments_, netns, input, timeoutMs: limit, inherited: [...inherited, ...named.inherited],
		// Nft reads and prints the hours of `meta hour` in the local time zone.
		environment: {PATH: searchPath, LC_ALL: 'C', XTABLES_LOCKFILE: ownLock, ...(TZ === undefined ? {} : {TZ}), ...named.environment},
	});
	if (exitCode !== null && [0, ...acceptStatus].includes(exitCode)) {
		return stdout.replace(/\r?\n$/u, '');
	}

	const command = [file, ...arguments_].join(' ');
	if (timedOut) {
		throw tookTooLong(command, limit);
	}

	throw new CommandError(command, {exitCode: exitCode ?? undefined, stderr: signal === null ? stderr : `${stderr}\nIt was killed by ${signal}.`, cause: undefined});
}

/** The kernel modules that each tool would load itself if it could see modprobe. The kernel loads all others itself, unconfined, when a rule or table first needs them. */
const modulesOf: ReadonlyMap<string, readonly string[]> = new Map(backendTools.map(({program, modules}) => [program, modules]));
const loaded = new Map<string, Promise<unknown>>();

async function loadModulesFor(file: string): Promise<void> {
	await Promise.all((modulesOf.get(file) ?? []).map(async module => {
		const loading = loaded.get(module) ?? loadModule(module);
		loaded.set(module, loading);
		return loading;
	}));
}

/** Loads a module unless its tables are already in /proc (it is loaded or built in). If it cannot be loaded, the tool will report that the kernel has no such table. */
async function loadModule(module: string): Promise<void> {
	if (!existsSync(`/proc/net/${module}_names`)) {
		await Promise.allSettled([run('modprobe', ['-q', module])]);
	}
}
