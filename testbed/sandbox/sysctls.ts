/**
Sets and reads the sysctls of a namespace.
*/

import {Buffer} from 'node:buffer';
import {
	closeSync, openSync, readdirSync, readSync, writeFileSync,
} from 'node:fs';
import {TestbedError} from '../errors.js';
import {ownIdMaps} from '../syscalls/id-maps.js';
import type {Netns} from './netns.js';
import {neighborSettings, sysctlSettings, type SysctlSetting} from './sysctl-table.js';

/** Sysctls by name, as the kernel prints them, with single spaces between numbers: `net/ipv4/ip_forward` → `0`. */
export type Sysctls = Readonly<Record<string, string>>;

const fileOf = (name: string): string => `/proc/sys/${name}`;

const buffer = Buffer.alloc(4096);

/** Reads a sysctl with only three system calls, because hundreds are read. Undefined if this kernel does not have it. */
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

/** The error for a sysctl that is not there. Older kernels do not show all of them in a user namespace (seen: `neigh` on Linux 5.10; it is there on 6.1). */
export function missingSysctl({name, why}: Pick<SysctlSetting, 'name' | 'why'>, {isInitial, state}: {readonly isInitial: boolean; readonly state: string}): TestbedError {
	return new TestbedError('MACHINE', {
		message: `This kernel has no sysctl ${name}${isInitial ? '' : ' in a user namespace'}, which the testbed sets in each of its namespaces. ${why}`,
		state,
		...(isInitial ? {} : {hint: 'Use a newer kernel (6.1 shows it), or run it as root.'}),
	});
}

/** Sets a sysctl unless it already has the value (writing some of them makes the kernel drop routes), and returns what the kernel then reports; undefined for an optional one that the kernel lacks. */
function set({name, value, why, since}: SysctlSetting, label: string): string | undefined {
	const state = 'Nothing was sent. The machine\'s own sysctls are unchanged.';
	const before = read(name);
	if (before === undefined && since === undefined) {
		throw missingSysctl({name, why}, {isInitial: ownIdMaps().isInitial, state});
	}

	if (before === undefined || before === value) {
		return before;
	}

	try {
		writeFileSync(fileOf(name), `${value}\n`); // With a line end, because even for an empty value something must be written.
	} catch (error) {
		throw new TestbedError('MACHINE', {message: `The sysctl ${name} cannot be changed from "${before}" to "${value}" in the namespace ${label}: ${(error as Error).message}`, state, cause: error});
	}

	const after = read(name);
	if (after !== value) {
		throw new TestbedError('MACHINE', {message: `The sysctl ${name} was set to "${value}" in the namespace ${label}, but the kernel reports "${after ?? 'nothing'}".`, state});
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
Sets sysctls in a namespace, whatever it inherited from the machine, and returns what the kernel then reports. Set {@link sysctlSettings} before creating interfaces, because they take their values from `default`.

@throws {TestbedError} MACHINE for a sysctl that the kernel lacks, refuses to set, or reports with another value.
*/
export function setSysctls(netns: Netns, settings: readonly SysctlSetting[]): Sysctls {
	return netns.enter(() => setAll(settings, netns.label));
}

/**
Sets {@link neighborSettings} for the current devices of a namespace.

@throws {TestbedError} as {@link setSysctls}.
*/
export function setNeighborSysctls(netns: Netns): Sysctls {
	return netns.enter(() => setAll(neighborSettingsHere(), netns.label));
}

/** Reads the current values of all sysctls that the testbed sets in a namespace, except those that the kernel lacks. */
export function readOwnSysctls(netns: Netns): Sysctls {
	return netns.enter(() => Object.fromEntries([...sysctlSettings, ...neighborSettingsHere()].flatMap(({name}) => {
		const value = read(name);
		return value === undefined ? [] : [[name, value] as const];
	})));
}

/** Sets sysctls unchecked. For tests: as if the namespace had inherited them from the machine. */
export function presetSysctls(netns: Netns, sysctls: Sysctls): void {
	netns.enter(() => {
		for (const [name, value] of Object.entries(sysctls)) {
			writeFileSync(fileOf(name), value);
		}
	});
}
