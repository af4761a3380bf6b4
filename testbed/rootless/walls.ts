/**
Why an ordinary user cannot have a user namespace here, or not one with a range of IDs; each with the line that fixes it.
*/

import {readFileSync} from 'node:fs';
import {commandForRange} from './subordinate-ids.js';

/** What is in the way, as a sentence, and what to do about it. */
export type Wall = {readonly message: string; readonly fix: string};

/** Reads a file of /proc; undefined if it does not exist or cannot be read. */
export type ReadFact = (file: string) => string | undefined;

/** Reads from this machine. */
export function readFact(file: string): string | undefined {
	try {
		return readFileSync(file, 'utf8').trim();
	} catch {
		return undefined;
	}
}

/** A sysctl that forbids user namespaces, and the value at which it does. */
type Switch = {readonly name: string; readonly forbids: string; readonly allows: string; readonly why: string};

const switches: readonly Switch[] = [
	{
		name: 'user/max_user_namespaces', forbids: '0', allows: '15000', why: 'no user may create user namespaces',
	}, {
		name: 'user/max_net_namespaces', forbids: '0', allows: '15000', why: 'no user may create network namespaces',
	}, {
		name: 'kernel/unprivileged_userns_clone', forbids: '0', allows: '1', why: 'Debian\'s kernel lets only root create user namespaces',
	}, {
		name: 'kernel/apparmor_restrict_unprivileged_userns', forbids: '1', allows: '0', why: 'AppArmor takes all capabilities from user namespaces of ordinary users, as on Ubuntu 24.04',
	},
];

/** Longest quotation of what a program said. */
const quotedMax = 200;

/** Why no user namespace can be created, according to the machine's sysctls, and failing that to what unshare(1) said. */
export function creationWall(said: string, read: ReadFact = readFact): Wall {
	const found = switches.find(({name, forbids}) => read(`/proc/sys/${name}`) === forbids);
	if (found !== undefined) {
		const name = found.name.replaceAll('/', '.');
		return {message: `${name} is ${found.forbids}: ${found.why}.`, fix: `sudo sysctl -w ${name}=${found.allows}`};
	}

	const quoted = said.trim().slice(0, quotedMax);
	if (read('/proc/self/uid_map') === undefined) {
		return {message: 'This kernel has no user namespaces.', fix: 'Use a kernel with USER_NS; Debian\'s linux-image-amd64 has it.'};
	}

	if (said.includes('No space left on device')) {
		return {message: `There are too many user namespaces, or they are nested too deep: ${quoted}`, fix: 'sudo sysctl -w user.max_user_namespaces=15000 user.max_net_namespaces=15000'};
	}

	return /^Seccomp:\s*2$/mu.test(read('/proc/self/status') ?? '')
		? {message: `A seccomp filter forbids user namespaces, as in a container: ${quoted}`, fix: 'Start the container with --security-opt seccomp=unconfined, or run it as root with --privileged.'}
		: {message: `A user namespace cannot be used: ${quoted}`, fix: 'Allow it in the machine\'s security policy (SELinux, AppArmor), or run it as root.'};
}

/** What mapping the IDs found out: the user, what is missing beforehand, and what newuidmap(1) or newgidmap(1) said. */
export type MappingFacts = {
	readonly uid: number;
	/** The user's name; without one, the programs refuse. */
	readonly name: string | undefined;
	/** The program that is missing. */
	readonly missing?: string | undefined;
	/** The file that has no range for the user. */
	readonly withoutRange?: string | undefined;
	/** Where a new range could begin. */
	readonly firstFree: number;
	/** What the program said when it failed; empty if it did not. */
	readonly said: string;
};

/** Why a user namespace has only one ID; undefined if nothing is known to be in the way. */
export function mappingWall({uid, name, missing, withoutRange, firstFree, said}: MappingFacts, read: ReadFact = readFact): Wall | undefined {
	if (name === undefined) {
		return {message: `UID ${uid} has no name in /etc/passwd, so it cannot have a range of further IDs.`, fix: `sudo useradd --uid ${uid} --no-create-home testbed     # or run it as a user with a name`};
	}

	if (missing !== undefined) {
		return {message: `The program ${missing} is not installed on this machine, so a user namespace gets only one ID.`, fix: 'sudo apt-get install -y uidmap'};
	}

	if (withoutRange !== undefined) {
		return {message: `${name} has no range of IDs in ${withoutRange}.`, fix: commandForRange(name, {first: firstFree}) ?? 'Run it as root.'};
	}

	if (said === '') {
		return undefined;
	}

	const quoted = said.trim().slice(0, quotedMax);
	return /^NoNewPrivs:\s*1$/mu.test(read('/proc/self/status') ?? '')
		? {message: `This process may not gain privileges (no_new_privs), so newuidmap cannot map the IDs: ${quoted}`, fix: 'Start it without no_new_privs: a container without --security-opt no-new-privileges, a service without NoNewPrivileges=.'}
		: {message: `The IDs could not be mapped: ${quoted}`, fix: 'sudo apt-get install --reinstall -y uidmap     # its programs must be set-user-ID root'};
}
