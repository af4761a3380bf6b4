'use strict';

const path = require('node:path');

function isBelow(folder, file) {
	const relative = path.relative(folder, file);
	return relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
}

function quote(word) {
	return /^[\w./:=@,+-]+$/.test(word) ? word : `'${word.replaceAll('\'', String.raw`'\''`)}'`;
}

/**
How a user calls the testbed of this checkout from their working folder: `testbed` if they did so (a link in PATH); otherwise `bin/testbed`, relative within the checkout and absolute elsewhere.

@param {{root: string, cwd: string, called?: string, env?: Record<string, string | undefined>}} context `called` is the program's path as passed to Node.
*/
function programName({root, cwd, called = '', env = {}}) {
	const isLink = path.basename(called) === 'testbed' && !isBelow(root, called);
	if (isLink && (env.PATH || '').split(path.delimiter).includes(path.dirname(called))) {
		return 'testbed';
	}

	const program = path.join(root, 'bin/testbed');
	return quote(isBelow(root, cwd) ? path.relative(cwd, program) : program);
}

/** The same if the package is installed: npx finds programs that are not in PATH. */
function installedName(env) {
	return env.npm_command === 'exec' ? 'npx testbed' : 'testbed';
}

module.exports = {installedName, programName};
