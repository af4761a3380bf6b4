/**
What goes into a guest: this testbed with what it depends on, and the user's files that a command names.
*/

import {
	cpSync, existsSync, lstatSync, mkdirSync, readdirSync,
} from 'node:fs';
import path from 'node:path';
import {TestbedError} from '../errors.js';
import {packageRoot} from '../system/package-root.js';

/** What the program needs of the package. Its bundles contain everything but koffi. */
const parts = ['package.json', 'bin', 'dist/bin', 'lessons', 'scenarios', 'scripts/testbed.cjs', 'scripts/setup'] as const;

/** The addon: the package, and that with its binary for this platform. */
const addons = ['koffi', '@koromix/koffi-linux-x64'] as const;

/** The folder of an installed package, looked for as Node does: in each node_modules from here up. */
function installed(name: string, from: string): string | undefined {
	for (let folder = from; ; folder = path.dirname(folder)) {
		const found = path.join(folder, 'node_modules', name);
		if (existsSync(path.join(found, 'package.json'))) {
			return found;
		}

		if (folder === path.dirname(folder)) {
			return undefined;
		}
	}
}

/**
Copies the testbed to a folder. Without the compiler's settings there, the launcher takes it as installed and builds nothing.

@throws {TestbedError} NOT_TRIED if a part is missing.
*/
export function packTestbed(folder: string, root = packageRoot): void {
	for (const part of parts) {
		if (!existsSync(path.join(root, part))) {
			throw new TestbedError('NOT_TRIED', {message: `${path.join(root, part)} is missing, so this testbed cannot be packed for a guest.`, hint: 'In a checkout: npm run build'});
		}

		cpSync(path.join(root, part), path.join(folder, part), {recursive: true, dereference: true});
	}

	for (const name of addons) {
		const found = installed(name, root);
		if (found === undefined) {
			throw new TestbedError('NOT_TRIED', {message: `The npm package ${name} is not installed beside ${root}, so this testbed cannot be packed for a guest.`, hint: 'Install it with its optional dependencies: npm install'});
		}

		cpSync(found, path.join(folder, 'node_modules', name), {recursive: true, dereference: true});
	}
}

/** Folders that are the guest's own. */
const foreign = ['/dev', '/proc', '/sys', '/run', '/job', '/out'] as const;

/** At most so much is packed: a guest needs rules and scenarios, not a disk. */
const bytesMax = 256 * 1024 * 1024;

/** The files that a command may mean by a word: the word itself, what follows its equals sign (`--rules=FILE`), and what follows the kind of an input (`pod:FILE`). */
function candidates(word: string): readonly string[] {
	const value = /^-[^=]*=(?<value>.*)$/su.exec(word)?.groups!['value'] ?? word;
	return [value, value.replace(/^(?:file|pod|json|junit|tap):/u, '')].filter(text => text !== '' && !text.startsWith('-'));
}

/** The files and folders that exist here and that the words of a command name, as absolute paths, each once. */
export function filesNamedIn(words: readonly string[], folder: string): readonly string[] {
	const files = words.flatMap(word => candidates(word)).map(text => path.resolve(folder, text));
	return [...new Set(files)].filter(file => existsSync(file) && !foreign.some(own => file === own || file.startsWith(`${own}/`)) && file !== '/');
}

/** The size of a file, or of everything in a folder; counting ends where it is too much. */
function bytesOf(file: string): number {
	const stats = lstatSync(file);
	let total = stats.isDirectory() ? 0 : stats.size;
	for (const name of stats.isDirectory() ? readdirSync(file) : []) {
		total += bytesOf(path.join(file, name));
		if (total > bytesMax) {
			break;
		}
	}

	return total;
}

/**
Copies files to a folder, each to its own absolute path below it.

@throws {TestbedError} INPUT for a file that cannot be read, and for more than 256 MB.
*/
export function packFiles(files: readonly string[], folder: string): void {
	for (const file of files) {
		if (!existsSync(file)) {
			throw new TestbedError('INPUT', {message: `--file ${file}: there is no such file.`, state: 'Nothing was booted.'});
		}

		if (bytesOf(file) > bytesMax) {
			throw new TestbedError('INPUT', {message: `${file} is too large for a guest: more than ${bytesMax / 1024 / 1024} MB.`, state: 'Nothing was booted.', hint: 'Name the files that the command reads, or a smaller folder.'});
		}

		const target = path.join(folder, file);
		mkdirSync(path.dirname(target), {recursive: true});
		cpSync(file, target, {recursive: true, dereference: true, force: true});
	}
}
