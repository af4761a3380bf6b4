/**
The job of a guest: a disk with the testbed, the user's files and a script that runs one command; and what the script left on the disk for results.
*/

import {
	cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync,
} from 'node:fs';
import path from 'node:path';
import {quoted} from '../../src/report/terminal/shell-quote.js';
import type {DoctorDocument} from '../../src/report/doctor-schema.js';
import type {Lack} from '../../src/report/kernels/types.js';
import type {Tally} from '../../src/judge/exit-status.js';
import {run} from '../system/exec.js';
import {makeDisk} from './disk.js';
import {guestScript} from './guest-scripts.js';
import {packFiles, packTestbed} from './pack.js';

/** A disk for results is sparse: it takes only what is written. */
const resultsBytes = 256 * 1024 * 1024;

/** What is printed of a guest's output at most, in bytes. */
const outputBytesMax = 4 * 1024 * 1024;

/** Whether a command line is one of `run`, which can write a further report. */
function isRun([first]: readonly string[]): boolean {
	return first === undefined || first === 'run' || first.startsWith('-');
}

/** The command as it is run in the guest: `run` also writes its results as JSON. */
function guestCommand(words: readonly string[]): readonly string[] {
	if (!isRun(words)) {
		return words;
	}

	const [, ...rest] = words[0] === 'run' ? words : ['', ...words];
	return ['run', '--output', 'json=/out/report.json', ...rest];
}

/** How long a command in a guest waits for one connection, in milliseconds, if it does not say so itself: emulation is slow, and slower on a busy machine. */
const timeoutMs = 30_000;

/** The script of a job: runs a command of the testbed in a folder, and the doctor if the command neither passed nor was refused. */
export function jobScript(words: readonly string[], folder: string): string {
	return `mkdir -p ${quoted(folder)}
cd ${quoted(folder)} || exit 1
export TESTBED_TIMEOUT=${timeoutMs}
echo 'guest: testbed'
node /job/testbed/bin/testbed ${guestCommand(words).map(word => quoted(word)).join(' ')} >/out/stdout 2>/out/stderr </dev/null
status=$?
echo "$status" >/out/status
case $status in
0 | 2) ;;
*)
	echo 'guest: doctor'
	node /job/testbed/bin/testbed doctor --format json >/out/doctor.json 2>/dev/null
	;;
esac
`;
}

/**
Makes the disk of a job.

@param options.folder The working folder of the command, in the guest as here.
@param options.files Absolute paths, the same in the guest.
@throws {TestbedError} NOT_TRIED or INPUT if something cannot be packed.
*/
export async function makeJobDisk(image: string, {words, folder, files, scratch, signal}: {
	readonly words: readonly string[]; readonly folder: string; readonly files: readonly string[]; readonly scratch: string; readonly signal: AbortSignal;
}): Promise<void> {
	const tree = path.join(scratch, 'job');
	mkdirSync(tree, {mode: 0o755});
	packTestbed(path.join(tree, 'testbed'));
	packFiles(files, path.join(tree, 'files'));
	cpSync(guestScript('init.sh'), path.join(tree, 'init.sh'));
	writeFileSync(path.join(tree, 'run.sh'), jobScript(words, folder));
	await makeDisk(image, tree, {signal, freeMegabytes: 32});
	// Hundreds of files less to remove after a signal.
	rmSync(tree, {recursive: true});
}

/** Makes an empty disk for results. */
export function makeResultsDisk(image: string): void {
	writeFileSync(image, '');
	truncateSync(image, resultsBytes);
}

/** What a guest left. Null for what is missing. */
export type JobResult = {
	readonly release: string | null; readonly exitStatus: number | null; readonly tally: Tally | null; readonly output: string; readonly errors: string; readonly lacks: readonly Lack[];
};

function readText(file: string): string | null {
	if (!existsSync(file)) {
		return null;
	}

	const text = readFileSync(file, 'utf8').slice(0, outputBytesMax);
	return statSync(file).size > outputBytesMax ? `${text}\n… (cut)\n` : text;
}

/** A document that may be missing or cut, because the guest died meanwhile. */
function readDocument(file: string): unknown {
	try {
		return JSON.parse(readFileSync(file, 'utf8'));
	} catch {
		return undefined;
	}
}

/** Reads what a guest left on the disk for results. An empty disk has nothing. */
export async function readResults(image: string, folder: string): Promise<JobResult> {
	mkdirSync(folder);
	await run('tar', ['-xf', image, '-C', folder], {acceptStatus: [1, 2]});
	const place = (name: string): string => path.join(folder, name);
	const status = readText(place('status'))?.trim() ?? '';
	const report = readDocument(place('report.json')) as {readonly summary?: Tally} | undefined;
	const doctor = readDocument(place('doctor.json')) as DoctorDocument | undefined;
	return {
		release: readText(place('release'))?.trim() ?? null,
		exitStatus: /^\d+$/u.test(status) ? Number(status) : null,
		tally: report?.summary ?? null,
		output: readText(place('stdout')) ?? '',
		errors: readText(place('stderr')) ?? '',
		lacks: (doctor?.findings ?? []).filter(({ok}) => !ok).map(({what, needs, fix}) => ({what, needs, fix})),
	};
}
