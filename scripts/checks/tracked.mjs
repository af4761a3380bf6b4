import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

/** The largest tracked file, in bytes: what people write is smaller, and so is what the project generates. */
const bytesMax = 1_000_000;

function list(root, given) {
	return execFileSync('git', ['ls-files', '-z', ...given], {cwd: root, encoding: 'utf8'}).split('\0').filter(name => name !== '');
}

/**
Complaints about files that git tracks and should not: those that .gitignore names, and large ones, which are programs or archives that slipped in.

@param {string} root the checkout
@returns {string[]}
*/
export function complaintsAboutTracked(root) {
	const large = list(root, []).map(name => [name, fs.lstatSync(path.join(root, name), {throwIfNoEntry: false})?.size ?? 0]).filter(([, size]) => size > bytesMax);
	return [
		...list(root, ['--cached', '--ignored', '--exclude-standard']).map(name => `${name} is tracked, and .gitignore says that it should not be. Untrack it: git rm --cached ${name}`),
		...large.map(([name, size]) => `${name} has ${size} bytes; a tracked file has at most ${bytesMax}. Fetch or generate it instead.`),
	];
}
