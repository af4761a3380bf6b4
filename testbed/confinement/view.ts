/**
The list of the machine's files that a confined tool sees. Everything is read-only.

Library folders are visible as a whole: which libraries a tool loads depends on its loader, on the plugins of iptables (a hundred, with their own libraries) and on nsswitch.conf, and with a list that misses one, the tool would fail on some machines. These folders belong to the distribution and contain no secrets. Everything else is listed file by file.
*/

import {lstatSync, readlinkSync, realpathSync, statSync} from 'node:fs';
import path from 'node:path';
import type {FoundProgram} from './programs.js';

/** One entry of the view, at its path: a folder or file of the machine, or a link. */
export type ViewEntry =
	| {readonly kind: 'folder' | 'file'; readonly path: string; readonly source: string; readonly use: 'libraries' | 'program' | 'data' | 'device'}
	| {readonly kind: 'link'; readonly path: string; readonly target: string};

/** Where distributions keep libraries and the plugins of iptables; some of them are links to others. */
const libraryFolders = ['/usr/lib', '/usr/lib32', '/usr/lib64', '/usr/local/lib', '/usr/local/lib64', '/lib', '/lib32', '/lib64'] as const;

/** Package stores of distributions that keep each package in its own folder: programs and libraries are spread all over the store, which is world-readable. */
const stores = ['/nix/store', '/gnu/store'] as const;

/** Folders of name tables that the tools read: marks, realms, groups and tables of iproute2 (nft reads them as well), fingerprints of nft's `osf`, time zones of `meta hour`. */
const dataFolders = ['/etc/iproute2', '/usr/share/iproute2', '/etc/nftables/osf', '/usr/share/xtables', '/usr/share/zoneinfo'] as const;

/** Names of protocols, ports, users, groups and labels; the C library's configuration of where to look them up; the loader's library paths; the time zone. */
const dataFiles = [
	...['protocols', 'services', 'passwd', 'group', 'nsswitch.conf', 'ld.so.cache', 'ld-musl-x86_64.path', 'ld-musl-aarch64.path', 'connlabel.conf', 'xtables/connlabel.conf', 'localtime'].map(name => `/etc/${name}`),
	// For distributions that leave /etc to the administrator.
	...['protocols', 'services', 'nsswitch.conf'].map(name => `/usr/etc/${name}`),
] as const;

/** `null` for discarded output, `urandom` for the seeds of hash tables. */
const devices = ['/dev/null', '/dev/urandom'] as const;

/** For tools that open their own standard streams by name: `nft -f -` opens /dev/stdin. */
const links = [['/dev/stdin', '/proc/self/fd/0'], ['/dev/stdout', '/proc/self/fd/1'], ['/dev/stderr', '/proc/self/fd/2'], ['/dev/fd', '/proc/self/fd']] as const;

function isThere(file: string, kind: 'folder' | 'file'): boolean {
	try {
		const found = statSync(file);
		return kind === 'folder' ? found.isDirectory() : !found.isDirectory();
	} catch {
		return false;
	}
}

function isLink(file: string): boolean {
	return lstatSync(file, {throwIfNoEntry: false})?.isSymbolicLink() ?? false;
}

/** Whether a path is inside one of the folders. */
function isBelow(file: string, folders: readonly string[]): boolean {
	return folders.some(folder => file.startsWith(`${folder}/`));
}

/** The view for some programs on this machine as it is now; folders come before their contents. */
export function viewFor(programs: readonly FoundProgram[]): readonly ViewEntry[] {
	// Both where it was found, for scripts that call it, and the resolved file, which is started.
	const needed = new Set(programs.flatMap(({place, file, startedBy}) => [place, file, ...startedBy]));
	const libraries = [...libraryFolders, ...stores.filter(store => [...needed].some(file => isBelow(realpathSync(file), [store])))].filter(folder => isThere(folder, 'folder'));
	const real = libraries.filter(folder => !isLink(folder));
	return [
		...real.map((folder): ViewEntry => ({
			kind: 'folder', path: folder, source: realpathSync(folder), use: 'libraries',
		})),
		...libraries.filter(folder => isLink(folder)).map((folder): ViewEntry => ({kind: 'link', path: folder, target: readlinkSync(folder)})),
		...[...needed].filter(file => !isBelow(file, libraries)).map((file): ViewEntry => ({
			kind: 'file', path: file, source: realpathSync(file), use: 'program',
		})),
		...dataFolders.filter(folder => isThere(folder, 'folder')).map((folder): ViewEntry => ({
			kind: 'folder', path: folder, source: realpathSync(folder), use: 'data',
		})),
		...dataFiles.filter(file => isThere(file, 'file')).map((file): ViewEntry => ({
			kind: 'file', path: file, source: realpathSync(file), use: 'data',
		})),
		...devices.map((file): ViewEntry => ({
			kind: 'file', path: file, source: file, use: 'device',
		})),
		...links.map(([file, target]): ViewEntry => ({kind: 'link', path: file, target})),
	];
}

/** The parent folders of the entries, each after its own parent. */
export function foldersAbove(entries: readonly ViewEntry[]): readonly string[] {
	const folders = new Set<string>();
	const add = (folder: string): void => {
		if (folder !== '/' && !folders.has(folder)) {
			add(path.dirname(folder));
			folders.add(folder);
		}
	};

	for (const entry of entries) {
		add(path.dirname(entry.path));
	}

	return [...folders];
}
