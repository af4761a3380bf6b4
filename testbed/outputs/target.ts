/**
What the name of an output file refers to: a file, a device, a pipe, a descriptor of this process, or nothing yet. Links are resolved here, so that later code never mistakes a link for its target.
*/

import {
	fstatSync, lstatSync, readFileSync, readlinkSync, realpathSync, statSync, type Stats,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {reasonOf} from '../system/streams.js';

/**
Where an output goes.
- `new`: nothing is there yet. `real` is where it will be, with all links resolved.
- `file`: a regular file.
- `device`: a character device or a FIFO, which is written to, never replaced.
- `descriptor`: one that this process has open (`-`, /dev/stdout, /dev/fd/3). Opening its file again would overwrite what was already written.
- `unusable`: a report cannot be written there; `reason` says why.
*/
export type Target =
	| {readonly kind: 'new'; readonly real: string}
	| {readonly kind: 'file'; readonly real: string; readonly stats: Stats}
	| {readonly kind: 'device'; readonly real: string; readonly stats: Stats}
	| {readonly kind: 'descriptor'; readonly fd: number; readonly stats: Stats}
	| {readonly kind: 'unusable'; readonly reason: string};

const linksMax = 40; // As the kernel follows (path_resolution(7)).

/** What a name refers to right now. It may change, so writers call this again. */
export function targetOf(file: string): Target {
	if (file === '-') {
		return ofDescriptor(1);
	}

	return follow(file);
}

function follow(file: string): Target {
	if (file === '' || file.endsWith('/')) {
		return {kind: 'unusable', reason: 'it names a folder; expected a file'};
	}

	let place = file;
	for (let links = 0; links < linksMax; links++) {
		const folder = folderOf(place);
		if (typeof folder !== 'string') {
			return folder;
		}

		place = path.join(folder, path.basename(place));
		const open = /^\/proc\/(?<pid>\d+)(?:\/task\/\d+)?\/fd\/(?<fd>\d+)$/u.exec(place)?.groups;
		if (open !== undefined && Number(open['pid']) === process.pid) {
			return ofDescriptor(Number(open['fd']));
		}

		if (open !== undefined) {
			// The target of another process's descriptor may have no name, so it is never replaced.
			return {kind: 'unusable', reason: 'it is a descriptor of another process'};
		}

		let stats: Stats | undefined;
		try {
			stats = lstatSync(place, {throwIfNoEntry: false});
		} catch (error) {
			return {kind: 'unusable', reason: reasonOf(error)};
		}

		if (stats?.isSymbolicLink() !== true) {
			return stats === undefined ? {kind: 'new', real: place} : ofStats(place, stats);
		}

		place = path.resolve(folder, readlinkSync(place));
	}

	return {kind: 'unusable', reason: 'there are too many links to follow'};
}

/** The folder of a file with all links resolved, or why there is none. */
function folderOf(file: string): string | Extract<Target, {readonly kind: 'unusable'}> {
	const folder = path.dirname(file);
	try {
		return realpathSync(folder);
	} catch (error) {
		const {code} = error as NodeJS.ErrnoException;
		return {kind: 'unusable', reason: code === 'ENOENT' ? `the folder ${folder} does not exist` : reasonOf(error)};
	}
}

function ofStats(real: string, stats: Stats): Target {
	const reason = unusable(stats);
	return reason === undefined ? {kind: stats.isFile() ? 'file' : 'device', real, stats} : {kind: 'unusable', reason};
}

function ofDescriptor(fd: number): Target {
	let stats: Stats;
	try {
		stats = fstatSync(fd);
	} catch {
		return {kind: 'unusable', reason: `descriptor ${fd} is not open`};
	}

	// The lowest two bits of the flags are the access mode, and 0 is for reading only (open(2)).
	const flags = /^flags:\s+(?<flags>[0-7]+)$/mu.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.groups?.['flags'];
	if (flags !== undefined && (Number.parseInt(flags, 8) & 3) === 0) {
		return {kind: 'unusable', reason: `descriptor ${fd} is open for reading only`};
	}

	return stats.isDirectory() ? {kind: 'unusable', reason: 'it is a folder'} : {kind: 'descriptor', fd, stats};
}

function unusable(stats: Stats): string | undefined {
	if (stats.isDirectory()) {
		return 'it is a folder';
	}

	if (stats.isBlockDevice()) {
		return 'it is a disk, whose contents would be lost';
	}

	return stats.isSocket() ? 'it is a socket' : undefined;
}

/** The identity of an output, so that two names of the same file are recognized. Undefined for targets that can take several outputs (terminals, /dev/null), and for those that cannot be written. */
export function identityOf(target: Target): string | undefined {
	switch (target.kind) {
		case 'unusable': {
			return undefined;
		}

		case 'new': {
			return target.real;
		}

		case 'file':
		case 'device':
		case 'descriptor': {
			return target.stats.isCharacterDevice() ? undefined : numbersOf(target.stats);
		}
	}
}

/** The identity of an input file; `-` is standard input. Undefined for a socket, which can serve as both input and output. */
export function identityOfInput(file: string): string | undefined {
	let stats: Stats;
	try {
		stats = file === '-' ? fstatSync(0) : statSync(file);
	} catch {
		return undefined; // Reading it will report that it is missing.
	}

	return stats.isCharacterDevice() || stats.isSocket() ? undefined : numbersOf(stats);
}

function numbersOf({dev, ino}: Stats): string {
	return `${dev}:${ino}`;
}
