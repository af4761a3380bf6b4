'use strict';

const fs = require('node:fs');
const path = require('node:path');
const {giveToOwner} = require('./owner.cjs');
const {writeWhole} = require('./write-whole.cjs');

/**
A note in `dist` that says which hash the sources have, as long as no file of them has changed: reading and hashing 850 files takes 40 ms, asking for their times 7 ms, and every command pays that.

As in git's index, a file is taken for unchanged if its inode, size and both times are the same. No program can set the change time (`ctime`, stat(2)), so an edit that restores size and modification time is noticed. A file that changed shortly before the note was written could change again within the same tick of the clock; such a note counts for nothing, and the contents are read.
*/

/** The coarsest times of a file system that people keep a checkout on: FAT's two seconds. */
const tickMs = 2000;

/** One line for each file, and the latest change of all. */
function stateOf(names, root) {
	let latest = 0;
	const lines = names.map(name => {
		const {dev, ino, size, mtimeMs, ctimeMs} = fs.statSync(`${root}/${name}`);
		latest = Math.max(latest, mtimeMs, ctimeMs);
		return `${dev} ${ino} ${size} ${mtimeMs} ${ctimeMs} ${name}\n`;
	});
	return {text: lines.join(''), latest};
}

/**
The hash of files: the noted one if none of them has changed, otherwise a new one, which is noted.

@param {string[]} names Relative to the root. A missing file throws.
@param {{note: string, context: object, hash: () => string}} options `note` is the note's file, relative to the root. `hash` reads the files; its result is one line.
@returns {string}
*/
function hashUnlessUnchanged(names, {note, context, hash}) {
	const file = path.join(context.root, note);
	const {text, latest} = stateOf(names, context.root);
	const noted = readNote(file);
	if (noted !== undefined && noted.text === text && noted.writtenMs > latest + tickMs) {
		return noted.hash;
	}

	const start = performance.now();
	const result = hash();
	// If a file is saved while others are read, its line is outdated, and the next start reads them all again. That needs another tick, and so a note that was written within one.
	if (performance.now() - start < tickMs && writeWhole(file, `${result}${text}`)) {
		giveToOwner([note], context);
	}

	return result;
}

function readNote(file) {
	try {
		const all = fs.readFileSync(file, 'utf8');
		const end = all.indexOf('\n') + 1;
		return {hash: all.slice(0, end), text: all.slice(end), writtenMs: fs.statSync(file).mtimeMs};
	} catch {
		return undefined;
	}
}

module.exports = {hashUnlessUnchanged};
