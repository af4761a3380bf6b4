/**
Sets and reads the sysctls of a namespace.
*/

import {Buffer} from 'node:buffer';
import {
	closeSync, openSync, readdirSync, readSync, writeFileSync,
} from 'node:fs';
import {TestbedError} from '../errors.js';
import type {Netns} from './netns.js';
import {neighborSettings, sysctlSettings, type SysctlSetting} from './sysctl-table.js';

/** Sysctls by name, as the kernel prints them, with single spaces between numbers: `net/ipv4/ip_forward` → `0`. */
export type Sysctls = Readonly<Record<string, string>>;

const fileOf = (name: string): string => `/proc/sys/${name}`;

const buffer = Buffer.alloc(4096);

/** Three system calls and nothing more, for there are hundreds of them to be read. Undefined where this kernel has none of that name. */
function read(name: string): string | undefined {
	let fd: number;
	try {
		fd = openSync(fileOf(name), 'r');
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
			return undefined;
		}

		throw error;
	}

	try {
		return buffer.toString('latin1', 0, readSync(fd, buffer, 0, buffer.length, 0)).trim().replaceAll(/\s+/gu, ' ');
	} finally {
		closeSync(fd);
	}
}

/** Sets one, unless it has the value already (writing some of them makes the kernel throw routes away), and returns what the kernel then says; undefined for one that it may lack, and does. */
function set({name, value, why, since}: SysctlSetting, label: string): string | undefined {
	const state = 'Nothing was sent. The machine\'s own sysctls are as they were.';
	const before = read(name);
	if (before === undefined && since === undefined) {
		throw new TestbedError('MACHINE', {message: `This kernel has no sysctl ${name}, which the testbed sets in every namespace of its own. ${why}`, state});
	}

	if (before === undefined || before === value) {
		return before;
	}

	try {
		writeFileSync(fileOf(name), `${value}\n`); // A line: of an empty value something has to be written.
	} catch (error) {
		throw new TestbedError('MACHINE', {message: `The sysctl ${name} of the namespace ${label} cannot be set from "${before}" to "${value}": ${(error as Error).message}`, state, cause: error});
	}

	const after = read(name);
	if (after !== value) {
		throw new TestbedError('MACHINE', {message: `The sysctl ${name} of the namespace ${label} was set to "${value}", and the kernel says "${after ?? 'nothing'}".`, state});
	}

	return after;
}

const neighborFolders = ['net/ipv4/neigh', 'net/ipv6/neigh'] as const;

function neighborSettingsHere(): readonly SysctlSetting[] {
	return neighborFolders.flatMap(folder => readdirSync(fileOf(folder)).flatMap(device => neighborSettings.map(setting => ({...setting, name: `${folder}/${device}/${setting.name}`}))));
}

function setAll(settings: readonly SysctlSetting[], label: string): Sysctls {
	return Object.fromEntries(settings.flatMap(setting => {
		const value = set(setting, label);
		return value === undefined ? [] : [[setting.name, value] as const];
	}));
}

/**
Gives a namespace values, whatever it took from the machine, and returns what the kernel then says of them. {@link sysctlSettings} before its interfaces are made, for they take theirs from `default`.

@throws {TestbedError} MACHINE for a sysctl that the kernel lacks, will not set, or does not hold afterwards.
*/
export function setSysctls(netns: Netns, settings: readonly SysctlSetting[]): Sysctls {
	return netns.enter(() => setAll(settings, netns.label));
}

/**
Gives the devices that a namespace has by now the values of {@link neighbourSettings}.

@throws {TestbedError} as {@link setSysctls}.
*/
export function setNeighborSysctls(netns: Netns): Sysctls {
	return netns.enter(() => setAll(neighborSettingsHere(), netns.label));
}

/** What the kernel says now of all that the testbed sets in a namespace. One that it lacks is left out. */
export function readOwnSysctls(netns: Netns): Sysctls {
	return netns.enter(() => Object.fromEntries([...sysctlSettings, ...neighborSettingsHere()].flatMap(({name}) => {
		const value = read(name);
		return value === undefined ? [] : [[name, value] as const];
	})));
}

/** Sets sysctls as they are given. For tests: what a namespace would have taken from a machine with such settings. */
export function presetSysctls(netns: Netns, sysctls: Sysctls): void {
	netns.enter(() => {
		for (const [name, value] of Object.entries(sysctls)) {
			writeFileSync(fileOf(name), value);
		}
	});
}
