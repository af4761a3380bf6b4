/**
Makes an ordinary user root in a user namespace with a network of its own. Everything below then works as for the machine's root.

Node has threads, and a process with threads cannot create a user namespace (unshare(2)). So this process is replaced: unshare(1) creates the namespaces, and a shell in them waits until a helper outside has mapped the IDs, then starts the same command again. The PID, the terminal and the standard streams stay the same, so signals and exit status need no relay, and nothing is left when the process is killed.

The IDs are mapped by newuidmap(1) and newgidmap(1), which may map the ranges that /etc/subuid and /etc/subgid give the user. If they cannot, the helper maps the one ID that every user may map.
*/

import {spawn, spawnSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {userInfo} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {TestbedError} from '../errors.js';
import {createPipe} from '../syscalls/descriptors.js';
import {createMemoryFile, fillMemoryFile} from '../syscalls/memory-file.js';
import {keepOpen, replaceProcess} from '../syscalls/replace-process.js';
import {searchPath} from '../system/commands.js';
import {findProgram} from '../system/find-program.js';
import {missingProgram} from '../system/missing-program.js';
import {packageRoot} from '../system/package-root.js';
import {commandLine} from '../system/program-name.js';
import {noteVariables, type NamespaceNote} from './note.js';
import {firstFree, mapArguments, rangesOf} from './subordinate-ids.js';
import {creationWall, readFact, type MappingFacts} from './walls.js';

/** The script that starts the command again, inside. */
const again = path.join(packageRoot, 'scripts/setup/inside.cjs');

/** The arguments of the command, and the context that `main` was given with them. `listening` are sockets for the program inside, by address; `outside` is a text for it, of what only this process can read. */
export type Start = {readonly argv: readonly string[]; readonly context: object; readonly listening?: Readonly<Record<string, number>>; readonly outside?: string | undefined};

function userName(): string | undefined {
	try {
		return userInfo().username;
	} catch {
		return undefined; // The UID has no entry.
	}
}

/** The same command as root, for pasting. */
export function asRoot(argv: readonly string[]): string {
	return `sudo env "PATH=$PATH" ${commandLine(argv.map(word => /^[\w./:=@,+-]+$/u.test(word) ? word : `'${word.replaceAll('\'', String.raw`'\''`)}'`).join(' '))}`.trimEnd();
}

/**
Refuses to start if this user cannot have a user namespace in which it is root: by creating one, and another network namespace from within.

@throws {TestbedError} MACHINE with what forbids it; MISSING_PROGRAM without unshare(1).
*/
export function refuseWithoutNamespace(argv: readonly string[]): void {
	const unshare = findProgram('unshare', searchPath);
	if (unshare === undefined) {
		throw missingProgram('unshare');
	}

	const {status, error, stderr} = spawnSync(unshare, ['--user', '--map-root-user', '--net', unshare, '--net', '/bin/sh', '-c', ':'], {env: {LC_ALL: 'C', PATH: searchPath}, cwd: '/', encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe']});
	if (status !== 0) {
		const wall = creationWall(error?.message ?? stderr);
		throw new TestbedError('MACHINE', {
			message: `This is UID ${process.geteuid!()}, and without root the testbed needs a user namespace. ${wall.message}`,
			state: 'Nothing was run.',
			hint: `${wall.fix}     # or, as root: ${asRoot(argv)}`,
		});
	}
}

/** Maps the IDs of a process: `$1` its PID, `$2` and `$3` newuidmap and its arguments, `$4` and `$5` newgidmap and its arguments (empty: only one ID), `$6` and `$7` the user's IDs. Waits for a line on standard input, and answers with one: what failed, or nothing. */
const helper = String.raw`
read -r _ || exit
said=
uids=$3
gids=$5
test -n "$2" && test -n "$4" && test -n "$uids" && test -n "$gids" || { uids=; gids=; }
test -z "$uids" || said=$("$2" "$1" $uids 2>&1) || uids=
test -n "$uids" || echo "0 $6 1" >"/proc/$1/uid_map"
test -n "$uids" || gids=
test -z "$gids" || said=$("$4" "$1" $gids 2>&1) || gids=
test -n "$gids" || { echo deny >"/proc/$1/setgroups"; echo "0 $7 1" >"/proc/$1/gid_map"; }
set -f
echo $said
`;

/** Runs inside: says that it is there, waits for the helper, and starts the command. `$0` and `$1` are the pipes. */
const inside = `echo >"$0"; read -r ${noteVariables.said} <"$1"; export ${noteVariables.said}; shift; exec "$@"`;

/** What there is to map the IDs with. */
function mapping(): MappingFacts & {readonly words: readonly [uids: string, gids: string, newuidmap: string, newgidmap: string]} {
	const [uid, gid, name] = [process.geteuid!(), process.getegid!(), userName()];
	const texts = ['/etc/subuid', '/etc/subgid'].map(file => readFact(file) ?? '');
	const [uids = [], gids = []] = texts.map(text => rangesOf(text, {name, uid}));
	const programs = ['newuidmap', 'newgidmap'].map(program => [program, findProgram(program, searchPath)] as const);
	const ranges = {'/etc/subuid': uids, '/etc/subgid': gids};
	return {
		uid, name, said: '', missing: programs.find(([, file]) => file === undefined)?.[0],
		withoutRange: Object.entries(ranges).find(([, found]) => found.length === 0)?.[0],
		firstFree: firstFree(texts),
		words: [
			uids.length === 0 ? '' : mapArguments(uid, uids).join(' '), gids.length === 0 ? '' : mapArguments(gid, gids).join(' '),
			programs[0]?.[1] ?? '', programs[1]?.[1] ?? '',
		],
	};
}

function memoryFileOf(text: string): number {
	const fd = createMemoryFile();
	fillMemoryFile(fd, text);
	return fd;
}

/**
Starts the command again as root of a user namespace. The program of this process is replaced, so this does not return.

@throws {TestbedError} as {@link refuseWithoutNamespace}; SYSCALL_FAILED if the process cannot be replaced.
*/
export function enterNamespace({argv, context, listening = {}, outside}: Start): never {
	refuseWithoutNamespace(argv);
	if (!existsSync(again)) {
		throw new TestbedError('MACHINE', {message: `${again} is missing.`, state: 'Nothing was run.', hint: `Install the testbed again, or as root: ${asRoot(argv)}`});
	}

	const {words: [uids, gids, newuidmap, newgidmap], said, ...facts} = mapping();
	const there = createPipe();
	const back = createPipe();
	const child = spawn('/bin/sh', ['-c', helper, 'sh', String(process.pid), newuidmap, uids, newgidmap, gids, String(facts.uid), String(process.getegid!())], {
		env: {LC_ALL: 'C', PATH: searchPath}, cwd: '/', stdio: [there.read, back.write, 'ignore'],
	});
	const texts = outside === undefined ? [] : [memoryFileOf(outside)];
	for (const fd of [there.write, back.read, ...Object.values(listening), ...texts]) {
		keepOpen(fd);
	}

	const note: NamespaceNote = {
		...facts, helper: child.pid ?? 0, pipes: [there.write, back.read], listening, outside: texts[0],
	};
	const unshare = findProgram('unshare', searchPath)!;
	replaceProcess({
		file: unshare,
		argv: ['unshare', '--user', '--net', '/bin/sh', '-c', inside, ...[there.write, back.read].map(fd => `/proc/self/fd/${fd}`), process.execPath, ...process.execArgv, again, JSON.stringify(context), ...argv],
		environment: {...process.env as Readonly<Record<string, string>>, [noteVariables.note]: JSON.stringify(note)},
	});
}
