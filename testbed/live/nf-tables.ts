/**
Which modules the kernel has now: nf_tables, which the kernel would load if it were asked about tables, and all that are loaded.
*/

import {readFileSync} from 'node:fs';
import {release} from 'node:os';
import path from 'node:path';

/** Where to look. */
export type KernelFolders = {readonly proc: string; readonly modules: string};

const usual: KernelFolders = {proc: '/proc', modules: `/lib/modules/${release()}`};

function textOf(file: string): string | undefined {
	try {
		return readFileSync(file, 'utf8');
	} catch {
		return undefined;
	}
}

/** The kernel modules that are loaded now; none for a kernel without loadable modules. */
export function loadedModules({proc}: Pick<KernelFolders, 'proc'> = usual): ReadonlySet<string> {
	return new Set((textOf(path.join(proc, 'modules')) ?? '').split('\n').map(line => line.split(' ')[0]!).filter(name => name !== ''));
}

/** Whether nf_tables is loaded or built in. A kernel without loadable modules loads nothing when it is asked, so there the answer is yes. */
export function hasNfTables({proc, modules}: KernelFolders = usual): boolean {
	const loaded = textOf(path.join(proc, 'modules'));
	if (loaded === undefined || /^nf_tables /mu.test(loaded)) {
		return true;
	}

	const builtIn = textOf(path.join(modules, 'modules.builtin'));
	return builtIn === undefined
		? (textOf(path.join(proc, 'kallsyms')) ?? '').includes(' nf_tables_newtable')
		: builtIn.includes('/nf_tables.ko');
}
