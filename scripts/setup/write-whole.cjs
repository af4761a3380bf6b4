'use strict';

const fs = require('node:fs');
const path = require('node:path');
const process = require('node:process');

/**
Writes a file that only saves time, or leaves it: a folder that cannot be written costs nothing else. A reader sees the old file or the whole new one.

@param {string} file
@param {string | Uint8Array} content
@param {{makesFolder?: boolean}} options Whether its folder is made if it is missing.
@returns {boolean} Whether it was written.
*/
function writeWhole(file, content, {makesFolder = false} = {}) {
	const temporary = `${file}.${process.pid}`;
	try {
		if (makesFolder) {
			fs.mkdirSync(path.dirname(file), {recursive: true});
		}

		try {
			fs.writeFileSync(temporary, content);
			fs.renameSync(temporary, file);
		} finally {
			fs.rmSync(temporary, {force: true});
		}

		return true;
	} catch {
		return false;
	}
}

module.exports = {writeWhole};
